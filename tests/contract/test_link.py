"""Two links over a connection that breaks, loses and repeats; crashes of either end; frames of a hostile peer."""

import copy
from collections import deque

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from secureproctor.contract.channel import Chat, KeepAlive
from secureproctor.contract.link import Link, LinkError, Snapshot

ENDS = st.sampled_from(["agent", "service"])


def other(end: str) -> str:
    return "service" if end == "agent" else "agent"


def chat(number: int) -> Chat:
    return Chat(str(number), "candidate", f"message {number}", number)


def number_of(body: bytes) -> int:
    return int(msgspec.json.decode(body, type=Chat).id)


def frame(n: object, ack: object, body: object) -> bytes:
    return msgspec.json.encode({"n": n, "ack": ack, "body": body})


class LossyChannel(RuleBasedStateMachine):
    """Each end holds a link, and a disk with its last snapshot beside what it had taken by then."""

    def __init__(self) -> None:
        super().__init__()
        self.links = {"agent": Link(), "service": Link()}
        self.wire: dict[str, deque[bytes]] = {"agent": deque(), "service": deque()}  # frames on their way *to* the end
        self.taken: dict[str, list[int]] = {"agent": [], "service": []}
        self.sent: dict[str, list[int]] = {"agent": [], "service": []}
        self.written: dict[str, bool] = {"agent": False, "service": False}
        self.number = 0
        self.connected = False

    def _store(self, end: str) -> bytes:
        return msgspec.json.encode(self.links[end].snapshot())

    def _write(self, end: str, data: bytes) -> None:
        if self.connected:
            self.wire[other(end)].append(data)

    def _deliver(self, end: str) -> None:
        body, answers = self.links[end].receive(self.wire[end].popleft())
        if body is not None:
            self.taken[end].append(number_of(body))
        self.written[end] = True
        for answer in answers:
            self._write(end, answer)

    @rule()
    def disconnect(self) -> None:
        """What is on its way is lost, in either direction."""
        self.connected = False
        for frames in self.wire.values():
            frames.clear()

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self) -> None:
        self.connected = True
        self.written = {"agent": False, "service": False}
        for end, link in self.links.items():
            self._write(end, link.connected())

    @rule(end=ENDS)
    def send(self, end: str) -> None:
        """An end writes only after the peer has said what it heard, as the protocol asks."""
        self.number += 1
        self.sent[end].append(self.number)
        data = self.links[end].send(chat(self.number))
        if self.written[end]:
            self._write(end, data)

    @rule(end=ENDS, count=st.integers(1, 5))
    def deliver(self, end: str, count: int) -> None:
        for _ in range(min(count, len(self.wire[end]))):
            self._deliver(end)

    @rule(end=ENDS)
    def crash(self, end: str) -> None:
        """An end that stores each step before it acts comes back as it was; its connection does not."""
        stored = self._store(end)
        self.disconnect()
        self.links[end] = Link.restored(msgspec.json.decode(stored, type=Snapshot))

    @invariant()
    def nothing_is_taken_twice_or_out_of_order(self) -> None:
        for end, taken in self.taken.items():
            assert taken == self.sent[other(end)][: len(taken)]

    def teardown(self) -> None:
        self.disconnect()
        self.connect()
        while any(self.wire.values()):
            for end in self.wire:
                while self.wire[end]:
                    self._deliver(end)
        for end, taken in self.taken.items():
            assert taken == self.sent[other(end)]


TestLossyChannel = LossyChannel.TestCase
TestLossyChannel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_message_that_came_twice_is_taken_once() -> None:
    sender, receiver = Link(), Link()
    data = sender.send(chat(1))
    assert receiver.receive(data)[0] is not None
    assert receiver.receive(data) == (None, [])


def test_an_acknowledged_message_is_no_longer_kept() -> None:
    sender, receiver = Link(), Link()
    receiver.receive(sender.send(chat(1)))
    sender.receive(receiver.momentary(KeepAlive(0)))
    assert sender.waiting == {}


def test_what_was_not_heard_is_sent_again_in_order_after_a_resume() -> None:
    sender, receiver = Link(), Link()
    lost = [sender.send(chat(number)) for number in (1, 2, 3)]
    receiver.receive(lost[0])
    body, answers = sender.receive(receiver.connected())
    assert body is None
    assert [receiver.receive(each)[0] for each in answers] == [msgspec.json.encode(chat(number)) for number in (2, 3)]


def test_momentary_frames_are_neither_numbered_nor_kept() -> None:
    sender, receiver = Link(), Link()
    assert receiver.receive(sender.momentary(KeepAlive(7)))[0] == msgspec.json.encode(KeepAlive(7))
    assert (sender.sent, sender.waiting, receiver.heard) == (0, {}, 0)


def test_a_link_refuses_to_keep_more_than_its_bound() -> None:
    link = Link(max_waiting=2)
    link.send(chat(1))
    link.send(chat(2))
    before = copy.deepcopy(link)
    with pytest.raises(LinkError, match="2 messages wait"):
        link.send(chat(3))
    assert link == before


def test_a_snapshot_survives_json() -> None:
    link = Link()
    link.send(Chat("ü", "candidate", 'quote " and \n', 1))
    stored = msgspec.json.decode(msgspec.json.encode(link.snapshot()), type=Snapshot)
    assert Link.restored(stored) == link


HOSTILE = {
    "nothing": b"",
    "no json": b"\xff\xfe",
    "an array": b"[]",
    "no body": b'{"n":1,"ack":0}',
    "text as a number": frame("1", 0, {}),
    "a fraction as a number": frame(1.5, 0, {}),
    "a skipped number": frame(4, 1, {}),
    "a huge number": b'{"n":99999999999999999999999999,"ack":0,"body":{}}',
    "an acknowledgement of the future": frame(3, 9, {}),
    "a resume from the future": frame(0, 0, {"type": "resume", "heard": 9}),
    "a resume of text": frame(0, 0, {"type": "resume", "heard": "all"}),
    "nesting without end": b'{"n":3,"ack":2,"body":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_frame_is_refused_and_changes_nothing(name: str) -> None:
    link, peer = Link(), Link()
    for number in (1, 2):
        link.send(chat(number))
        link.receive(peer.send(chat(number)))
    before = copy.deepcopy(link)
    with pytest.raises(LinkError):
        link.receive(HOSTILE[name])
    assert link == before


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60) | st.builds(frame, st.integers(), st.integers(), st.dictionaries(st.text(), st.integers()))
)
def test_whatever_comes_is_either_a_frame_or_a_link_error(data: bytes) -> None:
    link = Link()
    link.send(chat(1))
    before = copy.deepcopy(link)
    try:
        link.receive(data)
    except LinkError:
        assert link == before
    else:
        assert link.heard in {0, 1}
        assert link.sent == 1
