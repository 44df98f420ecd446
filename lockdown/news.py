"""What the guard tells the agent: sightings and standings as they come, and why a lockdown was refused."""

from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId, RuleStatus
from secureproctor.lockdown.rule import Sighting
from secureproctor.lockdown.standing import Standings

News = Sighting | Standings
Tell = Callable[[News], None]
"""Called in the guard's thread."""


class NotEnforceable(Exception):
    """The exam requires what cannot be enforced here; nothing was changed. `rules` are those that stop it."""

    def __init__(self, rules: tuple[RuleStatus, ...]) -> None:
        self.rules = rules
        super().__init__(", ".join(each.rule for each in rules))


class LockFailed(Exception):
    """The lockdown could not be applied, and everything was put back, except what `stuck` names; that is tried again."""

    def __init__(self, why: str, stuck: tuple[RuleId, ...] = ()) -> None:
        self.why, self.stuck = why, stuck
        super().__init__(why)
