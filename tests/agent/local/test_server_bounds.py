"""Every bound of the loopback API, with real sockets; and meanwhile the page that holds the session is served."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from secureproctor.agent.local import doorstep, outbox
from secureproctor.agent.local import server as serving
from secureproctor.contract.page import PATH, ChatEvent

if TYPE_CHECKING:
    from tests.agent.local.conftest import Caller, House

PAGE, OTHER, PAIRING = "https://exam.example", "https://other.example", "pairing-token"
INIT = {"body": "{}", "authorization": "signature"}
CROWD = 1000
AT_ONCE = 50


async def crowd(house: "House", origin: str, count: int = CROWD) -> list[ClientConnection]:
    """So many connections of an origin, some at a time; those that came in."""
    inside: list[ClientConnection] = []
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with turns:
            with suppress(OSError, InvalidHandshake, EOFError):
                address = f"ws://127.0.0.1:{house.port}{PATH}"
                socket = connect(address, origin=origin, compression=None, close_timeout=0.2)  # type: ignore[arg-type]  # a plain text will do
                inside.append(await house.clients.enter_async_context(socket))

    await asyncio.gather(*(one() for _ in range(count)))
    return inside


@asynccontextmanager
async def half_open(house: "House", count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Connections that send a part of a request and no more."""
    async with AsyncExitStack() as stack:
        readers = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
            stack.callback(writer.close)
            with suppress(ConnectionError):  # thrown out already
                writer.write(b"GET /v1/page HTTP/1.1\r\nHost: 127")
            readers.append(reader)
        yield readers


async def served(holder: "Caller") -> None:
    """The page that holds the session gets answers."""
    assert (await holder.result("hello", tab="a"))["state"] in {"registered", "ready"}
    assert (await holder.result("checkSystem"))["ok"] is True


@pytest.fixture
async def holder(house: "House") -> "Caller":
    page = await house.tab("a")
    await page.result("init", **INIT)
    return page


@pytest.mark.parametrize(("origin", "inside"), [("https://evil.example", 0), ("null", 0), (OTHER, 8), (PAGE, 7)])
async def test_a_thousand_connections_do_not_shut_out_the_page_that_holds(
    house: "House", holder: "Caller", origin: str, inside: int
) -> None:
    crowding = asyncio.create_task(crowd(house, origin))
    while not crowding.done():
        await served(holder)
    assert len(await crowding) == inside
    assert len(house.server.pages) == inside + 1
    await served(holder)


async def test_the_pages_of_one_origin_leave_room_for_those_of_another(house: "House") -> None:
    assert len(await crowd(house, OTHER, 20)) == serving.MAX_OF_ONE_ORIGIN
    assert await house.refused(origin=OTHER) == (429, "too_many_pages")
    assert (await (await house.page()).result("hello"))["state"] == "idle"
    assert (await (await house.program()).result("hello"))["state"] == "idle"


async def test_who_leaves_makes_room(house: "House", eventually: Any) -> None:
    pages = await crowd(house, PAGE, serving.MAX_OF_ONE_ORIGIN)
    assert await house.refused() == (429, "too_many_pages")
    await pages[0].close()
    await eventually(lambda: len(house.server.pages) == serving.MAX_OF_ONE_ORIGIN - 1)
    assert (await (await house.page()).result("hello"))["state"] == "idle"


