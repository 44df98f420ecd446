"""A page that was loaded again, a second tab, a listener that came late: what the agent knows reaches them all."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page

from secureproctor.contract import page as contract
from secureproctor.contract.errors import Refusal

Until = Callable[..., None]


def tabs(agent: Any) -> list[str]:
    """What each greeting named its tab."""
    return [params.tab for params in agent.named("hello")]


def greeted(exam: Any) -> None:
    exam.connect()
    assert "value" in exam.told("proctor.hello()")


def test_a_tab_keeps_its_name_when_it_is_loaded_again(exam: Any, agent: Any) -> None:
    greeted(exam)
    exam.page.reload()
    greeted(exam)
    exam.page.goto("about:blank")
    exam.load()  # the same tab comes back to the exam
    greeted(exam)
    first, *others = tabs(agent)
    assert first
    assert len(first) <= 64
    assert set(others) == {first}


def test_a_tab_that_is_made_from_another_has_a_name_of_its_own(exam: Any, agent: Any) -> None:
    """A browser copies the storage of a tab into one that it duplicates or that a page opens."""
    greeted(exam)
    exam.page.evaluate("() => { sessionStorage.copied = 'yes' }")
    with exam.page.expect_popup() as opened:
        exam.page.evaluate("() => { window.open(location.href) }")
    twin = opened.value
    twin.wait_for_load_state()
    assert twin.evaluate("sessionStorage.copied") == "yes"
    twin.evaluate("(agentUrl) => SecureProctor.connect({agentUrl}).then(() => 0)", agent.url)
    assert len(set(tabs(agent))) == 2
    exam.page.reload()
    greeted(exam)
    assert tabs(agent)[-1] == tabs(agent)[0]
    twin.reload()
    twin.evaluate("(agentUrl) => SecureProctor.connect({agentUrl}).then(() => 0)", agent.url)
    assert len(set(tabs(agent))) == 2


def test_a_page_without_storage_is_a_tab_as_well(exam: Any, agent: Any) -> None:
    exam.page.evaluate("""() => Object.defineProperty(window, "sessionStorage", {get() { throw new Error("none") }})""")
    greeted(exam)
    assert tabs(agent)[0]


def test_two_of_one_page_are_one_tab(exam: Any, agent: Any) -> None:
    greeted(exam)
    greeted(exam)
    assert len(set(tabs(agent))) == 1


PENDING = contract.PendingRequest("pause", "p-1", "The room is dark.", 20.0)
WAITING = contract.Status(agent="agent", state="paused", session_id="s", paused=True, pending=(PENDING,))


@pytest.mark.parametrize("transport", ["loopback", "native"])
def test_a_page_that_was_loaded_again_is_told_what_waits(exam: Any, agent: Any, transport: str) -> None:
    agent.status = WAITING
    exam.extend()
    for _ in range(2):
        exam.load()
        exam.connect(transport=transport)
        exam.page.evaluate("listen('pause')")
        ((kind, request),) = exam.heard(1)
        assert kind == "pause"
        assert 15 < request.pop("left_s") <= 20
        assert request == {
            "type": "request", "kind": "pause", "id": "p-1", "text": "The room is dark.", "acknowledged": False,
            "reminder": 0,
        }  # fmt: skip


def test_a_listener_that_comes_late_is_told_what_waits(exam: Any, agent: Any) -> None:
    agent.status = WAITING
    exam.connect()
    exam.told("proctor.hello()")
    exam.page.evaluate("() => { listen('resume'); listen('pause'); listen('pause') }")
    assert [kind for kind, _ in exam.heard(2)] == ["pause", "pause"]  # all that were set together
    exam.page.evaluate("listen('pause')")
    exam.told("proctor.hello()")
    assert len(exam.page.evaluate("heard")) == 2  # and none again


def test_a_request_is_told_once_however_it_comes(exam: Any, agent: Any) -> None:
    exam.connect()
    exam.told("proctor.hello()")
    exam.page.evaluate("() => { listen('pause'); listen('end') }")
    agent.ask("pause", "p-1")
    agent.drop()
    exam.page.wait_for_function("!proctor.connected")
    exam.told("proctor.hello()")
    agent.ask("end", "e-1")
    assert [event["id"] for _, event in exam.heard(2)] == ["p-1", "e-1"]


def test_a_request_that_is_acknowledged_is_told_no_more(exam: Any, agent: Any) -> None:
    agent.status = WAITING
    agent.answers["pauseAck"] = replace(WAITING, pending=())
    exam.connect()
    exam.told("proctor.pauseAck('p-1')")
    exam.page.evaluate("listen('pause')")
    exam.page.evaluate("listen('chat')")
    agent.tell(contract.ChatEvent("c", "later", 1))
    assert [kind for kind, _ in exam.heard(1)] == ["chat"]


def test_reminders_come_as_reminders(exam: Any, agent: Any) -> None:
    exam.connect()
    exam.told("proctor.hello()")
    exam.page.evaluate("listen('end')")
    for reminder in range(3):
        agent.tell(contract.RequestEvent("end", "e-1", reminder=reminder, left_s=30.0 - 10 * reminder))
    events = exam.heard(3)
    assert [(event["reminder"], event["left_s"]) for _, event in events] == [(0, 30), (1, 20), (2, 10)]


def test_a_page_knows_whether_it_holds_the_session(exam: Any, agent: Any, until: Until) -> None:
    agent.status = contract.Status(agent="agent", state="running", session_id="s")
    exam.connect()
    exam.page.evaluate("listen('holder')")
    exam.told("proctor.hello()")
    assert exam.page.evaluate("proctor.holding") is None
    until(lambda: agent.named("visibility"), "the first report")
    agent.tell(contract.HolderEvent(False))
    assert exam.heard(1) == [["holder", {"type": "holder", "holding": False}]]
    assert exam.page.evaluate("proctor.holding") is False
    agent.answers["start"] = Refusal("held_elsewhere")
    assert exam.told("proctor.start()")["code"] == "held_elsewhere"
    agent.tell(contract.HolderEvent(True))
    exam.heard(2)
    assert exam.page.evaluate("proctor.holding") is True


def test_a_page_that_does_not_hold_the_session_keeps_its_focus_to_itself(exam: Any, agent: Any, until: Until) -> None:
    agent.status = contract.Status(agent="agent", state="running", session_id="s")
    exam.connect()
    exam.told("proctor.hello()")
    until(lambda: agent.named("visibility"), "the first report")
    agent.tell(contract.HolderEvent(False))
    exam.page.wait_for_function("proctor.holding === false")
    exam.page.evaluate("() => { document.hasFocus = () => false; window.dispatchEvent(new Event('blur')) }")
    exam.told("proctor.hello()")
    assert len(agent.named("visibility")) == 1
    agent.tell(contract.HolderEvent(True))
    until(lambda: len(agent.named("visibility")) == 2, "what it is now")
    assert agent.named("visibility")[1] == contract.Visibility(True, False)


def test_after_the_connection_broke_nobody_knows_who_holds(exam: Any, page: Page, agent: Any) -> None:
    exam.connect()
    exam.told("proctor.hello()")
    agent.tell(contract.HolderEvent(True))
    page.wait_for_function("proctor.holding")
    agent.close()
    page.wait_for_function("proctor.holding === null")
