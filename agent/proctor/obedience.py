"""What the proctor sends, carried out: each message once, each command answered.

`take` notes a message before it returns, so that the channel may acknowledge it; what is left to do is awaited afterwards. An
agent that is killed in between leaves in the journal what it had not finished (`go_on`): a command whose effect is there is not
carried out again, one without is, if its lifetime has not passed.

A session remembers MOST_COMMANDS commands; those beyond are refused and forgotten.
"""

import contextlib
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.proctor.acknowledging import Acknowledging, Kind
from secureproctor.agent.proctor.chatting import Chatting
from secureproctor.agent.proctor.commands import ROWS, carry_out, objection
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.proctor.following import begun, moved, tell
from secureproctor.agent.proctor.protocol import FromService, Misread
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import CommandMoved, EndOrdered
from secureproctor.agent.session.machine import OVER, Trigger
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.contract.channel import (
    Chat,
    ChatMark,
    Command,
    CommandUpdate,
    KeepAlive,
    ProctorError,
    ServiceEnded,
    Unreadable,
)
from secureproctor.contract.errors import ErrorInfo, Refusal
from secureproctor.contract.page import ErrorEvent

MOST_COMMANDS = 1000
MOST_UNREADABLE = 100
"""So many messages that cannot be read go on a session's record."""

Work = Coroutine[Any, Any, None]


@dataclass(slots=True)
class Obedience:
    """Carries out what comes from the proctor. `new_id` names the candidate's chat messages."""

    conductor: Conductor
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex
    acknowledging: Acknowledging = field(init=False)
    chatting: Chatting = field(init=False)
    _unreadable: int = 0

    def __post_init__(self) -> None:
        self.acknowledging = Acknowledging(self.conductor)
        self.chatting = Chatting(self.conductor, self.new_id)

    @property
    def automatic(self) -> bool:
        """Whether the agent acknowledges by itself."""
        return self.acknowledging.automatic

    def switch(self, automatic: bool) -> None:
        """Acknowledge from now on without the page, or with it."""
        self.acknowledging.switch(automatic)

    def acknowledge(self, kind: Kind, request_id: str = "") -> None:
        """The page acknowledges a request. Raises Refusal nothing_to_acknowledge."""
        self.acknowledging.acknowledge(kind, request_id)

    def say(self, text: str) -> str:
        """The candidate writes; the message's id. Raises Refusal not_now or chat_full."""
        return self.chatting.say(text)

    def take(self, session: Session, message: FromService) -> Work | None:
        """Note a message of the session's channel; what is left to do for it."""
        match message:
            case Command():
                return self._command(session, message)
            case Chat():
                self.chatting.came(session, message)
            case ChatMark():
                self.chatting.marked(session, message)
            case ProctorError():
                self.conductor.tell(ErrorEvent(ErrorInfo(message.code, message.message, message.remedy)))
            case ServiceEnded():
                return self._ordered(session, message.reason)
            case KeepAlive():
                if session.attestations is not None:
                    session.attestations.heard(message.nonce)
            case Misread():
                self._misread(session, message)
        return None

    def tell_again(self, session: Session, last: CommandMoved | None) -> None:
        """Tell what an agent noted that died before the channel had it; `last` is its last word on any command. To be called
        before anything new is noted."""
        if last is not None:
            tell(session, last)
        self.chatting.tell_again(session)

    async def go_on(self, session: Session) -> None:
        """Finish what that agent left behind. What comes meanwhile is noted, and has its turn afterwards."""
        for course in session.unfinished:
            await self._finish(session, course)
        self.acknowledging.catch_up(session)
        if session.end_ordered:
            await self._end(session, session.end_ordered)
        session.caught_up.set()

    # commands

    def _command(self, session: Session, command: Command) -> Work | None:
        if command.id in session.commands:
            return None  # the link has delivered it before; its statuses travel by the link as well
        if self._forgets(session, command.id):
            return None
        course = begun(session, command.id, command.kind, command)
        why_not = objection(command, session.data.settings, wall_ms() + session.skew_ms)
        if why_not is not None:
            status, reason = why_not
            moved(session, course, status, reason=reason)
            return None
        work = self._in_turn(session, lambda: self._carry_out(session, course, command))
        if not ROWS[command.kind].aside:
            return work
        session.tasks.append(self.conductor.supervisor.start(f"command {command.kind}", work))
        return None

    async def _carry_out(self, session: Session, course: Course, command: Command) -> None:
        try:
            await carry_out(self.conductor, session, command)
        except Refusal as error:
            moved(session, course, "failed", reason=error.message)
        else:
            # nothing is awaited from here on: a session that has just ended must not be put away before this is noted
            self.acknowledging.applied(session, course)

    async def _finish(self, session: Session, course: Course) -> None:
        command = course.whole
        if course.done:
            self.acknowledging.applied(session, course)
        elif course.begun or command is None:
            moved(
                session, course, "failed", reason="The agent was restarted while it carried this out; order it again."
            )
        elif why_not := objection(command, session.data.settings, wall_ms() + session.skew_ms):
            moved(session, course, why_not[0], reason=why_not[1])
        else:
            await self._carry_out(session, course, command)

    def _forgets(self, session: Session, command_id: str) -> bool:
        if len(session.commands) < MOST_COMMANDS:
            return False
        reason = f"There were {MOST_COMMANDS} commands in this session."
        session.channel.offer(CommandUpdate(command_id, "refused", wall_ms(), reason=reason))
        return True

    async def _in_turn(self, session: Session, work: Callable[[], Work]) -> None:
        await session.caught_up.wait()
        await work()

    # all the rest

    def _ordered(self, session: Session, reason: str) -> Work | None:
        if session.end_ordered:
            return None
        session.end_ordered = reason
        session.note(EndOrdered(reason))
        return self._in_turn(session, lambda: self._end(session, reason))

    async def _end(self, session: Session, reason: str) -> None:
        trigger = Trigger.EXPIRE if reason == "expired" else Trigger.END
        if self.conductor.session is session and self.conductor.state not in OVER:
            with contextlib.suppress(Refusal):  # somebody else has ended it while this waited
                await self.conductor.end(trigger, "Ending")

    def _misread(self, session: Session, misread: Misread) -> None:
        self._unreadable += 1
        if self._unreadable <= MOST_UNREADABLE:
            record_in(session, "message_unreadable", detail={"kind": misread.type})
        if misread.type != "command" or not misread.id:
            session.channel.offer(Unreadable(misread.type, misread.reason))
        elif misread.id not in session.commands and not self._forgets(session, misread.id):
            course = begun(session, misread.id, misread.kind)
            moved(session, course, "refused", reason=f"The agent cannot read the command: {misread.reason}.")
