"""Rules that do less than they might elsewhere."""

from dataclasses import dataclass, field

import pytest

from secureproctor.contract.lockdown import RuleId, Standing
from secureproctor.lockdown.rule import Image, Probed, Report, Terms
from secureproctor.lockdown.rules.impossible import CouldNotCheck, Impossible, ObservedOnly
from tests.lockdown.rules.machine import nobody, terms


@dataclass
class Real:
    """A rule that can be anything."""

    standing: Standing
    id: RuleId = "keys"
    applied: list[bool] = field(default_factory=list)

    def probe(self, terms: Terms) -> Probed:
        return Probed(self.standing, "its own words")

    def before(self, terms: Terms) -> Image:
        return {"observe_only": terms.observe_only}

    def apply(self, terms: Terms, report: Report) -> None:
        self.applied.append(terms.observe_only)

    def verify(self) -> bool:
        return True

    def restore(self, image: Image) -> None:
        self.applied.clear()


@pytest.mark.parametrize(
    ("rule", "standing"),
    [(Impossible("keys", "No way."), "impossible"), (CouldNotCheck("keys", "?"), "could_not_check")],
)
def test_what_does_nothing_never_says_that_it_holds(rule: Impossible | CouldNotCheck, standing: str) -> None:
    assert rule.probe(terms()).standing == standing
    assert rule.before(terms()) == {}
    rule.apply(terms(), nobody)
    assert not rule.verify()
    rule.restore({})


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("enforced", "observed"),
        ("observed", "observed"),
        ("impossible", "impossible"),
        ("could_not_check", "could_not_check"),
    ],
)
def test_what_only_observes_stands_no_higher_than_that_and_no_higher_than_it_is(own: Standing, told: Standing) -> None:
    assert ObservedOnly(Real(own), "Only seen here.").probe(terms()).standing == told


def test_what_only_observes_is_applied_with_terms_that_enforce_nothing() -> None:
    real = Real("enforced")
    rule = ObservedOnly(real, "Only seen here.")
    assert (rule.id, rule.before(terms()), rule.verify()) == ("keys", {"observe_only": True}, True)
    rule.apply(terms(), nobody)
    assert real.applied == [True]
    rule.restore({})
    assert real.applied == []
