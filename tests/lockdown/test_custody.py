"""A lockdown over a fake place: its order, what it does about faults, and what it tells. Time is the test's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import RULES, RuleId
from secureproctor.lockdown.custody import Custody
from secureproctor.lockdown.news import LockFailed, News, NotEnforceable
from secureproctor.lockdown.rule import Exam, Place, Probed, Sighting
from secureproctor.lockdown.standing import Standings
from secureproctor.lockdown.undo import Undo
from tests.lockdown.conformance import CHECKS, Subject
from tests.lockdown.fakes import POLICIES, FakeGuardian, FakePlace, Faults, Machine, terms

ALL: frozenset[RuleId] = frozenset(RULES)
SUBJECT_MACHINE = Machine()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A custody over a fake place, with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.machine, self.faults, self.clock = folder, Machine(), Faults(), Clock()
        self.was = self.machine.values
        self.told: list[News] = []
        self.guardian = FakeGuardian()
        self.places: list[FakePlace] = []
        self.custody = Custody(self.open_place, folder, self.told.append, self.clock, self.guardian.start)

    def open_place(self) -> Place:
        self.places.append(FakePlace(self.machine, self.faults))
        return self.places[-1].opened()

    @property
    def place(self) -> FakePlace:
        return self.places[-1]

    def acts(self, act: str) -> list[str]:
        return [rule for name, rule in self.place.events if name == act]

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 2)):
            self.clock.now += 0.5
            self.custody.tick()

    def seen(self, kind: str) -> list[Sighting]:
        return [each for each in self.told if isinstance(each, Sighting) and each.kind == kind]

    def phase(self) -> str:
        return self.custody.now.phase

    @property
    def held(self) -> set[RuleId]:
        return {each.rule for each in self.custody.now.rules if each.holds}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "lockdown")
    yield stage
    stage.faults.__init__()  # type: ignore[misc] # nothing goes wrong any more
    stage.custody.unlock("over")
    stage.custody.close()
    assert stage.machine.values == stage.was


# the conformance suite holds for the fakes; without that it would prove nothing about others


def meddle(rule: RuleId) -> Callable[[], bool]:
    key = f"{rule}.set"
    SUBJECT_MACHINE.put(key, "theirs")
    return lambda: SUBJECT_MACHINE.get(key) == "theirs"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("rule", ["power", "keys", "displays"])
def test_a_fake_rule_conforms(rule: RuleId, check: Callable[[Subject, Path], None], tmp_path: Path) -> None:
    def open_place() -> Place:
        return FakePlace(SUBJECT_MACHINE)

    def of_policy() -> Callable[[], bool]:
        return meddle(rule)

    before = SUBJECT_MACHINE.values
    subject = Subject(
        open_place, rule, terms(), lambda: SUBJECT_MACHINE.values, of_policy if rule in POLICIES else None
    )
    check(subject, tmp_path)
    for key, value in before.items():
        SUBJECT_MACHINE.put(key, value)


# order


def test_rules_are_applied_in_their_order_and_restored_in_reverse(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    assert stage.acts("apply") == list(RULES)
    stage.custody.unlock("over")
    assert stage.acts("restore") == list(reversed(RULES))


def test_every_image_is_on_the_disk_before_its_rule_is_applied(stage: Stage) -> None:
    kept: list[tuple[str, bool]] = []
    stage.machine.step = lambda step: kept.append((step, (stage.folder / f"{step[4:].split('.')[0]}.json").exists()))
    stage.custody.lock(terms(), frozenset())
    assert len(kept) == 2 * len(POLICIES)
    assert all(there for _, there in kept)


def test_the_guardian_is_there_before_the_first_image_and_done_after_the_last(stage: Stage) -> None:
    stage.machine.step = lambda _: stage.guardian.events.append("change")
    stage.custody.lock(terms(), frozenset())
    stage.custody.unlock("over")
    assert stage.guardian.events[0] == "start"
    assert stage.guardian.events[-1] == "done"
    assert stage.guardian.events.count("start") == 1
    assert "change" in stage.guardian.events


def test_rules_that_are_not_wanted_are_left_alone(stage: Stage) -> None:
    rules = stage.custody.lock(terms(off=("keys", "power")), frozenset())
    assert {each.rule for each in rules} == ALL - {"keys", "power"}
    assert "keys" not in stage.acts("probe")


def test_probing_applies_nothing_and_holds_nothing(stage: Stage) -> None:
    rules = stage.custody.probe(terms("keys"))
    assert [each.rule for each in rules] == list(RULES)
    assert not any(each.holds for each in rules)
    assert stage.phase() == "probed"
    assert stage.machine.values == stage.was
    assert not stage.folder.exists()
    assert not stage.guardian.events


def test_what_policy_forbids_to_enforce_is_not_applied(stage: Stage) -> None:
    """What observes anyway does so."""
    rules = stage.custody.lock(terms(observe_only=True), frozenset())
    assert {each.rule for each in rules if each.holds} == {rule for rule in RULES if RULES[rule].observes}
    assert all(each.why for each in rules if not each.holds)
    assert stage.machine.values == stage.was


def test_a_policy_that_only_observes_stops_an_exam_that_requires_more(stage: Stage) -> None:
    with pytest.raises(NotEnforceable):
        stage.custody.lock(terms("keys", observe_only=True), frozenset())


# refusals


def test_a_required_rule_that_is_impossible_stops_the_lockdown_before_it_begins(stage: Stage) -> None:
    stage.faults.probed["keys"] = Probed("impossible", "It cannot be.", "Use another system.")
    with pytest.raises(NotEnforceable) as refused:
        stage.custody.lock(terms("keys"), frozenset())
    assert [each.rule for each in refused.value.rules] == ["keys"]
    assert refused.value.rules[0].remedy == "Use another system."
    assert not stage.acts("apply")
    assert not stage.guardian.events
    assert stage.phase() == "probed"


def test_what_the_proctor_overrides_does_not_stop_it(stage: Stage) -> None:
    stage.faults.probed["keys"] = Probed("impossible", "It cannot be.")
    rules = {each.rule: each for each in stage.custody.lock(terms("keys"), frozenset({"keys"}))}
    assert rules["keys"].overridden
    assert not rules["keys"].holds
    assert rules["power"].holds


def test_an_override_after_the_refusal_lets_the_next_lock_pass(stage: Stage) -> None:
    stage.faults.probed["keys"] = Probed("could_not_check", "Nobody knows.")
    with pytest.raises(NotEnforceable):
        stage.custody.lock(terms("keys"), frozenset())
    stage.custody.override("keys")
    stage.custody.lock(terms("keys"), frozenset())
    assert stage.phase() == "locked"


@pytest.mark.parametrize("crash", [False, True], ids=["as it may", "as it must not"])
def test_a_required_rule_that_fails_puts_everything_back(stage: Stage, crash: bool) -> None:
    if crash:
        stage.faults.crash.add(("apply", "printing"))
    else:
        stage.faults.apply.add("printing")
    with pytest.raises(LockFailed) as failed:
        stage.custody.lock(terms("printing"), frozenset())
    assert not failed.value.stuck
    assert stage.machine.values == stage.was
    assert Undo(stage.folder).is_empty
    assert stage.phase() == "probed"
    assert not stage.held
    assert stage.guardian.events == ["start", "done"]


@pytest.mark.parametrize("act", ["before", "apply", "probe"])
def test_a_rule_that_does_what_it_must_not_takes_no_other_one_down(stage: Stage, act: str) -> None:
    stage.faults.crash.add((act, "power"))
    rules = {each.rule: each for each in stage.custody.lock(terms(), frozenset())}
    assert rules["power"].standing == "could_not_check"
    assert "RuntimeError" in rules["power"].why
    assert stage.held == ALL - {"power"}
    assert stage.machine.get("power.new") is None


def test_a_disk_that_does_not_take_the_image_keeps_the_rule_from_being_applied(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LockFailed, match="No space"):
        stage.custody.lock(terms("power"), frozenset())
    assert stage.machine.values == stage.was
    monkeypatch.undo()
    assert Undo(stage.folder).is_empty


def test_without_a_guardian_nothing_is_applied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Path) -> FakeGuardian:
        raise OSError("no more processes")

    custody = Custody(stage.open_place, stage.folder, stage.told.append, stage.clock, failing)
    with pytest.raises(LockFailed, match="no more processes"):
        custody.lock(terms(), frozenset())
    assert not stage.acts("apply")
    custody.close()


def test_no_place_at_all_means_that_nothing_could_be_checked(stage: Stage) -> None:
    stage.faults.open = True
    rules = stage.custody.probe(terms())
    assert {each.standing for each in rules} == {"could_not_check"}
    assert all(each.why for each in rules)
    with pytest.raises(NotEnforceable):
        stage.custody.lock(terms("keys"), frozenset())


# stuck


def test_a_rule_that_is_stuck_is_tried_again_until_it_is_restored(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.faults.restore.add("printing")
    assert stage.custody.unlock("over") == ("printing",)
    assert stage.phase() == "stuck"
    assert [each.rule for each in Undo(stage.folder).left()] == ["printing"]
    assert stage.machine.values == stage.was | {"printing.set": "locked", "printing.new": "locked"}
    tries = len(stage.acts("restore"))
    stage.pass_time(60)
    assert 6 <= len(stage.acts("restore")) - tries <= 15, "the pauses grow, up to a limit"
    stage.faults.restore.clear()
    stage.pass_time(10)
    assert stage.machine.values == stage.was
    assert stage.phase() == "released"
    assert stage.guardian.events[-1] == "done"
    assert {each.detail["rule"] for each in stage.seen("lockdown_stuck")} == {"printing"}


def test_a_stuck_rule_is_not_locked_again_over_its_image(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.faults.restore.add("printing")
    stage.custody.unlock("over")
    with pytest.raises(NotEnforceable):
        stage.custody.lock(terms("printing"), frozenset())
    rules = {each.rule: each for each in stage.custody.lock(terms(), frozenset())}
    assert rules["printing"].standing == "could_not_check"
    assert "restored" in rules["printing"].why
    assert rules["power"].holds


def test_what_an_agent_that_died_has_left_is_restored_before_anything_is_applied(stage: Stage) -> None:
    stage.folder.mkdir(parents=True)
    Undo(stage.folder).keep("power", {"was": {"power.set": "as it was", "power.new": None}, "ours": "locked"})
    stage.machine.put("power.set", "locked")
    stage.machine.put("power.new", "locked")
    stage.custody.lock(terms("power"), frozenset())
    image = Undo(stage.folder).left()[0].image
    assert image["was"] == {"power.set": "as it was", "power.new": None}
    (told,) = stage.seen("lockdown_left_behind")
    assert told.detail == {"by": "agent", "rules": "power"}


# holding


def test_what_is_undone_from_outside_is_applied_again(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.machine.put("power.set", "undone")
    stage.pass_time(1)
    assert stage.machine.get("power.set") == "locked"
    (undone,) = stage.seen("rule_undone")
    assert undone.detail == {"rule": "power", "held": True}
    assert "power" in stage.held


def test_a_fight_over_a_rule_is_bounded(stage: Stage) -> None:
    """Somebody undoes it all the time: it is applied again at growing pauses, and told now and then."""
    stage.custody.lock(terms(), frozenset())
    before = len(stage.acts("apply"))
    for _ in range(120):
        stage.machine.put("power.set", "undone")
        stage.pass_time(0.5)
    assert 6 <= len(stage.acts("apply")) - before <= 15
    assert len(stage.seen("rule_undone")) <= 8
    stage.machine.put("power.set", "locked")  # the last one to set it is us


def test_a_rule_that_cannot_be_applied_again_does_not_hold(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.place.grabs.discard("keys")
    stage.faults.apply.add("keys")
    stage.pass_time(1)
    assert "keys" not in stage.held
    assert stage.seen("rule_undone")[0].detail["held"] is False
    stage.faults.apply.clear()
    stage.pass_time(10)
    assert "keys" in stage.held


def test_a_rule_that_cannot_even_be_verified_takes_no_other_one_down(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.faults.crash.add(("verify", "keys"))
    stage.machine.put("printing.set", "undone")
    stage.pass_time(2)
    assert stage.machine.get("printing.set") == "locked"


def test_a_place_that_was_lost_is_opened_again_and_locked_anew(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    first = stage.place
    stage.faults.pump = stage.faults.open = True
    for _ in range(3):
        stage.custody.pump(0)
    assert ("close", "fake") in first.events
    stage.pass_time(5)
    assert not stage.held
    assert stage.phase() == "locked"
    stage.faults.pump = stage.faults.open = False
    stage.pass_time(10)
    assert stage.place is not first
    assert stage.held == ALL
    stage.custody.unlock("over")
    assert stage.machine.values == stage.was


def test_one_fault_while_waiting_is_no_loss(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.faults.pump = True
    stage.custody.pump(0)
    stage.custody.pump(0)
    stage.faults.pump = False
    stage.custody.pump(0)
    stage.pass_time(2)
    assert len(stage.places) == 1
    assert stage.held == ALL


def test_a_machine_whose_place_is_lost_is_given_back_when_it_can_be_reached_again(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.faults.pump = stage.faults.open = True
    for _ in range(3):
        stage.custody.pump(0)
    assert set(stage.custody.unlock("over")) == ALL
    assert stage.phase() == "stuck"
    stage.faults.pump = stage.faults.open = False
    stage.pass_time(20)
    assert stage.machine.values == stage.was
    assert stage.phase() == "released"


def test_a_guardian_that_is_gone_is_started_again(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.guardian.alive = False
    stage.pass_time(1)
    assert stage.guardian.alive
    assert stage.guardian.events.count("start") == 2
    assert len(stage.seen("guardian_gone")) == 1


# lifting, moving


def test_lifted_the_machine_is_as_before_and_can_be_locked_again(stage: Stage) -> None:
    stage.custody.lock(terms("power"), frozenset())
    stage.custody.lift("paused")
    assert stage.machine.values == stage.was
    assert (stage.custody.now.phase, stage.custody.now.why) == ("lifted", "paused")
    assert not stage.held
    stage.custody.relock()
    assert stage.held == ALL
    assert stage.guardian.events == ["start"], "one guardian from the first lock to the end"


def test_a_relock_that_fails_leaves_the_machine_lifted(stage: Stage) -> None:
    stage.custody.lock(terms("power"), frozenset())
    stage.custody.lift("paused")
    stage.faults.apply.add("power")
    with pytest.raises(LockFailed):
        stage.custody.relock()
    assert stage.phase() == "lifted"
    assert stage.machine.values == stage.was


def test_nothing_can_be_relocked_that_was_never_locked(stage: Stage) -> None:
    with pytest.raises(LockFailed):
        stage.custody.relock()


def test_moved_rules_that_know_the_exam_are_applied_to_it(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.custody.moved(Exam(pid=7, window=8))
    assert stage.held == ALL
    focus = stage.place.rule("focus").terms
    assert focus is not None
    assert focus.exam == Exam(pid=7, window=8)
    assert stage.acts("restore").count("power") == 0
    before = len(stage.place.events)
    stage.custody.moved(Exam(pid=7, window=8))
    assert len(stage.place.events) == before


def test_the_next_exam_counts_from_zero(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.place.see(Sighting("keys", "key_stopped", {"keys": "Alt+Tab"}))
    stage.custody.pump(0)
    assert {each.rule: each.sightings for each in stage.custody.now.rules}["keys"] == 1
    stage.custody.unlock("over")
    assert all(each.sightings == 0 for each in stage.custody.probe(terms()))


# telling


def test_standings_are_told_when_they_change_and_counts_once_a_second(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    stage.told.clear()
    stage.clock.now += 2
    stage.custody.tick()
    for _ in range(50):
        stage.place.see(Sighting("keys", "key_stopped", {"keys": "Alt+Tab"}, about="Alt+Tab"))
        stage.custody.pump(0)
        stage.custody.tick()
    standings = [each for each in stage.told if isinstance(each, Standings)]
    assert len(standings) == 1
    stage.pass_time(2)
    standings = [each for each in stage.told if isinstance(each, Standings)]
    assert len(standings) == 2
    assert {each.rule: each.sightings for each in standings[-1].rules}["keys"] == 50


def test_what_was_seen_again_is_told_at_the_latest_when_the_lockdown_ends(stage: Stage) -> None:
    stage.custody.lock(terms(), frozenset())
    for _ in range(3):
        stage.place.see(Sighting("keys", "key_stopped", {"keys": "Alt+Tab"}))
        stage.custody.pump(0)
    assert len(stage.seen("key_stopped")) == 1
    stage.custody.unlock("over")
    assert [each.detail.get("times") for each in stage.seen("key_stopped")] == [None, 2]
