"""The status for a person at a terminal, and for a script."""

import msgspec
from rich.table import Table

from secureproctor.contract.page import LinkStatus, Status


def status_table(status: Status) -> Table:
    """A row per fact."""
    table = Table("", "", title=status.agent, show_header=False)
    rows = {
        "Session": status.session_id or "none",
        "State": status.state + (f" ({status.end_reason})" if status.end_reason else ""),
        "Captured now": ", ".join(status.capturing) or "nothing",
        "Link": _link(status.link) if status.session_id else "no session",
        "Waits for the service": f"{status.waiting_segments} records, {status.waiting_bytes / 1e6:.1f} MB",
        "Running for": f"{status.running_s:.0f} s",
        "Test sources": ", ".join(status.test_sources) or "none",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def to_json(status: Status) -> str:
    """The same as indented JSON of the shape contract.page.Status."""
    return msgspec.json.format(msgspec.json.encode(status), indent=2).decode()


def _link(link: LinkStatus) -> str:
    if link.online:
        return "online"
    left = "" if link.expires_in_s is None else f", the session expires in {link.expires_in_s:.0f} s"
    return f"offline for {link.offline_s:.0f} s{left}"
