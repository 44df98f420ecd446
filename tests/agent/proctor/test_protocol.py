"""The agent's end of the channel without a socket."""

import msgspec
import pytest

from secureproctor.agent.proctor.protocol import ProctorProtocol
from secureproctor.contract.channel import Chat, Command, KeepAlive, ProctorError, ServiceEnded
from secureproctor.contract.link import Link, LinkError

MESSAGES = [
    Command("c-1", "pause", 1),
    Chat("m-1", "proctor", "hello", 2),
    ProctorError("code", "words"),
    ServiceEnded("expired"),
]


class Newer(msgspec.Struct, tag="hologram"):
    """A message of a service that knows more than this agent."""

    depth: int


@pytest.fixture
def service() -> Link:
    return Link()


@pytest.fixture
def protocol(service: Link) -> ProctorProtocol:
    protocol = ProctorProtocol()
    service.receive(protocol.connected())
    protocol.receive(service.connected())
    return protocol


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_of_the_service_comes_out_as_it_was(
    protocol: ProctorProtocol, service: Link, message: msgspec.Struct
) -> None:
    assert protocol.receive(service.send(message)) == (message, [])


def test_a_message_that_comes_twice_comes_out_once(protocol: ProctorProtocol, service: Link) -> None:
    frame = service.send(MESSAGES[0])
    assert protocol.receive(frame)[0] == MESSAGES[0]
    assert protocol.receive(frame)[0] is None


def test_a_keep_alive_is_nothing_to_act_on(protocol: ProctorProtocol, service: Link) -> None:
    assert protocol.receive(service.momentary(KeepAlive(1))) == (None, [])


def test_a_message_of_an_unknown_type_is_taken_and_ignored(protocol: ProctorProtocol, service: Link) -> None:
    assert protocol.receive(service.send(Newer(3))) == (None, [])
    assert protocol.link.heard == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"command","id":"c-1","kind":"explode","issued_ms":1}',
        b'{"type":"command","id":"c-1"}',
        b'{"type":"chat","id":"m","sender":"proctor","text":"","at_ms":1}',
        b'{"type":7}',
        b"[]",
        b'{"type":"\xff"}',
        b"[" * 50_000 + b"]" * 50_000,
    ],
    ids=["unknown kind", "fields missing", "empty text", "no text for a type", "an array", "no utf-8", "nested"],
)
def test_a_message_that_cannot_be_read_breaks_the_connection(protocol: ProctorProtocol, body: bytes) -> None:
    with pytest.raises(LinkError):
        protocol.receive(b'{"n":1,"ack":0,"body":' + body + b"}")


def test_nothing_is_written_before_the_service_said_what_it_heard(service: Link) -> None:
    protocol = ProctorProtocol()
    protocol.connected()
    assert protocol.send(Chat("m-1", "candidate", "early", 1)) is None
    assert protocol.momentary(KeepAlive(1)) is None
    _, frames = protocol.receive(service.connected())
    assert [service.receive(frame)[0] for frame in frames] == [
        msgspec.json.encode(Chat("m-1", "candidate", "early", 1))
    ]


def test_after_a_disconnection_messages_wait(protocol: ProctorProtocol) -> None:
    protocol.disconnected()
    assert protocol.send(Chat("m-1", "candidate", "late", 1)) is None
    assert list(protocol.link.waiting) == [1]
