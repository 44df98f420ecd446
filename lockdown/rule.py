"""What a lockdown rule is: something on this machine that can be probed, applied, verified and restored.

There are no rules in this version. Exams that ask for Navigation Control or MSB are told so at Init (the settings are
listed as not enforced), on the page, and in the report.
"""

from typing import Protocol


class Rule(Protocol):
    """One restriction. `apply` writes the before-image to disk first; `restore` twice is harmless."""

    id: str

    def probe(self) -> str:
        """Whether the rule can be enforced here: `enforceable`, `observable`, `impossible` or `could_not_check`."""

    def apply(self) -> None:
        """Put the restriction in place."""

    def verify(self) -> bool:
        """Whether the restriction is still in place."""

    def restore(self) -> None:
        """Put back what was there before."""


RULES: tuple[type[Rule], ...] = ()
"""Every rule, in the order in which they are applied."""
