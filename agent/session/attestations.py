"""What the agent attests for a session, and for which nonce (contract/attestation.py).

The newest nonce of the service counts, and only for FRESH_S after it came: an agent that hears nothing more has nothing more to
attest. Each agent has a key of its own for each session; its public part goes to the service before anything that it signs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from secureproctor.agent.clock import Microseconds, boot_us, wall_ms
from secureproctor.agent.session.lockdown import Lockdown
from secureproctor.agent.session.machine import LIVE, OVER, State
from secureproctor.contract.attestation import FRESH_S, HEADER
from secureproctor.contract.channel import SessionKey
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitData
from secureproctor.contract.page import Attest, Attested
from secureproctor.lockdown.browser.attesting import Attesting

FRESH_US = int(FRESH_S * 1_000_000)


@dataclass(slots=True)
class Attestations:
    """For one session. `clock` is the boot clock, `now_ms` the wall clock."""

    attesting: Attesting
    clock: Microseconds = boot_us
    now_ms: Callable[[], int] = wall_ms
    _nonce: str = ""
    _came_us: int = 0

    @property
    def key(self) -> SessionKey:
        """The key, as the service is told."""
        return SessionKey(self.attesting.x, self.now_ms())

    def heard(self, nonce: str) -> None:
        """The service gave a nonce."""
        if nonce:
            self._nonce, self._came_us = nonce, self.clock()

    def for_heartbeat(self, lockdown: Lockdown, state: State) -> str:
        """An attestation for the newest nonce; empty when there is none, or nothing to attest."""
        if state in OVER or self._left_us() <= 0:
            return ""
        return self._statement(lockdown, state)

    def for_request(self, lockdown: Lockdown | None, state: State, asked: Attest) -> Attested:
        """An attestation for a request of the exam. Raises Refusal attestation_not_possible."""
        if lockdown is None:
            raise _not_possible("the exam has no lockdown")
        if state not in LIVE:
            raise _not_possible(f"the session is {state}")
        if self._left_us() <= 0:
            raise _not_possible("the service has not been heard lately")
        audience = asked.url if asked.once else _origin(asked.url)
        value = self._statement(lockdown, state, audience, asked.once)
        return Attested(HEADER, value, self.now_ms() + self._left_us() // 1000)

    def _statement(self, lockdown: Lockdown, state: State, audience: str = "", once: bool = False) -> str:
        states = lockdown.states()
        return self.attesting.statement(
            self._nonce, lockdown.phase, states, state, lockdown.browser, self.now_ms(), audience, once
        )

    def _left_us(self) -> int:
        return FRESH_US - (self.clock() - self._came_us) if self._nonce else 0


def attestations_for(data: InitData) -> Attestations | None:
    """What attests a session, with a fresh key; None when its exam has nothing to attest."""
    return Attestations(Attesting(data.session_id)) if data.settings.locked else None


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise _not_possible("the address is not one of a page")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _not_possible(why: str) -> Refusal:
    return Refusal("attestation_not_possible", why=why)
