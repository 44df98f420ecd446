"""The whole agent with the real guard, over a place whose machine is a dictionary; and what an agent that died left on it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect

from secureproctor.agent.app import Agent, Machine, lockdown_dir, running
from secureproctor.agent.clock import boot_id, boot_us, wall_ms
from secureproctor.agent.giving_back import GivingBack
from secureproctor.agent.local.pairing import find
from secureproctor.agent.session.capturing import Capturing
from secureproctor.agent.session.folder import SessionFolder
from secureproctor.agent.session.journal import Journal, Registered, Started, StateEntered, WindowLeft
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.recording import record_in
from secureproctor.config.settings import Settings
from secureproctor.contract import jws
from secureproctor.contract.attestation import TYPE, Claims
from secureproctor.contract.http import InitData
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.leash import Guardian
from secureproctor.lockdown.rule import Place, Sighting
from secureproctor.lockdown.undo import Undo
from tests.agent.conftest import init_data, until
from tests.agent.guards import FakeFacts
from tests.agent.local.conftest import Caller
from tests.lockdown import fakes

NOBODY = "http://127.0.0.1:9"
PAGE = "https://exam.example"
LOCKED: dict[str, Any] = {
    "navigation_control": True,
    "lockdown": LockdownSettings(browsing_tolerance=3, while_paused="lifted"),
}


@dataclass
class Desktop:
    """A user's folders, and a machine whose values a lockdown changes."""

    folder: Path
    machine: fakes.Machine = field(default_factory=fakes.Machine)
    faults: fakes.Faults = field(default_factory=fakes.Faults)
    facts: FakeFacts = field(default_factory=FakeFacts)
    places: list[fakes.FakePlace] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(
            service_url=NOBODY,
            local_port=0,
            allowed_origins=(PAGE,),
            state_dir=str(self.folder / "state"),
            runtime_dir=str(self.folder / "run"),
        )

    @property
    def place(self) -> fakes.FakePlace:
        return self.places[-1]

    def open_place(self) -> Place:
        self.places.append(fakes.FakePlace(self.machine, self.faults))
        return self.places[-1].opened()

    def guardian(self, folder: Path) -> Guardian:
        return fakes.FakeGuardian().start(folder)

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[Agent]:
        async with running(self.settings, Machine(self.open_place, self.facts, self.guardian)) as agent:
            conductor = agent.conductor
            conductor.capturing = Capturing(_no_capture, conductor.source_reported, record_in)

            async def only_lockdown(*args: Any) -> tuple[()]:
                assert conductor.session is not None
                await conductor.locking.probe(conductor.session)
                return ()

            conductor.checks = only_lockdown
            await asyncio.sleep(0)  # it looks for left sessions before any page can be there
            yield agent

    @asynccontextmanager
    async def page(self, agent: Agent) -> AsyncIterator[Caller]:
        pairing = find(self.folder / "run")
        assert pairing is not None
        async with connect(pairing.address, origin=PAGE, close_timeout=0.2) as socket:  # type: ignore[arg-type]  # a text
            page = Caller(socket)
            await page.result("hello", tab="t-1")
            yield page

    def left_by_a_dead_agent(self, data: InitData, state: str = "running") -> None:
        """A journal of a session that went on, and a rule that was applied."""
        folder = SessionFolder(Path(self.settings.state_dir) / "sessions" / data.session_id.replace("-", ""))
        with Journal(folder.journal) as journal:
            journal.write(Registered(data, NOBODY, wall_ms()))
            journal.write(Started(boot_us() - 1_000_000, wall_ms(), boot_id()))
            journal.write(StateEntered(state, wall_ms(), 1000))
            journal.write(WindowLeft(2))
        undo = Undo(lockdown_dir(self.settings), "fake")
        undo.folder.mkdir(parents=True)
        undo.keep("power", {"was": {"power.set": "as it was", "power.new": None}, "ours": fakes.OURS})
        self.machine.put("power.set", fakes.OURS)
        self.machine.put("power.new", fakes.OURS)


def _no_capture(*args: Any) -> Any:
    return SimpleNamespace(
        start=lambda: None, wait_started=lambda timeout_s: {}, set_quality=lambda level: None, stop=lambda: None
    )


def phase(agent: Agent) -> str:
    session = agent.conductor.session
    assert session is not None
    assert session.lockdown is not None
    return session.lockdown.phase


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desktop:
    monkeypatch.setattr("secureproctor.agent.app.SHUT_DOWN_PATIENCE_S", 0.05)  # there is no service to deliver to
    return Desktop(tmp_path)


async def begun(agent: Agent, **settings: Any) -> None:
    await agent.conductor.register(init_data(**{**LOCKED, **settings}))
    await agent.conductor.check_system()
    await agent.conductor.start()


async def test_an_exam_without_lockdown_opens_no_place(desktop: Desktop) -> None:
    async with desktop.agent() as agent:
        await agent.conductor.register(init_data())
        agent.conductor.checks = _passed
        await agent.conductor.check_system()
        await agent.conductor.start()
        assert agent.conductor.state == "running"
    assert desktop.places == []
    assert not lockdown_dir(desktop.settings).exists()


