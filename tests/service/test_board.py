"""How the consoles are told: built and encoded once for all of them, and never more often than a few times a second."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest

from secureproctor.contract.console import ProctorChange
from secureproctor.service.board import PACE_S, Board, Watcher
from secureproctor.service.changes import Changes
from secureproctor.service.line import Line
from secureproctor.service.proctors import Proctor, Proctors
from secureproctor.service.snapshots import Shown
from secureproctor.service.vault import Vault
from tests.service.house import House

PATIENCE_S = 10
SECRET = "correct horse"


class Counted:
    """Stands for Snapshots: what is built is counted."""

    def __init__(self) -> None:
        self.built: Counter[str] = Counter()
        self.detail = b"detail"

    def shown(self, session_id: str, detailed: bool) -> Shown:
        self.built[session_id] += 1
        frame = f"{session_id} {self.built[session_id]}".encode()
        return Shown(session_id, "g", frame, self.detail if detailed else b"")


class Wall:
    """A board with its consoles."""

    def __init__(self, house: House) -> None:
        self.changes = Changes()
        self.counted = Counted()
        self.proctors = Proctors(house.store, Vault.opened(house.folder), house.clock.wall)
        snapshots: Any = self.counted
        self.board = Board(house.store, house.sessions, self.proctors, snapshots, self.changes)
        self.sessions = [house.register().id for _ in range(3)]
        self._open = ExitStack()

    def console(self, proctor: Proctor | None = None) -> Watcher:
        watcher = Watcher(Line(), proctor or Proctor("link", "super"))
        self._open.enter_context(self.board.watching(watcher))
        return watcher

    async def told(self, *watchers: Watcher, frames: int) -> None:
        """Until each of them was told so often."""
        async with asyncio.timeout(PATIENCE_S):
            while any(watcher.line.waiting < frames for watcher in watchers):  # noqa: ASYNC110 - a line has no bell
                await asyncio.sleep(PACE_S / 10)

    async def __aenter__(self) -> "Wall":
        self.going = asyncio.create_task(self.board.go())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.close()
        self.going.cancel()
        await asyncio.wait([self.going])


def test_a_snapshot_is_built_once_for_all_consoles(house: House) -> None:
    async def play() -> None:
        async with Wall(house) as wall:
            watchers = [wall.console() for _ in range(5)]
            await wall.told(*watchers, frames=3)
            assert wall.counted.built == Counter(wall.sessions)
            for _ in range(100):
                wall.changes.mark(wall.sessions[0])
            await wall.told(*watchers, frames=4)
            assert wall.counted.built[wall.sessions[0]] == 2

    asyncio.run(play())


def test_a_session_that_changes_all_the_time_is_told_four_times_a_second(house: House) -> None:
    async def play() -> None:
        async with Wall(house) as wall:
            watcher = wall.console()
            await wall.told(watcher, frames=3)
            begun, before = asyncio.get_running_loop().time(), wall.counted.built.total()
            while (passed_s := asyncio.get_running_loop().time() - begun) < 4 * PACE_S:
                wall.changes.mark(wall.sessions[0])
                await asyncio.sleep(0.005)
            assert 1 <= wall.counted.built.total() - before <= passed_s / PACE_S + 2

    asyncio.run(play())


def test_nothing_is_built_while_nobody_looks(house: House) -> None:
    async def play() -> None:
        async with Wall(house) as wall:
            for _ in range(3):
                wall.changes.mark(wall.sessions[0])
                await asyncio.sleep(0)
            watcher = wall.console()
            await wall.told(watcher, frames=3)
            assert wall.counted.built == Counter(wall.sessions)

    asyncio.run(play())


def test_a_detail_goes_to_who_opened_it_and_again_only_when_it_changed(house: House) -> None:
    async def play() -> None:
        async with Wall(house) as wall:
            one, other = wall.console(), wall.console()
            await wall.told(one, other, frames=3)
            session_id = wall.sessions[0]
            one.opened.add(session_id)
            wall.board.want(one, session_id)
            await wall.told(one, frames=5)
            assert other.line.waiting == 3, "the other asked for nothing, and nothing changed"
            wall.changes.mark(session_id)
            await wall.told(one, frames=6)
            wall.counted.detail = b"another detail"
            wall.changes.mark(session_id)
            await wall.told(one, frames=8)
            await wall.told(other, frames=5)
            assert (one.line.waiting, other.line.waiting) == (8, 5)

    asyncio.run(play())


@pytest.mark.parametrize("change", [ProctorChange(disabled=True), None], ids=["disabled", "expired"])
def test_whose_log_in_ended_is_told_and_sees_nothing_more(house: House, change: ProctorChange | None) -> None:
    async def play() -> None:
        async with Wall(house) as wall:
            wall.proctors.change("ada", ProctorChange(password=SECRET))
            watcher = wall.console(wall.proctors.log_in("ada", SECRET))
            await wall.told(watcher, frames=3)
            if change:
                wall.proctors.change("ada", change)
                wall.board.recheck()
            else:
                house.now += 12 * 3600
                wall.changes.mark(wall.sessions[0])
            await wall.told(watcher, frames=5)  # what is wrong, and the end of the line
            wall.changes.mark(wall.sessions[1])
            fresh = wall.console()
            await wall.told(fresh, frames=3)
            assert watcher.line.waiting == 5

    asyncio.run(play())
