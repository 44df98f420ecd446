"""The loopback API over a real socket: the door, the calls and the notifications."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from secureproctor.agent.local import client as asking
from secureproctor.agent.local.client import NotRunning, ask_status
from secureproctor.agent.local.pairing import Pairing, new_token, published
from secureproctor.agent.local.server import PortTaken
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import PATH, ChatEvent, SignedRequest

if TYPE_CHECKING:
    from tests.agent.local.conftest import House

PAGE, OTHER, PAIRING = "https://exam.example", "https://other.example", "pairing-token"
INIT = {"body": "{}", "authorization": "signature"}


# the door


async def test_a_page_of_an_allowed_origin_and_a_paired_program_come_in(house: "House") -> None:
    for caller in (await house.page(), await house.program()):
        assert (await caller.result("hello"))["state"] == "idle"
    assert house.visits == [f"+{PAGE}", "+"]
    assert house.server.page_origins == [PAGE]


async def test_a_foreign_page_stays_outside(house: "House") -> None:
    assert await house.refused(origin="https://evil.example") == (403, "origin_denied")


async def test_a_program_without_the_pairing_token_stays_outside(house: "House") -> None:
    assert await house.refused(origin=None) == (403, "pairing_denied")
    assert await house.refused(origin=None, token="guess") == (403, "pairing_denied")


async def test_a_program_with_the_token_of_an_agent_that_is_gone_stays_outside(house: "House") -> None:
    assert await house.refused(origin=None, token=new_token()) == (403, "pairing_denied")


@pytest.mark.parametrize("origin", ["null", "", "https://evil.example"])
async def test_a_program_brings_in_allowed_pages_only(house: "House", origin: str) -> None:
    assert await house.refused(origin=None, token=PAIRING, speaks_for="https://evil.example") == (403, "origin_denied")
    assert await house.refused(origin=None, token="guess", speaks_for=PAGE) == (403, "pairing_denied")
    assert await house.refused(origin=origin, token=PAIRING, speaks_for=PAGE) == (403, "origin_denied")


async def test_a_page_that_a_program_speaks_for_is_a_page_like_any_other(house: "House") -> None:
    page = await house.page(origin=None, token=PAIRING, speaks_for=PAGE)
    await page.result("hello", tab="a")
    assert page.holding == [True]
    assert house.server.page_origins == [PAGE]
    house.api.data = msgspec.structs.replace(house.api.data, origins=(OTHER,))
    assert await page.refused("init", **INIT) == "origin_denied"
    assert house.visits == [f"+{PAGE}"]


async def test_another_path_is_not_found(house: "House") -> None:
    assert await house.refused(path="/") == (404, "not_found")


async def ask(house: "House", *headers: bytes) -> bytes:
    """A request written by hand; its answer up to the end of its head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    lines = [
        b"GET /v1/page HTTP/1.1", b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", *headers,
    ]  # fmt: skip
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_foreign_host_name_stays_outside(house: "House") -> None:
    """A page whose name was made to point at 127.0.0.1."""
    host = b"Host: evil.example:%d" % house.port
    answer = await ask(house, host, b"Sec-WebSocket-Version: 13", b"Origin: https://exam.example")
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("header", [b"Authorization: Bearer \xff\xfe", b"Origin: https://\xff.example"])
async def test_headers_of_any_bytes_are_refused_and_not_stumbled_over(house: "House", header: bytes) -> None:
    answer = await ask(house, b"Host: 127.0.0.1:%d" % house.port, b"Sec-WebSocket-Version: 13", header)
    assert answer.startswith(b"HTTP/1.1 403")


async def test_a_handshake_that_fails_behind_the_door_leaves_nothing(house: "House") -> None:
    host = b"Host: 127.0.0.1:%d" % house.port
    answer = await ask(house, host, b"Sec-WebSocket-Version: 7", b"Origin: https://exam.example")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 426"))
    assert (house.visits, house.server.pages) == ([], set())


async def test_a_taken_port_is_told_by_its_own_error(house: "House") -> None:
    with pytest.raises(PortTaken):
        async with house.server.listening(house.port):
            pytest.fail("two servers at one port")


# calls


async def test_a_page_takes_a_session_through_its_life(house: "House") -> None:
    page = await house.page()
    registered = await page.result("init", **INIT)
    assert registered["session_id"] == house.api.data.session_id
    assert house.api.asked == [SignedRequest("{}", "signature")]
    checked = await page.result("checkSystem")
    assert (checked["ok"], checked["checks"][0]["status"]) == (True, "passed")
    status = await page.result("start")
    assert (status["state"], status["capturing"]) == ("running", ["audio", "screen", "webcam"])
    assert (await page.result("sendMessage", text="hello"))["id"] != ""
    status = await page.result("stop")
    assert (status["state"], status["end_reason"], status["waiting_segments"]) == ("ended", "stopped", 0)


async def test_requests_are_acknowledged_by_their_methods(house: "House") -> None:
    page = await house.page()
    await page.result("init", **INIT)
    await page.result("checkSystem")
    await page.result("start")
    assert await page.refused("pauseAck") == "nothing_to_acknowledge"
    for kind, command_id in (("pause", "c-1"), ("resume", "c-2"), ("end", "c-3")):
        obeyed = asyncio.create_task(house.stage.command(kind, command_id))
        assert (await page.told("request"))["id"] == command_id
        assert (await page.result(f"{kind}Ack", id=command_id))["pending"] == []
        await obeyed
    requests = [(event["kind"], event["acknowledged"]) for event in page.events if event["type"] == "request"]
    assert requests == [("pause", False), ("resume", False), ("end", False)]