async def _passed(*args: Any) -> tuple[()]:
    return ()


async def test_the_machine_is_locked_while_the_exam_runs_and_as_before_after_it(desktop: Desktop) -> None:
    before = desktop.machine.values
    async with desktop.agent() as agent, desktop.page(agent) as page:
        await begun(agent)
        assert desktop.machine.get("power.set") == fakes.OURS
        assert desktop.place.grabs
        desktop.place.see(Sighting("focus", "left_window", {"program": "mail", "how": "window"}, "1"))
        warning = await page.told("warning")
        assert (warning["kind"], warning["left"]) == ("left_window", 2)
        status = await page.result("hello", tab="t-1")
        assert (status["lockdown"]["phase"], status["lockdown"]["away"]) == ("locked", 1)
        assert _attested(agent).phase == "locked"
        await agent.conductor.pull(Trigger.PAUSE, "proctor")
        assert desktop.machine.values == before
        await agent.conductor.pull(Trigger.RESUME, "proctor")
        assert desktop.machine.values != before
        await agent.conductor.end(Trigger.STOP, "Stop")
        assert desktop.machine.values == before
        assert phase(agent) == "released"
        assert desktop.place.events[-1] == ("close", "fake")


async def test_an_agent_that_is_shut_down_gives_the_machine_back(desktop: Desktop) -> None:
    before = desktop.machine.values
    async with desktop.agent() as agent:
        await begun(agent)
        assert desktop.machine.values != before
    assert desktop.machine.values == before
    assert not list(lockdown_dir(desktop.settings).glob("*.json"))


async def test_a_rule_that_cannot_be_applied_leaves_nothing_applied(desktop: Desktop) -> None:
    before = desktop.machine.values
    desktop.faults.apply.add("printing")
    async with desktop.agent() as agent:
        with pytest.raises(Exception, match="printing cannot be applied"):
            await begun(agent, lockdown=LockdownSettings(required=("printing",)))
        assert agent.conductor.state == "ready"
        assert desktop.machine.values == before


async def test_what_a_dead_agent_left_is_restored_before_anything_else_and_on_the_record(desktop: Desktop) -> None:
    """And the session that goes on is locked again as soon as its page is here."""
    before = desktop.machine.values
    desktop.left_by_a_dead_agent(init_data(**LOCKED))
    desktop.facts.add(300, "/usr/bin/chromium")
    desktop.facts.anybody = 300
    told: list[str] = []
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(desktop.agent())
        assert desktop.machine.values == before
        await until(lambda: agent.conductor.state == "running")
        session = agent.conductor.session
        assert session is not None
        await until(lambda: "lockdown_left_behind" in _events(session, told))
        assert session.lockdown is not None
        assert (session.lockdown.tolerance.times, session.lockdown.phase) == (2, "off")
        page = await stack.enter_async_context(desktop.page(agent))
        await until(lambda: phase(agent) == "locked")
        assert desktop.machine.values != before
        desktop.facts.kill(300)
        await until(lambda: phase(agent) == "lifted")
        assert desktop.machine.values == before
        assert page.events
        await agent.conductor.end(Trigger.STOP, "Stop")
    assert desktop.machine.values == before


def _attested(agent: Agent) -> Claims:
    """What the next heartbeat attests."""
    session = agent.conductor.session
    assert session is not None
    assert session.attestations is not None
    assert session.channel.heartbeat().attestation == ""
    session.attestations.heard("nonce")
    token = jws.read(session.channel.heartbeat().attestation, TYPE)
    return msgspec.json.decode(jws.verify(token, session.attestations.key.x), type=Claims)


def _events(session: Any, told: list[str]) -> list[str]:
    """The kinds that wait for a service that is not there."""
    waiting = session.channel.protocol.link.waiting.values()
    told[:] = [str(json.loads(body).get("kind", "")) for body in waiting]
    return told


async def test_a_machine_that_cannot_be_given_back_keeps_no_agent_from_starting(desktop: Desktop) -> None:
    desktop.left_by_a_dead_agent(init_data(**LOCKED), "ended")
    desktop.faults.restore.add("power")
    async with desktop.agent() as agent:
        await until(lambda: agent.conductor.session is not None)
        assert [path.stem for path in lockdown_dir(desktop.settings).glob("*.json")] == ["power"]
    desktop.faults.restore.clear()
    async with desktop.agent():
        assert not list(lockdown_dir(desktop.settings).glob("*.json"))


async def test_what_is_stuck_is_tried_again_until_it_is_given_back(desktop: Desktop) -> None:
    before = desktop.machine.values
    desktop.left_by_a_dead_agent(init_data(**LOCKED), "ended")
    desktop.faults.restore.add("power")
    giving_back = GivingBack(lockdown_dir(desktop.settings), desktop.open_place, again_s=0.01)
    restored = await giving_back.now()
    assert [rule for rule, _ in restored.stuck] == ["power"]
    trying = asyncio.create_task(giving_back.until_done(restored))
    await until(lambda: len(desktop.places) > 2)
    desktop.faults.restore.clear()
    await asyncio.wait_for(trying, 10)
    assert desktop.machine.values == before
