"""A session that one agent left behind, put together again by the next one from its folder."""

import asyncio
import base64
import uuid
from pathlib import Path
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.clock import boot_id, boot_us, wall_ms
from secureproctor.agent.delivery.room import Room
from secureproctor.agent.delivery.sealer import Position
from secureproctor.agent.proctor.reminders import left_s
from secureproctor.agent.session.folder import Contact, Place, SessionFolder
from secureproctor.agent.session.journal import (
    AuthorizationMoved,
    CommandMoved,
    RuleOverridden,
    Started,
    StateEntered,
)
from secureproctor.agent.session.machine import State
from secureproctor.agent.session.making import Ears, SessionMaker
from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.channel import Chat, Command
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.record import record_hash
from secureproctor.contract.streams import Stream
from tests.agent.conftest import a_key

PUBLIC = (
    X25519PrivateKey.generate().public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
)


def init_data() -> InitData:
    key = base64.b64encode(PUBLIC).decode()
    return InitData("token", str(uuid.uuid4()), 300, ProctoringSettings(), key, (), (), 1, 3600, "user", "group")


class Making:
    """A maker whose sessions talk to nobody."""

    def __init__(self, root: Path) -> None:
        nobody: Any = None
        self.ears = Ears(nobody, nobody, lambda: None, nobody, nobody, nobody, nobody)
        self.client = httpx.AsyncClient()
        self.maker = SessionMaker(root, self.client, asyncio.get_running_loop(), self.ears, lambda: Room(10**9, 0), 72)
        self.api: Any = type("Api", (), {"url": "http://127.0.0.1:9"})


def a_segment(kind: Kind, start_us: int = 0) -> Segment:
    return Segment(Stream.SCREEN, kind, start_us, 0 if kind is Kind.INIT else 2_000_000, "avc1", b"boxes")


async def test_a_session_goes_on_from_its_last_record_even_when_its_place_was_not_noted(tmp_path: Path) -> None:
    making = Making(tmp_path)
    session = making.maker.new(making.api, init_data())
    records = [session.delivery.sealer.segment(a_segment(kind)) for kind in (Kind.INIT, Kind.MEDIA)]
    for record in records:
        session.delivery.spool.append(record)
    hashed = record_hash(records[0].data).hex()
    session.folder.save_places({Stream.SCREEN: Place(0, 1, hashed), Stream.AUDIO: Place(2, 7, "00" * 32, 9)})
    session.journal.close()
    [(folder, history)] = making.maker.left()
    again = making.maker.restored(folder, history)
    assert again.delivery.sealer.positions == {
        Stream.SCREEN: Position(0, 2, record_hash(records[1].data)),
        Stream.AUDIO: Position(2, 7, bytes(32)),
    }
    assert again.delivery.gaps.until_us == {Stream.SCREEN: 2_000_000, Stream.AUDIO: 9}
    assert again.delivery.sealer.segment(a_segment(Kind.INIT)).header.key == (Stream.SCREEN, 1, 0)
    again.journal.close()
    await making.client.aclose()


async def test_what_was_said_and_not_acknowledged_is_said_again_with_its_number(tmp_path: Path) -> None:
    making = Making(tmp_path)
    session = making.maker.new(making.api, init_data())
    session.channel.send(Chat("m-1", "candidate", "hello", 1))
    session.journal.close()
    [(folder, history)] = making.maker.left()
    again = making.maker.restored(folder, history)
    assert again.channel.protocol.link.sent == 1
    assert b"hello" in again.channel.protocol.link.waiting[1]
    again.journal.close()
    await making.client.aclose()


async def test_clock_and_deadline_go_on_within_a_boot_and_by_the_wall_clock_after_another(tmp_path: Path) -> None:
    making = Making(tmp_path)
    session = making.maker.new(making.api, init_data())
    origin_us, now_us = boot_us() - 60_000_000, boot_us()
    session.journal.write(Started(origin_us, 1, boot_id()))
    session.journal.write(StateEntered("running", 2, 500_000))
    session.folder.save_contact(Contact(now_us - 20_000_000, 1, boot_id()))
    [(folder, history)] = making.maker.left()
    again = making.maker.restored(folder, history)
    assert again.clock is not None
    assert (history.resumed_state, again.clock.origin_us) == (State.RUNNING, origin_us)
    assert abs(again.watch.left_s(now_us) - 280) < 0.01
    session.folder.save_contact(Contact(now_us * 1000, 1, "another boot"))
    long_ago = making.maker.restored(folder, history)
    assert long_ago.watch.left_s(boot_us()) == 0
    for each in (session, again, long_ago):
        each.journal.close()
    await making.client.aclose()


