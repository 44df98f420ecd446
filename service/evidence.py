"""The sealed records: each one a file, as it was received, and a row that says what its header says.

    records/{session}/{stream}/{epoch}-{seq}.spr

A record is durable before it is acknowledged: file written aside and fsynced, row inserted, file renamed into place, folder
fsynced, row committed. The row decides what exists, under the store's lock, so that a place is filled once. A crash between
rename and commit leaves a file without a row; `recover` takes it in. Records are never rewritten; live-only ones lose their
file after the live window and keep their row, so that chain and coverage can still be told.
"""

import logging
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import StoredList
from secureproctor.contract.record import Header, RecordError, RecordKind, parse, record_hash, unseal
from secureproctor.contract.streams import Stream
from secureproctor.service.store import Store, Value

log = logging.getLogger(__name__)

MAX_NUMBER = 2**63 - 1
"""SQLite's integers are signed 64 bit; the record's unsigned fields could say more, but never do."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A row: the header of a record, and what became of it. Times in microseconds where the names say so."""

    stream: Stream
    epoch: int
    seq: int
    kind: RecordKind
    live_only: bool
    start_us: int
    duration_us: int
    wall_us: int
    codec: str
    previous: bytes
    hash: bytes
    size: int
    received_ms: int
    dropped: bool


_COLUMNS = ", ".join(field.name for field in fields(StoredRecord))


class Spoilt(RecordError):
    """A record is not the one that was received: the service's own copy was changed or lost."""


