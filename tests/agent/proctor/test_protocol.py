"""The agent's end of the channel without a socket."""

import msgspec
import pytest

from secureproctor.agent.proctor.protocol import CROWDED, Misread, ProctorProtocol
from secureproctor.contract.channel import (
    Chat,
    ChatMark,
    Command,
    KeepAlive,
    ProctorError,
    ServiceEnded,
    SessionChanged,
)
from secureproctor.contract.link import Link, LinkError

MESSAGES = [
    Command("c-1", "pause", 1),
    Chat("m-1", "proctor", "hello", 2),
    ChatMark("m-2", "read", 3),
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


def test_a_keep_alive_comes_out_for_its_nonce(protocol: ProctorProtocol, service: Link) -> None:
    assert protocol.receive(service.momentary(KeepAlive(1, "nonce"))) == (KeepAlive(1, "nonce"), [])


def test_a_message_of_an_unknown_type_is_taken_and_ignored(protocol: ProctorProtocol, service: Link) -> None:
    assert protocol.receive(service.send(Newer(3))) == (None, [])
    assert protocol.link.heard == 1


@pytest.mark.parametrize(
    ("body", "misread"),
    [
        (b'{"type":"command","id":"c-1","kind":"pause"}', ("command", "c-1", "pause")),
        (b'{"type":"command","kind":7,"id":"c-1","issued_ms":1}', ("command", "", "")),
        (b'{"type":"command","id":"' + b"c" * 65 + b'","kind":"pause","issued_ms":1}', ("command", "", "")),
        (b'{"type":"chat","id":"m","sender":"proctor","text":"","at_ms":1}', ("chat", "m", "")),
        (b'{"type":7}', ("", "", "")),
        (b"[]", ("", "", "")),
        (b'{"type":"\xff"}', ("", "", "")),
    ],
    ids=["fields missing", "no text for a kind", "long id", "empty text", "no text for a type", "an array", "no utf-8"],
)  # fmt: skip
def test_a_message_that_cannot_be_read_is_taken_and_told(
    protocol: ProctorProtocol, body: bytes, misread: tuple[str, str, str]
) -> None:
    message, answers = protocol.receive(b'{"n":1,"ack":0,"body":' + body + b"}")
    assert isinstance(message, Misread)
    assert ((message.type, message.id, message.kind), answers, protocol.link.heard) == (misread, [], 1)
    assert 0 < len(message.reason) <= 200


def test_a_frame_that_is_nested_beyond_all_sense_is_no_message(protocol: ProctorProtocol) -> None:
    with pytest.raises(LinkError):
        protocol.receive(b'{"n":1,"ack":0,"body":' + b"[" * 50_000 + b"]" * 50_000 + b"}")


def test_a_command_of_an_unknown_kind_is_a_command(protocol: ProctorProtocol, service: Link) -> None:
    """The agent says that it does not know it."""
    assert protocol.receive(service.send(Command("c-1", "explode", 1)))[0] == Command("c-1", "explode", 1)


def test_what_waits_for_the_service_is_known_by_its_type(protocol: ProctorProtocol) -> None:
    chats = [Chat(f"m-{number}", "candidate", "hello", number) for number in range(3)]
    for chat in chats:
        protocol.send(chat)
        protocol.send(SessionChanged("running", 1))
    assert protocol.waiting(Chat) == chats
    assert not protocol.crowded
    for _ in range(CROWDED - 6):
        protocol.send(SessionChanged("running", 1))
    assert protocol.crowded


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
