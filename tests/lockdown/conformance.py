"""What every lockdown rule of every system has to keep, as plain functions: on X11, under Wine, against fakes.

    SUBJECTS = [Subject(open_place, rule, terms, snapshot) for rule in RULES]

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    @pytest.mark.parametrize("subject", SUBJECTS, ids=str)
    def test_rule(subject, check, tmp_path):
        check(subject, tmp_path)

`check_rule(open_place, rule, terms, snapshot)` is all of them in one go. A rule that is not possible here is checked as well:
it must change nothing. Needs the standard library and the product only; it opens and closes every place it uses.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from secureproctor.contract.events import EVENTS
from secureproctor.contract.lockdown import RULES, STANDINGS, LockdownSettings, RuleId
from secureproctor.lockdown.custody import Custody
from secureproctor.lockdown.left import restore_left
from secureproctor.lockdown.news import LockFailed, News, NotEnforceable
from secureproctor.lockdown.rule import (
    ApplyFailed,
    Image,
    OpenPlace,
    Place,
    Probed,
    Report,
    Rule,
    Sighting,
    Terms,
)
from secureproctor.lockdown.undo import Undo
from tests.lockdown.fakes import FakeGuardian

SETTLES_S = 5.0
MOST_VERIFY_S = 0.25
"""A rule promises 10 ms; a busy machine that runs tests gets more."""

Snapshot = Callable[[], object]
Meddle = Callable[[], Callable[[], bool]]
"""Changes from outside what the applied rule had changed; gives a question: is it still as the outsider left it?"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A rule of a place. `snapshot` is everything that the rule may change and that outlives its process, as values that can
    be compared; it is taken with the place open or closed. `meddle`: see Meddle; None: nobody else can change it."""

    open_place: OpenPlace
    rule: RuleId
    terms: Terms
    snapshot: Snapshot
    meddle: Meddle | None = None

    def __str__(self) -> str:
        return self.rule


def probe_before_and_verify_change_nothing(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (_, rule):
        was = subject.snapshot()
        probed = rule.probe(subject.terms)
        rule.before(subject.terms)
        rule.verify()
        assert subject.snapshot() == was
        assert probed.standing in STANDINGS
        assert probed.why or probed.standing == "enforced" or RULES[rule.id].observes, "what is not enforced says why"


def probing_twice_says_the_same(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (_, rule):
        assert rule.probe(subject.terms).standing == rule.probe(subject.terms).standing


def an_image_is_json(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (_, rule):
        image = rule.before(subject.terms)
        assert json.loads(json.dumps(image)) == image
        Undo(folder).keep(subject.rule, image)
        assert [left.image for left in Undo(folder).left()] == [image]


def apply_then_restore_equals_before(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (place, rule):
        was = subject.snapshot()
        with _applied(subject, place, rule) as image:
            pass
        rule.restore(image)
        assert subject.snapshot() == was
    assert subject.snapshot() == was


def applied_it_holds(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (place, rule):
        standing = rule.probe(subject.terms).standing
        with _applied(subject, place, rule) as image:
            if standing in ("enforced", "observed"):
                assert _verified(place, rule)
                began = time.perf_counter()
                rule.verify()
                assert time.perf_counter() - began < MOST_VERIFY_S
        rule.restore(image)


def what_it_reports_is_in_the_vocabulary(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (place, rule):
        seen: list[Sighting] = []
        with _applied(subject, place, rule, seen.append) as image:
            rule.verify()
            place.pump(0.05)
        rule.restore(image)
        assert all(each.kind in EVENTS and each.rule == subject.rule for each in seen), seen
        json.dumps([each.detail for each in seen])


def restoring_twice_is_harmless(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (place, rule):
        was = subject.snapshot()
        with _applied(subject, place, rule) as image:
            pass
        rule.restore(image)
        rule.restore(image)
        assert subject.snapshot() == was


def applying_again_is_undone_by_the_first_image(subject: Subject, folder: Path) -> None:
    """As the guard does when a rule was undone from outside."""
    with _opened(subject) as (place, rule):
        was = subject.snapshot()
        with _applied(subject, place, rule) as image:
            with contextlib.suppress(ApplyFailed):
                rule.apply(subject.terms, _ignore)
            place.pump(0)
        rule.restore(image)
        assert subject.snapshot() == was


def restoring_without_having_applied_is_harmless(subject: Subject, folder: Path) -> None:
    """The agent may die between the image and the change."""
    with _opened(subject) as (_, rule):
        was = subject.snapshot()
        rule.restore(rule.before(subject.terms))
        assert subject.snapshot() == was


def restoring_with_no_image_is_harmless(subject: Subject, folder: Path) -> None:
    with _opened(subject) as (_, rule):
        was = subject.snapshot()
        rule.restore({})
        assert subject.snapshot() == was


def another_place_restores_from_the_image_alone(subject: Subject, folder: Path) -> None:
    """As the guardian does: the place that applied it is gone, without a word."""
    was = subject.snapshot()
    with _opened(subject) as (place, rule), _applied(subject, place, rule) as image:
        text = json.dumps(image)
    with _opened(subject) as (_, rule):
        rule.restore(json.loads(text))
        assert subject.snapshot() == was
    assert subject.snapshot() == was


def what_is_left_on_the_disk_is_restored(subject: Subject, folder: Path) -> None:
    was = subject.snapshot()
    with _opened(subject) as (place, rule), _applied(subject, place, rule) as image:
        if image:
            Undo(folder, place.name).keep(subject.rule, image)
    restored = restore_left(folder, subject.open_place, "unlock")
    assert restored.rules == ((subject.rule,) if image else ())
    assert not restored.stuck
    assert subject.snapshot() == was
    assert Undo(folder).is_empty


def what_somebody_else_has_changed_is_theirs(subject: Subject, folder: Path) -> None:
    if subject.meddle is None:
        return
    with _opened(subject) as (place, rule):
        with _applied(subject, place, rule) as image:
            is_theirs = subject.meddle()
            assert is_theirs()
        rule.restore(image)
        assert is_theirs()


def a_failure_in_the_middle_leaves_nothing_behind(subject: Subject, folder: Path) -> None:
    """The whole place is locked, and this rule fails after it did all it does; once as it may, once as it must not."""
    was = subject.snapshot()
    for error in (ApplyFailed("It was made to fail."), ZeroDivisionError()):
        custody = _custody(subject, folder, error)
        required = replace(subject.terms, settings=LockdownSettings(required=(subject.rule,)))
        assert _refused(custody, required), "a required rule failed, and the lockdown went on"
        assert not any(status.holds for status in custody.now.rules)
        assert subject.snapshot() == was
        assert Undo(folder).is_empty
        assert custody.unlock("the test is over") == ()
        custody.close()


def a_failure_of_what_is_not_required_is_told(subject: Subject, folder: Path) -> None:
    """It is put back, and the others hold."""
    was = subject.snapshot()
    custody = _custody(subject, folder, ApplyFailed("It was made to fail."))
    try:
        rules = {status.rule: status for status in custody.lock(subject.terms, frozenset())}
        assert not rules[subject.rule].holds
        assert rules[subject.rule].why or rules[subject.rule].standing == "impossible"
        assert not {left.rule for left in Undo(folder).left()} & {subject.rule}
    finally:
        assert custody.unlock("the test is over") == ()
        custody.close()
    assert subject.snapshot() == was


CHECKS: tuple[Callable[[Subject, Path], None], ...] = (
    probe_before_and_verify_change_nothing,
    probing_twice_says_the_same,
    an_image_is_json,
    apply_then_restore_equals_before,
    applied_it_holds,
    what_it_reports_is_in_the_vocabulary,
    restoring_twice_is_harmless,
    applying_again_is_undone_by_the_first_image,
    restoring_without_having_applied_is_harmless,
    restoring_with_no_image_is_harmless,
    another_place_restores_from_the_image_alone,
    what_is_left_on_the_disk_is_restored,
    what_somebody_else_has_changed_is_theirs,
    a_failure_in_the_middle_leaves_nothing_behind,
    a_failure_of_what_is_not_required_is_told,
)
"""Every check; each takes a subject and an empty folder."""


def check_rule(
    open_place: OpenPlace, rule: RuleId, terms: Terms, snapshot: Snapshot, meddle: Meddle | None = None
) -> None:
    """All checks of one rule."""
    for check in CHECKS:
        with TemporaryDirectory() as folder:
            check(Subject(open_place, rule, terms, snapshot, meddle), Path(folder))


def _ignore(_: object) -> None:
    pass


@contextlib.contextmanager
def _opened(subject: Subject) -> Iterator[tuple[Place, Rule]]:
    place = subject.open_place()
    try:
        yield place, _rule_of(place, subject.rule)
    finally:
        place.close()


def _rule_of(place: Place, rule: RuleId) -> Rule:
    assert tuple(each.id for each in place.rules) == tuple(RULES), "a place has all rules, in their order"
    return next(each for each in place.rules if each.id == rule)


@contextlib.contextmanager
def _applied(subject: Subject, place: Place, rule: Rule, report: Report = _ignore) -> Iterator[Image]:
    """Apply the rule as the guard does; it gives the image. A rule that says why it cannot be applied may do so."""
    image = rule.before(subject.terms)
    if rule.probe(subject.terms).standing in ("enforced", "observed"):
        rule.apply(subject.terms, report)
        place.pump(0)
    yield image


def _verified(place: Place, rule: Rule) -> bool:
    """Whether it holds as soon as the system has done what it was asked."""
    until = time.monotonic() + SETTLES_S
    while not rule.verify():
        if time.monotonic() > until:
            return False
        place.pump(0.02)
    return True


class _Broken:
    """A rule whose apply fails when it is done."""

    def __init__(self, rule: Rule, error: Exception) -> None:
        self._rule, self._error = rule, error
        self.id, self.before, self.verify, self.restore = rule.id, rule.before, rule.verify, rule.restore

    def probe(self, terms: Terms) -> Probed:
        return self._rule.probe(terms)

    def apply(self, terms: Terms, report: Report) -> None:
        self._rule.apply(terms, report)
        raise self._error


class _BrokenPlace:
    """A place with a broken rule."""

    def __init__(self, place: Place, rule: RuleId, error: Exception) -> None:
        self.name, self.pump, self.wake, self.close = place.name, place.pump, place.wake, place.close
        self.rules: tuple[Rule, ...] = tuple(_Broken(each, error) if each.id == rule else each for each in place.rules)


def _refused(custody: Custody, terms: Terms) -> bool:
    try:
        custody.lock(terms, frozenset())
    except (NotEnforceable, LockFailed):
        return True
    return False


def _custody(subject: Subject, folder: Path, error: Exception) -> Custody:
    told: list[News] = []
    return Custody(
        lambda: _BrokenPlace(subject.open_place(), subject.rule, error),
        folder,
        told.append,
        time.monotonic,
        FakeGuardian().start,
    )
