"""A small X program for tests: one window, which does what its arguments say, and tells what it gets on its output.

    puppet.py [normal|dialog=WINDOW|overlay|clickthrough|faint|above] [steals] [owns [insists]] [grabs]

First line: the window's number. Then `key NUMBER` for each key that it gets. It ends when its input ends. Copied under another
name, it is another program.
"""

import sys
import threading

from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.ext import shape
from Xlib.protocol import event, request

display = Display()
root = display.screen().root
kind, _, of = (sys.argv[1] if len(sys.argv) > 1 else "normal").partition("=")
wishes = sys.argv[2:]


def atom(name: str) -> int:
    return int(display.intern_atom(name))


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def own(selection: str) -> None:
    request.SetSelectionOwner(display=display.display, window=window, selection=atom(selection), time=X.CurrentTime)


window = root.create_window(
    40,
    40,
    300,
    200,
    0,
    display.screen().root_depth,
    background_pixel=0x808080,
    override_redirect=kind in ("overlay", "clickthrough"),
    event_mask=X.KeyPressMask | X.StructureNotifyMask,
)
window.set_wm_protocols([atom("WM_DELETE_WINDOW")])
if kind == "dialog":
    window.change_property(atom("WM_TRANSIENT_FOR"), Xatom.WINDOW, 32, [int(of)])
if kind == "above":
    window.change_property(atom("_NET_WM_STATE"), Xatom.ATOM, 32, [atom("_NET_WM_STATE_ABOVE")])
if kind == "clickthrough":
    window.shape_rectangles(shape.SO.Set, shape.SK.Input, X.Unsorted, 0, 0, [])
if kind == "faint":
    window.change_property(atom("_NET_WM_WINDOW_OPACITY"), Xatom.CARDINAL, 32, [0x10000000])
window.map()
if "owns" in wishes:
    own("CLIPBOARD")
if "grabs" in wishes:
    window.grab_keyboard(False, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
display.sync()
say(window.id)


def stop_at_end() -> None:
    sys.stdin.read()
    display.display.socket.shutdown(2)


threading.Thread(target=stop_at_end, daemon=True).start()
if "steals" in wishes:

    def steal() -> None:
        """As often as the server lets it."""
        other, pause = Display(), threading.Event()
        kind = other.intern_atom("_NET_ACTIVE_WINDOW")
        message = event.ClientMessage(window=window, client_type=kind, data=(32, [2, 0, 0, 0, 0]))
        while True:
            other.screen().root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
            other.sync()
            pause.wait(0.005)

    threading.Thread(target=steal, daemon=True).start()
try:
    while True:
        got = display.next_event()
        if got.type == X.KeyPress:
            say("key", got.detail)
        elif got.type == X.SelectionClear and "owns" in wishes:
            say("lost")
            if "insists" in wishes:
                own("CLIPBOARD")
                display.flush()
        elif got.type == X.SelectionRequest:
            got.requestor.change_property(got.property, Xatom.STRING, 8, b"answer")
            got.requestor.send_event(
                event.SelectionNotify(
                    time=got.time,
                    requestor=got.requestor,
                    selection=got.selection,
                    target=got.target,
                    property=got.property,
                )
            )
            display.flush()
        elif got.type == X.ClientMessage:
            say("asked to close")
            break
except Exception:  # noqa: BLE001 - the server has gone, or the input has ended: either way it is over
    sys.exit(0)
