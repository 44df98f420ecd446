"""The two calls that evidence needs: put a record, and ask what is stored. What follows from an answer is not decided here.

Time limits fit a thin link and still notice one that stands still: they hold for each piece of a body, and not for a body.
An answer may come from anybody (a captive portal, a proxy): no more of it is read than the service would say.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from secureproctor.agent.delivery.verdict import Verdict, judge
from secureproctor.agent.delivery.waiting import Key
from secureproctor.contract.record import record_hash

PIECE = 16 * 1024
STALLED_S = 15.0
"""Within this time each piece of a body must be taken by the network, and each answer go on."""
CONNECT_S = 5.0
THINNEST_BYTES_PER_S = 1024
"""A link on which a piece takes STALLED_S. What is slower still is a stalled one, whatever trickles through."""
SOCKET_BUFFER_BYTES_PER_S = 16 * 1024
"""What lies in the socket's buffer when the last piece was taken leaves at this rate at least."""
LONGEST_ANSWER = 64 * 1024
LONGEST_LIST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls to `address`, where a session's segments are. Both raise httpx.HTTPError and OSError (TimeoutError too)."""

    client: httpx.AsyncClient
    address: str

    async def put(self, key: Key, data: bytes, token: str) -> Verdict:
        """Send a record once."""
        stream, epoch, seq = key
        limit_s = CONNECT_S + 2 * STALLED_S + len(data) / THINNEST_BYTES_PER_S
        read_s = STALLED_S + len(data) / SOCKET_BUFFER_BYTES_PER_S
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(data))}
        async with (
            asyncio.timeout(limit_s),
            self.client.stream(
                "PUT",
                f"{self.address}/{stream}/{epoch}/{seq}",
                content=_pieces(data),
                headers=_headers(token) | headers,
                timeout=httpx.Timeout(STALLED_S, connect=CONNECT_S, read=read_s, pool=None),
            ) as answer,
        ):
            body = await _body(answer, LONGEST_ANSWER)
        return judge(answer.status_code, answer.headers, body, record_hash(data).hex())

    async def stored(self, token: str) -> tuple[int, httpx.Headers, bytes]:
        """The answer to what is stored: status, headers and body."""
        timeout = httpx.Timeout(STALLED_S, connect=CONNECT_S, pool=None)
        async with (
            asyncio.timeout(CONNECT_S + 4 * STALLED_S),
            self.client.stream("GET", self.address, headers=_headers(token), timeout=timeout) as answer,
        ):
            return answer.status_code, answer.headers, await _body(answer, LONGEST_LIST)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), PIECE):
        yield data[at : at + PIECE]


async def _body(answer: httpx.Response, longest: int) -> bytes:
    """At most so much of a body. Raises httpx.HTTPError when it ends too early."""
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > longest:
            break
    return bytes(body[:longest])


def _headers(token: str) -> dict[str, str]:
    # answers as they are: nothing that comes from outside is unpacked here
    return {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
