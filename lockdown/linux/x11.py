"""A connection to an X server, shared by all rules that need one: who asked for which events, atoms, properties.

Windows come and go while one asks about them, and so does the server. A window that is gone reads as empty; an error of a
request without an answer is passed over; a server that is gone is `ServerGone`, from whatever was asked (on_x.py says what that
means for a rule). What the rules change by this connection ends with it, unless they say otherwise.
"""

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from Xlib import X, error
from Xlib.display import Display
from Xlib.ext import ge, res, xinput

from secureproctor.lockdown.linux.separate import separate_display
from secureproctor.lockdown.rule import PlaceGone

LOST = (error.ConnectionClosedError,)
"""What python-xlib raises, from any call, once the server has gone."""

Kind = tuple[int, int]
"""A sort of event: its code, and the sub-code of an extension that has several (0 else)."""
Handler = Callable[[Any], None]

_NO_SERVER = (errno.ENOENT, errno.ECONNREFUSED)
_SO_PEERCRED = 17  # asm-generic/socket.h; python knows the name on Linux only
_AF_UNIX = 1  # socket.AF_UNIX, which the type stubs have for some systems only
_RAW = struct.Struct("<H4xIH")
_CLIENT_PID = 2  # X-Resource 1.2: LocalClientPIDMask


class ServerGone(PlaceGone):
    """Nobody listens at the display any more: whatever was changed in the X server has gone with it."""


class ServerMute(Exception):
    """The X server could not be asked, and nobody can tell whether it runs. The text is a sentence."""


@dataclass(frozen=True, slots=True)
class RawInput:
    """An event of XInput's raw kind: `code` is a key or a button, `source` the device from which it came."""

    kind: int
    code: int
    source: int


@dataclass(slots=True)
class _Wishes:
    """What one owner listens to."""

    handlers: list[tuple[Kind, Handler]] = field(default_factory=list)
    masks: dict[int, int] = field(default_factory=dict)
    input_mask: int = 0


class X11:
    """An open connection. Made by `connect`; every method raises one of LOST when the server has gone."""

    def __init__(self, display: Display) -> None:
        self.display = display
        self.name: str = display.get_display_name()
        self.server = _identity(display)
        self.root: Any = display.screen().root
        self._atoms: dict[str, int] = {}
        self._wishes: dict[str, _Wishes] = {}
        self._input = self._begin_input()
        display.set_error_handler(_pass_over)

    def _begin_input(self) -> int:
        """XInput's opcode, 0 without it. 2.2 is asked for: before 2.1, raw events are kept from others during a grab."""
        if not self.display.has_extension(xinput.extname):
            return 0
        opcode: int = self.display.display.get_extension_major(xinput.extname)
        answer = xinput.XIQueryVersion(display=self.display.display, opcode=opcode, major_version=2, minor_version=2)
        return opcode if (answer.major_version, answer.minor_version) >= (2, 1) else 0

    @property
    def has_input(self) -> bool:
        """Whether the server has XInput 2.1."""
        return self._input != 0

    def has(self, extension: str) -> bool:
        """Whether the server has this extension, and python-xlib knows it."""
        return bool(self.display.has_extension(extension))

    def fileno(self) -> int:
        """The connection's socket."""
        return int(self.display.fileno())

    def atom(self, name: str) -> int:
        """The number of a name."""
        if name not in self._atoms:
            self._atoms[name] = self.display.intern_atom(name)
        return self._atoms[name]

    def window(self, number: int) -> Any:
        """python-xlib's object for a window."""
        return self.display.create_resource_object("window", number)

    def numbers(self, window: int, name: str) -> tuple[int, ...]:
        """A property that holds numbers, atoms or windows; empty when it, or the window, is not there."""
        value = self._property(window, name)
        return () if isinstance(value, bytes | str) else tuple(int(each) for each in value)

    def text(self, window: int, name: str) -> bytes:
        """A property that holds bytes; empty when it, or the window, is not there."""
        value = self._property(window, name)
        return value.encode() if isinstance(value, str) else bytes(value)

    def _property(self, window: int, name: str) -> Any:
        try:
            found = self.window(window).get_full_property(self.atom(name), X.AnyPropertyType)
        except error.XError:
            return b""
        return b"" if found is None else found.value

    def pid(self, window: int) -> int:
        """The process behind a window: by the server, which knows it from the socket, else what the window says; 0: unknown."""
        told = self.numbers(window, "_NET_WM_PID")
        return self._socket_pid(window) or (told[0] if told else 0)

    def _socket_pid(self, window: int) -> int:
        if not self.has(res.extname):
            return 0
        try:
            answer = self.display.res_query_client_ids([{"client": window, "mask": _CLIENT_PID}])
        except error.XError:
            return 0
        return next((int(each.value[0]) for each in answer.ids if each.value), 0)

    def on(self, owner: str, code: int, handler: Handler, sub_code: int = 0) -> None:
        """Hand events of this kind to `handler`, until `forget`."""
        self._wish(owner).handlers.append(((code, sub_code), handler))

    def select(self, owner: str, window: int, mask: int) -> None:
        """Ask the server for core events of a window, on top of what others asked for."""
        self._wish(owner).masks[window] = mask
        self._ask(window)

    def select_input(self, owner: str, mask: int, handler: Callable[[RawInput], None]) -> None:
        """Hand XInput's raw events of all keyboards and pointers to `handler`."""
        wish = self._wish(owner)
        wish.input_mask = mask
        wanted = {kind for kind in range(32) if mask & 1 << kind}
        for kind in wanted:
            self.on(owner, ge.GenericEventCode, lambda event: handler(_raw(event)), self.input_kind(kind))
        self._ask_input()

    def input_kind(self, kind: int) -> int:
        """The sub-code of an event of XInput."""
        return self._input << 16 | kind

    def forget(self, owner: str) -> None:
        """This owner listens to nothing any more."""
        wish = self._wishes.pop(owner, None)
        if wish is None:
            return
        for window in wish.masks:
            self._ask(window)
        if wish.input_mask:
            self._ask_input()

    def _wish(self, owner: str) -> _Wishes:
        return self._wishes.setdefault(owner, _Wishes())

    def _ask(self, window: int) -> None:
        masks = [each.masks.get(window, 0) for each in self._wishes.values()]
        self.window(window).change_attributes(event_mask=_union(masks))

    def _ask_input(self) -> None:
        mask = _union([each.input_mask for each in self._wishes.values()])
        self.root.xinput_select_events([(xinput.AllMasterDevices, mask or [0])])

    def dispatch(self) -> bool:
        """Hand out the events that are there, and send what is to be sent; whether there were any. Never blocks."""
        waiting = int(self.display.pending_events())
        for _ in range(waiting):
            event = self.display.next_event()
            kind = _kind(event)
            handlers = [each for wish in self._wishes.values() for each in wish.handlers]
            for wanted, handler in handlers:
                if wanted == kind:
                    with contextlib.suppress(error.XError):  # a window has gone while it was looked at
                        handler(event)
        self.display.flush()
        return waiting > 0

    def sync(self) -> None:
        """Return when the server has done everything so far."""
        self.display.sync()

    def close(self) -> None:
        """End the connection, and with it what the server holds for it. Twice is harmless."""
        try:
            self.display.close()
        except LOST:
            self.display.display.socket.close()  # python-xlib 0.33 keeps its socket open after the server's death


