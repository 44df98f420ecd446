"""The status at a time: what the link, the disk and the backlog come to in the candidate's eyes."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.session.machine import LIVE, State
from secureproctor.agent.session.status import view
from secureproctor.contract.channel import LINK_LOST_AFTER_S
from secureproctor.contract.page import DrainStatus, LinkStatus, RoomStatus, Status

SECOND = 1_000_000
CONTACT_US = 50 * SECOND
EXPIRY_S = 300
CONTACT_MS = 1_700_000_000_000


@dataclass
class Disk:
    """What the view asks of the spool."""

    free_bytes: int = 10**11
    lasts_s: float | None = None
    level: str = "full"
    dropping: bool = False
    waiting: tuple[int, int] = (0, 0)

    def room_status(self) -> tuple[int, float | None]:
        return self.free_bytes, self.lasts_s


@dataclass
class Way:
    """What the view asks of the uploader."""

    drain: DrainStatus | None = None
    asked: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return 12.5

    def progress(self, now: float) -> DrainStatus | None:
        self.asked.append(now)
        return self.drain


@dataclass
class Scene:
    """A conductor with a session whose link, disk and backlog the test sets."""

    state: State = State.RUNNING
    disk: Disk = field(default_factory=Disk)
    way: Way = field(default_factory=Way)
    closed: bool = False
    watch: LinkWatch = field(default_factory=lambda: LinkWatch(EXPIRY_S * SECOND, CONTACT_US))

    def at(self, seconds: float) -> Status:
        """The status that many seconds after the last contact, once the watch has looked."""
        self.watch.look(CONTACT_US + int(seconds * SECOND))
        return self.unseen(seconds)

    def unseen(self, seconds: float) -> Status:
        """The same without a look of the watch."""
        now_us = CONTACT_US + int(seconds * SECOND)
        session = SimpleNamespace(
            data=SimpleNamespace(session_id="s"), capturing=frozenset(), watch=self.watch, running_since_us=None,
            end_reason="", commands={}, closed=self.closed, delivery=SimpleNamespace(spool=self.disk, uploader=self.way),
            authorization=None, level=self.disk.level, lockdown=None,
        )  # fmt: skip
        conductor: Any = SimpleNamespace(
            state=self.state, session=session, test_sources=(), viewing=SimpleNamespace(on=False)
        )
        return view(conductor, "agent", now_us, False, lambda: CONTACT_MS + int(seconds * 1000))


def test_without_a_session_nothing_is_claimed() -> None:
    conductor: Any = SimpleNamespace(state=State.IDLE, session=None, test_sources=("a test camera",))
    status = view(conductor, "agent", 0, True)
    assert status == Status("agent", "idle", test_sources=("a test camera",), auto_acknowledgement=True)
    assert (status.survivable_s, status.room, status.drain) == (None, RoomStatus(), None)


def test_online_the_session_would_survive_its_whole_expiry_time() -> None:
    status = Scene().at(4)
    assert status.link == LinkStatus(online=True)
    assert status.survivable_s == EXPIRY_S


def test_offline_it_survives_until_the_expiry_and_says_since_when_it_is() -> None:
    status = Scene().at(20.04)
    assert status.link == LinkStatus(False, 20.0, 280.0, CONTACT_MS)
    assert status.survivable_s == 280.0


def test_since_when_it_is_offline_stands_still_while_time_passes() -> None:
    scene = Scene()
    first, later = scene.at(20).link, scene.at(21).link
    assert first.offline_since_ms == later.offline_since_ms == CONTACT_MS
    assert (first.offline_s, later.offline_s) == (20.0, 21.0)


@pytest.mark.parametrize(
    ("after_s", "lasts_s", "survivable_s"),
    [(4, 1000.0, 300.0), (4, 120.04, 120.0), (4, 0.0, 0.0), (200, 1000.0, 100.0), (200, 30.0, 30.0), (200, None, 100.0),
     (400, None, 0.0)],
)  # fmt: skip
def test_it_survives_no_longer_than_link_and_disk_allow(
    after_s: float, lasts_s: float | None, survivable_s: float
) -> None:
    assert Scene(disk=Disk(lasts_s=lasts_s)).at(after_s).survivable_s == survivable_s


@pytest.mark.parametrize("state", sorted(State))
def test_only_a_session_that_runs_survives_something(state: State) -> None:
    assert (Scene(state).at(20).survivable_s is not None) == (state in LIVE)


def test_silence_of_fifteen_seconds_is_a_lost_link() -> None:
    assert Scene().at(LINK_LOST_AFTER_S - 0.001).link.online
    assert not Scene().at(LINK_LOST_AFTER_S).link.online


def test_a_link_that_returns_after_the_end_is_seen_though_nobody_watches_it_any_more() -> None:
    """An expired session's evidence is delivered as soon as the service is heard again."""
    scene = Scene()
    scene.at(EXPIRY_S)
    assert (scene.watch.online, scene.watch.expired) == (False, False)
    scene.state = State.DRAINING
    assert not scene.at(EXPIRY_S + 5).link.online
    scene.watch.heard(CONTACT_US + (EXPIRY_S + 100) * SECOND)
    assert scene.unseen(EXPIRY_S + 104).link == LinkStatus(True)
    assert not scene.unseen(EXPIRY_S + 116).link.online


def test_a_closed_session_waits_for_no_link() -> None:
    assert Scene(State.ENDED, closed=True).at(5000).link == LinkStatus(True)


@pytest.mark.parametrize("state", [State.ENDING, State.DRAINING, State.ENDED])
def test_what_is_over_does_not_expire_any_more(state: State) -> None:
    link = Scene(state).at(500).link
    assert (link.online, link.offline_s, link.expires_in_s) == (False, 500.0, None)
    assert Scene(State.READY).at(20).link.expires_in_s == 280.0


def test_the_disk_is_told_as_the_spool_sees_it() -> None:
    disk = Disk(5_000, 77.77, "reduced", dropping=True, waiting=(84, 12_345_678))
    status = Scene(disk=disk).at(0)
    assert status.room == RoomStatus(5_000, 77.8, "reduced", True)
    assert (status.waiting_segments, status.waiting_bytes) == (84, 12_345_678)


def test_the_drain_is_told_as_the_uploader_sees_it_by_its_own_clock() -> None:
    drain = DrainStatus(1_000, 370, 9.25, 40.0)
    scene = Scene(way=Way(drain))
    assert scene.at(2.5).drain == drain
    assert scene.way.asked == [12.5]
