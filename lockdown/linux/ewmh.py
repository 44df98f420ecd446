"""Windows as the window manager and its clients speak of them (Extended Window Manager Hints 1.5; ICCCM 4.1).

Readings of a window that is gone are empty. Requests go to the root window with source 2, a pager: what a person asks for is
not held back as focus stealing.
"""

from collections.abc import Iterator

from Xlib import X, error
from Xlib.protocol import event

from secureproctor.lockdown.linux.x11 import X11

FULLSCREEN, ABOVE, HIDDEN = "_NET_WM_STATE_FULLSCREEN", "_NET_WM_STATE_ABOVE", "_NET_WM_STATE_HIDDEN"
NORMAL = "_NET_WM_WINDOW_TYPE_NORMAL"
ACTIVE, DESKTOP_NOW = "_NET_ACTIVE_WINDOW", "_NET_CURRENT_DESKTOP"
STACKING, CLIENTS, STATE = "_NET_CLIENT_LIST_STACKING", "_NET_CLIENT_LIST", "_NET_WM_STATE"
MANAGER = "_NET_SUPPORTING_WM_CHECK"
ALL_DESKTOPS = 0xFFFFFFFF
_PAGER = 2
_REMOVE, _ADD = 0, 1
_REQUESTS = X.SubstructureRedirectMask | X.SubstructureNotifyMask


def has_manager(x: X11) -> bool:
    """Whether a window manager runs that keeps to these hints; its window names itself, so a dead one's does not count."""
    told = x.numbers(x.root.id, MANAGER)
    return bool(told) and x.numbers(told[0], MANAGER) == told


def supports(x: X11, *names: str) -> bool:
    """Whether the window manager says that it knows all of these hints."""
    return set(map(x.atom, names)) <= set(x.numbers(x.root.id, "_NET_SUPPORTED"))


def active(x: X11) -> int:
    """The window that has the keyboard as a person sees it; 0: none, or nobody tells."""
    return _first(x.numbers(x.root.id, ACTIVE))


def clients(x: X11) -> tuple[int, ...]:
    """The windows that are managed, oldest first."""
    return x.numbers(x.root.id, CLIENTS)


def stacking(x: X11) -> tuple[int, ...]:
    """The windows that are managed, from the bottom to the top."""
    return x.numbers(x.root.id, STACKING)


def states(x: X11, window: int) -> frozenset[int]:
    """The atoms of a window's state."""
    return frozenset(x.numbers(window, STATE))


def has_state(x: X11, window: int, name: str) -> bool:
    """Whether a window is in this state."""
    return x.atom(name) in states(x, window)


def set_state(x: X11, window: int, *names: str, on: bool = True) -> None:
    """Ask for one or two states to be set, or removed."""
    atoms = [x.atom(name) for name in names]
    _ask(x, window, STATE, [_ADD if on else _REMOVE, *atoms, *[0] * (2 - len(atoms)), _PAGER, 0])


def desktop(x: X11, window: int) -> int | None:
    """The window's desktop; ALL_DESKTOPS where it is on each; None: unknown."""
    told = x.numbers(window, "_NET_WM_DESKTOP")
    return told[0] if told else None


def desktop_now(x: X11) -> int | None:
    """The desktop that is shown; None: unknown."""
    told = x.numbers(x.root.id, DESKTOP_NOW)
    return told[0] if told else None


def go_to_desktop(x: X11, number: int) -> None:
    """Show this desktop, if another one is shown."""
    if number != ALL_DESKTOPS and desktop_now(x) != number:
        _ask(x, x.root.id, DESKTOP_NOW, [number, X.CurrentTime, 0, 0, 0])


def activate(x: X11, window: int) -> None:
    """Bring a window to the front, out of its icon, and give it the keyboard."""
    _ask(x, window, ACTIVE, [_PAGER, X.CurrentTime, 0, 0, 0])


def ask_to_close(x: X11, window: int) -> None:
    """Close a window as a person would."""
    _ask(x, window, "_NET_CLOSE_WINDOW", [X.CurrentTime, _PAGER, 0, 0, 0])


def is_dialog(x: X11, window: int) -> bool:
    """Whether a window is there for another one (a question, a menu, a tool), and no place of its own to work in."""
    types = x.numbers(window, "_NET_WM_WINDOW_TYPE")
    return bool(x.numbers(window, "WM_TRANSIENT_FOR")) or bool(types and x.atom(NORMAL) not in types)


def is_type(x: X11, window: int, *names: str) -> bool:
    """Whether a window says that it is of one of these types."""
    return not {x.atom(name) for name in names}.isdisjoint(x.numbers(window, "_NET_WM_WINDOW_TYPE"))


def exists(x: X11, window: int) -> bool:
    """Whether there is such a window."""
    try:
        x.window(window).get_attributes()
    except error.XError:
        return False
    return True


def is_input_only(x: X11, window: int) -> bool:
    """Whether a window shows nothing, and only takes clicks."""
    try:
        return bool(x.window(window).get_attributes().win_class == X.InputOnly)
    except error.XError:
        return True


def is_unmanaged(x: X11, window: int) -> bool:
    """Whether a window has put itself where it is, past the window manager."""
    try:
        return bool(x.window(window).get_attributes().override_redirect)
    except error.XError:
        return False


def is_shown(x: X11, window: int) -> bool:
    """Whether a window can be seen where nothing lies over it."""
    try:
        return bool(x.window(window).get_attributes().map_state == X.IsViewable)
    except error.XError:
        return False


def client_in(x: X11, frame: int) -> int:
    """The managed window in its manager's frame; the frame itself where it is none."""
    return next(_clients_in(x, frame, depth=3), frame)


def _clients_in(x: X11, window: int, depth: int) -> Iterator[int]:
    if x.numbers(window, "WM_STATE"):
        yield window
    elif depth:
        for child in children(x, window):
            yield from _clients_in(x, child, depth - 1)


def children(x: X11, window: int) -> tuple[int, ...]:
    """The windows in a window, from the bottom to the top."""
    try:
        return tuple(int(each.id) for each in x.window(window).query_tree().children)
    except error.XError:
        return ()


def area(x: X11, window: int) -> int:
    """How large a window is, in pixels."""
    try:
        size = x.window(window).get_geometry()
    except error.XError:
        return 0
    return int(size.width) * int(size.height)


def top_of(x: X11, window: int, wanted: int = 0) -> int:
    """The window right under the root in which a window lies; `wanted` where that lies on the way."""
    while window not in (0, wanted, x.root.id):
        try:
            above = int(x.window(window).query_tree().parent.id)
        except (error.XError, AttributeError):  # it has gone; the root has no parent
            return 0
        if above == x.root.id:
            return window
        window = above
    return window if window == wanted else 0


def _first(values: tuple[int, ...]) -> int:
    return values[0] if values else 0


def _ask(x: X11, window: int, kind: str, data: list[int]) -> None:
    message = event.ClientMessage(window=window, client_type=x.atom(kind), data=(32, data))
    x.root.send_event(message, event_mask=_REQUESTS)
