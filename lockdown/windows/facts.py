"""What Windows knows of a process that says it is the secure browser (ProcessFacts of readings.py)."""

from collections.abc import Callable

from secureproctor.lockdown.readings import Processes, Running
from secureproctor.lockdown.windows import access, system
from secureproctor.lockdown.windows.api import Access, Connection

DEPTH = 64
ESTABLISHED = 5


class WindowsFacts:
    """Over `processes` and two readers of api.Readers; `open_facts` takes those of this machine."""

    def __init__(
        self,
        processes: Processes,
        connections: Callable[[], tuple[Connection, ...] | None],
        read_access: Callable[[str], Access | None],
    ) -> None:
        self._processes, self._connections, self._read_access = processes, connections, read_access

    def describe(self, pid: int) -> Running | None:
        """As in Processes."""
        return self._processes.describe(pid)

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        """As long as each was there before its child: Windows keeps the number of a parent that is gone, and gives it away."""
        found: list[Running] = []
        child = self._processes.describe(pid)
        while child is not None and child.parent and len(found) < DEPTH:
            parent = self._processes.describe(child.parent)
            if parent is None or parent.started > child.started:
                break
            found.append(parent)
            child = parent
        return tuple(found)

    def peer(self, port: int, peer_port: int) -> int | None:
        """Whose end the connection from `peer_port` to our `port` on 127.0.0.1 or ::1 is."""
        for each in self._connections() or ():
            ends = each.port == peer_port and each.remote_port == port and each.state == ESTABLISHED
            if ends and each.local == each.remote and each.local in ("127.0.0.1", "::1"):
                return each.pid or None
        return None

    def only_admin_writes(self, path: str) -> bool | None:
        """As access.py judges."""
        return access.only_admin_writes(path, self._read_access)

    def is_alive(self, pid: int, started: float) -> bool:
        """Whether it runs, and is not a later one with the same number."""
        running = self._processes.describe(pid)
        return running is not None and running.started == started


def open_facts() -> WindowsFacts:
    """Those of this machine. Raises OSError elsewhere than on Windows."""
    return WindowsFacts(*system.fact_parts())
