"""How every rule stands, as told to the agent: from what was probed, what the exam asks, and what happened since. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from secureproctor.contract.lockdown import Phase, RuleId, RuleStatus, Standing
from secureproctor.lockdown.rule import Probed, Sighting, Terms

BY_POLICY = Probed(
    "impossible",
    "By this computer's policy nothing is enforced.",
    "Ask those who look after this computer to allow it, or take the exam on another one.",
)
NOT_HERE = Probed("impossible", "This version has no such rule for this system.", "Use another computer.")
TOLD_EVERY_S = 1.0
"""Mere counts are told no more often."""


@dataclass(frozen=True, slots=True)
class Standings:
    """How the lockdown and each wanted rule stand now. `why` says why the machine was given back, where it was."""

    phase: Phase = "off"
    rules: tuple[RuleStatus, ...] = ()
    why: str = ""


def softened(terms: Terms) -> Terms:
    """The terms as the rules get them: where nothing is to be enforced, programs are only put on the record."""
    if not terms.observe_only:
        return terms
    return replace(terms, settings=msgspec.structs.replace(terms.settings, programs="observe"))


def permitted(probed: Probed, terms: Terms) -> Probed:
    """How the rule stands under the policy of this computer: what could be enforced there is not applied."""
    return BY_POLICY if terms.observe_only and probed.standing == "enforced" else probed


@dataclass(slots=True)
class Board:
    """The standings as they change. `overridden` are the rules without which the proctor lets the exam go on."""

    phase: Phase = "off"
    why: str = ""
    overridden: frozenset[RuleId] = frozenset()
    _rules: dict[RuleId, RuleStatus] = field(default_factory=dict)
    _told: Standings = field(default_factory=Standings)
    _told_at: float = float("-inf")

    def probed(self, terms: Terms, found: Iterable[tuple[RuleId, Probed]]) -> None:
        """Each wanted rule was probed. What was counted so far stays."""
        before, required = self._rules, terms.settings.required
        self._rules = {
            rule: RuleStatus(
                rule,
                probed.standing,
                rule in required,
                why=probed.why,
                remedy=probed.remedy,
                sightings=before[rule].sightings if rule in before else 0,
                holds=rule in before and before[rule].holds,
                overridden=rule in self.overridden,
            )
            for rule, probed in found
        }

    def override(self, rules: Iterable[RuleId]) -> None:
        """The proctor lets the exam go on without these."""
        self.overridden = self.overridden.union(rules)
        for rule in self.overridden & self._rules.keys():
            self._put(rule, overridden=True)

    def holds(self, rule: RuleId, holds: bool) -> None:
        """Whether the rule is in place."""
        self._put(rule, holds=holds)

    def fell(self, rule: RuleId, standing: Standing, why: str) -> None:
        """The rule stands otherwise than was probed."""
        self._put(rule, standing=standing, why=why, holds=False)

    def count(self, sighting: Sighting) -> None:
        """A rule saw something."""
        if sighting.counts and sighting.rule is not None and sighting.rule in self._rules:
            self._put(sighting.rule, sightings=self._rules[sighting.rule].sightings + 1)

    def required(self, rule: RuleId) -> bool:
        """Whether the exam cannot go on without it."""
        status = self._rules.get(rule)
        return status is not None and status.required and not status.overridden

    @property
    def rules(self) -> tuple[RuleStatus, ...]:
        """How each wanted rule stands, in the order of contract.lockdown.RULES."""
        return tuple(self._rules.values())

    @property
    def now(self) -> Standings:
        """All of it."""
        return Standings(self.phase, self.rules, self.why)

    def news(self, at: float) -> Standings | None:
        """The standings, if they are to be told now."""
        now = self.now
        quiet = at < self._told_at + TOLD_EVERY_S
        if now == self._told or (quiet and _uncounted(now) == _uncounted(self._told)):
            return None
        self._told, self._told_at = now, at
        return now

    def _put(self, rule: RuleId, **changes: object) -> None:
        if rule in self._rules:
            self._rules[rule] = msgspec.structs.replace(self._rules[rule], **changes)


def _uncounted(standings: Standings) -> Standings:
    return replace(standings, rules=tuple(msgspec.structs.replace(each, sightings=0) for each in standings.rules))
