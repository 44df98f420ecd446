"""One round: an exam under way on the desktop, a sudden death at a random moment, and the look whether all is as it was.

What is killed is one of VICTIMS; when, one of STAGES, and a random moment in it: while rules are applied, verified, restored.
Both are drawn from the round's own seed, so that a round can be played again, as far as two processors allow.
"""

import contextlib
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from secureproctor.benchmarks.told import Talker, talking
from secureproctor.lockdown.left import take_notes
from secureproctor.lockdown.undo import Undo
from tests.lockdown.chaos.desktop import Desktop, Snapshot, changed
from tests.lockdown.chaos.looks import LOOK_S, check, named, rest, strays, wait_for

STAGES = {"applying": 0.6, "held": 1.5, "releasing": 0.2}
"""About how long each takes, in seconds: the victim dies within."""
RESTORERS = ("next agent", "next exam", "unlock")
FAR_S = (0.0, 0.1, 1.5)
"""Two deaths of one round are at most so far apart."""


@dataclass(slots=True)
class Outcome:
    """Of a round. `took_ms` is what came of the death, and how long after it (or after its own start); `broken` is empty when
    all promises were kept; `faults` are lines of the logs."""

    number: int
    victim: str
    stage: str = ""
    took_ms: dict[str, float] = field(default_factory=dict)
    broken: str = ""
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Round:
    """A round under way. `within_s` is how soon a guardian must have given the machine back."""

    desktop: Desktop
    chance: random.Random
    within_s: float
    outcome: Outcome
    life: ExitStack = field(default_factory=ExitStack)
    restorer: str = ""
    folder: Path = Path()
    browser: Talker | None = None
    agent: Talker | None = None
    window: int = 0
    before: Snapshot = field(default_factory=dict)

    def play(self) -> None:
        """All of it. Raises Broken, and DeskError when a program does not do what it was told."""
        self.restorer = RESTORERS[self.outcome.number // len(VICTIMS) % len(RESTORERS)]
        self.folder = self.desktop.folder / f"round-{self.outcome.number}"
        self.folder.mkdir()
        try:
            with self.life:
                self._open_exam()
                self._go_to_stage()
                VICTIMS[self.outcome.victim](self)
                self._nothing_is_left()
        finally:
            for each in strays(self.desktop.folder):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()

    # the course of a round

    def _open_exam(self) -> None:
        self.browser = self._start("browser", "secureproctor.demo.intruder")
        self.browser.tell("window")
        browser = self.browser.process.pid
        self.window = wait_for(lambda: self.desktop.window_of(browser), "the exam's window is there")
        self._settle()
        self.before = self.desktop.snapshot(self.window)
        self.agent = self.start_agent("agent")

    def _settle(self) -> None:
        """Until the window manager is done with the new window."""
        then = self.desktop.snapshot(self.window)
        while then != (now := self.desktop.snapshot(self.window)):
            then = now

    def _go_to_stage(self) -> None:
        agent, stage = self.agent_of(), self.chance.choice(list(STAGES))
        self.outcome.stage = stage
        agent.tell("lock")
        agent.until("began", "lock")
        if stage != "applying":
            agent.until("ended", "lock")
            check(self.changed(), "locked, the desktop is as it was before: nothing is tried here")
        if stage == "releasing":
            agent.tell("unlock")
            agent.until("began", "unlock")
        rest(self.chance.random() * STAGES[stage])

    def _nothing_is_left(self) -> None:
        """No process, no file, no word of a fault."""
        if self.browser is not None:
            with contextlib.suppress(ProcessLookupError):
                self.browser.process.kill()
                self.browser.process.wait()
        wait_for(lambda: not strays(self.desktop.folder), lambda: f"processes are left: {named(self.desktop.folder)}")
        undo = Undo(self.undo_folder)
        check(undo.is_empty and not undo.aside, f"files are left: {undo.files()} {undo.aside}")
        check(not list(self.undo_folder.glob("*.part")), "a half-written file is left")
        self.outcome.faults += [line for line in self.logged() if "Traceback" in line or "fault" in line]

    # what is killed

    def kill_agent(self) -> None:
        agent = self.agent_of()
        agent.process.kill()
        agent.process.wait()
        self.guardian_restores()

    def kill_guardian(self) -> None:
        agent = self.agent_of()
        first = wait_for(self.guardian, "the agent has a guardian") if self.outcome.stage == "applying" else None
        if first is None and (first := self.guardian()) is None:
            return self.agent_unlocks()  # it was released, and the guardian was done already
        died = time.monotonic()
        with contextlib.suppress(psutil.NoSuchProcess):  # it was done in this moment
            first.kill()
        if self.outcome.stage != "releasing":
            wait_for(lambda: self._another(first), "the agent starts another guardian")
            agent.until("saw", "guardian_gone")
            self.took("agent starts another", died)
            agent.until("ended", "lock")
            check(self.changed(), "the lockdown ended with its guardian")
            if self.chance.random() < 0.5:
                return self.kill_agent()
        return self.agent_unlocks()

    def kill_both(self) -> None:
        deaths: list[Callable[[], None]] = [self._agent_dies, self._guardian_dies]
        self.chance.shuffle(deaths)
        deaths[0]()
        rest(self.chance.random() * self.chance.choice(FAR_S))
        deaths[1]()
        self.restore()

    def kill_browser(self) -> None:
        assert self.browser is not None
        self.browser.process.kill()
        self.browser.process.wait()
        self.window = 0
        del self.before["exam window"]
        rest(self.chance.random() * self.chance.choice(FAR_S))
        self.agent_unlocks()

    def kill_x_server(self) -> None:
        """What becomes of the agent then is drawn: it unlocks, also only when there is a next server; it dies; both die."""
        agent, died = self.agent_of(), time.monotonic()
        self.desktop.kill()
        self.window = 0
        del self.before["exam window"]
        if self.outcome.stage == "held":
            agent.until("saw", "rule_undone", since=died)
        what = self.chance.choice(("unlocks", "lives on", "dies", "both die"))
        if what == "lives on":
            self.desktop.begin_again()
            rest(self.chance.random() * self.chance.choice(FAR_S))
        if what in ("unlocks", "lives on"):
            self._unlocks_without_server()
        if what == "both die":
            self._guardian_dies()
        agent.process.kill()
        agent.process.wait()
        if what == "dies":
            wait_for(lambda: Undo(self.undo_folder).is_empty, "the guardian is done without a server", self.within_s)
            self.took("guardian, without server", died)
        if what != "lives on":
            self.desktop.begin_again()
        self._server_is_untouched()
        self.restore()
        self._server_is_untouched()

    def _unlocks_without_server(self) -> None:
        agent, began = self.agent_of(), time.monotonic()
        if self.outcome.stage == "releasing":
            agent.until("ended", "unlock")
        else:
            wait_for(lambda: agent.find("ended", "lock") or agent.find("refused", "lock"), "to lock comes to an end")
            agent.tell("unlock")
            check(len(agent.until("ended", "unlock").words) == 2, "something is stuck in a server that is gone")
        self.took("agent unlocks without server", began)
        check(agent.finish() == 0, "the agent ended with a fault")

    def _server_is_untouched(self) -> None:
        """The next one is as the last one was. The desktop's settings are not the server's, and may wait to be restored."""
        now = {**self.desktop.snapshot(), "settings": self.before["settings"]}
        check(not (why := changed(self.before, now)), f"the next server is not as the last one was: {why}")

    # who restores

    def guardian_restores(self) -> None:
        """At once."""
        died = time.monotonic()
        done = self.wait_until_as_before("the guardian gives the machine back", self.within_s)
        by = {note.by for note in take_notes(self.undo_folder)}
        self.outcome.took_ms["guardian" if by else "nothing to restore"] = (done - died) * 1e3

    def agent_unlocks(self) -> None:
        """The exam goes to its end."""
        agent = self.agent_of()
        if self.outcome.stage != "releasing":
            agent.until("ended", "lock")
            agent.tell("unlock")
        ended = agent.until("ended", "unlock")
        check(len(ended.words) == 2, f"stuck after unlock: {ended.words[2:]}")
        self.outcome.took_ms["agent unlocks"] = (ended.at - agent.until("began", "unlock").at) * 1e3
        check(not (why := self.changed()), f"after unlock: {why}")
        check(agent.finish() == 0, "the agent ended with a fault")

    def restore(self) -> None:
        """By who is next. What a guardian has begun meanwhile, it may end."""
        began = time.monotonic()
        {"next agent": self._next_agent, "next exam": self._next_exam, "unlock": self._unlock}[self.restorer]()
        self.took(self.restorer, began)
        check(not (why := self.changed()), f"restored by the {self.restorer}: {why}")

    def _next_agent(self) -> None:
        agent = self.start_agent("next-agent")
        check(not [word for word in agent.until("ready").words if word.startswith("stuck")], "stuck at the next agent")
        check(agent.finish() == 0, "the next agent ended with a fault")

    def _next_exam(self) -> None:
        agent = self.start_agent("next-exam")
        for order in ("lock", "unlock"):
            agent.tell(order)
            check(len(agent.until("ended", order).words) == 2, f"the next exam's {order} leaves something stuck")
        check(agent.finish() == 0, "the next exam's agent ended with a fault")

    def _unlock(self) -> None:
        words = ["unlock", "--state-dir", str(self.folder)]
        unlock = self._start("unlock", "secureproctor.agent", *words)
        check(unlock.finish() == 0, f"secureproctor unlock: {unlock.said.read_text()}")

    # looks and steps

    @property
    def undo_folder(self) -> Path:
        return self.folder / "lockdown"

    def agent_of(self) -> Talker:
        assert self.agent is not None
        return self.agent

    def start_agent(self, name: str) -> Talker:
        browser = self.browser.process.pid if self.browser is not None else 0
        agent = self._start(name, "secureproctor.benchmarks.lone_lockdown", str(self.undo_folder), str(browser))
        agent.until("ready")
        return agent

    def _start(self, name: str, module: str, *arguments: str) -> Talker:
        return self.life.enter_context(
            talking(module, list(arguments), self.desktop.environment, self.folder / f"{name}.x")
        )

    def changed(self) -> str:
        return changed(self.before, self.desktop.snapshot(self.window))

    def wait_until_as_before(self, what: str, within_s: float) -> float:
        """When it was."""
        deadline = time.monotonic() + within_s
        while True:
            now = time.monotonic()
            why = "before-images are left" if not Undo(self.undo_folder).is_empty else self.changed()
            if not why:
                return now
            check(now < deadline, f"{what}: not within {within_s:g} s: {why}")
            rest(LOOK_S)

    def took(self, what: str, since: float) -> None:
        self.outcome.took_ms[what] = (time.monotonic() - since) * 1e3

    def guardian(self) -> psutil.Process | None:
        """The agent's guardian at this moment."""
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(self.agent_of().process.pid).children():
                with contextlib.suppress(psutil.Error):
                    if "secureproctor.lockdown.guardian" in each.cmdline():
                        return each
        return None

    def _another(self, first: psutil.Process) -> bool:
        return self.guardian() not in (None, first)

    def _agent_dies(self) -> None:
        self.agent_of().process.kill()
        self.agent_of().process.wait()

    def _guardian_dies(self) -> None:
        """Also one whose agent is dead already."""
        for each in strays(self.desktop.folder):
            with contextlib.suppress(psutil.Error):
                if "secureproctor.lockdown.guardian" in each.cmdline():
                    each.kill()

    def logged(self) -> list[str]:
        """What the agents and guardians of this round wrote for those who look for faults."""
        logs = [*self.folder.glob("*.log"), *self.undo_folder.glob("*.log")]
        return [line for log in logs for line in log.read_text().splitlines()]


VICTIMS: dict[str, Callable[[Round], None]] = {
    "agent": Round.kill_agent,
    "guardian": Round.kill_guardian,
    "both": Round.kill_both,
    "browser": Round.kill_browser,
    "X server": Round.kill_x_server,
}
