"""Whether a candidate is admitted with the MSB Key that Init brought: judged here, on the candidate's computer.

Nobody between the client, who signed the key, and this agent can change a test's settings: not the page, not the network, and
not the service as far as this computer's policy names the keys to trust.
"""

from collections.abc import Callable, Sequence

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.session.journal import KeyVerified
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitData
from secureproctor.contract.msb import below_floor
from secureproctor.lockdown.browser.key import trusts_for, verify


def admitted(data: InitData, policy: Sequence[str], now_ms: Callable[[], int] = wall_ms) -> KeyVerified | None:
    """The verified key; None when the exam does without. Raises Refusal msb_key_* or below_floor."""
    settings, at_ms = data.settings, now_ms()
    if not settings.msb:
        return None
    try:
        trusts = trusts_for(policy, data.msb_keys, data.client)
    except ValueError as error:
        raise Refusal("msb_key_malformed", why=f"the keys to trust cannot be read: {error}") from None
    verified = verify(settings.msb_key, trusts, data.client, data.group_name, at_ms / 1000)
    missing = below_floor(verified.claims, settings)
    if missing:
        raise Refusal("below_floor", missing=", ".join(missing))
    return KeyVerified(verified.claims, verified.kid, at_ms)
