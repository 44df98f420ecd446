"""The second transport: a program that the browser starts for a page, between its extension and the running agent.

    page ↔ extension ↔ (standard input and output, native_framing.py) ↔ this ↔ (the agent's WebSocket, paired) ↔ agent

It needs no permission for loopback addresses, and the browser starts it when a page wants it; it starts the agent in turn
(reaching.py). It decides nothing: it names the page's origin, as the browser knows it, and the agent's door decides.

Two threads, one for each direction, and one that reads standard input, so that nothing has to be interrupted: pipes of the
standard streams cannot be waited for together on every OS. Nothing is kept beyond a few messages: a browser that does not
read stops this program, whose agent then drops it as any slow reader. Not yet run on Windows and macOS.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from secureproctor.agent.local.door import MAX_FRAME_MESSAGE
from secureproctor.agent.local.native_framing import Carried, Closed, Deframer, Opening, Oversized, carried, framed
from secureproctor.agent.local.reaching import Denied
from secureproctor.contract.errors import ErrorInfo, Refusal
from secureproctor.contract.page import RPC_CODES

CHUNK = 64 * 1024
WAITING_MESSAGES = 8

Reach = Callable[[str, Callable[[], bool]], ClientConnection]
"""Gives the agent for a page of an origin, unless nobody wants it any more. Raises Denied."""


class BrowserGone(Exception):
    """The browser closed its end."""


class _Asked(msgspec.Struct):
    """What is needed of a frame to refuse it."""

    id: int | str | None = None


@dataclass(slots=True)
class Browser:
    """The browser's end, by two file descriptors."""

    source: int
    sink: int
    gone: threading.Event = field(default_factory=threading.Event)
    _inbox: queue.Queue[bytes | Oversized | None] = field(default_factory=lambda: queue.Queue(WAITING_MESSAGES))
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def listen(self) -> threading.Thread:
        """Read from now on, in a thread that ends with the input, or with the program."""
        thread = threading.Thread(target=self._read, name="browser", daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        deframer = Deframer()
        while data := _read(self.source):
            for message in deframer.feed(data):
                self._inbox.put(message)
        self.gone.set()
        self._inbox.put(None)

    @property
    def waiting(self) -> int:
        """Messages that were read and not yet taken."""
        return self._inbox.qsize()

    def opening(self) -> Opening:
        """The first message. Raises BrowserGone, also when it is none."""
        message = self._inbox.get()
        try:
            return msgspec.json.decode(message, type=Opening) if isinstance(message, bytes) else _nothing()
        except ValueError:
            raise BrowserGone from None

    def frames(self, block: bool = True) -> Iterator[bytes]:
        """The page's frames, until the browser is gone (or, without blocking, until none waits). Others are refused."""
        try:
            while (message := self._inbox.get(block)) is not None:
                if (frame := self._taken(message)) is not None:
                    yield frame
        except queue.Empty:
            return

    def _taken(self, message: bytes | Oversized) -> bytes | None:
        too_long = Refusal("message_too_long", limit=MAX_FRAME_MESSAGE).info
        if isinstance(message, Oversized):
            self.refuse(b"{}", too_long)
            return None
        try:
            frame = bytes(msgspec.json.decode(message, type=Carried).frame)
        except ValueError as error:
            self.refuse(b"{}", Refusal("body_malformed", why=error).info)
            return None
        if len(frame) > MAX_FRAME_MESSAGE:
            self.refuse(frame, too_long)
            return None
        return frame

    def refuse(self, frame: bytes, info: ErrorInfo) -> None:
        """Answer a frame of the page as the agent refuses it: a JSON-RPC error with code and remedy."""
        error = {"code": RPC_CODES["refused"], "message": info.message, "data": info}
        answer = {"jsonrpc": "2.0", "id": _id(frame), "error": error}
        self.write(framed(Carried(msgspec.Raw(msgspec.json.encode(answer)))))

    def close(self, info: ErrorInfo) -> None:
        """Say why it ends; what the page has asked meanwhile is answered with it."""
        for frame in self.frames(block=False):
            self.refuse(frame, info)
        self.write(framed(Closed(info)))

    def write(self, message: bytes) -> None:
        """Write a whole message, as fast as the browser reads. Raises BrowserGone."""
        with self._writing:
            try:
                while message:
                    message = message[os.write(self.sink, message) :]
            except OSError:
                raise BrowserGone from None


def bridge(browser: Browser, reach: Reach) -> int:
    """Carry frames until either side ends; the exit code: 0, or 1 when there was no agent."""
    browser.listen()
    try:
        agent = reach(browser.opening().origin, browser.gone.is_set)
    except BrowserGone:
        return 0
    except Denied as denied:
        return _without_agent(browser, denied.info)
    with agent:
        forward = threading.Thread(target=_to_agent, args=(browser, agent), name="agent", daemon=True)
        forward.start()
        return _to_browser(browser, agent)


def _without_agent(browser: Browser, info: ErrorInfo) -> int:
    if browser.gone.is_set():
        return 0
    try:
        browser.close(info)
    except BrowserGone:
        return 0
    return 1


def _to_browser(browser: Browser, agent: ClientConnection) -> int:
    try:
        why = _carry_all(browser, agent)
        if not browser.gone.is_set():
            browser.close(Refusal("agent_gone", why=why).info)
    except BrowserGone:
        pass
    return 0


def _carry_all(browser: Browser, agent: ClientConnection) -> str:
    """All frames of the agent; why there are no more."""
    try:
        while True:
            for message in carried(agent.recv(decode=True)):
                browser.write(message)
    except ConnectionClosed as closed:
        return (closed.rcvd.reason if closed.rcvd else "") or "it was ended or restarted"


def _to_agent(browser: Browser, agent: ClientConnection) -> None:
    try:
        for frame in browser.frames():
            agent.send(frame, text=True)
    except (ConnectionClosed, BrowserGone):
        pass
    finally:
        agent.close()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK)
    except OSError:  # a browser that was killed may leave a broken pipe
        return b""


def _nothing() -> Opening:
    raise BrowserGone


def _id(frame: bytes) -> int | str | None:
    try:
        return msgspec.json.decode(frame, type=_Asked).id
    except ValueError:
        return None
