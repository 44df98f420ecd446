"""Which processes are the exam's and the agent's own: they are never told, asked or closed.

Own is what the agent started (its guardian), and what belongs to the exam's browser: its children, and the parents of both,
as far as they are the same program or lie in its folder. What the candidate starts out of the browser is a child of it, too,
and is not the browser's.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from secureproctor.lockdown.readings import Running

DEPTH = 64
"""No tree of processes is deeper; a parent's number that was given away since could make a circle."""
EVERYBODYS = frozenset({"bin", "sbin", "Applications", "System32"})
"""Folders in which programs lie that have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class Family:
    """The programs of exam and agent, their folders, and the processes above them."""

    programs: frozenset[str]
    folders: frozenset[PurePath]
    above: frozenset[int]


class Kin:
    """Looks at the tree when it is asked first. `exam` is 0 where nobody knows it; `agent` is this process by default."""

    def __init__(self, describe: Callable[[int], Running | None], exam: int = 0, agent: int = 0) -> None:
        self._describe = describe
        self._agent = agent or os.getpid()
        self._roots = frozenset({self._agent, exam} - {0})

    def is_own(self, running: Running) -> bool:
        """Whether it is the exam's or the agent's own."""
        if running.pid in self._roots:
            return True
        above = {parent.pid for parent in self._ancestors(running)}
        if self._agent in above:
            return True
        related = not self._roots.isdisjoint(above) or running.pid in self._family.above
        return related and self._is_beside(running)

    def _is_beside(self, running: Running) -> bool:
        """A browser's sandbox hides its children's paths even from their own user."""
        if not running.path or running.path in self._family.programs:
            return True
        return PurePath(running.path).parent in self._family.folders

    @cached_property
    def _family(self) -> Family:
        roots = [each for pid in self._roots if (each := self._describe(pid)) is not None]
        programs = frozenset(each.path for each in roots if each.path)
        folders = frozenset(folder for path in programs if (folder := PurePath(path).parent).name not in EVERYBODYS)
        above = frozenset(parent.pid for each in roots for parent in self._ancestors(each))
        return Family(programs, folders, above)

    def _ancestors(self, running: Running) -> Iterator[Running]:
        parent = running.parent
        for _ in range(DEPTH):
            above = self._describe(parent) if parent > 1 else None
            if above is None:
                return
            yield above
            parent = above.parent
