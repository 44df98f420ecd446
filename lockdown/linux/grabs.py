"""Grabs of key combinations that win against those of the window manager.

A window manager holds Alt+Tab by a core grab on the root window, and a second one of that kind is refused (BadAccess). A grab
of XInput 2 is of another kind, is not refused, and of several grabs on one window the server takes the newest. Where somebody
holds XInput 2 grabs (mutter does), the refused combinations are tried by core grabs, for the same reason. Measured with
openbox 3.6 on X.Org 21.1; dix/grabs.c and dix/events.c of the server are where it is decided.

While one of them is at work, its client hears of all keys by it, and gets no raw events.

All of them are asynchronous: a process that hangs never freezes anybody's keyboard. They end with the connection.
"""

from collections.abc import Mapping

from Xlib import X, error
from Xlib.ext import xinput
from Xlib.protocol import rq

from secureproctor.lockdown.linux.x11 import X11

Wanted = Mapping[int, frozenset[int]]
"""The masks of modifiers with which each key is wanted."""
Refused = frozenset[tuple[int, int]]
"""Keys and masks that somebody else holds in both ways."""

_EVENTS = xinput.KeyPressMask | xinput.KeyReleaseMask
_MASTER_KEYBOARD = 2  # XIMasterKeyboard, the use of a device


class _PassiveGrab(rq.ReplyRequest):  # type: ignore[misc]  # python-xlib ships no types
    """As python-xlib's, whose answer loses every second of the refused modifiers."""

    _request = xinput.XIPassiveGrabDevice._request
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Pad(1),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.LengthOf("refused", 2),
        rq.Pad(22),
        rq.List("refused", rq.Struct(rq.Card32("modifiers"), rq.Card8("status"), rq.Pad(3))),
    )


def take(x: X11, wanted: Wanted) -> Refused:
    """Grab all of them; they come before everybody else's then. What was refused.

    Those of a key that are held are given back right before that key is taken anew: all at once would leave a gap of 30 ms in
    which a quick key gets through, and to take 1,700 over those that are held keeps the server busy for 110 ms (this: 60).
    """
    asked = [(key, masks, _ask(x, key, masks)) for key, masks in wanted.items()]  # sent at once, answered one by one
    left = [(key, int(each.modifiers)) for key, _, request in asked for each in _answer(request)]
    return frozenset((key, mask) for key, mask in left if not _take_core(x, key, mask))


def _ask(x: X11, key: int, masks: frozenset[int]) -> _PassiveGrab:
    x.root.xinput_ungrab_keycode(xinput.AllMasterDevices, key, [xinput.AnyModifier])
    return _PassiveGrab(
        x.display.display,
        defer=True,
        opcode=x.display.display.get_extension_major(xinput.extname),
        deviceid=xinput.AllMasterDevices,
        grab_window=x.root,
        time=X.CurrentTime,
        cursor=X.NONE,
        detail=key,
        grab_type=xinput.GrabtypeKeycode,
        grab_mode=xinput.GrabModeAsync,
        paired_device_mode=xinput.GrabModeAsync,
        owner_events=False,
        mask=_EVENTS,
        modifiers=sorted(masks),
    )


def _answer(request: _PassiveGrab) -> tuple[rq.DictWrapper, ...]:
    request.reply()
    return tuple(request.refused)


def _take_core(x: X11, key: int, mask: int) -> bool:
    problem = error.CatchError(error.BadAccess)
    x.root.grab_key(key, mask, False, X.GrabModeAsync, X.GrabModeAsync, onerror=problem)
    x.sync()
    return problem.get_error() is None


def release(x: X11) -> None:
    """Give all of them back, also one that is at work because its key is down."""
    _give_up(x)
    give_back(x)


def _give_up(x: X11) -> None:
    x.root.xinput_ungrab_keycode(xinput.AllMasterDevices, xinput.AnyKeycode, [xinput.AnyModifier])
    x.root.ungrab_key(X.AnyKey, X.AnyModifier)


def give_back(x: X11) -> None:
    """End the grab that is at work, if there is one; it is taken again with the next such key."""
    for each in x.display.xinput_query_device(xinput.AllMasterDevices).devices:
        if each.use == _MASTER_KEYBOARD:
            x.display.xinput_ungrab_device(each.deviceid, X.CurrentTime)
    x.display.ungrab_keyboard(X.CurrentTime)
    x.sync()
