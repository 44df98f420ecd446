"""The course of hostile hands: while the link is away, somebody who owns the computer works on the records that wait there.

Each session has one manipulation a stream, so that the report can be asked about each alone. The forger has all that the
candidate has: the files, the service's public key from the journal, and the program that seals.
"""

import asyncio
import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from secureproctor.agent.session.journal import Registered, read
from secureproctor.contract.record import Header, parse, seal
from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.demo.weather import DOWN, FAIR
from tests.faults.page import Page
from tests.faults.scene import Scene, caught_up, scene

WAITING = 7
"""Records of each stream that wait when the forger comes."""
SEGMENT_S = 0.5
"""So that they come soon."""
_BODY_AT_LEAST = 200
_START_AT = 36 + 5
"""A byte of the header that says when the record begins (contract/record.py)."""
Forge = Callable[[list[Path], X25519PublicKey], list[Path]]


def delete(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """One record is gone."""
    files[3].unlink()
    return [files[3]]


def delete_some(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """Three records in a row are gone."""
    for file in files[2:5]:
        file.unlink()
    return files[2:5]


def delete_tail(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """The newest records are gone."""
    for file in files[-3:]:
        file.unlink()
    return files[-3:]


def truncate(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """A record is cut short."""
    files[3].write_bytes(files[3].read_bytes()[:_BODY_AT_LEAST])
    return [files[3]]


def flip_body(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """One bit of what was sealed is another one."""
    return [_flipped(files[3], -1)]


def flip_header(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """One bit of the time at which the record begins is another one."""
    return [_flipped(files[3], _START_AT)]


def replace_by_own(files: list[Path], key: X25519PublicKey) -> list[Path]:
    """A record of the forger's own, sealed with the service's public key, lies in the place of one."""
    header = parse(files[3].read_bytes()).header
    files[3].write_bytes(seal(header, b"nothing to be seen here", key))
    return [files[3]]


def swap(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """Two records are exchanged with each other."""
    one, other = files[2].read_bytes(), files[4].read_bytes()
    files[2].write_bytes(other)
    files[4].write_bytes(one)
    return [files[2], files[4]]


def copy_older(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """A quiet minute of before is shown again."""
    files[4].write_bytes(files[1].read_bytes())
    return [files[4]]


def copy_foreign(files: list[Path], _key: X25519PublicKey) -> list[Path]:
    """A record of another session lies in the place of one."""
    header: Header = replace(parse(files[3].read_bytes()).header, session=uuid.uuid4())
    files[3].write_bytes(seal(header, b"another day", X25519PrivateKey.generate().public_key()))
    return [files[3]]


@dataclass(frozen=True, slots=True)
class Session:
    """What is done in one session, by stream. `running`: the agent goes on meanwhile; otherwise it was killed before."""

    running: bool
    forgeries: dict[Stream, Forge]


SESSIONS = (
    Session(True, {Stream.SCREEN: delete, Stream.WEBCAM: truncate, Stream.AUDIO: flip_body}),
    Session(False, {Stream.SCREEN: replace_by_own, Stream.WEBCAM: swap, Stream.AUDIO: copy_older}),
    Session(False, {Stream.SCREEN: copy_foreign, Stream.WEBCAM: delete_some, Stream.AUDIO: flip_header}),
    Session(False, {Stream.SCREEN: delete_tail}),
)


class Tampered(msgspec.Struct, frozen=True):
    """What was done to a stream, where (epoch and seq), and what the report says of the session."""

    forgery: str
    stream: str
    places: list[tuple[int, int]]
    report: Report


async def play() -> list[Tampered]:
    """All sessions, one after the other, on one computer."""
    async with scene(proxied=True, options=["--segment-s", str(SEGMENT_S)]) as it:
        return [each for number, plan in enumerate(SESSIONS) for each in await _session(it, f"tamper-{number}", plan)]


async def _session(it: Scene, user: str, plan: Session) -> list[Tampered]:
    async with it.candidate.page() as page:
        session_id = (await it.begin(page, user)).session_id
        await it.arrived(session_id, 2)
        it.proxy.change(DOWN)
        folder = it.candidate.spool(session_id)
        await _wait_for_records(page, folder)
        if plan.running:
            places = await asyncio.to_thread(_forge, folder, plan)
    if not plan.running:
        await it.candidate.kill()
        places = await asyncio.to_thread(_forge, folder, plan)
        await it.candidate.start()
    it.proxy.change(FAIR)
    async with it.candidate.page() as page:
        await page.until(caught_up)
        await page.stop()
        await page.until(lambda status: status.state == "ended", within_s=40)
    report = await it.service.console.report_when(user, lambda report: report.state == "ended", within_s=10)
    return [Tampered(forge.__name__, stream, places[stream], report) for stream, forge in plan.forgeries.items()]


async def _wait_for_records(page: Page, folder: Path) -> None:
    while min(len(_files(folder, stream)) for stream in MEDIA) < WAITING:
        await page.status()  # fails when the agent does
        await asyncio.sleep(0.2)


def _forge(folder: Path, plan: Session) -> dict[Stream, list[tuple[int, int]]]:
    registered = next(each for each in read(folder.parent / "journal") if isinstance(each, Registered))
    key = X25519PublicKey.from_public_bytes(base64.b64decode(registered.data.sealing_key))
    return {
        stream: [_place(file) for file in forge(_files(folder, stream), key)]
        for stream, forge in plan.forgeries.items()
    }


def _files(folder: Path, stream: Stream) -> list[Path]:
    return sorted(folder.glob(f"{stream}-*.record"))


def _place(file: Path) -> tuple[int, int]:
    _, epoch, seq = file.stem.split("-")
    return int(epoch), int(seq)


def _flipped(file: Path, at: int) -> Path:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    return file
