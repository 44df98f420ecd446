"""The status for a person at a terminal, in words that a candidate understands, and for a script."""

import time

import msgspec
from rich.table import Table

from secureproctor.contract.lockdown import PHASES
from secureproctor.contract.page import (
    AuthorizationStatus,
    DrainStatus,
    LinkStatus,
    LockdownStatus,
    PendingRequest,
    RoomStatus,
    Status,
)

QUALITIES: dict[str, str] = {
    "reduced": "the disk runs short: pictures are recorded at a lower quality",
    "least": "the disk is nearly full: pictures are recorded at the lowest quality",
}
DROPPING = "the disk is full: the oldest video has been given up; free some space"
CAPTURED: dict[str, str] = {"reduced": "lower than usual", "least": "the lowest"}
STEPS: dict[str, str] = {
    "consent": "the candidate has not agreed yet",
    "capture": "pictures are to be taken",
    "submitted": "handed in; the proctor decides",
    "authorized": "the candidate may start",
    "rejected": "the candidate may not start",
}
PICTURES: dict[str, str] = {"photo": "photo", "id_card": "ID card"}
ENDINGS: dict[str, str] = {"expired": "the connection to the service was away for too long"}
"""End reasons that their code does not explain."""


def status_table(status: Status) -> Table:
    """A row per fact; what is as usual has none."""
    table = Table("", "", title=status.agent, show_header=False)
    rows = {
        "Session": status.session_id or "none",
        "State": _state(status),
        "Authorization": _authorization(status.authorization),
        "To acknowledge": ", ".join(map(_request, status.pending)),
        "Lockdown": _lockdown(status.lockdown),
        "Captured now": ", ".join(status.capturing) or "nothing",
        "Quality": CAPTURED.get(status.quality, ""),
        "Link": _link(status.link) if status.session_id else "no session",
        "Without the service": _survivable(status.survivable_s),
        "Disk": _disk(status.room) if status.session_id else "",
        "Waiting": f"{status.waiting_segments} records, {size(status.waiting_bytes)}",
        "Delivering": _drain(status.drain) if status.link.online else "",
        "Running for": lasting(status.running_s),
        "Test sources": ", ".join(status.test_sources) or "none",
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, value)
    return table


def to_json(status: Status) -> str:
    """The same as indented JSON of the shape contract.page.Status."""
    return msgspec.json.format(msgspec.json.encode(status), indent=2).decode()


def lasting(seconds: float) -> str:
    """A length of time in its two largest units: 6 h 12 min, 2 min 50 s, 40 s."""
    whole = max(0, round(seconds))
    (h, m, s) = whole // 3600, whole // 60 % 60, whole % 60
    parts = ((h, "h"), (m, "min")) if h else ((m, "min"), (s, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def size(count: float) -> str:
    """Bytes in decimal units: 12.3 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _state(status: Status) -> str:
    why = ENDINGS.get(status.end_reason, status.end_reason)
    return f"{status.state} ({why})" if why else status.state


def _authorization(authorization: AuthorizationStatus | None) -> str:
    if authorization is None:
        return ""
    wanted = ", ".join(PICTURES.get(each, each) for each in authorization.wanted)
    showing = f" ({wanted})" if authorization.step == "capture" and wanted else ""
    why = f": {authorization.text}" if authorization.text else ""
    return f"{STEPS.get(authorization.step, authorization.step)}{showing}{why}"


def _lockdown(lockdown: LockdownStatus) -> str:
    if lockdown.phase == "off":
        return ""
    away = f"the exam window was left {lockdown.away} x" if lockdown.away else ""
    left = "" if lockdown.tolerance_left is None else f"{lockdown.tolerance_left} x is tolerated still"
    return "; ".join(filter(None, (PHASES[lockdown.phase].rstrip("."), away, left)))


def _request(request: PendingRequest) -> str:
    left = f"{lasting(request.left_s)} left" if request.left_s > 0 else "the proctor was told"
    return f"{request.kind} ({left})"


def _link(link: LinkStatus) -> str:
    if link.online:
        return "online"
    since = time.strftime("%H:%M:%S", time.localtime(link.offline_since_ms / 1000))
    ends = "" if link.expires_in_s is None else f"; the session ends in {lasting(link.expires_in_s)}"
    return f"offline since {since} ({lasting(link.offline_s)}){ends}"


def _survivable(seconds: float | None) -> str:
    return "" if seconds is None else f"session and evidence hold out for {lasting(seconds)}"


def _disk(room: RoomStatus) -> str:
    takes = f"takes evidence for {lasting(room.lasts_s)} more" if room.lasts_s is not None else ""
    trouble = DROPPING if room.dropping else QUALITIES.get(room.level, "")
    return "; ".join(filter(None, (takes or f"{size(room.free_bytes)} free for evidence", trouble)))


def _drain(drain: DrainStatus | None) -> str:
    if drain is None:
        return ""
    share = 100 * (drain.total_bytes - drain.left_bytes) // drain.total_bytes if drain.total_bytes else 0
    left = "" if drain.left_s is None else f", about {lasting(max(1.0, drain.left_s))} left"
    return f"{min(100, max(0, share))} % delivered{left}"
