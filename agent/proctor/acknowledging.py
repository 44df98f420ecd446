"""The acknowledgement of what took effect: by the page, by the agent, or by nobody, which the proctor is told in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from secureproctor.agent.clock import boot_us
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.proctor.following import moved
from secureproctor.agent.proctor.reminders import due, left_s
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import AcknowledgementSwitched
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import PendingRequest, RequestEvent

Kind = Literal["pause", "resume", "end"]


@dataclass(slots=True)
class Acknowledging:
    """`automatic` is Enable Auto Acknowledgement."""

    conductor: Conductor
    automatic: bool = False

    def applied(self, session: Session, course: Course) -> None:
        """A command took effect. What the page has no part in is acknowledged at once."""
        moved(session, course, "applied")
        if self.automatic or not course.asks_page:
            moved(session, course, "acknowledged", by="agent")
        if course.asks_page:
            self._ask(course)
            self.conductor.changed()

    def switch(self, automatic: bool) -> None:
        """Acknowledge from now on without the page, or with it; a new agent after a crash keeps to it. What waits is
        acknowledged when it is switched on."""
        self.automatic = automatic
        session = self.conductor.session
        if session is None or session.closed:
            return
        session.note(AcknowledgementSwitched(automatic))
        self.catch_up(session)

    def catch_up(self, session: Session) -> None:
        """Acknowledge what waits and needs no page."""
        for course in waiting(session):
            if self.automatic or not course.asks_page:
                moved(session, course, "acknowledged", by="agent")

    def acknowledge(self, kind: Kind, request_id: str = "", by: str = "page") -> None:
        """Acknowledge a request of the kind: the named one, or the latest. Raises Refusal nothing_to_acknowledge."""
        session = self.conductor.session
        found = [] if session is None or session.closed else [each for each in waiting(session) if each.kind == kind]
        if request_id:
            found = [each for each in found if each.id == request_id]
        if session is None or not found:
            raise Refusal("nothing_to_acknowledge", kind=kind)
        for course in found:  # a page that acknowledges the latest pause has seen the ones before it
            moved(session, course, "acknowledged", by=by)

    def look(self, now_us: int) -> None:
        """Ask the page again, and tell the proctor what nobody acknowledged, as far as it is time for it."""
        for session in self.conductor.at_work:
            for course in waiting(session):
                self._look_at(session, course, now_us)

    def _look_at(self, session: Session, course: Course, now_us: int) -> None:
        asks = due(course, now_us)
        if asks.report:
            moved(session, course, "unacknowledged")
            record_in(session, "acknowledgement_missing", detail={"id": course.id, "command": course.kind})
            self.conductor.changed()
        if asks.reminder:
            course.reminders = asks.reminder
            if session is self.conductor.session:
                self._ask(course, now_us)

    def _ask(self, course: Course, now_us: int | None = None) -> None:
        left = left_s(course, boot_us() if now_us is None else now_us) if course.waits else 0.0
        kind, acknowledged = cast(Kind, course.kind), not course.waits
        self.conductor.tell(RequestEvent(kind, course.id, course.text, acknowledged, course.reminders, left))


def waiting(session: Session) -> list[Course]:
    """What took effect and was not acknowledged, in the order in which it came."""
    return [course for course in session.commands.values() if course.waits]


def pending(session: Session, now_us: int) -> Iterable[PendingRequest]:
    """The same as the page sees it."""
    for course in waiting(session):
        if course.asks_page:
            yield PendingRequest(cast(Kind, course.kind), course.id, course.text, left_s(course, now_us))
