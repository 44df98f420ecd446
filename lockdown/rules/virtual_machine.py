"""Virtual machine: every sign of it on the record, with its weight; what they say together is the service's to conclude.

The record says so, too, when nothing was found, and what could not be read: a check that failed to run is no virtual machine,
and no proof of a real computer.
"""

from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.readings import Signs
from secureproctor.lockdown.rule import Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.evidence import detail_of, weight_of
from secureproctor.lockdown.rules.hardware import READINGS
from secureproctor.lockdown.rules.observing import Observing

SUSPECTED = 0.7
"""From here on the signs count as a violation, and the candidate is told at Check System."""


class VirtualMachineRule(Observing):
    """Reads the signs when it is applied: a computer does not become a virtual machine while it runs."""

    id: RuleId = "virtual_machine"

    def __init__(self, read: Callable[[], Signs]) -> None:
        self._read = read

    def probe(self, terms: Terms) -> Probed:
        """`observed`, whatever the signs say."""
        signs = self._read()
        if not signs.found and set(signs.unknown) >= READINGS:
            return Probed("could_not_check", "Nothing of this computer's make could be read.")
        if weight_of(signs) < SUSPECTED:
            return Probed("observed")
        return Probed(
            "observed", "This computer looks like a virtual machine.", "Use a real computer, or ask the proctor."
        )

    def apply(self, terms: Terms, report: Report) -> None:
        """Put the signs on the record."""
        super().apply(terms, report)
        signs = self._read()
        report(Sighting(self.id, "virtual_machine", detail_of(signs), counts=weight_of(signs) >= SUSPECTED))
