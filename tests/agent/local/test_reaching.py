"""How a host finds the agent: what it makes of each thing that may be at the address, and when it starts one."""

import http
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection
from websockets.sync.server import ServerConnection, serve

from secureproctor.agent.local import reaching
from secureproctor.agent.local.pairing import Pairing, published
from secureproctor.agent.local.reaching import Denied, Launched, Reaching, knock
from secureproctor.agent.lock import ANOTHER_AGENT
from secureproctor.contract.errors import ErrorAnswer, Refusal

ORIGIN = "https://exam.example"
DEADLINE_S = 20.0

Serve = Callable[[Refusal | None], Pairing]


@pytest.fixture
def agent() -> Iterator[Serve]:
    """Servers in the agent's place that let a host in, or refuse."""
    with ExitStack() as stack:

        def begin(refusal: Refusal | None) -> Pairing:
            def door(socket: ServerConnection, request: Request) -> Response | None:
                if refusal is None:
                    return None
                response = socket.respond(http.HTTPStatus(refusal.status), "")
                response.body = msgspec.json.encode(ErrorAnswer(refusal.info))
                del response.headers["Content-Length"]
                response.headers["Content-Length"] = str(len(response.body))
                return response

            server = stack.enter_context(serve(lambda socket: None, "127.0.0.1", 0, process_request=door))
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return Pairing(f"ws://127.0.0.1:{server.socket.getsockname()[1]}", "token", 1)

        yield begin


def an_ended(code: int, said: str, folder: Path, before: bytes = b"") -> Launched:
    """An agent that said something and ended."""
    log = folder / "agent.log"
    log.write_bytes(before)
    with log.open("ab") as stream:
        text = f"import sys; sys.stderr.write({said!r}); sys.exit({code})"
        process = subprocess.Popen([sys.executable, "-c", text], stderr=stream)
        process.wait(DEADLINE_S)
    return Launched(process, log, len(before))


def closes(connection: ClientConnection) -> None:
    """It is open; the server closes it at once."""
    with connection, pytest.raises(ConnectionClosed):
        connection.recv(DEADLINE_S)


@pytest.mark.parametrize("code", ["origin_denied", "too_many_pages"])
def test_what_the_agent_refuses_is_denied_in_its_own_words(agent: Serve, code: str) -> None:
    refusal = Refusal(code, origin=ORIGIN)
    with pytest.raises(Denied) as caught:
        knock(agent(refusal), ORIGIN)
    assert caught.value.info == refusal.info


def test_another_agent_at_the_address_of_one_that_is_gone_is_not_the_one(agent: Serve) -> None:
    assert knock(agent(Refusal("pairing_denied")), ORIGIN) is None


@pytest.mark.parametrize("address", ["ws://127.0.0.1:1", "no address", "http://127.0.0.1:1"])
def test_nobody_at_the_address_is_nobody(address: str) -> None:
    assert knock(Pairing(address, "token", 1), ORIGIN) is None


def test_an_agent_that_runs_is_reached_and_none_is_started(agent: Serve, tmp_path: Path) -> None:
    def start() -> Launched:
        pytest.fail("there is one")

    with published(tmp_path, agent(None)):
        closes(Reaching(tmp_path, start)(ORIGIN, lambda: False))


def test_proxies_are_not_for_this_machine(agent: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    connection = knock(agent(None), ORIGIN)
    assert connection is not None
    closes(connection)


def test_where_there_is_none_one_is_started_and_waited_for(agent: Serve, tmp_path: Path) -> None:
    pauses, stack = [0.0], ExitStack()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 10:
            stack.enter_context(published(tmp_path, agent(None)))

    running = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    started: list[Launched] = []

    def start() -> Launched:
        started.append(Launched(running, tmp_path / "agent.log", 0))
        return started[-1]

    with stack, running:
        closes(Reaching(tmp_path, start, lambda: sum(pauses), sleep)(ORIGIN, lambda: False))
        assert running.stdin is not None
        running.stdin.close()
    assert len(started) == 1


def test_one_that_found_another_at_work_is_no_failure_until_time_is_up(tmp_path: Path) -> None:
    launched, pauses = an_ended(ANOTHER_AGENT, "secureproctor: another agent works\n", tmp_path), [0.0]
    with pytest.raises(Denied, match="did not answer") as caught:
        Reaching(tmp_path, lambda: launched, lambda: sum(pauses), pauses.append)(ORIGIN, lambda: False)
    assert sum(pauses) >= reaching.PATIENCE_S
    assert caught.value.info.code == "agent_missing"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("secureproctor: Port 1 is taken.\n  End the other.\n", "Port 1 is taken"),
        ("INFO a line\nTraceback\nValueError: x\n", "ValueError: x"),
        ("", "it ended with the code 1"),
    ],
)
def test_one_that_failed_says_why_in_its_last_words(tmp_path: Path, said: str, why: str) -> None:
    launched = an_ended(1, said, tmp_path, b"secureproctor: an older complaint.\n")
    assert launched.failure() == why
    with pytest.raises(Denied, match=why):
        Reaching(tmp_path, lambda: launched)(ORIGIN, lambda: False)


def test_who_is_not_wanted_any_more_stops_waiting(tmp_path: Path) -> None:
    def start() -> Launched:
        pytest.fail("for nobody")

    with pytest.raises(Denied, match="nobody waits"):
        Reaching(tmp_path, start)(ORIGIN, lambda: True)


def test_the_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    (tmp_path / "agent.log").write_bytes(b"x" * (reaching.LOG_LIMIT + 1))
    launched = reaching.launch(["--local-port", "0"], tmp_path)
    assert launched.process.wait(DEADLINE_S) == 0
    assert (tmp_path / "agent.log").stat().st_size == 0
