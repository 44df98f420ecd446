"""Which page holds the session, when several tabs of the browser talk to the agent. Pure: time and callbacks are passed in.

The first page that says hello holds it; those that come later wait in line, and may look. When the holder goes while there is
a session, its place is kept for GRACE_S, because a page that is loaded again comes back as the same `tab` a moment later; then
the page that has waited longest holds. `take_over` moves the session at once. A tab that was duplicated in the browser has
the same name as the one that it was made from: so a name takes nothing from a page that is still connected.

Paired local programs are no pages: they may do everything at any time, and take the session from nobody.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakSet

from secureproctor.agent.local.door import Visitor

GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab as its page names it. Two origins never share one, and one without a name is like no other."""

    origin: str
    name: str

    def is_of(self, other: "Tab | None") -> bool:
        """Whether it is the same tab, loaded again."""
        return bool(self.name) and self == other


@dataclass(slots=True)
class Holder:
    """`tell` is told each page that holds or ceases to hold the session, and each that comes to wait. `going` says whether
    there is a session to be held: without one, no tab has a place that is worth waiting for.

    `record` is told the origin of a page that holds after another page did, and whether it took over by itself. `clock` is in
    seconds.
    """

    tell: Callable[[Visitor, bool], None]
    record: Callable[[str, bool], None]
    going: Callable[[], bool] = lambda: True
    clock: Callable[[], float] = time.monotonic
    current: Visitor | None = None
    _tabs: dict[Visitor, Tab] = field(default_factory=dict)  # in the order in which they came
    # weak; a call that was under way may still speak for one that has left
    _left: WeakSet[Visitor] = field(default_factory=WeakSet)
    _last: Tab | None = None
    _kept_until: float | None = None

    def knows(self, visitor: Visitor) -> bool:
        """Whether this page has said hello. Programs need not."""
        return not visitor.is_page or visitor in self._tabs

    def holds(self, visitor: Visitor) -> bool:
        """Whether the visitor may act."""
        return not visitor.is_page or visitor is self.current

    def greeted(self, visitor: Visitor, tab: str) -> None:
        """A visitor said hello; again is fine, and a page may give its tab's name later."""
        if not visitor.is_page or visitor in self._left:
            return
        known = visitor in self._tabs
        if tab or not known:
            self._tabs[visitor] = Tab(visitor.origin, tab)
        self.look()
        if self.current is None and self._is_free_for(self._tabs[visitor]):
            self._give(visitor)
        elif self.current is visitor:
            self._last = self._tabs[visitor]
        elif not known:
            self.tell(visitor, False)

    def take_over(self, visitor: Visitor) -> None:
        """The page wants the session, and has it from now on."""
        if visitor.is_page and visitor is not self.current and visitor not in self._left:
            self._tabs.setdefault(visitor, Tab(visitor.origin, ""))
            self._give(visitor, taken_over=True)

    def gone(self, visitor: Visitor) -> None:
        """A connection closed; call `look` from now on as it says."""
        self._left.add(visitor)
        tab = self._tabs.pop(visitor, None)
        if visitor is not self.current or tab is None:
            return
        self.current = None
        heir = next((each for each, its in self._tabs.items() if its.is_of(tab)), None)
        if heir is not None:
            self._give(heir)
        else:
            self._kept_until = self.clock() + GRACE_S if tab.name and self.going() else self.clock()
            self.look()

    def look(self) -> float | None:
        """Give a place that was kept long enough to who waits longest; the seconds until the next look, None for never."""
        if self._kept_until is None:
            return None
        left_s = self._kept_until - self.clock()
        if left_s > 0:
            return left_s
        self._kept_until = None
        if self._tabs:
            self._give(next(iter(self._tabs)))
        return None

    def _is_free_for(self, tab: Tab) -> bool:
        return self._kept_until is None or tab.is_of(self._last)

    def _give(self, visitor: Visitor, taken_over: bool = False) -> None:
        before, self.current, self._kept_until = self.current, visitor, None
        tab = self._tabs[visitor]
        if self._last is not None and not tab.is_of(self._last):
            self.record(visitor.origin, taken_over)
        self._last = tab
        if before is not None:
            self.tell(before, False)
        self.tell(visitor, True)
