"""Several tabs at the real server: one holds the session, the others look, and all know where they stand."""

from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.local import holder as holding
from secureproctor.agent.local import server as serving
from secureproctor.contract.page import ChatEvent, PreviewEvent

if TYPE_CHECKING:
    from tests.agent.local.conftest import House

PAGE, OTHER = "https://exam.example", "https://other.example"
INIT = {"body": "{}", "authorization": "signature"}


async def test_the_second_tab_may_look_and_nothing_else(house: "House") -> None:
    first, second = await house.tab("a"), await house.tab("b")
    assert (first.holding, second.holding) == ([True], [False])
    assert (await second.result("hello", tab="b"))["state"] == "idle"
    assert await second.result("report", query={"userId": "u"})
    for method, params in {"init": INIT, "start": {}, "sendMessage": {"text": "x"}, "stop": {}}.items():
        assert await second.refused(method, **params) == "held_elsewhere"
    assert house.stage.sessions[1:] == []
    assert (await first.result("init", **INIT))["session_id"]


async def test_the_second_tab_takes_over_and_both_are_told(house: "House") -> None:
    first, second = await house.tab("a"), await house.tab("b", OTHER)
    await second.result("takeOver")
    assert second.holding == [False, True]
    assert (await first.told("holder"))["holding"] is False
    assert house.records == [(OTHER, True)]
    assert await first.refused("init", **INIT) == "held_elsewhere"


async def test_a_reload_holds_again(house: "House", eventually: Any) -> None:
    first, second = await house.tab("a"), await house.tab("b")
    await first.socket.close()
    await eventually(lambda: len(house.server.pages) == 1)
    again = await house.tab("a")
    assert again.holding == [True]
    assert second.holding == [False]
    assert house.records == []


async def test_after_the_holder_left_the_tab_that_waits_is_told(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "GRACE_S", 0.1)
    first, second = await house.tab("a"), await house.tab("b", OTHER)
    await first.socket.close()
    while second.holding != [False, True]:
        await second.told("holder")
    assert house.records == [(OTHER, False)]
    assert await second.refused("start") == "not_now"


async def test_a_page_that_never_says_hello_holds_when_nobody_else_does(house: "House") -> None:
    quiet = await house.page()
    assert (await quiet.result("init", **INIT))["session_id"]
    later = await house.page()
    assert await later.refused("start") == "held_elsewhere"


async def test_programs_act_beside_the_page_that_holds(house: "House") -> None:
    program, page = await house.program(), await house.tab("a")
    await program.result("hello", tab="a")
    assert (await program.result("init", **INIT))["session_id"]
    await program.result("takeOver")
    assert page.holding == [True]
    assert program.holding == []


async def test_what_is_for_the_holder_goes_to_no_other_tab(house: "House") -> None:
    first, second = await house.tab("a"), await house.tab("b")
    house.server.tell_holder(PreviewEvent("photo", "eA==", 4, 3))
    house.server.tell(ChatEvent("m", "x", 1))
    assert (await first.told("preview"))["jpeg"] == "eA=="
    await second.told("chat")
    assert "preview" not in [event["type"] for event in second.events]


async def test_a_page_that_is_behind_is_spared_previews_and_misses_nothing_else(
    house: "House", eventually: Any
) -> None:
    slow = await house.page(max_queue=1)
    await slow.result("hello", tab="a")
    (page,) = house.server.pages
    big = PreviewEvent("photo", "x" * 200_000, 4, 3)
    for number in range(600):
        house.server.tell_holder(big)
        assert len(page.outbox) <= serving.FEW_FRAMES + 1 + number // 200 + 1
        if number % 200 == 0:
            house.server.tell(ChatEvent(f"m-{number}", "x", 1))
        await eventually(lambda: True)
    seen: list[str] = []
    previews = 0
    while len(seen) < 3:
        params = (await slow.next())["params"]
        previews += params["type"] == "preview"
        seen += [params["id"]] if params["type"] == "chat" else []
    assert seen == ["m-0", "m-200", "m-400"]
    assert 0 < previews < 600
    assert house.server.pages == {page}
