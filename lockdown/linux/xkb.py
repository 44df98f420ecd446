"""The few requests of XKB that python-xlib lacks: what the server itself does at a key, and to hear of a new keymap.

Format: The X Keyboard Extension, protocol specification, version 1.0, appendix D. An *interpretation* is 16 bytes: which keys
it is about (8: symbol, modifiers, match, virtual modifier, flags) and what the server does at them (8: the action, its type
first).
"""

from dataclasses import dataclass
from typing import Any

from Xlib.protocol import rq

from secureproctor.lockdown.linux.x11 import X11

EXTENSION = "XKEYBOARD"
_CORE_KEYBOARD = 0x0100
_NEW_KEYBOARD, _MAP, _COMPATIBILITY = 1 << 0, 1 << 1, 1 << 7
_ALL_PARTS = 0xFF
_WHOLE, _HALF = 16, 8


class _UseExtension(rq.ReplyRequest):  # type: ignore[misc]  # python-xlib ships no types
    _request = rq.Struct(
        rq.Card8("opcode"), rq.Opcode(0), rq.RequestLength(), rq.Card16("wanted_major"), rq.Card16("wanted_minor")
    )
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Bool("supported"),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Card16("server_major"),
        rq.Card16("server_minor"),
        rq.Pad(20),
    )


class _SelectEvents(rq.Request):  # type: ignore[misc]  # python-xlib ships no types
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(1),
        rq.RequestLength(),
        rq.Card16("device"),
        rq.Card16("affect"),
        rq.Card16("clear"),
        rq.Card16("select_all"),
        rq.Card16("affect_map"),
        rq.Card16("map"),
    )


class _GetCompatMap(rq.ReplyRequest):  # type: ignore[misc]  # python-xlib ships no types
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(10),
        rq.RequestLength(),
        rq.Card16("device"),
        rq.Card8("groups"),
        rq.Bool("all_interpretations"),
        rq.Card16("first"),
        rq.Card16("count"),
    )
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Card8("device"),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Card8("groups"),
        rq.Pad(1),
        rq.Card16("first"),
        rq.Card16("count"),
        rq.Card16("total"),
        rq.Pad(16),
        rq.List("rest", rq.Card8Obj, pad=0),
    )


class _SetCompatMap(rq.Request):  # type: ignore[misc]  # python-xlib ships no types
    _request = rq.Struct(
        rq.Card8("opcode"),
        rq.Opcode(11),
        rq.RequestLength(),
        rq.Card16("device"),
        rq.Pad(1),
        rq.Bool("recompute_actions"),
        rq.Bool("truncate"),
        rq.Card8("groups"),
        rq.Card16("first"),
        rq.Card16("count"),
        rq.Pad(2),
        rq.List("interpretations", rq.Card8Obj, pad=0),
    )


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What the server does (`action`, its type in the first byte) at the keys that `keys` is about; 8 bytes each."""

    keys: bytes
    action: bytes


@dataclass(frozen=True, slots=True)
class Xkb:
    """XKB of one connection. `event` is the code of its events. Made by `open_xkb`."""

    x: X11
    opcode: int
    event: int

    def interpretations(self) -> tuple[Interpretation, ...]:
        """All of the core keyboard, in their order."""
        got = _GetCompatMap(
            display=self.x.display.display,
            opcode=self.opcode,
            device=_CORE_KEYBOARD,
            groups=0,
            all_interpretations=True,
            first=0,
            count=0,
        )
        data = bytes(got.rest)
        rows = [data[at : at + _WHOLE] for at in range(0, got.count * _WHOLE, _WHOLE)]
        return tuple(Interpretation(row[:_HALF], row[_HALF:]) for row in rows)

    def interpret(self, rows: tuple[Interpretation, ...]) -> None:
        """Put these in place of all, from the first on; the server does it to every keyboard that is attached."""
        _SetCompatMap(
            display=self.x.display.display,
            opcode=self.opcode,
            device=_CORE_KEYBOARD,
            recompute_actions=True,
            truncate=False,
            groups=0,
            first=0,
            count=len(rows),
            interpretations=b"".join(each.keys + each.action for each in rows),
        )
        self.x.sync()

    def hear(self, *, wanted: bool) -> None:
        """Whether this connection is told of a new keymap. The core event does not come to those that use XKB."""
        kinds = _NEW_KEYBOARD | _MAP | _COMPATIBILITY
        _SelectEvents(
            display=self.x.display.display,
            opcode=self.opcode,
            device=_CORE_KEYBOARD,
            affect=kinds,
            clear=0 if wanted else kinds,
            select_all=kinds & ~_MAP if wanted else 0,
            affect_map=_ALL_PARTS,
            map=_ALL_PARTS if wanted else 0,
        )


def open_xkb(x: X11) -> Xkb | None:
    """XKB of this connection; None when the server has none."""
    found: Any = x.display.query_extension(EXTENSION)
    if found is None or not found.present:
        return None
    opcode: int = found.major_opcode
    answer = _UseExtension(display=x.display.display, opcode=opcode, wanted_major=1, wanted_minor=0)
    return Xkb(x, opcode, int(found.first_event)) if answer.supported else None
