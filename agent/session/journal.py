"""What happened in a session, durable before it is acted on: one file of checked lines per session.

Each line is the CRC-32 of the rest in 8 hexadecimal digits, a space, and an entry as JSON. A line is written whole and
synchronised before `write` returns. Reading stops at the first line that does not check: a torn tail is cut, never guessed.
An entry of a newer agent is passed over, one of an older agent lacks fields that have defaults.

What a command did is an entry that names the command. A new agent finds by it that the effect of a command is there, also
when the agent before died before it could note the status `applied`; no command takes effect twice.

What makes a journal grow is bounded by whoever writes it: commands (proctor/obedience.py) and chat (proctor/conversation.py).
"""

import errno
import logging
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from secureproctor.contract.channel import AuthorizationStep, Chat, Command, CommandStatus
from secureproctor.contract.http import InitData
from secureproctor.contract.lockdown import RuleId
from secureproctor.contract.msb import MsbClaims
from secureproctor.contract.stills import Identity

log = logging.getLogger(__name__)


class Registered(msgspec.Struct, frozen=True, tag="registered"):
    """A session was registered: what Init answered, and which service it was. The file is the user's own (0600)."""

    data: InitData
    service_url: str
    at_ms: int


class Started(msgspec.Struct, frozen=True, tag="started"):
    """Start was called. `origin_us` is the boot clock then: where the session clock is 0."""

    origin_us: int
    at_ms: int
    boot: str = ""


class StateEntered(msgspec.Struct, frozen=True, omit_defaults=True, tag="state"):
    """The session entered a state. `at_us` is session time, None before Start; `command` is the command that caused it."""

    state: str
    at_ms: int
    at_us: int | None = None
    reason: str = ""
    command: str = ""


class CommandMoved(msgspec.Struct, frozen=True, omit_defaults=True, tag="command"):
    """A proctor command came to a status. The last entry of an id is its outcome. `whole` is all of a command that was
    received: whoever finds that it came no further carries it out."""

    id: str
    kind: str
    status: CommandStatus
    at_ms: int
    by: str = ""
    reason: str = ""
    whole: Command | None = None


class AcknowledgementSwitched(msgspec.Struct, frozen=True, tag="automatic"):
    """The page switched Enable Auto Acknowledgement."""

    enabled: bool


class AuthorizationMoved(msgspec.Struct, frozen=True, omit_defaults=True, tag="authorization"):
    """Authorization came to a step. `text` are the proctor's words with a decision, `by` is the proctor,
    `command` the command that made it."""

    step: AuthorizationStep
    at_ms: int
    wanted: tuple[Identity, ...] = ()
    text: str = ""
    by: str = ""
    command: str = ""


class QualityAsked(msgspec.Struct, frozen=True, tag="quality"):
    """The proctor asked for a quality by a command."""

    level: Literal["full", "reduced", "least"]
    command: str


class SnapshotBegun(msgspec.Struct, frozen=True, tag="snapshot"):
    """A picture is being taken for a command. Whether it came to the record only the service can tell, from here on."""

    command: str


class ChatTaken(msgspec.Struct, frozen=True, tag="chat"):
    """A chat message was sent or came; `at_ms` is when."""

    chat: Chat
    at_ms: int


class ChatMarked(msgspec.Struct, frozen=True, tag="chat_mark"):
    """A chat message was delivered or read."""

    id: str
    mark: Literal["delivered", "read"]
    at_ms: int


class EndOrdered(msgspec.Struct, frozen=True, tag="end_ordered"):
    """The service said that it ended the session."""

    reason: str


class KeyVerified(msgspec.Struct, frozen=True, tag="msb_key"):
    """The MSB Key was verified: what it says, and who signed it. An agent that comes back need not judge it again, by a clock
    that may be past its end."""

    claims: MsbClaims
    kid: str
    at_ms: int


class RuleOverridden(msgspec.Struct, frozen=True, tag="override"):
    """The proctor let the exam go on without a rule of the lockdown."""

    rule: RuleId
    at_ms: int
    by: str
    reason: str
    command: str


class WindowLeft(msgspec.Struct, frozen=True, tag="window_left"):
    """The candidate left the exam window, for the `times`th time that counts."""

    times: int


class QuitTried(msgspec.Struct, frozen=True, tag="quit_tried"):
    """A quit password is being looked at. That it was right shows by the end of the session."""

    at_ms: int


After = (
    Started
    | StateEntered
    | CommandMoved
    | AcknowledgementSwitched
    | AuthorizationMoved
    | QualityAsked
    | SnapshotBegun
    | ChatTaken
    | ChatMarked
    | EndOrdered
    | KeyVerified
    | RuleOverridden
    | WindowLeft
    | QuitTried
)
"""What may follow the registration."""
Entry = Registered | After


class Journal:
    """An open journal file. Use it as a context manager, or close it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._cut_torn_tail()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)

    def write(self, entry: Entry) -> None:
        """Append an entry; it is on the disk when this returns. Raises OSError; then nothing of it stays."""
        line = _line(entry)
        if (taken := os.write(self._file, line)) < len(line):  # a disk that fills up takes a part, without an error
            os.ftruncate(self._file, os.fstat(self._file).st_size - taken)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file; twice is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cut_torn_tail(self) -> None:
        if not self.path.exists():
            return
        whole = sum(map(len, _whole_lines(self.path)))
        if whole < self.path.stat().st_size:
            os.truncate(self.path, whole)


def read(path: Path) -> Iterator[Entry]:
    """The entries of a journal, up to the first line that does not check. Raises OSError."""
    for line in _whole_lines(path):
        try:
            yield msgspec.json.decode(line[9:], type=Entry)
        except msgspec.ValidationError as error:
            log.warning("an entry of the journal is passed over: %s", error)


def _whole_lines(path: Path) -> Iterator[bytes]:
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n") or line[:9] != b"%08x " % zlib.crc32(line[9:].rstrip(b"\n")):
            return
        yield line


def _line(entry: Entry) -> bytes:
    text = msgspec.json.encode(entry)
    return b"%08x %b\n" % (zlib.crc32(text), text)
