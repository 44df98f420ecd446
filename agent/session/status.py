"""What the candidate may always see: state, what is captured, link, backlog. A pure view of the conductor."""

from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.machine import State
from secureproctor.agent.session.session import Session
from secureproctor.contract.page import LinkStatus, Status


def view(conductor: Conductor, agent: str, now_us: int, automatic: bool) -> Status:
    """The status at a time of the boot clock, in microseconds."""
    session = conductor.session
    base = Status(agent, conductor.state, test_sources=conductor.test_sources, auto_acknowledgement=automatic)
    if session is None:
        return base
    segments, waiting = session.delivery.spool.waiting
    return Status(
        agent,
        conductor.state,
        session.data.session_id,
        paused=conductor.state is State.PAUSED,
        capturing=tuple(sorted(session.capturing)),
        test_sources=conductor.test_sources,
        link=_link(session, now_us),
        waiting_segments=segments,
        waiting_bytes=waiting,
        running_s=_running_s(session, now_us),
        end_reason=session.end_reason,
        auto_acknowledgement=automatic,
        pending=tuple(f"{each.kind}:{each.id}" for each in session.requests if not each.acknowledged),
    )


def _link(session: Session, now_us: int) -> LinkStatus:
    if session.watch.online:
        return LinkStatus(online=True)
    silent_s = (now_us - session.watch.last_contact_us) / 1e6
    return LinkStatus(online=False, offline_s=round(silent_s, 1), expires_in_s=round(session.watch.left_s(now_us), 1))


def _running_s(session: Session, now_us: int) -> float:
    if session.running_since_us is None:
        return 0.0
    until_us = session.ended_us if session.ended_us is not None else session.session_us(now_us)
    return round(max(0, (until_us or 0) - session.running_since_us) / 1e6, 3)
