"""The rules of a place, applied in their order and restored in the reverse one; one that fails does not keep the next from it.

The order of steps is what makes it safe to die between any two of them: the before-image is durable, then the rule is applied;
the rule is restored, then the image is forgotten. Nothing here knows of threads or of the exam's course; time is passed in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.attempt import Failed, attempt
from secureproctor.lockdown.door import Door
from secureproctor.lockdown.pauses import Pauses
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, RestoreFailed, Rule, Terms
from secureproctor.lockdown.standing import NOT_HERE
from secureproctor.lockdown.undo import Undo


@dataclass(slots=True)
class Grip:
    """A rule that is applied, or is to be restored. `image` is None until its before-image has been taken."""

    id: RuleId
    image: Image | None = None
    holds: bool = False
    stuck: str = ""
    """Why it could not be restored; empty: it was not tried."""
    pauses: Pauses = field(default_factory=Pauses)


@dataclass(slots=True)
class Course:
    """The grips of one lockdown, in the order in which they were taken."""

    undo: Undo
    report: Report
    door: Door
    """While the place is not open, or was lost, no rule can be applied or restored."""
    grips: dict[RuleId, Grip] = field(default_factory=dict)

    def probe(self, terms: Terms) -> Iterator[tuple[RuleId, Probed]]:
        """How each wanted rule would stand, one after the other: some of them take long."""
        for wanted in terms.settings.wanted:
            found = self._probed(wanted, terms)
            yield wanted, Probed("could_not_check", found.why) if isinstance(found, Failed) else found

    def take(self, wanted: RuleId, terms: Terms) -> str:
        """Apply a rule, also one that was undone; why that failed, or nothing. What was begun stays in hand until it is
        given back."""
        grip = self.grips.setdefault(wanted, Grip(wanted))
        outcome = attempt(f"applying {wanted}", partial(self._apply, grip, terms))
        grip.holds = not isinstance(outcome, Failed)
        return outcome.why if isinstance(outcome, Failed) else ""

    def undone(self, now: float) -> Iterator[Grip]:
        """The grips that are not in place, and are to be applied again now."""
        for grip in tuple(self.grips.values()):
            if grip.stuck:
                continue
            if grip.holds and self._verified(grip.id):
                grip.pauses.went_well(now)
            else:
                grip.holds = False
                if grip.pauses.is_due(now):
                    grip.pauses.failed(now)
                    yield grip

    def give_back(self, wanted: RuleId, now: float) -> str:
        """Restore a rule and forget its image; why that failed, or nothing. What is stuck stays in hand."""
        grip = self.grips[wanted]
        grip.holds = False
        outcome = attempt(f"restoring {wanted}", partial(self._restore, grip))
        if not isinstance(outcome, Failed):
            del self.grips[wanted]
            return ""
        grip.stuck = outcome.why
        grip.pauses.failed(now)
        return outcome.why

    def give_all_back(self, now: float) -> tuple[tuple[RuleId, str], ...]:
        """Restore all rules, the last one first; those that are stuck, and why."""
        ends = [(wanted, self.give_back(wanted, now)) for wanted in reversed(tuple(self.grips))]
        return tuple((wanted, why) for wanted, why in ends if why)

    @property
    def stuck(self) -> tuple[Grip, ...]:
        """What could not be restored."""
        return tuple(grip for grip in self.grips.values() if grip.stuck)

    def _probed(self, wanted: RuleId, terms: Terms) -> Probed | Failed:
        if self.door.place is None:
            return Failed(self.door.why)
        rule = self._rule(wanted)
        return NOT_HERE if rule is None else attempt(f"probing {wanted}", partial(rule.probe, terms))

    def _apply(self, grip: Grip, terms: Terms) -> None:
        rule = self._rule(grip.id)
        if rule is None:
            raise ApplyFailed(self.door.why)
        if grip.image is None:
            image = rule.before(terms)
            if image:  # an empty one: nothing outlives this process
                self.undo.keep(grip.id, image)
            grip.image = image
        rule.apply(terms, self.report)

    def _restore(self, grip: Grip) -> None:
        if grip.image is None:  # it was never applied; what the disk may hold of it is somebody else's
            return
        rule = self._rule(grip.id)
        if rule is None:
            raise RestoreFailed(self.door.why)
        rule.restore(grip.image)
        if grip.image:
            self.undo.forget(grip.id)

    def _rule(self, wanted: RuleId) -> Rule | None:
        rules = self.door.place.rules if self.door.place is not None else ()
        return next((each for each in rules if each.id == wanted), None)

    def _verified(self, wanted: RuleId) -> bool:
        rule = self._rule(wanted)
        return rule is not None and attempt(f"verifying {wanted}", rule.verify) is True
