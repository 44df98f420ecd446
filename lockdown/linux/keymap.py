"""Keys at which the X server itself acts: to another console (Ctrl+Alt+F1), its own end (Ctrl+Alt+Backspace), broken grabs.

No grab helps against these: the server obeys them before anybody is asked. What it obeys are interpretations of the keymap;
they are turned into "do nothing" and, at the end, back into what they were. Everything else in the keymap stays untouched, also
what the candidate changes meanwhile, and since only the actions change, no program is told of a new keymap.

It outlives this process, so the actions are in the before-image. A new layout (setxkbmap) brings interpretations back that may
not have been there before; their actions are known from their names, and are in the image from the start.
"""

import struct

from secureproctor.lockdown.linux.xkb import Interpretation, Xkb

Actions = dict[str, str]
"""What the server did: which keys (an interpretation's first half, in hex) to the action (its second half, in hex)."""

_DANGEROUS = {0x0C, 0x0D, 0x86}
"""XkbSA_Terminate, XkbSA_SwitchScreen, XkbSA_XFree86Private (breaks grabs, changes the video mode): X11/extensions/XKB.h."""
_NOTHING = bytes(8)
_TERMINATE_SERVER, _FIRST_CONSOLE = 0xFED5, 0x1008FE01
_KEYS = struct.Struct("<IBBBB")
_ALL_OF, _NO_VIRTUAL, _ANY_MODIFIER = 1, 0xFF, 0xFF  # "AnyOfOrNone(all)" as the keymap compiler writes it


def dangerous(rows: tuple[Interpretation, ...]) -> tuple[Interpretation, ...]:
    """Those at which the server acts by itself in a way that leads out of the exam."""
    return tuple(each for each in rows if each.action[0] in _DANGEROUS)


def actions_of(rows: tuple[Interpretation, ...]) -> Actions:
    """The before-image: the dangerous actions, and those that a new layout may bring.

    A keymap may know the console keys and let them do nothing: those are to stay so.
    """
    there = {each.keys.hex() for each in rows}
    news = {keys: action for keys, action in _standard().items() if keys not in there}
    return news | {each.keys.hex(): each.action.hex() for each in dangerous(rows)}


def disarm(xkb: Xkb, actions: Actions) -> bool:
    """Turn every dangerous action that is in the image into nothing; whether none is left."""
    rows = xkb.interpretations()
    if not dangerous(rows):
        return True
    known = tuple(
        Interpretation(each.keys, _NOTHING) if each.action[0] in _DANGEROUS and each.keys.hex() in actions else each
        for each in rows
    )
    xkb.interpret(known)
    return not dangerous(known)


def put_back(xkb: Xkb, actions: Actions) -> None:
    """Turn what still does nothing back into what it did."""
    rows = xkb.interpretations()
    put = tuple(_armed(each, actions) for each in rows)
    if put != rows:
        xkb.interpret(put)


def _armed(row: Interpretation, actions: Actions) -> Interpretation:
    action = actions.get(row.keys.hex())
    return Interpretation(row.keys, bytes.fromhex(action)) if action and row.action == _NOTHING else row


def _standard() -> Actions:
    """The interpretations that every usual keymap has for consoles 1 to 12 and for the server's end."""
    consoles = {
        _keys(_FIRST_CONSOLE + number, 1): bytes((0x0D, 5, number + 1, 0, 0, 0, 0, 0)).hex() for number in range(12)
    }
    return consoles | {_keys(_TERMINATE_SERVER, 0): bytes((0x0C, *bytes(7))).hex()}


def _keys(symbol: int, flags: int) -> str:
    return _KEYS.pack(symbol, _ANY_MODIFIER, _ALL_OF, _NO_VIRTUAL, flags).hex()
