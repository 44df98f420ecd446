"""The native messaging host as a process, and the agent that it finds or starts."""

import os
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from tests.native.conftest import Host, Place

Start = Callable[..., "Host"]
DEADLINE_S = 40.0


def until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def test_a_host_starts_the_agent_which_outlives_it_and_serves_the_next(place: "Place", start: Start) -> None:
    first = start()
    first.hello()
    assert first.answer()["result"]["state"] == "idle"
    assert place.pairing is not None
    assert first.close() == 0
    (agent,) = place.agents()
    second = start()
    second.hello()
    assert second.answer()["result"]["state"] == "idle"
    assert [each.pid for each in place.agents()] == [agent.pid] == [place.pairing.pid]
    assert [each.pid for each in place.processes("native-host")] == [second.process.pid]
    assert os.getsid(agent.pid) not in {os.getsid(0), os.getsid(second.process.pid)}
    second.process.kill()
    a_foreign_page_is_refused_with_a_remedy(start())
    assert agent.is_running()


def test_a_host_without_an_origin_speaks_for_the_program_that_started_it_and_one_of_a_page_does_not(
    place: "Place", start: Start
) -> None:
    attach = {"jsonrpc": "2.0", "id": 2, "method": "attach", "params": {"product": "A test"}}
    browser = start()
    browser.hello(origin="")
    assert browser.answer()["result"]["state"] == "idle"
    browser.say({"frame": attach})
    said = browser.answer()["result"]["browser"]
    assert (said["pid"], said["proof"], said["started_agent"]) == (_topmost_python(), "none", True)
    page = start()
    page.hello()
    page.say({"frame": attach})
    while (answer := page.answer())["id"] != 2:
        pass
    assert answer["error"]["data"]["code"] == "browser_unproven"


def _topmost_python() -> int:
    """This process, or the one of the same program that it comes from: who has many processes is known by the first."""
    process = psutil.Process()
    while (parent := process.parent()) is not None and parent.exe() == process.exe():
        process = parent
    return process.pid


def a_foreign_page_is_refused_with_a_remedy(host: "Host") -> None:
    host.hello("https://evil.example")
    frame = host.hear()["frame"]
    assert (frame["id"], frame["error"]["data"]["code"]) == (1, "origin_denied")
    assert frame["error"]["data"]["remedy"]
    assert host.hear()["closed"]["code"] == "origin_denied"
    assert host.process.wait(DEADLINE_S) == 1


def test_several_hosts_at_once_start_one_agent(place: "Place", start: Start) -> None:
    hosts = [start() for _ in range(4)]
    for host in hosts:
        host.hello()
    assert {host.answer()["result"]["state"] for host in hosts} == {"idle"}
    until(lambda: len(place.agents()) == len(place.processes("--supervised")) == 1, "the agents that came late to end")
    for host in hosts:
        host.say({"frame": {"jsonrpc": "2.0", "id": 2, "method": "report", "params": {"query": {}}}})
        assert host.answer()["error"]["data"]["code"] == "service_unreachable"


def test_an_agent_that_was_killed_is_started_again_although_its_pairing_file_lies_there(
    place: "Place", start: Start
) -> None:
    host = start()
    host.hello()
    host.answer()
    before = place.pairing
    assert before is not None
    psutil.Process(before.pid).parent().kill()  # type: ignore[union-attr]  # its guardian
    psutil.Process(before.pid).kill()
    while "closed" not in (told := host.hear()):
        pass
    assert (told["closed"]["code"], bool(told["closed"]["remedy"])) == ("agent_gone", True)
    assert host.process.wait(DEADLINE_S) == 0
    assert place.pairing == before
    again = start()
    again.hello()
    assert again.answer()["result"]["state"] == "idle"
    assert place.pairing != before


def test_an_agent_that_cannot_start_says_why_at_the_page(place: "Place", start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        host = start(*place.settings, "--local-port", port)
        host.hello()
        error = host.hear()["frame"]["error"]["data"]
    assert error["code"] == "agent_missing"
    assert f"Port {port} on 127.0.0.1 is taken" in error["message"]
    assert "secureproctor agent" in error["remedy"]
    assert host.hear()["closed"]["code"] == "agent_missing"
    assert host.process.wait(DEADLINE_S) == 1
    assert place.processes() == []


@pytest.mark.parametrize(("name", "value", "said"), [("LOCAL_PORT", "many", "'local_port' (environment)")])
def test_wrong_settings_are_told_at_the_page(place: "Place", start: Start, name: str, value: str, said: str) -> None:
    host = start("--state-dir", str(place.home / "state"), **{f"SECUREPROCTOR_{name}": value})
    host.hello()
    error = host.hear()["frame"]["error"]["data"]
    assert error["code"] == "agent_missing"
    assert said in error["message"]


def test_a_state_folder_that_cannot_be_made_is_told_at_the_page(place: "Place", start: Start) -> None:
    (place.home / "state").write_text("a file in its place")
    host = start()
    host.hello()
    assert host.hear()["frame"]["error"]["data"]["code"] == "agent_missing"


def test_a_host_whose_browser_goes_while_the_agent_starts_ends_too(place: "Place", start: Start) -> None:
    host = start()
    host.hello()
    assert host.close() == 0