async def test_auto_acknowledgement_is_switched_on_and_off(house: "House") -> None:
    page = await house.page()
    assert (await page.result("enableAutoAcknowledgement"))["auto_acknowledgement"] is True
    assert (await page.result("enableAutoAcknowledgement", enabled=False))["auto_acknowledgement"] is False


async def test_the_report_comes_as_the_service_wrote_it(house: "House") -> None:
    page = await house.page()
    assert await page.result("report", query={"userId": "u"}) == {
        "data": {"url": "https://exam.example/report/1"}, "extra": [1, 2],
    }  # fmt: skip


async def test_a_refusal_of_the_service_comes_with_its_code_and_remedy(house: "House") -> None:
    house.api.refusal = Refusal("signature_mismatch")
    error = (await (await house.page()).call("init", **INIT))["error"]
    assert (error["code"], error["data"]["code"], error["data"]["number"]) == (-32000, "signature_mismatch", "E401")
    assert error["data"]["remedy"].startswith("Sign the exact bytes")


async def test_a_page_that_the_session_does_not_name_registers_nothing(house: "House") -> None:
    house.api.data = msgspec.structs.replace(house.api.data, origins=("https://other.example",))
    page = await house.page()
    assert await page.refused("init", **INIT) == "origin_denied"
    assert (await page.result("hello"))["state"] == "idle"


async def test_a_paired_program_may_register_for_any_page(house: "House") -> None:
    house.api.data = msgspec.structs.replace(house.api.data, origins=())
    assert (await (await house.program()).result("init", **INIT))["session_id"] == house.api.data.session_id


async def test_a_call_that_is_not_possible_now_is_refused_before_the_service_is_asked(house: "House") -> None:
    page = await house.page()
    for call in ("init", "checkSystem", "start"):
        await page.result(call, **(INIT if call == "init" else {}))
    house.api.asked.clear()
    assert await page.refused("init", **INIT) == "not_now"
    assert house.api.asked == []


async def test_leaving_the_page_is_on_the_record_once(house: "House") -> None:
    page = await house.page()
    await page.result("init", **INIT)
    for visible, focused in ((True, False), (False, False), (True, True), (True, True)):
        await page.result("visibility", visible=visible, focused=focused)
    assert [event for event in house.stage.events if "page_" in event] == ["event page_hidden", "event page_shown"]


async def test_a_failure_nobody_expected_is_told_without_its_insides(house: "House") -> None:
    house.api.refusal = ZeroDivisionError("secret")
    page = await house.page()
    answer = await page.call("init", **INIT)
    assert answer["error"]["data"]["code"] == "internal"
    assert "secret" not in json.dumps(answer)
    assert (await page.result("hello"))["state"] == "idle"


async def test_a_slow_call_does_not_hold_up_the_next(house: "House") -> None:
    page = await house.page()
    await page.result("init", **INIT)
    house.stage.checking = asyncio.Event()
    await page.socket.send('{"jsonrpc":"2.0","id":"slow","method":"checkSystem"}')
    assert (await page.result("hello"))["state"] == "registered"
    house.stage.checking.set()
    while (await page.next()).get("id") != "slow":
        pass


@pytest.mark.parametrize(
    "frame", ["{", b"\xff\xff", "[" * 60_000 + "]" * 60_000, '{"jsonrpc":"2.0","id":1,"method":"x"}']
)
async def test_what_is_no_call_is_answered_and_the_page_stays(house: "House", frame: str | bytes) -> None:
    page = await house.page()
    await page.socket.send(frame)
    assert (await page.next())["error"]["data"]["code"] == "body_malformed"
    assert (await page.result("hello"))["state"] == "idle"


# notifications


async def test_every_page_is_told(house: "House") -> None:
    callers = [await house.page(), await house.page(), await house.program()]
    for caller in callers:
        await caller.result("hello")
    house.server.tell(ChatEvent("m-1", "hello", 5))
    for caller in callers:
        assert (await caller.told("chat"))["text"] == "hello"


async def test_a_page_that_went_is_no_longer_counted(house: "House", eventually: Any) -> None:
    page = await house.page()
    page.socket.transport.abort()
    await eventually(lambda: house.server.page_origins == [])
    assert house.visits == [f"+{PAGE}", f"-{PAGE}"]


# how a local program asks


async def test_a_program_finds_the_agent_by_its_pairing_file(house: "House", tmp_path: Any) -> None:
    with published(tmp_path / "run", Pairing(f"ws://127.0.0.1:{house.port}{PATH}", PAIRING, 1)):
        assert (await ask_status(tmp_path / "run")).state == "idle"
    with (
        published(tmp_path / "run", Pairing(f"ws://127.0.0.1:{house.port}{PATH}", "stale", 1)),
        pytest.raises(NotRunning),
    ):
        await ask_status(tmp_path / "run")


async def test_an_agent_that_hangs_is_not_waited_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.1)
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda reader, writer: writers.append(writer), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        with published(tmp_path, Pairing(f"ws://127.0.0.1:{port}{PATH}", PAIRING, 1)), pytest.raises(NotRunning):
            await ask_status(tmp_path)
        for writer in writers:
            writer.close()
            await writer.wait_closed()
