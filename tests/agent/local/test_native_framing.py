"""The browsers' framing: any messages, cut anywhere, come out as they went in, and too long ones are not kept."""

import json
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.local.native_framing import (
    TO_BROWSER,
    Carried,
    Closed,
    Deframer,
    Opening,
    Oversized,
    carried,
    framed,
)
from secureproctor.contract.errors import Refusal


def length(size: int) -> bytes:
    return struct.pack("=I", size)


def read(data: bytes, limit: int = 1000) -> list[bytes | Oversized]:
    return list(Deframer(limit).feed(data))


def joined(messages: list[bytes]) -> str:
    """What the extension makes of the host's messages: the text of one frame."""
    parts: list[str] = []
    for message in messages:
        assert len(message) <= TO_BROWSER
        (content,) = read(message, TO_BROWSER)
        assert isinstance(content, bytes)
        values: dict[str, Any] = json.loads(content)
        if "frame" in values:
            assert len(messages) == 1
            return json.dumps(values["frame"], ensure_ascii=False, separators=(",", ":"))
        parts.append(values["part"])
        assert values["last"] == (len(parts) == len(messages))
    return "".join(parts)


@given(st.lists(st.binary(max_size=60), max_size=8), st.lists(st.integers(1, 50), max_size=20))
def test_messages_come_out_as_they_went_in_however_they_are_cut(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(length(len(each)) + each for each in messages)
    deframer, seen = Deframer(40), list[bytes | Oversized]()
    for cut in [*cuts, len(stream)]:
        seen += deframer.feed(stream[:cut])
        stream = stream[cut:]
        assert deframer.pending <= 4 + 40
    seen += deframer.feed(stream)
    assert seen == [each if len(each) <= 40 else Oversized(len(each)) for each in messages]
    assert deframer.pending == 0


def test_a_length_without_its_message_waits() -> None:
    assert read(length(5)[:3]) == []
    assert read(length(5) + b"four") == []
    assert read(length(0)) == [b""]


def test_a_message_of_four_gigabytes_costs_no_memory_and_what_follows_is_read() -> None:
    deframer = Deframer(1000)
    assert list(deframer.feed(length(3_000_000) + b"x" * 10)) == [Oversized(3_000_000)]
    for _ in range(29):
        assert list(deframer.feed(b"x" * 100_000)) == []
        assert deframer.pending == 0
    assert list(deframer.feed(b"x" * (100_000 - 10) + length(2) + b"{}")) == [b"{}"]
    assert list(Deframer().feed(b"\xff\xff\xff\xff")) == [Oversized(2**32 - 1)]


@given(st.text(max_size=300))
def test_a_frame_that_fits_goes_as_one_message(text: str) -> None:
    frame = msgspec.json.encode({"jsonrpc": "2.0", "params": text}).decode()
    (message,) = carried(frame)
    assert json.loads(joined([message])) == json.loads(frame)


@pytest.mark.parametrize("letter", ["x", '"', "\\", "ü", "語", "😀", "\x01"])
@pytest.mark.parametrize("count", [TO_BROWSER // 6, TO_BROWSER + 1, 3 * TO_BROWSER + 7])
def test_a_long_frame_goes_in_parts_that_the_browser_takes(letter: str, count: int) -> None:
    frame = msgspec.json.encode({"report": letter * (count // len(letter.encode()))}).decode()
    assert json.loads(joined(list(carried(frame)))) == json.loads(frame)


def test_a_frame_at_the_limit_is_not_cut_and_one_above_is() -> None:
    room = TO_BROWSER - len(framed(Carried(msgspec.Raw(b'""'))))
    assert [len(each) for each in carried(f'"{"x" * room}"')] == [TO_BROWSER]
    assert len(list(carried(f'"{"x" * (room + 1)}"'))) > 1


def test_the_end_is_told_with_code_and_remedy() -> None:
    (message,) = read(framed(Closed(Refusal("pairing_denied").info)))
    assert isinstance(message, bytes)
    told = json.loads(message)["closed"]
    assert (told["code"], bool(told["message"]), bool(told["remedy"])) == ("pairing_denied", True, True)


@pytest.mark.parametrize("origin", ["https://exam.example\r\nHost: evil", "https://exäm.example", "x" * 513])
def test_what_is_no_origin_is_no_opening(origin: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps({"origin": origin}), type=Opening)
