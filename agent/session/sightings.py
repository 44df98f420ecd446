"""What the lockdown saw, turned into what it means: on the record, before the candidate's eyes, against the tolerance.

Everything that is seen goes on the record as it came. Some kinds mean more, and have a row in MEANINGS: leaving the window
counts, a forbidden program is asked to be closed, assistive technology is shown. The page's own report that it was hidden is
a sighting like the lockdown's (tolerance.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.agent.session.journal import WindowLeft
from secureproctor.agent.session.lockdown import Asked, Lockdown
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.tolerance import Watcher
from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import BeyondTolerance
from secureproctor.contract.page import PageEvent, WarningEvent
from secureproctor.lockdown.rule import Sighting

MOST_NOTED = 2000
"""More than any exam tolerates: what comes after it makes no journal longer."""
MOST_ASKED = 50
"""So many programs are shown to the candidate at the same time; all of them are on the record."""
THEN: dict[BeyondTolerance, str] = {
    "record": "It is on the record.",
    "pause": "The test is paused.",
    "end": "The test ends.",
}


@dataclass(slots=True)
class Sightings:
    """`running` says whether leaving the window counts now, `beyond` is told when it was left too often, `changed` when the
    status may have changed."""

    tell: Callable[[PageEvent], None]
    changed: Callable[[], None]
    running: Callable[[], bool]
    beyond: Callable[[Session, BeyondTolerance], None]

    def saw(self, session: Session, sighting: Sighting) -> None:
        """The lockdown of a session saw something."""
        lockdown = session.lockdown
        if lockdown is None:
            return
        meaning = MEANINGS.get(sighting.kind)
        if meaning is None:
            record_in(session, sighting.kind, detail=sighting.detail)
        else:
            meaning(self, session, lockdown, sighting)
        self.changed()

    def page_seen(self, session: Session | None, visible: bool) -> None:
        """The exam page tells that it is hidden, or seen again."""
        if session is None or session.lockdown is None or session.lockdown.phase != "locked":
            return
        if visible:
            self._returned(session, session.lockdown, "page", {"by": "candidate"})
        else:
            self._left(session, session.lockdown, "page", {"program": "", "how": "page"})
        self.changed()

    def page_left(self, session: Session | None) -> None:
        """There is no exam page any more that could tell anything."""
        if session is not None and session.lockdown is not None:
            session.lockdown.tolerance.forget("page")

    # the candidate's eyes

    def left_window(self, session: Session, lockdown: Lockdown, sighting: Sighting) -> None:
        """Something else is in front."""
        self._left(session, lockdown, "lockdown", sighting.detail)

    def returned(self, session: Session, lockdown: Lockdown, sighting: Sighting) -> None:
        """The exam window is in front again."""
        self._returned(session, lockdown, "lockdown", sighting.detail)

    def _left(self, session: Session, lockdown: Lockdown, by: Watcher, detail: Detail) -> None:
        left = lockdown.tolerance.left_window(by, lockdown.clock(), self.running())
        if left.counted and left.times <= MOST_NOTED:
            session.note(WindowLeft(left.times))
        if left.news or by == "lockdown":  # the lockdown knows more of a departure that the page told first
            record_in(session, "left_window", detail={**detail, "times": left.times, "left": left.left})
        if left.counted:
            self._warn_of_leaving(session, lockdown, left.times, left.left, left.exceeded)

    def _warn_of_leaving(
        self, session: Session, lockdown: Lockdown, times: int, left: int | None, exceeded: bool
    ) -> None:
        if not exceeded:
            rest = "" if left is None else f" You may do so {left} more time{'' if left == 1 else 's'}."
            self.tell(WarningEvent("left_window", f"You left the exam window.{rest}", times, left))
            return
        then = lockdown.settings.beyond_tolerance
        record_in(session, "tolerance_exceeded", detail={"times": times, "then": then})
        text = f"You left the exam window more often than the exam tolerates. {THEN[then]}"
        self.tell(WarningEvent("tolerance_exceeded", text, times, left))
        self.beyond(session, then)

    def _returned(self, session: Session, lockdown: Lockdown, by: Watcher, detail: Detail) -> None:
        back = lockdown.tolerance.returned(by, lockdown.clock())
        if back is not None:
            known: Detail = {"away_s": back.away_s, "times": back.times, "left": back.left}
            record_in(session, "returned_to_window", detail={**known, **detail})

    # programs and displays

    def forbidden(self, session: Session, lockdown: Lockdown, sighting: Sighting) -> None:
        """A forbidden program runs; unless it is only observed, the candidate is asked to close it."""
        record_in(session, sighting.kind, detail=sighting.detail)
        program, category = str(sighting.detail.get("program", "")), str(sighting.detail.get("category", ""))
        if lockdown.settings.programs == "observe" or not program:
            return
        left_s = _seconds(sighting.detail.get("left_s"))
        if program in lockdown.asked or len(lockdown.asked) < MOST_ASKED:
            until_s = None if left_s is None else lockdown.clock() + left_s
            lockdown.asked[program] = Asked(program, category, until_s)
        self.tell(WarningEvent("program", f"Close {program}: the exam does not allow it.", left_s=left_s))

    def gone(self, session: Session, lockdown: Lockdown, sighting: Sighting) -> None:
        """A forbidden program is there no more, or could not be closed."""
        record_in(session, sighting.kind, detail=sighting.detail)
        lockdown.asked.pop(str(sighting.detail.get("program", "")), None)

    def displays(self, session: Session, lockdown: Lockdown, sighting: Sighting) -> None:
        """The displays changed, or are too many."""
        record_in(session, sighting.kind, detail=sighting.detail)
        if sighting.counts:
            allowed = lockdown.settings.displays
            text = f"The exam allows {allowed} display{'' if allowed == 1 else 's'}. Disconnect the others."
            self.tell(WarningEvent("displays", text))

    def assistive(self, session: Session, lockdown: Lockdown, sighting: Sighting) -> None:
        """Assistive technology is in use."""
        record_in(session, sighting.kind, detail=sighting.detail)
        if len(lockdown.assistive) < MOST_ASKED:
            lockdown.assistive[str(sighting.detail.get("program", ""))] = None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


Meaning = Callable[[Sightings, Session, Lockdown, Sighting], None]
MEANINGS: dict[str, Meaning] = {
    "left_window": Sightings.left_window,
    "returned_to_window": Sightings.returned,
    "program_forbidden": Sightings.forbidden,
    "program_closed": Sightings.gone,
    "program_not_closed": Sightings.gone,
    "displays": Sightings.displays,
    "assistive_technology": Sightings.assistive,
}
