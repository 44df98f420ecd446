"""Commands whose lifetime passed while they waited for an agent that is away. No I/O, no clock.

Once the proctor was shown that a command expired, it must never take effect. But its number must still come, since the agent
takes messages in order, and the agent's clock may go behind. So the command that waits is made one that no clock obeys.

That is done only to what certainly never reached the agent: what was never written to a connection, or what the agent, back
again, says that it has not heard. What was written and not answered may have been obeyed: nobody knows before the agent tells.
"""

import msgspec

from secureproctor.contract.channel import Command, ToAgent
from secureproctor.contract.link import Link
from secureproctor.service.ledger import expires_ms


def lapse(link: Link, now_ms: int, unreached: set[str] | None = None) -> list[str]:
    """Let those of the waiting commands lapse that are past their lifetime; their ids. None: all that wait are unreached."""
    ids = []
    for n, body in link.waiting.items():
        command: ToAgent = msgspec.json.decode(body, type=ToAgent)
        if not isinstance(command, Command) or expires_ms(command) > now_ms:
            continue
        if unreached is None or command.id in unreached:
            link.waiting[n] = msgspec.json.encode(msgspec.structs.replace(command, issued_ms=0, lifetime_s=0))
            ids.append(command.id)
    return ids