async def test_only_so_many_connections_come_in_whoever_they_are(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MAX_CONNECTIONS", 3)
    for caller in (await house.page(), await house.program(), await house.page(OTHER)):
        await caller.result("hello")
    assert await house.refused() == (429, "too_many_pages")


async def test_a_thousand_handshakes_that_never_end_hold_few_sockets_and_keep_nobody_out(
    house: "House", holder: "Caller", eventually: Any
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    async with half_open(house, CROWD) as readers:
        await served(holder)
        assert (await (await house.page(OTHER)).result("hello"))["state"] == "ready"
        thrown = [reader for reader in readers[: -doorstep.MAX_WAITING] if await at_end(reader)]
        assert len(thrown) == CROWD - doorstep.MAX_WAITING
        ours = len(os.listdir("/proc/self/fd")) - before
        assert ours <= CROWD + doorstep.MAX_WAITING + 8  # the test's own ends are in this process, too
    await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before + 2)


async def at_end(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has closed."""
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 5) == b""
    return True


async def test_a_handshake_that_takes_too_long_is_given_up(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HANDSHAKE_S", 0.1)
    async with house.server.listening(0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v1/page HTTP/1.1\r\n")
        assert await at_end(reader)
        writer.close()


@pytest.mark.parametrize(
    "head", [b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000, b"\x16\x03\x01"]
)
async def test_a_request_without_end_is_given_up(house: "House", head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    with suppress(ConnectionError):
        writer.write(head + b"\r\n")
        await writer.drain()
    assert not (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 1")
    writer.close()


async def test_a_message_of_128_kilobytes_is_too_much(house: "House", eventually: Any) -> None:
    page = await house.page()
    await page.socket.send("x" * 128 * 1024)
    assert "error" in await page.next()
    await page.socket.send("x" * (128 * 1024 + 1))
    with pytest.raises(ConnectionClosed) as caught:
        await page.next()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009
    await eventually(lambda: house.visits == [f"+{PAGE}", f"-{PAGE}"])


async def test_a_message_of_100_megabytes_is_refused_at_its_length_and_never_kept(
    house: "House", holder: "Caller", eventually: Any
) -> None:
    """Written by hand: a client library would not send it on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nOrigin: {OTHER}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    before = psutil.Process().memory_info().rss
    writer.write(b"\x81\xff" + struct.pack("!Q", 100_000_000) + b"mask")
    close = await asyncio.wait_for(reader.readexactly(4), 5)
    assert (close[0], close[2:]) == (0x88, struct.pack("!H", 1009))  # told before any of it was sent
    with suppress(ConnectionError):
        for _ in range(1000):
            writer.write(b"x" * 100_000)
            await writer.drain()
    assert psutil.Process().memory_info().rss - before < 40_000_000
    writer.close()
    await served(holder)
    await eventually(lambda: house.server.page_origins == [PAGE])


async def test_a_message_in_endless_pieces_is_refused(house: "House", holder: "Caller") -> None:
    page = await house.page(OTHER)

    async def pieces() -> AsyncIterator[str]:
        while True:
            yield "x" * 1000

    with pytest.raises(ConnectionClosed):
        await page.socket.send(pieces())
    await served(holder)


async def test_a_page_that_talks_too_much_is_shown_the_door_and_the_holder_is_served(
    house: "House", holder: "Caller"
) -> None:
    page = await house.page(OTHER)

    async def talk() -> None:
        for _ in range(10 * serving.CALLS_PER_SECOND):
            await page.socket.send('{"jsonrpc":"2.0","id":1,"method":"hello"}')
        while True:
            await page.next()

    talking = asyncio.create_task(talk())
    while not talking.done():
        await served(holder)
        await asyncio.sleep(0.05)  # the holder, too, has so many calls a second and no more
    with pytest.raises(ConnectionClosed) as caught:
        await talking
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "too many messages")


async def test_a_page_that_reads_too_slowly_is_dropped_and_the_others_are_not(house: "House", eventually: Any) -> None:
    slow, quick = await house.page(OTHER, max_queue=1), await house.page()
    big = ChatEvent("m", "x" * 100_000, 1)
    heard = 0
    for _ in range(2000):
        if len(house.server.pages) == 1:
            break
        house.server.tell(big)
        await quick.next()
        heard += 1
    assert [page.visitor.origin for page in house.server.pages] == [PAGE]
    assert heard * 100_000 > outbox.MAX_BYTES
    assert (await quick.result("hello"))["state"] == "idle"
    await eventually(lambda: house.visits[-1] == f"-{OTHER}")
    assert slow is not quick


async def test_calls_that_never_end_are_so_many_and_no_more(house: "House", holder: "Caller") -> None:
    program = await house.program()
    house.stage.checking = asyncio.Event()
    for number in range(serving.MAX_CALLS):
        await program.socket.send(json.dumps({"jsonrpc": "2.0", "id": f"slow-{number}", "method": "checkSystem"}))
    assert await program.refused("hello") == "too_many_calls"
    assert (await holder.result("hello", tab="a"))["state"] == "registered"
    house.stage.checking.set()
    ended = 0
    while ended < serving.MAX_CALLS:
        ended += str((await program.next()).get("id", "")).startswith("slow-")
    assert (await program.result("hello"))["state"] in {"registered", "ready"}


async def test_calls_whose_page_left_go_on_so_many_and_no_more(
    house: "House", holder: "Caller", monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    monkeypatch.setattr(serving, "MAX_LEFT_CALLS", 5)
    house.stage.checking = asyncio.Event()
    for turn in range(4):
        program = await house.program()
        for number in range(3):
            await program.socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "checkSystem"}))
        await eventually(lambda seen=3 * turn: len(calls()) >= min(5, seen + 3))
        program.socket.transport.abort()
        await eventually(lambda: len(house.server.pages) == 1)
    await eventually(lambda: len(calls()) == 5)
    house.stage.checking.set()
    await eventually(lambda: calls() == [])
    await served(holder)


def calls() -> list[asyncio.Task[Any]]:
    """The calls that are under way in this process."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "call checkSystem" and not task.done()]


async def test_refusals_without_end_leave_few_lines_in_the_log(
    house: "House", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "secureproctor.agent.local.server")
    assert await crowd(house, "https://evil.example", 100) == []
    assert len(caplog.records) == 1
    assert "https://evil.example" in caplog.text
