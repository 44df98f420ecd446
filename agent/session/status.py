"""What the candidate may always see: state, what is captured, link, room, backlog. A pure view of the conductor at a time."""

from collections.abc import Callable

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.delivery.spool import Spool
from secureproctor.agent.proctor.acknowledging import pending
from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.machine import LIVE, OVER, State
from secureproctor.agent.session.session import Session
from secureproctor.contract.channel import LINK_LOST_AFTER_S
from secureproctor.contract.page import AuthorizationStatus, LinkStatus, LockdownStatus, RoomStatus, Status


def view(conductor: Conductor, agent: str, now_us: int, automatic: bool, now_ms: Callable[[], int] = wall_ms) -> Status:
    """The status at a time of the boot clock, in microseconds; `now_ms` is the wall clock at that time."""
    session = conductor.session
    base = Status(agent, conductor.state, test_sources=conductor.test_sources, auto_acknowledgement=automatic)
    if session is None:
        return base
    delivery, over = session.delivery, conductor.state in OVER
    segments, waiting = delivery.spool.waiting
    link, room = _link(session, now_us, now_ms(), over), _room(delivery.spool)
    return Status(
        agent,
        conductor.state,
        session.data.session_id,
        paused=conductor.state is State.PAUSED,
        capturing=tuple(sorted(session.capturing)),
        test_sources=conductor.test_sources,
        link=link,
        waiting_segments=segments,
        waiting_bytes=waiting,
        running_s=_running_s(session, now_us),
        end_reason=session.end_reason,
        auto_acknowledgement=automatic,
        pending=tuple(pending(session, now_us)),
        survivable_s=_survivable_s(session.watch, link, room) if conductor.state in LIVE else None,
        room=room,
        drain=delivery.uploader.progress(delivery.uploader.clock()),
        authorization=_authorization(session, conductor.viewing.on),
        quality=session.level,
        lockdown=session.lockdown.status() if session.lockdown else LockdownStatus(),
    )


def _authorization(session: Session, previewing: bool) -> AuthorizationStatus | None:
    authorization = session.authorization
    if authorization is None:
        return None
    taken = tuple(picture for picture in authorization.wanted if picture in session.taken)
    return AuthorizationStatus(
        authorization.step, session.terms, authorization.wanted, taken, authorization.text, previewing
    )


def _link(session: Session, now_us: int, now_ms: int, over: bool) -> LinkStatus:
    """By the last contact, not by `watch.online`: the pulse looks no more once the session is over, and what is left of its
    evidence may wait for the link for long. It does not expire any more then. A closed session waits for nothing."""
    silent_us = now_us - session.watch.last_contact_us
    if session.closed or silent_us < LINK_LOST_AFTER_S * 1e6:
        return LinkStatus(online=True)
    return LinkStatus(
        online=False,
        offline_s=round(silent_us / 1e6, 1),
        expires_in_s=None if over else round(session.watch.left_s(now_us), 1),
        offline_since_ms=now_ms - silent_us // 1000,
    )


def _room(spool: Spool) -> RoomStatus:
    free_bytes, lasts_s = spool.room_status()
    return RoomStatus(free_bytes, None if lasts_s is None else round(lasts_s, 1), spool.level, spool.dropping)


def _survivable_s(watch: LinkWatch, link: LinkStatus, room: RoomStatus) -> float:
    """For how long expiry time and disk allow it, if the service were not heard from now on."""
    link_s = watch.expiry_us / 1e6 if link.expires_in_s is None else link.expires_in_s
    return link_s if room.lasts_s is None else min(link_s, room.lasts_s)


def _running_s(session: Session, now_us: int) -> float:
    if session.running_since_us is None:
        return 0.0
    until_us = session.ended_us if session.ended_us is not None else session.session_us(now_us)
    return round(max(0, (until_us or 0) - session.running_since_us) / 1e6, 3)
