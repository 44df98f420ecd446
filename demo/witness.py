"""Looks at a session from outside while it runs, and writes down what it saw: at the agent, at the service, at both pages.

It asks the agent as any paired program of the same user may, the service as a proctor does, and reads the candidate's page.
What it asks the service is never counted as a sign of life of the agent.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from secureproctor.agent.local.pairing import find
from secureproctor.contract.console import SessionSnapshot
from secureproctor.contract.http import StoredList
from secureproctor.contract.page import Status
from secureproctor.contract.streams import MEDIA
from secureproctor.demo.account import Account, positions
from secureproctor.demo.actors import Candidate
from secureproctor.demo.onlooker import onlooker
from secureproctor.demo.stage import Service

LOOK_S = 0.2
LIVE_LOOK_S = 0.5
PATIENCE_S = 5.0
NOT_THERE = (OSError, TimeoutError, WebSocketException, httpx.HTTPError)
"""What an agent that was just killed, or a service that is busy, may answer."""
_SEGMENT = re.compile(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)\s+#EXTINF:([\d.]+)")
_HELLO = '{"jsonrpc":"2.0","id":1,"method":"hello"}'


class _Answer(msgspec.Struct):
    result: Status
    id: int


@dataclass(slots=True)
class Witness:
    """Writes `account`. `runtime` is the folder in which the agent says where it is."""

    account: Account
    running: Service
    runtime: Path
    candidate: Candidate
    client: httpx.AsyncClient

    async def ask_agent(self) -> None:
        """Note the agent's status, again and again, on one connection for as long as it lasts."""
        pairing = find(self.runtime)
        if pairing is None:
            return
        headers = {"Authorization": f"Bearer {pairing.token}"}
        async with connect(pairing.address, additional_headers=headers, close_timeout=1) as socket:
            while True:
                await socket.send(_HELLO)
                status = await asyncio.wait_for(_status(socket.recv), PATIENCE_S)
                self.account.statuses.append((time.time(), status))
                await asyncio.sleep(LOOK_S)

    async def look_on(self) -> None:
        """Note each snapshot that the service tells to proctors."""
        async with onlooker(self.running.url, self.running.proctor_key) as looking:
            while True:
                await looking.until(self._is_new, PATIENCE_S)

    def _is_new(self, seen: SessionSnapshot) -> bool:
        """Note a snapshot, once."""
        new = not self.account.snapshots or self.account.snapshots[-1][1] is not seen
        if new:
            self.account.snapshots.append((time.time(), seen))
        return False

    async def read_page(self) -> None:
        """Note what the candidate's page tells, whenever it has changed."""
        told = await self.candidate.told()
        if not self.account.told or self.account.told[-1][1] != told:
            self.account.told.append((time.time(), told))

    async def watch_live(self) -> None:
        """Once the link is back: note how old the newest part of each stream is that can be watched."""
        await asyncio.sleep(LIVE_LOOK_S)
        if "back" in self.account.marks:
            spans = await self.playable()
            now = time.time()
            self.account.ages.append((now, {stream: now - each[-1][1] for stream, each in spans.items() if each}))

    async def playable(self) -> dict[str, list[tuple[float, float]]]:
        """From when to when each segment lasts that a proctor can play, by stream."""
        session = self.account.snapshots[-1][1]
        found = {}
        for stream in MEDIA:
            address = f"/v1/sessions/{session.session_id}/media/{stream}.m3u8"
            answer = await self.client.get(address, params={"access": session.access})
            found[str(stream)] = spans(answer.text)
        return found

    async def stored(self) -> StoredList:
        """What the service holds. It is asked with the agent's token, which counts as a sign of life: not during an outage."""
        session_id, token = await self.candidate.session()
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.client.get(f"/v1/sessions/{session_id}/segments", headers=headers)
        return msgspec.json.decode(answer.raise_for_status().content, type=StoredList)

    async def conclude(self) -> None:
        """Note what is there at the end, once agent and service have been looked at after it."""
        account, now, deadline = self.account, time.time(), time.monotonic() + PATIENCE_S
        account.stored = await self.stored()
        held = len(positions(account.stored))
        while time.monotonic() < deadline:
            if _count(account) >= held and account.statuses[-1][0] > now:
                break
            await asyncio.sleep(LOOK_S)
        account.spans = await self.playable()


@asynccontextmanager
async def witnessing(witness: Witness) -> AsyncIterator[None]:
    """Look on as long as the block lasts. Raises what no witness expects."""
    looks = (witness.ask_agent, witness.look_on, witness.read_page, witness.watch_live)
    tasks = [asyncio.create_task(_again(look)) for look in looks]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


def _count(account: Account) -> int:
    """How many records the newest snapshot tells of."""
    return sum(each.segments for each in account.snapshots[-1][1].streams.values())


async def _again(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        with contextlib.suppress(*NOT_THERE):
            await look()
        await asyncio.sleep(LOOK_S)


async def _status(receive: Callable[[], Awaitable[str | bytes]]) -> Status:
    """The next answer; what comes before it are notifications."""
    while True:
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.json.decode(await receive(), type=_Answer).result


def spans(playlist: str) -> list[tuple[float, float]]:
    """When each segment of a media playlist begins and ends, in seconds since 1970."""
    found = []
    for date, length in _SEGMENT.findall(playlist):
        begin = datetime.fromisoformat(date).timestamp()
        found.append((begin, begin + float(length)))
    return found