class Evidence:
    """The records of all sessions. Every method blocks; call it by `Store.run`."""

    def __init__(self, store: Store, folder: Path, disk_floor: int = 0) -> None:
        self._store = store
        self._folder = folder
        self._disk_floor = disk_floor
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes, header: Header, now_ms: int) -> bool:
        """Store a record; True when it is new. Raises Refusal record_conflict, session_unknown, storage_full."""
        digest = record_hash(data)
        known = self._known(header)
        if known is None:
            try:
                known = self._stored(data, digest, header, now_ms)
            except (OSError, apsw.FullError, apsw.IOError) as error:
                log.error("A record could not be written: %s", error)
                raise Refusal("storage_full", why=getattr(error, "strerror", None) or str(error)) from None
        if known is not None and known != digest:
            raise Refusal("record_conflict")
        return known is None

    def records(self, session_id: str, stream: Stream | None = None) -> list[StoredRecord]:
        """The rows of a session, or of one of its streams, in the order of their chains."""
        query = f"SELECT {_COLUMNS} FROM records WHERE session = ? {'AND stream = ? ' if stream else ''}"  # noqa: S608 - no input in it
        values = (session_id, stream) if stream else (session_id,)
        with self._store.transaction() as db:
            return [_stored(row) for row in db.execute(f"{query} ORDER BY stream, epoch, seq", values)]

    def record(self, session_id: str, stream: Stream, epoch: int, seq: int) -> StoredRecord | None:
        """One row, or None."""
        query = f"SELECT {_COLUMNS} FROM records WHERE session = ? AND stream = ? AND epoch = ? AND seq = ?"  # noqa: S608 - as above
        with self._store.transaction() as db:
            row = db.execute(query, (session_id, stream, epoch, seq)).fetchone()
        return _stored(row) if row else None

    def newest(self, session_id: str, stream: Stream, kind: RecordKind) -> StoredRecord | None:
        """The last record of a kind whose file is here, or None."""
        query = (
            f"SELECT {_COLUMNS} FROM records WHERE session = ? AND stream = ? AND kind = ? AND NOT dropped"  # noqa: S608 - as above
            " ORDER BY epoch DESC, seq DESC LIMIT 1"
        )
        with self._store.transaction() as db:
            row = db.execute(query, (session_id, stream, kind)).fetchone()
        return _stored(row) if row else None

    def sealed(self, session_id: str, stream: Stream, epoch: int, seq: int) -> bytes:
        """A record's bytes as they were received. Raises Refusal not_found."""
        try:
            return self._path(session_id, stream, epoch, seq).read_bytes()
        except FileNotFoundError:
            raise Refusal("not_found") from None

    def opened(self, session_id: str, record: StoredRecord, key: X25519PrivateKey) -> bytes:
        """What a record holds. Raises Spoilt when it is gone or was changed here, RecordError when it does not open."""
        try:
            data = self.sealed(session_id, record.stream, record.epoch, record.seq)
        except Refusal:
            raise Spoilt("its file is gone") from None
        if record_hash(data) != record.hash:
            raise Spoilt("it is not the record that was received")
        return unseal(parse(data), key)

    def drop_live(self, received_before_ms: int) -> list[str]:
        """Delete live-only media that are older; an epoch's init stays until its session is over. The sessions changed."""
        with self._store.transaction() as db:
            gone = list(
                db.execute(
                    "UPDATE records SET dropped = 1 WHERE live_only AND NOT dropped AND received_ms < ? AND (kind = ? OR"
                    " kind = ? AND session IN (SELECT id FROM sessions WHERE state = 'ended'))"
                    " RETURNING session, stream, epoch, seq",
                    (received_before_ms, RecordKind.MEDIA, RecordKind.INIT),
                )
            )
        for session_id, stream, epoch, seq in gone:
            self._path(session_id, Stream(stream), epoch, seq).unlink(missing_ok=True)
        return sorted({row[0] for row in gone})

    def purge(self, session_id: str) -> None:
        """Delete the files of a session; its rows go with the session's row."""
        shutil.rmtree(self._folder / session_id, ignore_errors=True)

    def recover(self, now_ms: int) -> tuple[int, int]:
        """After a crash: take in files without a row, forget rows without a file. Returns how many of each."""
        with self._store.transaction() as db:
            sessions = {row[0] for row in db.execute("SELECT id FROM sessions")}
        taken = lost = 0
        for folder in [path for path in self._folder.iterdir() if path.name not in sessions]:
            self.purge(folder.name)
        for session_id in sorted(sessions):
            rows = {self._path(session_id, r.stream, r.epoch, r.seq): r for r in self.records(session_id)}
            files = set((self._folder / session_id).glob("*/*"))
            taken += sum(self._taken_in(path, session_id, now_ms) for path in sorted(files - rows.keys()))
            lost += sum(self._forgotten(session_id, rows[path]) for path in sorted(rows.keys() - files))
            for path in [path for path in files & rows.keys() if rows[path].dropped]:
                path.unlink()
        return taken, lost

    def _stored(self, data: bytes, digest: bytes, header: Header, now_ms: int) -> bytes | None:
        """None when stored; the hash of the record that was there first otherwise."""
        target = self._path(str(header.session), header.stream, header.epoch, header.seq)
        if shutil.disk_usage(self._folder).free - len(data) < self._disk_floor:
            raise Refusal("storage_full", why="its disk is nearly full")
        self._make_folder(target.parent)
        aside = target.parent / f"{target.name}.{secrets.token_hex(4)}.part"
        try:
            _write(aside, data)
            with self._store.transaction() as db:
                known = _hash_of(db, header)
                if known is None:
                    _insert(db, header, digest, len(data), now_ms)
                    aside.replace(target)
                    _sync_folder(target.parent)
            return known
        except apsw.ConstraintError:
            raise Refusal("session_unknown") from None
        finally:
            aside.unlink(missing_ok=True)

    def _known(self, header: Header) -> bytes | None:
        with self._store.transaction() as db:
            return _hash_of(db, header)

    def _taken_in(self, path: Path, session_id: str, now_ms: int) -> bool:
        data = path.read_bytes()
        try:
            header = parse(data).header
        except RecordError:
            header = None
        if header is None or path != self._path(session_id, *header.key) or str(header.session) != session_id:
            path.unlink()
            return False
        with self._store.transaction() as db:
            _insert(db, header, record_hash(data), len(data), now_ms)
        log.warning("The record %s had no row; it is taken in again.", path)
        return True

    def _forgotten(self, session_id: str, record: StoredRecord) -> bool:
        if record.dropped:
            return False
        place = (session_id, record.stream, record.epoch, record.seq)
        with self._store.transaction() as db:
            db.execute("DELETE FROM records WHERE session = ? AND stream = ? AND epoch = ? AND seq = ?", place)
        log.error("The record %s/%s/%d/%d has lost its file.", *place)
        return True

    def _make_folder(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(folder.parent)
            _sync_folder(self._folder)

    def _path(self, session_id: str, stream: Stream, epoch: int, seq: int) -> Path:
        return self._folder / session_id / stream / f"{epoch}-{seq}.spr"


def runs(records: Iterable[StoredRecord]) -> StoredList:
    """The runs without a hole, stream by stream, of records in the order of their chains."""
    streams: dict[str, list[tuple[int, int, int]]] = {}
    numbered = enumerate(records)
    for (stream, epoch, _), group in groupby(
        numbered, lambda pair: (pair[1].stream, pair[1].epoch, pair[1].seq - pair[0])
    ):
        run = [record.seq for _, record in group]
        streams.setdefault(stream, []).append((epoch, run[0], run[-1]))
    return StoredList(streams)


def _stored(row: tuple[Value, ...]) -> StoredRecord:
    stream, epoch, seq, kind, live_only, *rest, dropped = row
    return StoredRecord(Stream(stream), epoch, seq, RecordKind(kind), bool(live_only), *rest, bool(dropped))  # type: ignore[arg-type, call-arg] # the columns' types are the schema's


def _hash_of(db: apsw.Cursor, header: Header) -> bytes | None:
    query = "SELECT hash FROM records WHERE session = ? AND stream = ? AND epoch = ? AND seq = ?"
    row = db.execute(query, (str(header.session), *header.key)).fetchone()
    return row[0] if row else None


def _insert(db: apsw.Cursor, header: Header, digest: bytes, size: int, now_ms: int) -> None:
    session_id = str(header.session)
    # the exam's setting decides what is live only, not the record's flag: else a flag could have evidence deleted
    recorded = db.execute("SELECT json_extract(settings, '$.recording') FROM sessions WHERE id = ?", (session_id,))
    live_only = recorded.fetchone() == (0,)
    db.execute(
        f"INSERT INTO records (session, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",  # noqa: S608 - no input in it
        (
            session_id, header.stream, header.epoch, header.seq, header.kind, live_only, header.start_us,
            header.duration_us, header.wall_us, header.codec, header.previous, digest, size, now_ms,
        ),
    )  # fmt: skip
    db.execute(
        "INSERT INTO totals (session, stream, segments, bytes, last_ms, epoch, seq) VALUES (?, ?, 1, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET segments = segments + 1, bytes = bytes + excluded.bytes, last_ms = excluded.last_ms,"
        " (epoch, seq) = (SELECT max(epoch, excluded.epoch), CASE WHEN excluded.epoch > epoch THEN excluded.seq"
        " WHEN excluded.epoch = epoch THEN max(seq, excluded.seq) ELSE seq END)",
        (session_id, header.stream, size, now_ms, header.epoch, header.seq),
    )
    db.execute("UPDATE sessions SET heard_ms = ? WHERE id = ?", (now_ms, session_id))


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows has no fsync of a folder; NTFS journals its entries
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
