"""The rule `clipboard` on X11: CLIPBOARD and PRIMARY hold nothing but what the exam's own page has put there.

A selection holds nothing by itself: its owner is asked for the content at each paste. So it is emptied by being its owner, who
answers "nothing". Nobody's content is ever asked for here, and what was there before the exam is not given back. The server
tells of each new owner (XFixes). A clipboard manager that takes a selection back again and again is answered a few times a
second.

All of it ends with the connection; then the selections have no owner.
"""

import time
from collections.abc import Callable
from typing import Any

from Xlib import X
from Xlib.ext import xfixes
from Xlib.protocol import event as events
from Xlib.protocol import request

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux.pace import Pace
from secureproctor.lockdown.linux.whose import Owners
from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms

SELECTIONS = ("CLIPBOARD", "PRIMARY")
BURST, PER_S = 10, 2.0


class ClipboardRule:
    """Empties both, and keeps them empty."""

    id: RuleId = "clipboard"

    def __init__(self, owners: Owners, clock: Callable[[], float] = time.monotonic) -> None:
        self._owners = owners
        self._clock = clock
        self._post: _Post | None = None

    def probe(self, x: X11, terms: Terms) -> Probed:
        """Every server since 2004 has XFixes."""
        if x.has(xfixes.extname):
            return Probed("enforced")
        return Probed("impossible", "This X server does not tell who fills the clipboard.", "Use a newer system.")

    def before(self, x: X11, terms: Terms) -> Image:
        """Nothing: the content is nobody's to keep."""
        return {}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Empty both, and listen."""
        self.let_go()
        self._owners.begin(x, terms.exam)
        self._post = _Post(x, report, self._owners, Pace(BURST, PER_S, self._clock))
        self._post.begin()

    def verify(self) -> bool:
        """Whether it is listened; tries again what was not emptied."""
        if self._post is None:
            return False
        self._post.look()
        return True

    def let_go(self) -> None:
        """Empty what the exam's page has put there, and listen no more."""
        post, self._post = self._post, None
        if post is not None:
            post.end()

    def put_back(self, x: X11, image: Image) -> None:
        """Nothing."""

    def fileno(self) -> int:
        """None: its events come by the connection."""
        return -1

    @property
    def period_s(self) -> float | None:
        """When something is left to be emptied."""
        return None if self._post is None else self._post.due_s

    def react(self) -> None:
        """Empty it."""
        if self._post is not None:
            self._post.look()


class _Post:
    """Where the selections are watched from, and the window that owns them."""

    def __init__(self, x: X11, report: Report, owners: Owners, pace: Pace) -> None:
        self._x, self._report, self._owners, self._pace = x, report, owners, pace
        self._names = {x.atom(name): name for name in SELECTIONS}
        self._stale: set[int] = set()
        self._window = x.root.create_window(-1, -1, 1, 1, 0, X.CopyFromParent, window_class=X.InputOnly)

    def begin(self) -> None:
        x, owner = self._x, ClipboardRule.id
        x.display.xfixes_query_version()  # a server answers nothing else of XFixes before
        first = x.display.extension_event.SetSelectionOwnerNotify[0]
        x.on(owner, first, self._owned, xfixes.XFixesSetSelectionOwnerNotify)
        x.on(owner, X.SelectionRequest, self._refuse)
        for selection in self._names:
            self._select(selection, xfixes.XFixesSetSelectionOwnerNotifyMask)
            self._empty(selection, "start")

    def _select(self, selection: int, mask: int) -> None:
        self._x.display.xfixes_select_selection_input(self._window, selection, mask)

    def end(self) -> None:
        for selection in self._names:
            self._select(selection, 0)
            if self._owner_of(selection) not in (0, self._window.id):
                self._tell(selection, "end")
            self._own(X.NONE, selection)
        self._x.forget(ClipboardRule.id)
        self._window.destroy()
        self._x.sync()

    @property
    def due_s(self) -> float | None:
        return self._pace.wait_s if self._stale else None

    def look(self) -> None:
        for selection in tuple(self._stale):
            self._empty(selection, "outside")

    def _owned(self, event: Any) -> None:
        """Somebody has filled a selection."""
        if event.selection in self._names:
            self._empty(int(event.selection), "outside")

    def _empty(self, selection: int, why: str) -> None:
        self._stale.discard(selection)
        owner = self._owner_of(selection)
        if owner in (0, self._window.id) or (why == "outside" and self._owners.of(self._x, owner).whose == "exam"):
            return
        if not self._pace.take():
            self._stale.add(selection)
            return
        self._tell(selection, why)
        self._own(self._window, selection)

    def _tell(self, selection: int, why: str) -> None:
        program = self._owners.of(self._x, self._owner_of(selection)).program
        counts = why == "outside" and self._names[selection] == "CLIPBOARD"  # to mark text elsewhere fills PRIMARY
        detail = {"program": program, "why": why}
        self._report(
            Sighting(ClipboardRule.id, "clipboard_emptied", {**detail}, about=f"{program} {why}", counts=counts)
        )

    def _owner_of(self, selection: int) -> int:
        owner = self._x.display.get_selection_owner(selection)
        return owner if isinstance(owner, int) else int(owner.id)

    def _own(self, owner: Any, selection: int) -> None:
        """Taken when the server does it: by then it is later than whatever the last owner said."""
        display = self._x.display.display
        request.SetSelectionOwner(display=display, window=owner, selection=selection, time=X.CurrentTime)

    def _refuse(self, event: Any) -> None:
        """Whoever pastes: there is nothing (ICCCM 2.2: a property of None)."""
        answer = events.SelectionNotify(
            time=event.time, requestor=event.requestor, selection=event.selection, target=event.target, property=X.NONE
        )
        event.requestor.send_event(answer)
        self._x.display.flush()
