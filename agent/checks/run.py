"""Check System: all checks at once, each within its time, in the order that the candidate sees.

This is the checks' supervisor. A check that crashes or does not come back is an outcome like any other; that is why the
one broad except stands here.
"""

import asyncio
import logging

from secureproctor.agent.checks import devices, host, lockdown, network
from secureproctor.agent.checks.check import (
    COULD_NOT_CHECK,
    Check,
    CheckContext,
    CouldNotCheck,
    Outcome,
    to_result,
)
from secureproctor.contract.page import CheckResult
from secureproctor.contract.streams import Stream

LOG = logging.getLogger(__name__)

CHECKS: tuple[Check, ...] = (
    Check("camera", "Camera", devices.camera, Stream.WEBCAM),
    Check("microphone", "Microphone", devices.microphone, Stream.AUDIO),
    Check("screen", "Screen", devices.screen, Stream.SCREEN),
    Check("disk_space", "Disk space", host.disk_space),
    Check("clock_difference", "Clock difference", network.clock_difference),
    Check("service_reachable", "Service reachable", network.service_reachable),
    Check("lockdown", "Lockdown", lockdown.lockdown, locked=True),
)
"""Every check, in the order that the candidate sees. Each one's remedies stand in remedies.py."""


async def run_checks(context: CheckContext, checks: tuple[Check, ...] = CHECKS) -> tuple[CheckResult, ...]:
    """Runs the checks that the exam calls for, side by side, each for `context.limit_s` at most.

    Returns one result per check, in the order of `checks`. A device whose driver hangs is waited for no longer than
    that; its thread gives the device back if the driver ever returns. Do not run it while a recorder holds the devices:
    they would be busy.
    """
    wanted = [check for check in checks if check.is_wanted(context)]
    outcomes = await asyncio.gather(*(_outcome(check, context) for check in wanted))
    return tuple(to_result(check, outcome, context.platform) for check, outcome in zip(wanted, outcomes, strict=True))


async def _outcome(check: Check, context: CheckContext) -> Outcome:
    try:
        async with asyncio.timeout(context.limit_s):
            return await check.run(context)
    except TimeoutError:
        LOG.warning("the check %s did not finish in time", check.id)
        return CouldNotCheck(COULD_NOT_CHECK, "The check did not finish in time.")
    except Exception as error:
        LOG.warning("the check %s could not run", check.id, exc_info=error)
        return CouldNotCheck(COULD_NOT_CHECK, f"The check could not run: {type(error).__name__}: {error}")
