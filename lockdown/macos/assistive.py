"""The rule `assistive` on macOS: programs as everywhere, and those of macOS's own helpers that are no program of their own."""

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Session
from secureproctor.lockdown.rule import Report, Sighting, Terms
from secureproctor.lockdown.rules.assistive import AssistiveRule
from secureproctor.lockdown.rules.census import Census

KINDS = {"VoiceOver": "screen_reader", "Zoom": "magnifier", "Switch Control": "switch"}
"""What `Session.helpers` names, with the kinds of the catalogue."""


class MacAssistiveRule(AssistiveRule):
    """Asks once a second besides."""

    def __init__(self, census: Census, names: Catalogue, session: Session) -> None:
        super().__init__(census, names)
        self._session = session

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look."""
        super().apply(terms, report)
        self._ask()

    def verify(self) -> bool:
        """Ask, on the way."""
        self._ask()
        return super().verify()

    def _ask(self) -> None:
        if self._report is None:
            return
        for name in self._session.helpers():
            key = name.casefold()  # as the catalogue calls VoiceOver's program
            if key not in self._told:
                self._told.add(key)
                detail = {"program": name, "kind": KINDS[name], "known_as": name}
                self._report(Sighting(self.id, "assistive_technology", {**detail}, about=key, counts=False))
