"""The methods of the loopback API: for each, its params and what it does. Transport and JSON-RPC are server.py's business.

A new method is a row in ROUTES and in contract/page.py. Of several pages one holds the session (holder.py); what changes
anything is the holder's alone, and the rows say which methods are for everybody.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from secureproctor.agent.local.browser_desk import BrowserDesk
from secureproctor.agent.local.door import MAX_FRAME_MESSAGE, MAX_MESSAGE, Visitor
from secureproctor.agent.local.holder import Holder
from secureproctor.agent.proctor.obedience import Obedience
from secureproctor.agent.service_api import ServiceApi
from secureproctor.agent.session.admission import admitted
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.desk import AuthorizationDesk
from secureproctor.agent.session.journal import KeyVerified
from secureproctor.agent.session.quitting import Quitting
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitData
from secureproctor.contract.page import (
    Acknowledgement,
    Attach,
    Attached,
    Attest,
    Attested,
    AutoAcknowledgement,
    Beat,
    BeatAnswer,
    ChatRead,
    CheckResults,
    Consent,
    Conversation,
    Departed,
    FrameTaken,
    HandedFrame,
    Hello,
    Message,
    Picture,
    Quit,
    Registered,
    Sent,
    Shot,
    SignedQuery,
    SignedRequest,
    Status,
    Visibility,
)


class Nothing(msgspec.Struct, frozen=True):
    """No params."""


def _undivided() -> Holder:
    """A holder for a desk to which only one page comes: nobody needs to be told."""
    return Holder(lambda visitor, holding: None, lambda origin, taken_over: None)


@dataclass(slots=True)
class Desk:
    """What the methods work on."""

    conductor: Conductor
    obedience: Obedience
    api: ServiceApi
    browser: BrowserDesk
    status: Callable[[], Status]
    holder: Holder = field(default_factory=_undivided)
    admit: Callable[[InitData], KeyVerified | None] = lambda data: admitted(data, ())
    """Judges the MSB Key of an exam."""
    visible: bool = True
    authorization: AuthorizationDesk = field(init=False)
    quitting: Quitting = field(init=False)

    def __post_init__(self) -> None:
        self.authorization = AuthorizationDesk(self.conductor)
        self.quitting = Quitting(self.conductor)

    async def hello(self, visitor: Visitor, params: Hello) -> Status:
        """The status as it is."""
        self.holder.greeted(visitor, params.tab)
        if self.holder.holds(visitor):
            self.browser.seen_soon(visitor)
        return self.status()

    async def take_over(self, visitor: Visitor, params: Nothing) -> Status:
        """Hold the session from now on."""
        self.holder.take_over(visitor)
        self.browser.seen_soon(visitor)
        return self.status()

    async def init(self, visitor: Visitor, params: SignedRequest) -> Registered:
        """Register at the service, see that it allows this page, and that the MSB Key is good."""
        self.conductor.require_register()
        data = await self.api.init(params)
        if visitor.is_page and visitor.origin not in data.origins:
            raise Refusal("origin_denied", origin=visitor.origin)
        await self.conductor.register(data, self.admit(data))
        await self.browser.browser.registered()
        return Registered(data.token, data.session_id, data.expiry_s, data.settings, data.not_enforced)

    async def check_system(self, visitor: Visitor, params: Nothing) -> CheckResults:
        """Run Check System."""
        await self.browser.seen(visitor)
        results = await self.conductor.check_system()
        return CheckResults(all(each.status != "failed" for each in results), results)

    async def consent(self, visitor: Visitor, params: Consent) -> Status:
        """The candidate agrees to be proctored, or does not."""
        await self.authorization.consent(params.accepted)
        return self.status()

    async def start_preview(self, visitor: Visitor, params: Picture) -> Status:
        """Show the candidate what the camera sees."""
        await self.authorization.start_preview(params.of)
        return self.status()

    async def stop_preview(self, visitor: Visitor, params: Nothing) -> Status:
        """Close the camera of the preview."""
        await self.authorization.stop_preview()
        return self.status()

    async def take_photo(self, visitor: Visitor, params: Picture) -> Shot:
        """Take a picture for authorization."""
        return await self.authorization.take(params.of)

    async def submit_authorization(self, visitor: Visitor, params: Nothing) -> Status:
        """Hand the pictures to the proctor."""
        await self.authorization.submit()
        return self.status()

    async def start(self, visitor: Visitor, params: Nothing) -> Status:
        """Start proctoring."""
        await self.browser.seen(visitor)
        await self.browser.require_inside(visitor)
        await self.conductor.start()
        return self.status()

    async def stop(self, visitor: Visitor, params: Nothing) -> Status:
        """Stop proctoring and deliver."""
        await self.conductor.stop()
        return self.status()

    async def report(self, visitor: Visitor, params: SignedQuery) -> msgspec.Raw:
        """Fetch the report."""
        return await self.api.report(params)

    async def enable_auto_acknowledgement(self, visitor: Visitor, params: AutoAcknowledgement) -> Status:
        """Acknowledge from now on without the page, or with it."""
        self.obedience.switch(params.enabled)
        return self.status()

    async def pause_ack(self, visitor: Visitor, params: Acknowledgement) -> Status:
        """Acknowledge a pause."""
        self.obedience.acknowledge("pause", params.id)
        return self.status()

    async def resume_ack(self, visitor: Visitor, params: Acknowledgement) -> Status:
        """Acknowledge a resume."""
        self.obedience.acknowledge("resume", params.id)
        return self.status()

    async def end_ack(self, visitor: Visitor, params: Acknowledgement) -> Status:
        """Acknowledge an end."""
        self.obedience.acknowledge("end", params.id)
        return self.status()

    async def send_message(self, visitor: Visitor, params: Message) -> Sent:
        """Send a chat message to the proctor."""
        return Sent(self.obedience.say(params.text))

    async def chat_read(self, visitor: Visitor, params: ChatRead) -> Status:
        """The candidate has read the proctor's messages up to one."""
        self.obedience.chatting.read(params.id)
        return self.status()

    async def conversation(self, visitor: Visitor, params: Nothing) -> Conversation:
        """The chat of the session."""
        return self.obedience.chatting.conversation()

    async def departed(self, visitor: Visitor, params: Nothing) -> Departed:
        """What has left this computer in the session."""
        session = self.conductor.session
        if session is None:
            return Departed(self.api.url, ())
        chat = session.conversation.departed
        return Departed(session.service, session.delivery.departed() + ((chat,) if chat else ()))

    async def visibility(self, visitor: Visitor, params: Visibility) -> Status:
        """Put it on the record when the page is left or seen again."""
        visible = params.visible and params.focused
        if visible != self.visible:
            self.visible = visible
            self.conductor.record("page_shown" if visible else "page_hidden", detail={"origin": visitor.origin})
            self.conductor.locking.sightings.page_seen(self.conductor.session, visible)
        return self.status()

    async def quit(self, visitor: Visitor, params: Quit) -> Status:
        """End the exam with its quit password."""
        await self.quitting.quit(params.password)
        return self.status()

    async def attest(self, visitor: Visitor, params: Attest) -> Attested:
        """An attestation for a request of the exam."""
        await self.browser.require_inside(visitor)
        session, state = self.conductor.session, self.conductor.state
        if session is None or session.attestations is None:
            raise Refusal("attestation_not_possible", why="there is no exam with a lockdown")
        return session.attestations.for_request(session.lockdown, state, params)

    async def attach(self, visitor: Visitor, params: Attach) -> Attached:
        """The secure browser introduces itself."""
        return await self.browser.attach(visitor, params)

    async def beat(self, visitor: Visitor, params: Beat) -> BeatAnswer:
        """The secure browser lives."""
        return await self.browser.beat(visitor, params)

    async def hand_frame(self, visitor: Visitor, params: HandedFrame) -> FrameTaken:
        """A picture of the secure browser's window."""
        return await self.browser.hand_frame(visitor, params)


