"""What a console is shown: snapshots of all sessions, the detail of those it opened, and nothing that is not its own."""

import asyncio
from typing import Any

import msgspec
import pytest

from secureproctor.contract.channel import AuthorizationChanged, CommandUpdate, EventSeen, SessionChanged, Unreadable
from secureproctor.contract.console import (
    Failed,
    Issue,
    Issued,
    Open,
    SessionDetail,
    SessionGone,
    SessionSnapshot,
    Shut,
    Welcome,
)
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service import board
from secureproctor.service.board import Watcher
from secureproctor.service.line import Line
from secureproctor.service.proctors import Proctor
from secureproctor.service.snapshots import Shown, gone

NOW_MS = 1_700_000_000_000
S = 1_000_000


def running(agent: Any, at_us: int = 0) -> None:
    agent.tell(SessionChanged("running", NOW_MS, at_us))
    agent.settle()


def test_a_console_is_welcomed_with_its_name_and_the_services_clock(server: Any) -> None:
    with server.console() as console:
        welcome = console.next()
        assert isinstance(welcome, Welcome)
        assert (welcome.name, welcome.role, welcome.groups) == ("link", "super", ())
        assert abs(welcome.now_ms - server.http.get("/v1/health").json()["now_ms"]) < 60_000


def test_a_snapshot_holds_all_that_the_wall_shows(server: Any) -> None:
    candidate = server.register(proctoringSettings={"authorization": True, "endTest": False})
    with candidate.channel() as agent, server.console() as console:
        agent.tell(AuthorizationChanged("submitted", NOW_MS))
        running(agent)
        for stream in MEDIA:
            candidate.record(stream, 0)
            for seq in range(1, 6):
                covered = stream is not Stream.WEBCAM or seq != 3
                if covered:
                    candidate.record(stream, seq, start_us=(seq - 1) * 2 * S, duration_us=2 * S)
        agent.tell(EventSeen("page_hidden", NOW_MS + 1000))
        agent.tell(EventSeen("page_shown", NOW_MS + 5000))
        agent.beat(at_us=10 * S, backlog=2, quality="reduced")
        shown = console.snapshot(candidate.id, lambda s: s.backlog_segments and len(s.streams) == 3 and s.flags)
    assert (shown.state, shown.link, shown.quality, shown.backlog_bytes) == ("running", "online", "reduced", 2000)
    assert (shown.authorization, shown.authorization_step, shown.end_test) == (True, "submitted", False)
    assert {stream: (state.segments, state.epoch, state.seq) for stream, state in shown.streams.items()} == {
        "screen": (6, 0, 5), "webcam": (5, 0, 5), "audio": (6, 0, 5)
    }  # fmt: skip
    assert {stream: state.coverage_pct for stream, state in shown.streams.items()} == {
        "screen": 100.0, "webcam": 80.0, "audio": 100.0
    }  # fmt: skip
    assert [(flag.flag, flag.start_s, flag.end_s) for flag in shown.flags] == [("AWAY_FROM_WINDOW", 1.0, 5.0)]
    assert shown.registered_ms <= (shown.heard_ms or 0)
    assert server.http.get(f"/v1/sessions/{candidate.id}/report", params={"access": shown.access}).status_code == 200


def test_the_newest_place_of_a_stream_is_the_highest_in_whatever_order_records_come(server: Any) -> None:
    candidate = server.register()
    for epoch, seq in ((1, 3), (0, 9), (1, 2)):
        candidate.record(Stream.SCREEN, seq, epoch=epoch)
    with server.console() as console:
        newest = console.snapshot(candidate.id).streams["screen"]
    assert (newest.epoch, newest.seq, newest.coverage_pct) == (1, 3, None)


def test_detail_comes_for_what_is_opened_and_only_when_it_changed(server: Any) -> None:
    candidate, other = server.register(), server.register()
    with candidate.channel() as agent, server.console() as console:
        running(agent)
        console.send(Issue(candidate.id, "pause", "a moment"))
        command = console.expect(Issued)
        agent.tell(EventSeen("page_hidden", NOW_MS + 2500, "", {"why": "blur"}))
        agent.tell(Unreadable("command", "a field is missing"))
        agent.settle()
        detail = console.open(candidate.id)
        assert [each.id for each in detail.commands] == [command.id]
        assert (detail.events[0].kind, detail.events[0].at_s) == ("page_hidden", 2.5)
        assert detail.events[1].detail == {"kind": "command", "reason": "a field is missing"}
        assert (detail.identity.step, detail.stills) == ("off", [])
        assert detail.settings["pauseResume"] is True
        for _ in range(3):
            agent.beat(at_us=S)
            console.snapshot(candidate.id)
        console.send(Open(other.id))
        told: list[object] = []
        while not any(isinstance(each, SessionDetail) and each.session_id == other.id for each in told):
            told.append(console.next())
        assert [each for each in told if isinstance(each, SessionDetail) and each.session_id == candidate.id] == []
        console.send(Shut(candidate.id))
        agent.tell(CommandUpdate(command.id, "received", NOW_MS))
        agent.settle()
        while not isinstance(message := console.next(), SessionSnapshot) or message.session_id != candidate.id:
            assert not isinstance(message, SessionDetail)


def test_what_is_unknown_cannot_be_opened_and_few_are_open_at_once(server: Any) -> None:
    with server.console() as console:
        console.send(Open("nobody"))
        assert console.expect(Failed).error.code == "session_unknown"
        for candidate in [server.register() for _ in range(17)]:
            console.send(Open(candidate.id))
        assert console.expect(Failed).error.code == "busy"


def shown(session_id: str, group: str | None, text: bytes, detail: bytes = b"") -> Shown:
    return Shown(session_id, group, gone(session_id) if group is None else text, detail)


def written(line: Line) -> list[bytes]:
    """What a line would send."""

    class Socket:
        def __init__(self) -> None:
            self.frames: list[bytes] = []

        async def send_text(self, text: str) -> None:
            self.frames.append(text.encode())

        async def close(self, _code: int) -> None:
            pass

    socket = Socket()
    line.close(1000)
    asyncio.run(line.pump(socket))  # type: ignore[arg-type] # what it uses of a socket
    return socket.frames


def test_a_console_that_reads_slowly_gets_the_newest_of_each_session_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "MAX_WAITING", 2)
    watcher = Watcher(Line(), Proctor("link", "super"))
    for n in range(5):
        for session_id in ("one", "two"):
            watcher.offer(shown(session_id, "g", f"{session_id}{n}".encode()), b"")
    assert watcher.line.waiting == 2
    assert list(watcher.late.values()) == [b"one4", b"two4"]
    watcher.catch_up()
    assert len(watcher.late) == 2, "there is no room yet"
    assert written(watcher.line) == [b"one0", b"two0"]
    watcher.line = Line()
    watcher.catch_up()
    assert (written(watcher.line), watcher.late) == ([b"one4", b"two4"], {})


def test_a_session_that_is_not_the_proctors_any_more_is_gone_once() -> None:
    watcher = Watcher(Line(), Proctor("ada", "proctor", ("g",)))
    watcher.opened.add("one")
    for group in ("g", "h", "h", None):
        watcher.offer(shown("one", group, b"snapshot", b"detail"), b"detail")
    watcher.offer(shown("two", None, b""), b"")
    assert written(watcher.line) == [b"snapshot", b"detail", msgspec.json.encode(SessionGone("one"))]
    assert watcher.opened == set()
