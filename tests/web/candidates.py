"""Canned candidates for the console's tests."""

from typing import Any

import msgspec

from secureproctor.contract import console
from secureproctor.contract.report import (
    ChatReport,
    CommandReport,
    EventReport,
    FlagReport,
    IdentityReport,
    StillReport,
)

STARTED_MS = 1_700_000_000_000
FIRST = console.SessionSnapshot(
    session_id="s-1", user_id="user-1", user_name="Zoë <b>Å</b>", group_name="Physics", state="running", end_reason="",
    link="online", heard_ms=STARTED_MS, registered_ms=STARTED_MS - 1000, started_ms=STARTED_MS, ended_ms=None,
    expiry_s=300, backlog_segments=4, backlog_bytes=1_500_000,
    streams={name: console.StreamState(7, 1_500_000, STARTED_MS, 98.5, 0, 7) for name in ("screen", "webcam")},
    access="a+c/s=",
)  # fmt: skip
ENDED = msgspec.structs.replace(
    FIRST, session_id="s-2", user_name="", user_id="user-2", group_name="Music", state="ended", end_reason="stopped",
    pause_resume=False, ended_ms=STARTED_MS + 9000, backlog_segments=0, backlog_bytes=0,
)  # fmt: skip
WAITING = msgspec.structs.replace(
    FIRST, session_id="s-3", user_name="Marie", group_name="Music", state="awaiting_authorization", authorization=True,
    authorization_step="submitted", started_ms=None, streams={}, backlog_segments=0, backlog_bytes=0,
)  # fmt: skip


def changed(snapshot: console.SessionSnapshot, **changes: Any) -> console.SessionSnapshot:
    return msgspec.structs.replace(snapshot, **changes)


def flags(*found: tuple[str, float]) -> tuple[FlagReport, ...]:
    return tuple(FlagReport(flag, at_s, at_s + 4, 0.9) for flag, at_s in found)


def still(of: str, seq: int, *hints: str) -> StillReport:
    return StillReport(of, STARTED_MS - 9000 + seq, 0, seq, 1280, 720, hints, f"v1/sessions/s/stills/0/{seq}?access=a")


COMMANDS = [
    CommandReport("c-1", "pause", "acknowledged", STARTED_MS, STARTED_MS, STARTED_MS + 1000, STARTED_MS + 2000,
                  STARTED_MS + 3000, "page", text="One moment.", issued_by="ada"),
    CommandReport("c-2", "resume", "refused", STARTED_MS, reason="It was not paused."),
    CommandReport("c-3", "end", "unacknowledged", STARTED_MS, received_ms=STARTED_MS, applied_ms=STARTED_MS,
                  unacknowledged_ms=STARTED_MS + 30_000),
    CommandReport("c-4", "quality", "expired", STARTED_MS, argument="least", reason="It came too late."),
]  # fmt: skip
CHAT = [
    ChatReport("candidate", "Hello <i>there</i>?", STARTED_MS, "m-1", "", STARTED_MS, STARTED_MS),
    ChatReport("proctor", "Yes?", STARTED_MS, "m-2", "ada", STARTED_MS, STARTED_MS),
    ChatReport("proctor", "Are you there?", STARTED_MS, "m-3", "ada", STARTED_MS),
    ChatReport("proctor", "Hm.", STARTED_MS, "m-4", "ada"),
]
EVENTS = [
    EventReport("session_started", 0, STARTED_MS),
    EventReport("paused", 5, STARTED_MS + 5000, detail={"by": "proctor"}),
    EventReport("clock_changed", 6, STARTED_MS + 6000, detail={"by_s": -3600.0}),
]
DETAIL = console.SessionDetail(
    "s-1", COMMANDS, CHAT, EVENTS, [still("screen", 8), still("webcam", 9)], IdentityReport(), {"screenCapture": True}
)
SUBMITTED = console.SessionDetail(
    "s-3", [], [], [], [],
    IdentityReport("submitted", (), STARTED_MS, STARTED_MS + 1000, None, "", "", still("photo", 1, "too_dark"),
                   still("id_card", 2), "v1/sessions/s/reference?access=a"),
    {"screenCapture": True, "candidatePhotoUrl": "https://exam.example/photo.jpg"},
)  # fmt: skip
