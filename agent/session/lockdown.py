"""What a session knows of its lockdown: what the exam wants, how the rules stand, what the candidate did. It does nothing.

`locking.py` applies it, `sightings.py` writes down what it saw, `exam_browser.py` says where the exam is. What has to outlive
the agent is in the journal: the MSB Key, the proctor's overrides, how often the exam window was left, guesses at the quit
password.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from secureproctor.agent.session.history import History
from secureproctor.agent.session.journal import KeyVerified, RuleOverridden
from secureproctor.agent.session.tolerance import Tolerance
from secureproctor.contract.attestation import RuleState
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.lockdown import LockdownSettings, Phase, RuleId, RuleStatus, strictest
from secureproctor.contract.msb import BrowserIdentity, MsbClaims
from secureproctor.contract.page import LockdownStatus, ProgramAsked
from secureproctor.lockdown.browser.password import Tries

PAUSED = "paused"
BROWSER_GONE = "browser gone"
"""Why a lockdown is lifted. Each keeps it so until it is over."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A forbidden program that the candidate is asked to close, by a time of `clock`; None: it will not be closed for them."""

    program: str
    category: str
    until_s: float | None


@dataclass(slots=True)
class Lockdown:
    """The lockdown of one session. `settings` satisfy Init and the MSB Key; `clock` gives seconds."""

    settings: LockdownSettings
    tolerance: Tolerance
    needs_browser: bool = False
    claims: MsbClaims | None = None
    overridden: set[RuleId] = field(default_factory=set)
    phase: Phase = "off"
    rules: tuple[RuleStatus, ...] = ()
    standings: dict[RuleId, tuple[object, ...]] = field(default_factory=dict)
    """How each rule stands by the record."""
    lifted: set[str] = field(default_factory=set)
    over: bool = False
    """The session has ended: nothing is applied any more."""
    browser: BrowserIdentity | None = None
    admitted: bool = False
    """Whether the exam takes this browser."""
    asked: dict[str, Asked] = field(default_factory=dict)
    assistive: dict[str, None] = field(default_factory=dict)
    tries: Tries = field(default_factory=lambda: Tries(time.monotonic))
    clock: Callable[[], float] = time.monotonic

    def require_browser(self) -> None:
        """Raise Refusal browser_unproven unless the exam's secure browser is there, or none is asked for."""
        if not self.needs_browser:
            return
        if self.claims is None:  # the agent died between Init and the note of the key
            raise Refusal("msb_key_missing")
        if self.admitted:
            return
        why = "it has not introduced itself" if self.browser is None else self.browser.why
        raise Refusal("browser_unproven", why=why or "this browser is not one of those that the exam accepts")

    def override(self, rule: RuleId) -> None:
        """The exam goes on without the rule."""
        self.overridden.add(rule)
        self.stands(self.phase, self.rules)

    def stands(self, phase: Phase, rules: tuple[RuleStatus, ...]) -> None:
        """How it stands, by the guard; of overrides a guard that only probes knows nothing."""
        self.phase = phase
        self.rules = tuple(
            msgspec.structs.replace(each, overridden=True) if each.rule in self.overridden else each for each in rules
        )

    def states(self) -> tuple[RuleState, ...]:
        """The rules as they are attested."""
        return tuple(RuleState(each.rule, each.standing, each.holds) for each in self.rules)

    def status(self) -> LockdownStatus:
        """The lockdown as the candidate may always see it."""
        return LockdownStatus(
            self.phase,
            self.rules,
            self.tolerance.times,
            self.tolerance.left,
            tuple(self._asked(each) for each in self.asked.values()),
            tuple(self.assistive),
            self.browser,
            bool(self.claims and self.claims.quit_password_hash),
        )

    def _asked(self, each: Asked) -> ProgramAsked:
        left_s = None if each.until_s is None else round(max(0.0, each.until_s - self.clock()), 1)
        return ProgramAsked(each.program, each.category, left_s)


def lockdown_for(settings: ProctoringSettings, claims: MsbClaims | None = None, leaves: int = 0) -> Lockdown | None:
    """The lockdown that an exam begins with; None when it wants none."""
    if not settings.locked:
        return None
    wanted = settings.lockdown if claims is None else strictest(settings.lockdown, claims.lockdown)
    return Lockdown(wanted, Tolerance(wanted.browsing_tolerance, leaves), settings.msb, claims)


def lockdown_of(settings: ProctoringSettings, history: History) -> Lockdown | None:
    """The lockdown of a session that another agent left behind."""
    lockdown = lockdown_for(settings, history.key.claims if history.key else None, history.leaves)
    if lockdown is not None:
        lockdown.overridden = {each.rule for each in history.overrides}
        lockdown.tries = Tries(time.monotonic, history.quit_tries)
    return lockdown


def event_of(entry: KeyVerified | RuleOverridden) -> tuple[str, Detail]:
    """What an entry of the journal puts on the record."""
    match entry:
        case KeyVerified():
            return "msb_key", {"kid": entry.kid, "jti": entry.claims.jti, "expires_ms": entry.claims.exp * 1000}
        case RuleOverridden():
            return "rule_overridden", {"rule": entry.rule, "by": entry.by, "reason": entry.reason}