def connect(name: str = "", authority: str = "") -> X11:
    """A connection to a display, by default the one of the environment. Raises ServerGone, ServerMute."""
    name = name or os.environ.get("DISPLAY", "")
    if not name:
        raise ServerMute("There is no X display.")
    if _nobody_listens(name):  # asked first, since python-xlib leaves open what it tried in vain
        raise ServerGone(name)
    before = os.environ.get("XAUTHORITY")
    if authority:
        os.environ["XAUTHORITY"] = authority  # python-xlib takes the place of the cookie from nowhere else
    try:
        return X11(separate_display(name))
    except (error.DisplayError, error.XauthError, error.XNoAuthError, OSError, *LOST) as problem:
        if _nobody_listens(name):
            raise ServerGone(name) from problem
        raise ServerMute(f"The X server at {name} does not answer.") from problem
    finally:
        _set_authority(before)


def _set_authority(value: str | None) -> None:
    if value is None:
        os.environ.pop("XAUTHORITY", None)
    else:
        os.environ["XAUTHORITY"] = value


def _nobody_listens(name: str) -> bool:
    """Whether the display's local socket is gone, or refuses. A display on another machine: nobody can tell."""
    host, _, number = name.rpartition(":")
    if host not in ("", "unix"):
        return False
    path = f"/tmp/.X11-unix/X{number.partition('.')[0]}"  # noqa: S108 - X fixes this place
    return all(_refuses(each) for each in (path, "\0" + path))


def _refuses(path: str) -> bool:
    with socket.socket(_AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(path) in _NO_SERVER


def _identity(display: Display) -> str:
    """What another server at the same display does not have: the process that listens, and when it began; empty: unknown."""
    try:
        peer = display.display.socket.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, 12)
        pid: int = struct.unpack("3i", peer)[0]
        began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (OSError, IndexError):
        return ""
    return f"{pid}:{began}:{boot}"


def _kind(event: Any) -> Kind:
    if event.type == ge.GenericEventCode:
        return ge.GenericEventCode, int(event.extension) << 16 | int(event.evtype)
    return int(event.type) & 0x7F, int(getattr(event, "sub_code", 0))  # the top bit: it was sent by a client


def _raw(event: Any) -> RawInput:
    _, code, source = _RAW.unpack_from(event.data)
    return RawInput(event.evtype, code, source)


def _union(masks: list[int]) -> int:
    result = 0
    for mask in masks:
        result |= mask
    return result


def _pass_over(_error: object, _request: object) -> None:
    """Windows vanish while one asks for something."""
