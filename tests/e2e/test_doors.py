"""Whoever should not come in at the agent's door does not, and what they try is bounded: the running session goes on."""

import contextlib
import resource
import socket
import uuid
from collections.abc import Iterator

import httpx
import msgspec
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from secureproctor.contract import page as contract
from secureproctor.contract.channel import CHAT_LENGTH
from secureproctor.contract.errors import ErrorAnswer
from secureproctor.contract.http import InitBody, ProctoringSettings
from secureproctor.contract.signing import sign_body
from secureproctor.demo.stage import PUBLIC_KEY
from tests.e2e.house import House, until

FLOOD = 1000
HUGE = 100 * 1024 * 1024
MESSAGES = 40
"""A conversation of 160 kB is asked for again and again."""
GROWTH = 96 * 1024 * 1024
"""Bytes by which the agent may grow while it is flooded."""


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    """A thousand connections are more than a process may open here by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def session(home: House) -> Iterator[str]:
    """A running session of a local program that may come in; at the end it is whole."""
    with home.local_program() as program:
        body = msgspec.json.encode(InitBody(PUBLIC_KEY, uuid.uuid4().hex, "doors", ProctoringSettings()))
        request = contract.SignedRequest(body.decode(), sign_body(home.service.private_key, body))
        registered = program.call("init", contract.Registered, request)
        assert program.call("checkSystem", contract.CheckResults).ok
        program.call("start", contract.Status)
    yield registered.session_id
    with home.local_program() as program:
        ended = program.call("stop", contract.Status)
    assert (ended.session_id, ended.end_reason) == (registered.session_id, "stopped")


@pytest.fixture(autouse=True)
def undisturbed(home: House, session: str) -> Iterator[None]:
    """After each test the same session captures and delivers as before."""
    yield
    status = home.until_status(lambda it: it.state == "running" and it.link.online, "the session to go on")
    assert (status.session_id, set(status.capturing)) == (session, {"screen", "webcam", "audio"})


def refusal(home: House, headers: dict[str, str], origin: str | None = None) -> tuple[int, str]:
    """How the agent refuses a visitor: HTTP status and code."""
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(home.agent.address, additional_headers=headers, origin=Origin(origin) if origin else None, proxy=None),
    ):
        pass
    response = refused.value.response
    return response.status_code, msgspec.json.decode(response.body or b"", type=ErrorAnswer).error.code


def page(home: House) -> contextlib.AbstractContextManager[ClientConnection]:
    """A page of the service's own origin, which may come in."""
    return connect(home.agent.address, origin=Origin(home.service.url), proxy=None, max_size=None)


def test_a_page_of_a_foreign_origin_is_refused(home: House) -> None:
    assert refusal(home, {}, "https://elsewhere.example") == (403, "origin_denied")


def test_a_name_that_was_bound_to_this_computer_is_refused(home: House) -> None:
    """DNS rebinding: the Origin is one that may come in, but the browser was sent to another host."""
    with socket.create_connection(("127.0.0.1", home.agent.port)) as plain:
        lines = [
            f"GET {contract.PATH} HTTP/1.1",
            f"Host: exam.example:{home.agent.port}",
            f"Origin: {home.service.url}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ]
        plain.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = plain.recv(4096)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"origin_denied" in answer


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}], ids=["none", "guessed"])
def test_a_local_program_without_the_pairing_token_is_refused(home: House, headers: dict[str, str]) -> None:
    assert refusal(home, headers) == (403, "pairing_denied")


def test_a_message_of_100_mb_is_cut_off(home: House) -> None:
    before = psutil.Process(home.agent.program.pid).memory_info().rss
    with page(home) as own, pytest.raises(ConnectionClosed) as closed:
        _send_much(own)
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    assert psutil.Process(home.agent.program.pid).memory_info().rss - before < GROWTH


def test_a_thousand_connections_do_not_keep_the_session_from_its_page(home: House) -> None:
    with contextlib.ExitStack() as stack, home.local_program() as own:
        flood = [stack.enter_context(contextlib.closing(_knock(home))) for _ in range(FLOOD)]
        assert own.call("hello", contract.Status).state == "running"
        assert len(flood) == FLOOD
    until(lambda: _lets_in(home), bool, "the agent to let a page in again")


def test_a_reader_that_never_reads_is_dropped(home: House) -> None:
    """It asks for all that it can get and takes none of it; others are told as before."""
    before = psutil.Process(home.agent.program.pid).memory_info().rss
    with home.local_program() as own, _slow_page(home) as slow:
        for _ in range(MESSAGES):
            own.call("sendMessage", contract.Sent, {"text": "x" * CHAT_LENGTH})
        until(
            lambda: _asked_again(slow, home), lambda said: "reads too slowly" in said, "the slow reader to be dropped"
        )
        assert own.call("hello", contract.Status).state == "running"
        assert psutil.Process(home.agent.program.pid).memory_info().rss - before < GROWTH


def _send_much(own: ClientConnection) -> None:
    piece = "x" * 65536
    own.send(piece for _ in range(HUGE // len(piece)))
    own.recv(10)


def _knock(home: House) -> socket.socket:
    """A connection that says the beginning of a request and no more."""
    plain = socket.create_connection(("127.0.0.1", home.agent.port), timeout=10)
    plain.sendall(b"GET / HTTP/1.1\r\n")
    return plain


def _lets_in(home: House) -> bool:
    try:
        with page(home):
            return True
    except (InvalidStatus, OSError):
        return False


def _slow_page(home: House) -> contextlib.AbstractContextManager[ClientConnection]:
    """A page that takes next to nothing off its socket."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", home.agent.port))
    return connect(
        home.agent.address, sock=plain, origin=Origin(home.service.url), max_size=None, max_queue=1, close_timeout=0.1
    )


def _asked_again(slow: ClientConnection, home: House) -> str:
    """What the agent's log says after the whole conversation was asked for once more."""
    with contextlib.suppress(ConnectionClosed):
        slow.send('{"jsonrpc": "2.0", "id": 1, "method": "conversation"}')
    return home.agent.program.said


def test_the_service_is_not_asked_by_a_page_of_another_site(home: House, session: str) -> None:
    """What a foreign page reads of the service without keys tells nothing of the session."""
    answer = httpx.get(f"{home.service.url}/v1/sessions/{session}/report", trust_env=False)
    assert answer.status_code in (401, 403)
    assert session not in answer.text
