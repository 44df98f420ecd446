"""How a local program of the same user asks the running agent: the loopback API with the pairing token."""

import asyncio
from pathlib import Path

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from secureproctor.agent.local.pairing import find
from secureproctor.contract.page import Status

PATIENCE_S = 5.0


class NotRunning(Exception):
    """There is no agent of this user, or it does not answer."""

    def __init__(self) -> None:
        super().__init__("No agent is running for this user.")


class _Answer(msgspec.Struct):
    result: Status
    id: int


async def ask_status(folder: Path) -> Status:
    """The running agent's status. Raises NotRunning."""
    pairing = find(folder)
    if pairing is None:
        raise NotRunning
    headers = {"Authorization": f"Bearer {pairing.token}"}
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            connect(pairing.address, additional_headers=headers, proxy=None, close_timeout=1) as socket,
        ):
            await socket.send('{"jsonrpc":"2.0","id":1,"method":"hello"}')
            async for frame in socket:
                try:
                    return msgspec.json.decode(frame, type=_Answer).result
                except ValueError:
                    continue  # a notification that came before the answer
    except (OSError, InvalidHandshake, WebSocketException):
        raise NotRunning from None
    raise NotRunning