async def test_a_folder_that_holds_no_session_is_left_as_it_is(tmp_path: Path) -> None:
    making = Making(tmp_path)
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "journal").write_bytes(b"not a journal\n")
    (tmp_path / "empty").mkdir()
    assert making.maker.left() == []
    assert (tmp_path / "junk" / "journal").exists()
    await making.client.aclose()


def test_a_folder_whose_files_are_torn_gives_nothing_rather_than_nonsense(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path)
    for name in ("places", "link", "contact"):
        (tmp_path / name).write_bytes(b'{"sent": 1')
    assert (folder.places(), folder.link().sent, folder.contact()) == ({}, 0, None)


async def test_what_was_agreed_and_decided_before_the_start_is_still_on_the_record(tmp_path: Path) -> None:
    """Events wait in memory until a session begins; the journal knows those that must not be missing."""
    making = Making(tmp_path)
    data = msgspec.structs.replace(init_data(), settings=ProctoringSettings(authorization=True, skip_id=True))
    session = making.maker.new(making.api, data)
    assert session.caught_up.is_set()
    session.journal.write(AuthorizationMoved("capture", 5, ("photo",)))
    session.journal.write(AuthorizationMoved("submitted", 6))
    session.journal.write(CommandMoved("c-1", "authorize", "received", 7, whole=Command("c-1", "authorize", 7)))
    session.journal.close()
    [(folder, history)] = making.maker.left()
    again = making.maker.restored(folder, history)
    assert [(each.kind, each.wall_ms) for each in again._early] == [
        ("consent_given", 5),
        ("authorization_submitted", 6),
    ]
    assert again.authorization is not None
    assert (again.authorization.step, again.service) == ("submitted", "http://127.0.0.1:9")
    assert [course.id for course in again.unfinished] == ["c-1"]
    assert not again.caught_up.is_set()
    again.journal.close()
    await making.client.aclose()


async def test_a_locked_session_knows_its_key_and_what_was_let_pass_and_attests_with_a_new_key(tmp_path: Path) -> None:
    making = Making(tmp_path)
    data = msgspec.structs.replace(init_data(), settings=ProctoringSettings(msb=True))
    session = making.maker.new(making.api, data)
    key = a_key(start_url="https://exam.example/")
    session.journal.write(key)
    session.journal.write(RuleOverridden("keys", 6, "Ada", "fine", "c-1"))
    session.journal.close()
    [(folder, history)] = making.maker.left()
    again = making.maker.restored(folder, history)
    assert again.lockdown is not None
    assert (again.lockdown.claims, again.lockdown.overridden) == (key.claims, {"keys"})
    assert [each.kind for each in again._early] == ["msb_key", "rule_overridden"]
    assert session.attestations is not None
    assert again.attestations is not None
    assert session.attestations.key.x != again.attestations.key.x
    again.journal.close()
    await making.client.aclose()


async def test_a_request_waits_since_it_took_effect_whichever_agent_looks(tmp_path: Path) -> None:
    making = Making(tmp_path)
    session = making.maker.new(making.api, init_data())
    session.journal.write(CommandMoved("c-1", "pause", "applied", wall_ms() - 12_000))
    session.journal.write(CommandMoved("c-2", "pause", "applied", wall_ms() + 3_600_000))
    session.journal.close()
    [(folder, history)] = making.maker.left()
    again = making.maker.restored(folder, history)
    first, ahead = again.commands.values()
    assert abs(left_s(first, boot_us()) - 18) < 1
    assert abs(left_s(ahead, boot_us()) - 30) < 1, "a clock that was set back makes no request wait for an hour"
    again.journal.close()
    await making.client.aclose()
