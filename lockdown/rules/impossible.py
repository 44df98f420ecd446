"""Rules that say honestly that they do nothing, or less than they might elsewhere.

Every place has a rule for each row of contract.lockdown.RULES; these stand where its system offers no way, where nobody can
tell, or where a rule's eyes work and its hands do not.
"""

from dataclasses import dataclass, replace

from secureproctor.contract.lockdown import RuleId, Standing
from secureproctor.lockdown.rule import Image, Probed, Report, Rule, Terms

_LESS: tuple[Standing, ...] = ("impossible", "could_not_check")


class _Inert:
    """A rule of which nothing holds. It never pretends to: `verify` is False."""

    __slots__ = ()

    def before(self, terms: Terms) -> Image:
        """Nothing is changed."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Nothing is done."""

    def verify(self) -> bool:
        """Nothing is in place."""
        return False

    def restore(self, image: Image) -> None:
        """Nothing is to be put back."""


@dataclass(frozen=True, slots=True)
class Impossible(_Inert):
    """This system offers no way. `why` and `remedy` are sentences."""

    id: RuleId
    why: str
    remedy: str = ""

    def probe(self, terms: Terms) -> Probed:
        """Always the same."""
        return Probed("impossible", self.why, self.remedy)


@dataclass(frozen=True, slots=True)
class CouldNotCheck(_Inert):
    """Finding out failed: neither a pass nor a fault of the candidate."""

    id: RuleId
    why: str
    remedy: str = ""

    def probe(self, terms: Terms) -> Probed:
        """Always the same."""
        return Probed("could_not_check", self.why, self.remedy)


@dataclass(frozen=True, slots=True)
class ObservedOnly:
    """Another rule, which here can see and cannot prevent: it is applied with terms that enforce nothing."""

    rule: Rule
    why: str
    remedy: str = ""

    @property
    def id(self) -> RuleId:
        """The other rule's."""
        return self.rule.id

    def probe(self, terms: Terms) -> Probed:
        """At most `observed`; less where the other rule says so itself."""
        probed = self.rule.probe(_observing(terms))
        return probed if probed.standing in _LESS else Probed("observed", self.why, self.remedy)

    def before(self, terms: Terms) -> Image:
        """The other rule's."""
        return self.rule.before(_observing(terms))

    def apply(self, terms: Terms, report: Report) -> None:
        """As the other rule, which is told to observe only."""
        self.rule.apply(_observing(terms), report)

    def verify(self) -> bool:
        """As the other rule."""
        return self.rule.verify()

    def restore(self, image: Image) -> None:
        """As the other rule."""
        self.rule.restore(image)


def _observing(terms: Terms) -> Terms:
    return replace(terms, observe_only=True)
