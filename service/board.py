"""What all consoles see: one task builds what changed, a few times a second, encodes it once, and hands it to each console
whose proctor may see it.

A console that reads slowly gets the newest snapshot of each session when it can take it, and none of those in between.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from secureproctor.contract.console import Failed, ToConsole
from secureproctor.contract.errors import Refusal
from secureproctor.service.changes import Changes, Listener
from secureproctor.service.line import REFUSED, Line
from secureproctor.service.proctors import Proctor, Proctors
from secureproctor.service.sessions import Sessions
from secureproctor.service.snapshots import Shown, Snapshots, gone
from secureproctor.service.store import Store

PACE_S = 0.25
"""A session that changes all the time is told four times a second."""
AT_ONCE = 25
"""Sessions that are built in one go: commands do not wait for more."""
MAX_WAITING = 512
"""Frames that may wait for a console; what comes then replaces what came before for the same session."""


@dataclass(eq=False, slots=True)
class Watcher:
    """One console. `shown` are the sessions that it knows of, `opened` those whose detail it wants, `wanted` those that it
    is to be told of even without a change; `late` is what it could not take yet."""

    line: Line
    proctor: Proctor
    opened: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    wants_all: bool = True
    shown: set[str] = field(default_factory=set)
    late: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def write(self, message: ToConsole) -> None:
        """Tell this console something now."""
        self.line.write(msgspec.json.encode(message))

    def offer(self, shown: Shown, detail: bytes) -> None:
        """What is to be seen of a session, if it is this proctor's to see. `detail` is b"" unless it changed."""
        if shown.group is None or not self.proctor.sees(shown.group):
            if shown.session_id in self.shown:
                self.shown.discard(shown.session_id)
                self.opened.discard(shown.session_id)
                self._hand("session", shown.session_id, gone(shown.session_id))
            return
        self.shown.add(shown.session_id)
        self._hand("session", shown.session_id, shown.snapshot)
        if detail and shown.session_id in self.opened:
            self._hand("detail", shown.session_id, detail)

    def catch_up(self) -> None:
        """Write what was late, as far as there is room."""
        while self.late and self.line.waiting < MAX_WAITING:
            at = next(iter(self.late))
            self.line.write(self.late.pop(at))

    def _hand(self, kind: str, session_id: str, frame: bytes) -> None:
        self.late.pop((kind, session_id), None)
        if self.late or self.line.waiting >= MAX_WAITING:
            self.late[kind, session_id] = frame
        else:
            self.line.write(frame)


class Board:
    """Tells the consoles. `go` runs as long as the service does."""

    def __init__(
        self, store: Store, sessions: Sessions, proctors: Proctors, snapshots: Snapshots, changes: Changes
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proctors = proctors
        self._snapshots = snapshots
        self._changes = changes
        self._watchers: set[Watcher] = set()
        self._details: dict[str, bytes] = {}
        self._listener: Listener | None = None

    async def go(self) -> None:
        """Tell of changes until cancelled."""
        with self._changes.listening() as self._listener:
            self._wake()  # for who watches already
            while True:
                await self._tell(dict.fromkeys(await self._listener.taken()))
                await asyncio.sleep(PACE_S)

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[None]:
        """A console is told of everything for as long as the block lasts."""
        self._watchers.add(watcher)
        self._wake()
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    def want(self, watcher: Watcher, session_id: str) -> None:
        """Tell this console of a session, whether it changed or not."""
        watcher.wanted.add(session_id)
        self._wake()

    def recheck(self) -> None:
        """An account changed, or time went by: see who may still look, and at what."""
        for watcher in list(self._watchers):
            try:
                now = self._proctors.current(watcher.proctor)
            except Refusal as refusal:
                watcher.write(Failed(refusal.info))
                watcher.line.close(REFUSED)
                self._watchers.discard(watcher)
                continue
            if now != watcher.proctor:
                watcher.proctor, watcher.wants_all = now, True
                self._wake()

    def _wake(self) -> None:
        if self._listener:
            self._listener.wake()

    async def _tell(self, changed: Collection[str]) -> None:
        self.recheck()
        if any(watcher.wants_all for watcher in self._watchers):
            await self._want_all()
        asked = {watcher: watcher.wanted for watcher in self._watchers}
        for watcher in asked:
            watcher.wanted = set()  # what is wanted from here on is not built yet
        ids = list(dict.fromkeys([*changed, *(each for wanted in asked.values() for each in sorted(wanted))]))
        for at in range(0, len(ids) if self._watchers else 0, AT_ONCE):
            opened = {each for watcher in self._watchers for each in watcher.opened}
            for shown in await self._store.run(self._built, ids[at : at + AT_ONCE], opened):
                self._spread(shown, shown.session_id in changed, asked)
        for watcher in self._watchers:
            watcher.catch_up()
            if watcher.late:
                self._wake()

    async def _want_all(self) -> None:
        kept = await self._store.run(self._sessions.ids)
        for watcher in self._watchers:
            if watcher.wants_all:
                watcher.wants_all = False
                watcher.wanted |= {*kept, *watcher.shown}

    def _built(self, ids: Iterable[str], opened: set[str]) -> list[Shown]:
        return [self._snapshots.shown(session_id, session_id in opened) for session_id in ids]

    def _spread(self, shown: Shown, changed: bool, asked: Mapping[Watcher, set[str]]) -> None:
        """To all when it changed, else to those who asked. A detail that is the last one again goes to who asked only."""
        session_id = shown.session_id
        fresh = shown.detail != self._details.get(session_id, b"")
        if shown.detail:
            self._details[session_id] = shown.detail
        else:
            self._details.pop(session_id, None)
        for watcher in self._watchers:
            wanted = session_id in asked.get(watcher, ())
            if changed or wanted or (fresh and session_id in watcher.opened):
                watcher.offer(shown, shown.detail if fresh or wanted else b"")
