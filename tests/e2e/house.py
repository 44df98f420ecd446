"""The whole house as it stands at a candidate's: desk, service and agent, all real programs, and a look behind the scenes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import msgspec
from websockets.sync.client import ClientConnection, connect

from secureproctor.benchmarks.page import Frame, WholeReport
from secureproctor.contract import page as contract
from secureproctor.contract.report import Report
from secureproctor.contract.signing import joined_values, sign_body
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import PUBLIC_KEY
from tests.e2e import programs

SIZE, FPS = (1024, 640), 5
PATIENCE_S = 60.0
T = TypeVar("T")


def until(look: Callable[[], T], holds: Callable[[T], object], what: str, within_s: float = PATIENCE_S) -> T:
    """The first thing seen for which it holds. Raises AssertionError with the last one."""
    deadline = time.monotonic() + within_s
    while not holds(seen := look()):
        assert time.monotonic() < deadline, f"waited {within_s} s in vain for {what}; the last was {seen}"
        time.sleep(0.03)
    return seen


@dataclass(slots=True)
class House:
    """All programs of a candidate's computer and of the service."""

    pc: Desk
    service: programs.Service
    agent: programs.Agent

    @contextmanager
    def local_program(self) -> Iterator["LocalProgram"]:
        """A paired program on the candidate's computer."""
        headers = {"Authorization": f"Bearer {self.agent.pairing.token}"}
        with connect(self.agent.address, additional_headers=headers, proxy=None, max_size=None) as socket:
            yield LocalProgram(socket)

    def status(self) -> contract.Status:
        """The agent's own word."""
        with self.local_program() as program:
            return program.call("hello", contract.Status)

    def until_status(self, holds: Callable[[contract.Status], object], what: str) -> contract.Status:
        """The agent's first status for which it holds."""
        return until(self.status, holds, what)

    def report(self, user: str, group: str) -> Report:
        """The report of a user's newest session, as the exam's server fetches it."""
        query = {"publicKey": PUBLIC_KEY, "groupName": group, "userId": user, "reportFormat": "json"}
        headers = {"Authorization": sign_body(self.service.private_key, joined_values(query).encode())}
        answer = httpx.get(f"{self.service.url}/v2/report/", params=query, headers=headers, trust_env=False)
        return msgspec.json.decode(answer.raise_for_status().content, type=WholeReport).report

    def clear(self) -> None:
        """End a session that a failed test left."""
        with self.local_program() as program:
            if program.call("hello", contract.Status).state not in ("idle", "ended"):
                program.call("stop", contract.Status)


@dataclass(slots=True)
class LocalProgram:
    """A connection to the agent that is no page."""

    socket: ClientConnection
    calls: int = 0

    def call(self, method: str, kind: type[T], params: Any = None) -> T:
        """A call and its answer. Raises DeskError with the agent's own words."""
        self.calls += 1
        request = {"jsonrpc": "2.0", "id": self.calls, "method": method} | ({"params": params} if params else {})
        self.socket.send(msgspec.json.encode(request).decode())
        while True:
            frame = msgspec.json.decode(self.socket.recv(PATIENCE_S), type=Frame)
            if frame.id != self.calls:
                continue  # a notification
            if frame.error is not None:
                info = frame.error.data
                raise DeskError(info.code, info.message, info.remedy)
            return msgspec.json.decode(frame.result, type=kind)


@contextmanager
def house(origin: str = "") -> Iterator[House]:
    """A house as long as the block lasts; an exam's pages of this origin may come in."""
    from_exam = ("--origin", origin) if origin else ()
    with desk(size=SIZE, fps=FPS) as pc, programs.service(pc.folder, pc.environment, *from_exam) as service:
        options = ("--test-camera", pc.camera_url or "", *(("--allowed-origins", origin) if origin else ()))
        with programs.agent(pc.folder, pc.environment, service.url, *options) as agent:
            yield House(pc, service, agent)
