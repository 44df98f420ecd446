"""The rule `task_manager`: by policy, and every task manager that runs all the same is closed.

The policy stops Windows' own, and takes the right to set it. Without that right, and for other programs of the kind, the rule
of all systems closes them as soon as they open.
"""

import time
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rule import Image, Report, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.programs import TaskManagerRule
from secureproctor.lockdown.windows.api import Registry
from secureproctor.lockdown.windows.policies import TABLE
from secureproctor.lockdown.windows.registry import RegistryPolicy


class TaskManager(TaskManagerRule):
    """Both. It is `Watching` as ProgramsRule is."""

    def __init__(
        self, registry: Registry, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(census, names, clock)
        task_manager: RuleId = "task_manager"
        self._disabled = RegistryPolicy(registry, TABLE[task_manager])
        self._may_write = False

    def before(self, terms: Terms) -> Image:
        """The policy as it was, if it will be changed."""
        self._may_write = not terms.observe_only and self._disabled.may_write()
        return self._disabled.before() if self._may_write else {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Set the policy, and begin to look."""
        super().apply(terms, report)
        if self._may_write:
            self._disabled.apply()

    def verify(self) -> bool:
        """Whether both hold."""
        return super().verify() and (not self._may_write or self._disabled.holds())

    def restore(self, image: Image) -> None:
        """Put the policy back, and look no more."""
        super().restore(image)
        self._disabled.restore(image)
