"""What the proctor sends, carried out: commands, chat, errors, the service's own ending; and their acknowledgement.

A command's way: received → (expired | refused | failed) or applied → acknowledged. Each step is in the journal before it is
told. A command that came before, by its id, is not carried out a second time; its steps have been told by the link.
"""

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.proctor.commands import COMMANDS, is_past, refusal
from secureproctor.agent.proctor.protocol import FromService
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import AcknowledgementSwitched, CommandMoved
from secureproctor.agent.session.machine import ENDINGS, OVER, Trigger
from secureproctor.agent.session.session import Request, Session
from secureproctor.contract.channel import Chat, Command, CommandStatus, CommandUpdate, ProctorError, ServiceEnded
from secureproctor.contract.errors import ErrorInfo, Refusal
from secureproctor.contract.page import ChatEvent, ErrorEvent, RequestEvent

Kind = Literal["pause", "resume", "end"]


@dataclass(slots=True)
class Obedience:
    """Carries out what comes from the proctor. `automatic` is Enable Auto Acknowledgement."""

    conductor: Conductor
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex
    automatic: bool = False

    async def obey(self, session: Session, message: FromService) -> None:
        """Carry out a message of the channel that belongs to the session."""
        match message:
            case Command():
                await self._command(session, message)
            case Chat():
                self.conductor.tell(ChatEvent(message.id, message.text, message.at_ms))
            case ProctorError():
                self.conductor.tell(ErrorEvent(ErrorInfo(message.code, message.message, message.remedy)))
            case ServiceEnded():
                trigger = Trigger.EXPIRE if message.reason == "expired" else Trigger.END
                if self.conductor.session is session and self.conductor.state not in OVER:
                    with contextlib.suppress(Refusal):  # somebody else has ended it while this waited
                        await self.conductor.end(trigger, "Ending")

    def switch(self, automatic: bool) -> None:
        """Acknowledge from now on without the page, or with it; a new agent after a crash keeps to it."""
        self.automatic = automatic
        session = self.conductor.session
        if session is not None and not session.closed:
            session.note(AcknowledgementSwitched(automatic))

    def acknowledge(self, kind: Kind, request_id: str = "", by: str = "page") -> None:
        """Acknowledge a request of the kind: the named one, or the latest. Raises Refusal nothing_to_acknowledge."""
        session = self.conductor.session
        waiting = [
            each for each in (session.requests if session else []) if each.kind == kind and not each.acknowledged
        ]
        if request_id:
            waiting = [each for each in waiting if each.id == request_id]
        if session is None or session.closed or not waiting:
            raise Refusal("nothing_to_acknowledge", kind=kind)
        for request in waiting:  # a page that acknowledges the latest pause has seen the ones before it
            request.acknowledged = True
            self._moved(session, request.id, request.kind, "acknowledged", by=by)

    def say(self, text: str) -> str:
        """Send the candidate's message; its id. Raises Refusal not_now without a session."""
        session = self.conductor.session
        if session is None or session.closed:
            raise Refusal("not_now", call="SendMessage", state=self.conductor.state, remedy="Register with Init first.")
        chat = Chat(self.new_id(), "candidate", text, wall_ms())
        session.channel.send(chat)
        return chat.id

    async def _command(self, session: Session, command: Command) -> None:
        if session.commands.get(command.id, ["received"])[-1] != "received":
            return  # the link has delivered it before; its statuses travel by the link as well
        self._moved(session, command.id, command.kind, "received")
        if is_past(command, wall_ms() + session.skew_ms):
            self._moved(session, command.id, command.kind, "expired", reason="It came after its lifetime.")
            return
        why = refusal(command, session.data.settings)
        if why:
            self._moved(session, command.id, command.kind, "refused", reason=why)
            return
        try:
            await self._carry_out(session, COMMANDS[command.kind].trigger)
        except Refusal as error:
            self._moved(session, command.id, command.kind, "failed", reason=error.message)
            return
        # nothing is awaited from here on: a session that has just ended must not be put away before its request is noted
        self._applied(session, command)

    async def _carry_out(self, session: Session, trigger: Trigger) -> None:
        if self.conductor.session is not session:
            raise Refusal("session_unknown")
        if trigger in ENDINGS:
            await self.conductor.end(trigger, "End")
        else:
            await self.conductor.pull(trigger, by="proctor")

    def _applied(self, session: Session, command: Command) -> None:
        self._moved(session, command.id, command.kind, "applied")
        session.requests.append(Request(command.id, command.kind))
        if self.automatic:
            self.acknowledge(command.kind, command.id, by="agent")
        self.conductor.tell(RequestEvent(command.kind, command.id, command.text, self.automatic))
        self.conductor.changed()

    def _moved(
        self, session: Session, command_id: str, kind: str, status: CommandStatus, *, by: str = "", reason: str = ""
    ) -> None:
        session.commands.setdefault(command_id, []).append(status)
        session.note(CommandMoved(command_id, kind, status, wall_ms(), by, reason))
        update = CommandUpdate(command_id, status, wall_ms(), session.session_us(boot_us()), by, reason)
        session.channel.send(update)
        self.conductor.record("command", detail={"id": command_id, "command": kind, "status": status})
