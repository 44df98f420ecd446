"""What a new agent finds of an old one's stills: the chain goes on, and what has left is still known."""

import asyncio
import base64
import uuid
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.delivery.room import Room
from secureproctor.agent.session.making import Ears, SessionMaker
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.record import parse, record_hash, unseal
from secureproctor.contract.stills import StillInfo, unpack
from secureproctor.contract.streams import Stream

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
JPEG = b"\xff\xd8 a picture"


def init_data() -> InitData:
    raw = KEY.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    key = base64.b64encode(raw).decode()
    return InitData("token", str(uuid.uuid4()), 300, ProctoringSettings(), key, (), (), 1, 3600, "user", "group")


async def test_stills_from_before_start_survive_the_agent_and_the_next_one_goes_on(tmp_path: Path) -> None:
    nobody: Any = None
    api: Any = type("Api", (), {"url": "http://127.0.0.1:9"})
    ears = Ears(nobody, nobody, lambda: None, nobody, nobody, nobody, nobody)
    async with httpx.AsyncClient() as client:
        maker = SessionMaker(tmp_path, client, asyncio.get_running_loop(), ears, lambda: Room(10**9, 0), 72)
        session = maker.new(api, init_data())
        for of in ("photo", "id_card"):
            await session.delivery.still(StillInfo(of, 5, 1, 1), JPEG)
        session.delivery.spool.acknowledge((Stream.STILLS, 0, 0))
        session.delivery.departures.save()
        session.journal.close()
        (session.folder.path / "places").unlink()  # as if it had died between a record and its note
        [(folder, history)] = maker.left()
        again = maker.restored(folder, history)
        await again.delivery.still(StillInfo("webcam", 6, 1, 1, request="c-1"), JPEG, 7)
        again.journal.close()
    spool = again.delivery.spool
    waiting = [spool.read(key) for key in spool.oldest(Stream.STILLS)]
    assert [parse(data).header.key for data in waiting] == [(Stream.STILLS, 0, 1), (Stream.STILLS, 0, 2)]
    assert parse(waiting[1]).header.previous == record_hash(waiting[0])
    assert [unpack(unseal(parse(data), KEY))[0].of for data in waiting] == ["id_card", "webcam"]
    assert again.delivery.departed() == session.delivery.departed()
    assert [(row.what, row.pieces) for row in again.delivery.departed()] == [("stills", 1)]
