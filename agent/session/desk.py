"""The candidate's side of authorization: consent, a look at the camera, pictures, and handing them in.

The pictures are in memory until they are handed in: an agent that dies asks for them again. What was handed in is sealed in
the spool before anybody is told that it was.
"""

import asyncio
import base64
from dataclasses import dataclass, field

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.session.authorization import Authorization
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.machine import LIVE, State
from secureproctor.agent.session.remedies import REMEDIES
from secureproctor.agent.session.session import Session, Taken
from secureproctor.agent.session.sources import remedy_for
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import Shot
from secureproctor.contract.record import RecordError
from secureproctor.contract.stills import Identity, StillInfo
from secureproctor.contract.streams import Stream

MAY_ANSWER = frozenset({State.REGISTERED, State.AWAITING_AUTHORIZATION})
"""Consent may be given as soon as the exam is known, also before Check System."""
DONE = frozenset({State.READY, State.STARTING, *LIVE})


@dataclass(slots=True)
class AuthorizationDesk:
    """Works on the conductor's session. One thing at a time."""

    conductor: Conductor
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def consent(self, accepted: bool) -> None:
        """The candidate agrees to the session's terms, or does not. Raises Refusal not_now."""
        async with self._lock:
            session, authorization = self._session("Consent", MAY_ANSWER)
            entry = authorization.answered(accepted, wall_ms())
            if entry is None:
                return
            if not accepted:
                session.taken.clear()
                await self.conductor.viewing.stop()
            self.conductor.authorization_moved(session, entry)

    async def start_preview(self, of: Identity) -> None:
        """Show the candidate what the camera sees. Raises Refusal not_now, consent_missing, picture_not_wanted or
        camera_unavailable."""
        async with self._lock:
            self._wanted(of, "StartPreview")
            code = await self.conductor.viewing.start(of)
            if code:
                raise _no_camera(code)
            try:
                self._wanted(of, "StartPreview")
            except Refusal:  # the session has left the desk meanwhile, and its closing may have come before the opening
                await self.conductor.viewing.stop()
                raise
        self.conductor.changed()

    async def stop_preview(self) -> None:
        """Close the camera; harmless when it is closed."""
        await self.conductor.viewing.stop()
        self.conductor.changed()

    async def take(self, of: Identity) -> Shot:
        """Take a picture; it replaces the one before. Raises Refusal as `start_preview` does."""
        async with self._lock:
            session, _ = self._wanted(of, "TakePhoto")
            still, code = await self.conductor.viewing.take(of)
            if still is None:
                raise _no_camera(code)
            self._wanted(of, "TakePhoto")
            now_ms = wall_ms()
            session.taken[of] = Taken(still, now_ms)
            self.conductor.record("still_taken", detail={"of": of, "hints": " ".join(still.hints)})
        self.conductor.changed()
        return Shot(of, base64.b64encode(still.jpeg).decode(), still.width, still.height, now_ms, still.hints)

    async def submit(self) -> None:
        """Hand in what is wanted; again is harmless. Raises Refusal not_now, consent_missing, pictures_missing or disk_full."""
        async with self._lock:
            session, authorization = self._at_desk("SubmitAuthorization")
            entry = authorization.submitted(frozenset(session.taken), wall_ms())
            if entry is None:
                return
            await self.conductor.viewing.stop()
            for of in authorization.wanted:
                await self._put_on_record(session, of, session.taken[of])
            if self._at_desk("SubmitAuthorization")[0] is session:
                session.taken.clear()
                self.conductor.authorization_moved(session, entry)

    async def _put_on_record(self, session: Session, of: Identity, taken: Taken) -> None:
        still = taken.still
        info = StillInfo(of, taken.at_ms, still.width, still.height, still.hints)
        try:
            await session.delivery.still(info, still.jpeg)
        except (OSError, RecordError) as error:
            raise Refusal("disk_full", why=error, folder=session.folder.path) from None

    def _wanted(self, of: Identity, call: str) -> tuple[Session, Authorization]:
        session, authorization = self._at_desk(call)
        authorization.require(of, call)
        return session, authorization

    def _at_desk(self, call: str) -> tuple[Session, Authorization]:
        return self._session(call, frozenset({State.AWAITING_AUTHORIZATION}))

    def _session(self, call: str, states: frozenset[State]) -> tuple[Session, Authorization]:
        """The session and its authorization, in one of the states. Raises Refusal not_now."""
        session, state = self.conductor.session, self.conductor.state
        if session is not None and session.authorization is not None and state in states:
            return session, session.authorization
        remedy = "Nothing more is asked for." if state in DONE else REMEDIES[state]
        if session is not None and session.authorization is None:
            remedy = "The exam does without authorization."
        raise Refusal("not_now", call=call, state=state, remedy=remedy)


def _no_camera(code: str) -> Refusal:
    return Refusal("camera_unavailable", diagnosis=code, remedy=remedy_for(Stream.WEBCAM, code))
