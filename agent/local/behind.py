"""Which browser is behind a connection: the process whose window the exam is in.

A page's connection belongs to some process of its browser; a native messaging host was started by the browser, or by a shell
that the browser started. Browsers have many processes of one program; the window is that of the topmost one. What a page says
of itself is never asked.
"""

from secureproctor.agent.local.door import Visitor
from secureproctor.lockdown.readings import ProcessFacts, Running

SHELLS = frozenset({"sh", "bash", "dash", "cmd.exe", "python.exe", "pythonw.exe"})
"""What may stand between a browser and its native messaging host: a launcher that does not replace itself (`.bat` on Windows,
where also a virtual environment's Python starts another one)."""


def behind(facts: ProcessFacts, visitor: Visitor) -> Running | None:
    """The browser's main process; None when nobody can tell. May take some ten milliseconds."""
    pid = visitor.browser_pid or facts.peer(*visitor.ports)
    return main_process(facts, pid) if pid else None


def main_process(facts: ProcessFacts, pid: int) -> Running | None:
    """The topmost ancestor of the same program, past the shells of a launcher."""
    own = facts.describe(pid)
    line = () if own is None else (own, *facts.ancestors(pid))
    while len(line) > 1 and line[0].name.lower() in SHELLS:
        line = line[1:]
    if not line:
        return None
    first, top = line[0], line[0]
    for each in line[1:]:
        if not _is_same_program(each, first):
            break
        top = each
    return top


def _is_same_program(one: Running, other: Running) -> bool:
    return one.path == other.path if one.path and other.path else one.name == other.name
