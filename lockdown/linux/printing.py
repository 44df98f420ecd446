"""Printing: new jobs of CUPS are seen, by asking its scheduler through its socket (IPP, RFC 8011, operation Get-Jobs).

To prevent printing takes the administrator's rights. A look never waits: what was asked in one call is read in a later one.
The answers are searched for one attribute, `job-id`, and not parsed further: no title, no owner.
Not yet run with a real CUPS.
"""

import contextlib
import re
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.observing import Observing

SOCKET = Path("/run/cups/cups.sock")
LOOK_S = 2.0
MOST = 1 << 20
GET_JOBS = 0x000A
OPERATION_ATTRIBUTES, END = b"\x01", b"\x03"
CHARSET, LANGUAGE, URI, KEYWORD = 0x47, 0x48, 0x45, 0x44
"""Tags of values (RFC 8010, section 3.5.2)."""
JOB_ID = re.compile(rb"\x21\x00\x06job-id\x00\x04(.{4})", re.DOTALL)
"""An integer (0x21) with this name, and its four bytes."""


def request() -> bytes:
    """Get-Jobs for all printers, also jobs that are done: a short one may be over between two looks."""
    wishes = (
        (CHARSET, b"attributes-charset", b"utf-8"),
        (LANGUAGE, b"attributes-natural-language", b"en"),
        (URI, b"printer-uri", b"ipp://localhost/"),
        (KEYWORD, b"which-jobs", b"all"),
        (KEYWORD, b"requested-attributes", b"job-id"),
    )
    body = struct.pack(">BBHI", 2, 0, GET_JOBS, 1) + OPERATION_ATTRIBUTES
    for tag, name, value in wishes:
        body += struct.pack(">BH", tag, len(name)) + name + struct.pack(">H", len(value)) + value
    body += END
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ipp\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def job_ids(answer: bytes) -> frozenset[int]:
    """The numbers of the jobs in an answer."""
    return frozenset(int.from_bytes(number, "big") for number in JOB_ID.findall(answer))


def _connected(path: Path) -> socket.socket:
    if sys.platform != "win32":
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.setblocking(False)
        try:
            connected.connect(str(path))
        except OSError:
            connected.close()
            raise
        return connected
    raise OSError("Windows has no such sockets")


class Question:
    """One question and its answer, without waiting. Raises OSError when it is opened without a scheduler."""

    def __init__(self, path: Path) -> None:
        self._socket = _connected(path)
        self._answer = b""
        try:
            self._socket.sendall(request())
        except OSError:
            self._socket.close()
            raise

    def answer(self) -> frozenset[int] | None:
        """The jobs; None while the answer is not whole. Raises OSError when it broke off."""
        with contextlib.suppress(BlockingIOError):
            while len(self._answer) < MOST:
                if not (part := self._socket.recv(65536)):
                    return job_ids(self._answer)
                self._answer += part
        return None

    def close(self) -> None:
        """Twice is harmless."""
        self._socket.close()


class PrintingRule(Observing):
    """Tells jobs that were not there when it began."""

    id: RuleId = "printing"

    def __init__(self, path: Path = SOCKET, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._question: Question | None = None
        self._known: frozenset[int] | None = None
        self._next = 0.0

    def probe(self, terms: Terms) -> Probed:
        """`observed`: only an administrator can prevent it."""
        if not self._path.exists():
            return Probed("observed", "No print service runs; if one is started, it is looked after.")
        return Probed("observed", "Only an administrator can prevent printing; what is printed is on the record.")

    def apply(self, terms: Terms, report: Report) -> None:
        """Jobs that are there already are nobody's fault."""
        self.restore({})
        super().apply(terms, report)

    def verify(self) -> bool:
        """Ask or listen, on the way."""
        if self._report is not None:
            self._look()
        return super().verify()

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._give_up()
        self._known, self._next = None, 0.0
        super().restore(image)

    def _look(self) -> None:
        try:
            if self._question is not None:
                self._listen(self._question)
            elif self._clock() >= self._next:
                self._next = self._clock() + LOOK_S
                self._question = Question(self._path)
        except OSError:  # no scheduler, or it is busy: the next look is soon
            self._give_up()

    def _listen(self, question: Question) -> None:
        jobs = question.answer()
        if jobs is None and self._clock() < self._next + LOOK_S:
            return
        self._give_up()
        if jobs is not None:
            for job in sorted(jobs - (jobs if self._known is None else self._known)):
                self._tell(job)
            self._known = jobs if self._known is None else self._known | jobs

    def _tell(self, job: int) -> None:
        if self._report is not None:
            self._report(Sighting(self.id, "print_tried", {"how": "a print job"}, about=str(job)))

    def _give_up(self) -> None:
        if self._question is not None:
            self._question.close()
        self._question = None