@dataclass(frozen=True, slots=True)
class Route:
    """A method: the type of its params, what it does, whether only the page that holds the session may call it, and how many
    characters a call may have."""

    params: type[msgspec.Struct]
    handle: Callable[[Desk, Visitor, Any], Awaitable[msgspec.Struct | msgspec.Raw]]
    holds: bool = True
    longest: int = MAX_MESSAGE


ROUTES: dict[str, Route] = {
    "hello": Route(Hello, Desk.hello, holds=False),
    "init": Route(SignedRequest, Desk.init),
    "checkSystem": Route(Nothing, Desk.check_system),
    "consent": Route(Consent, Desk.consent),
    "startPreview": Route(Picture, Desk.start_preview),
    "stopPreview": Route(Nothing, Desk.stop_preview),
    "takePhoto": Route(Picture, Desk.take_photo),
    "submitAuthorization": Route(Nothing, Desk.submit_authorization),
    "start": Route(Nothing, Desk.start),
    "stop": Route(Nothing, Desk.stop),
    "report": Route(SignedQuery, Desk.report, holds=False),
    "enableAutoAcknowledgement": Route(AutoAcknowledgement, Desk.enable_auto_acknowledgement),
    "pauseAck": Route(Acknowledgement, Desk.pause_ack),
    "resumeAck": Route(Acknowledgement, Desk.resume_ack),
    "endAck": Route(Acknowledgement, Desk.end_ack),
    "sendMessage": Route(Message, Desk.send_message),
    "chatRead": Route(ChatRead, Desk.chat_read),
    "conversation": Route(Nothing, Desk.conversation, holds=False),
    "departed": Route(Nothing, Desk.departed, holds=False),
    "takeOver": Route(Nothing, Desk.take_over, holds=False),
    "quit": Route(Quit, Desk.quit),
    "attest": Route(Attest, Desk.attest, holds=False),
    "attach": Route(Attach, Desk.attach, holds=False),
    "beat": Route(Beat, Desk.beat, holds=False),
    "handFrame": Route(HandedFrame, Desk.hand_frame, holds=False, longest=MAX_FRAME_MESSAGE),
    "visibility": Route(Visibility, Desk.visibility),
}
