"""The results for a person at a terminal, and for a script."""

from collections.abc import Sequence

import msgspec
from rich.table import Table
from rich.text import Text

from secureproctor.agent.checks.check import summed_up
from secureproctor.contract.page import CheckResult

WORDS: dict[str, tuple[str, str]] = {
    "passed": ("passed", "green"),
    "warned": ("warned", "yellow"),
    "failed": ("failed", "bold red"),
    "could_not_check": ("could not check", "magenta"),
}
"""Each status as a word and a colour; the word alone suffices for who sees no colours."""


def check_table(results: Sequence[CheckResult]) -> Table:
    """A row per check: its name, the status as a coloured word, what was seen, what to do; long text wraps."""
    table = Table("Check", "Result", title="Check System", show_lines=True)
    table.add_column("Seen", overflow="fold")
    table.add_column("What to do", overflow="fold")
    for result in results:
        # Text and not str: rich would read brackets in a device's name as its markup
        table.add_row(Text(result.name), Text(*WORDS[result.status]), Text(result.seen), Text(result.remedy))
    return table


def to_json(results: Sequence[CheckResult]) -> str:
    """The same as an indented JSON object of the shape contract.page.CheckResults."""
    return msgspec.json.format(msgspec.json.encode(summed_up(results)), indent=2).decode()


def exit_code(results: Sequence[CheckResult]) -> int:
    """1 when a check failed, else 0.

    A check that could not run does not make 1 alone: it proves nothing against this computer. Scripts that want more
    read the JSON, where it stands as itself.
    """
    return 0 if summed_up(results).ok else 1
