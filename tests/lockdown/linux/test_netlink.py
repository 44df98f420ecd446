"""New programs by event: the messages, and the kernel of this machine as far as it lets anybody listen."""

import select
import subprocess
import time

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.lockdown.linux.netlink import (
    ACKNOWLEDGED,
    EVENT,
    EXEC,
    HEADER,
    MESSAGE,
    NotTold,
    ProcessConnector,
    answers,
    parsed,
    request,
)

DEADLINE_S = 20.0


def event(what: int, first: int, second: int) -> bytes:
    body = EVENT.pack(what, 0, 0, first, second)
    message = MESSAGE.pack(1, 1, 0, 0, len(body), 0) + body
    return HEADER.pack(HEADER.size + len(message), 3, 0, 0, 0) + message


def connector() -> ProcessConnector | NotTold:
    try:
        return ProcessConnector()
    except NotTold as error:
        return error


def test_a_request_has_the_length_that_it_says() -> None:
    for wish in (request(), request(EXEC)):
        assert HEADER.unpack_from(wish)[0] == len(wish)
        assert MESSAGE.unpack_from(wish, HEADER.size)[4] == len(wish) - HEADER.size - MESSAGE.size
    assert len(request(EXEC)) == len(request()) + 4


def test_an_acknowledgement_of_somebody_elses_request_is_not_ours() -> None:
    """In a container nobody is told, but those outside it are, and all hear of it."""
    body = EVENT.pack(ACKNOWLEDGED, 0, 0, 0, 0)
    answer = HEADER.pack(76, 3, 0, 0, 0) + MESSAGE.pack(1, 1, 0, 8, len(body), 0) + body
    assert answers(7, answer)
    assert not answers(8, answer)
    assert not answers(7, answer[:-1])
    assert not answers(7, event(EXEC, 7, 8))


def test_events_are_read_one_after_the_other() -> None:
    assert list(parsed(event(EXEC, 7, 8) + event(ACKNOWLEDGED, 1, 0))) == [(EXEC, 7, 8), (ACKNOWLEDGED, 1, 0)]


@given(st.binary(max_size=400))
def test_any_datagram_can_be_read(datagram: bytes) -> None:
    assert len(list(parsed(datagram))) <= len(datagram) // HEADER.size


def test_a_program_that_starts_is_told_or_the_kernel_says_that_it_does_not_tell() -> None:
    """Which of both depends on the machine: in a container, nobody is told."""
    opened = connector()
    if isinstance(opened, NotTold):
        assert str(opened).endswith(".")
        return
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        told: set[int] = set()
        deadline = time.monotonic() + DEADLINE_S
        while process.pid not in told and time.monotonic() < deadline:
            if select.select([opened], [], [], 1)[0]:
                told |= opened.read() or set()
        process.kill()
    opened.close()
    opened.close()
    assert process.pid in told
    assert opened.fileno() == -1
