"""A still as a record's body: what was packed comes back, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.contract.record import RecordError
from secureproctor.contract.stills import HINTS, MAX_STILL, StillInfo, pack, unpack

JPEG = b"\xff\xd8\xff\xe0 a picture\nwith a line feed\xff\xd9"
INFO = StillInfo("id_card", 1_700_000_000_000, 1280, 720, ("blurred",), "command-1")


@given(st.binary(max_size=200), st.text(max_size=20))
def test_a_still_comes_back_as_it_was(rest: bytes, request: str) -> None:
    info = StillInfo("photo", 1, 2, 3, tuple(HINTS), request)
    assert unpack(pack(info, b"\xff\xd8" + rest)) == (info, b"\xff\xd8" + rest)


def test_line_feeds_in_the_picture_stay() -> None:
    assert unpack(pack(INFO, JPEG)) == (INFO, JPEG)


@pytest.mark.parametrize("body", [b"", b"\n", b"{}\n" + JPEG, JPEG, pack(INFO, b"GIF89a"), b"\xff\n" + JPEG])
def test_what_is_no_still_is_refused(body: bytes) -> None:
    with pytest.raises(RecordError):
        unpack(body)


def test_a_picture_that_is_too_large_is_refused_before_it_is_sealed() -> None:
    with pytest.raises(RecordError, match="does not fit"):
        pack(INFO, bytes(MAX_STILL + 1))
