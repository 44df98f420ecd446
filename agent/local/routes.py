"""The methods of the loopback API: for each, its params and what it does. Transport and JSON-RPC are server.py's business.

A new method is a row in ROUTES and in contract/page.py.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from secureproctor.agent.local.door import Visitor
from secureproctor.agent.proctor.obedience import Obedience
from secureproctor.agent.service_api import ServiceApi
from secureproctor.agent.session.conductor import Conductor
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import (
    Acknowledgement,
    AutoAcknowledgement,
    CheckResults,
    Message,
    Registered,
    Sent,
    SignedQuery,
    SignedRequest,
    Status,
    Visibility,
)


class Nothing(msgspec.Struct, frozen=True):
    """No params."""


@dataclass(slots=True)
class Desk:
    """What the methods work on."""

    conductor: Conductor
    obedience: Obedience
    api: ServiceApi
    status: Callable[[], Status]
    visible: bool = True

    async def hello(self, visitor: Visitor, params: Nothing) -> Status:
        """The status as it is."""
        return self.status()

    async def init(self, visitor: Visitor, params: SignedRequest) -> Registered:
        """Register at the service, and see that it allows this page."""
        self.conductor.require_register()
        data = await self.api.init(params)
        if visitor.is_page and visitor.origin not in data.origins:
            raise Refusal("origin_denied", origin=visitor.origin)
        await self.conductor.register(data)
        return Registered(data.token, data.session_id, data.expiry_s, data.settings, data.not_enforced)

    async def check_system(self, visitor: Visitor, params: Nothing) -> CheckResults:
        """Run Check System."""
        results = await self.conductor.check_system()
        return CheckResults(all(each.status != "failed" for each in results), results)

    async def start(self, visitor: Visitor, params: Nothing) -> Status:
        """Start proctoring."""
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

    async def visibility(self, visitor: Visitor, params: Visibility) -> Status:
        """Put it on the record when the page is left or seen again."""
        visible = params.visible and params.focused
        if visible != self.visible:
            self.visible = visible
            self.conductor.record("page_shown" if visible else "page_hidden", detail={"origin": visitor.origin})
        return self.status()


@dataclass(frozen=True, slots=True)
class Route:
    """A method: the type of its params and what it does."""

    params: type[msgspec.Struct]
    handle: Callable[[Desk, Visitor, Any], Awaitable[msgspec.Struct | msgspec.Raw]]


ROUTES: dict[str, Route] = {
    "hello": Route(Nothing, Desk.hello),
    "init": Route(SignedRequest, Desk.init),
    "checkSystem": Route(Nothing, Desk.check_system),
    "start": Route(Nothing, Desk.start),
    "stop": Route(Nothing, Desk.stop),
    "report": Route(SignedQuery, Desk.report),
    "enableAutoAcknowledgement": Route(AutoAcknowledgement, Desk.enable_auto_acknowledgement),
    "pauseAck": Route(Acknowledgement, Desk.pause_ack),
    "resumeAck": Route(Acknowledgement, Desk.resume_ack),
    "endAck": Route(Acknowledgement, Desk.end_ack),
    "sendMessage": Route(Message, Desk.send_message),
    "visibility": Route(Visibility, Desk.visibility),
}
