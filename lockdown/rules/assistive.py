"""Assistive technology keeps working, and what is used is on the record: a proctor who hears a voice knows whose it is."""

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Arrival, Census
from secureproctor.lockdown.rules.observing import Observing


class AssistiveRule(Observing):
    """Tells each one once. It closes nothing, and nothing that it sees is a violation."""

    id: RuleId = "assistive"

    def __init__(self, census: Census, names: Catalogue) -> None:
        self._census = census
        self._names = names
        self._told: set[str] = set()

    def probe(self, terms: Terms) -> Probed:
        """It works wherever processes can be read."""
        return Probed("observed")

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look."""
        super().apply(terms, report)
        self._told.clear()
        self._census.listen(self._look)

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._census.forget(self._look)
        super().restore(image)

    def _look(self, arrival: Arrival) -> None:
        found = self._names.assistive(arrival.running)
        if found is None or found.id in self._told or self._report is None:
            return
        self._told.add(found.id)
        detail = {"program": arrival.running.name, "kind": found.kind, "known_as": found.name}
        self._report(Sighting(self.id, "assistive_technology", {**detail}, about=found.id, counts=False))
