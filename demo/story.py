"""The courses of a session, as data: who does what at which share of the running time.

A new course is a row in STORIES; a new deed is a row in DEEDS.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from secureproctor.demo.actors import Candidate, Proctor


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays."""

    candidate: Candidate
    proctor: Proctor


@dataclass(frozen=True, slots=True)
class Step:
    """A deed at a share (0 to 1) of the running time, with the sentence that the audience sees."""

    at: float
    deed: str
    sentence: str


async def _pause(cast: Cast) -> None:
    await cast.proctor.order("pause")
    await cast.candidate.wait_for_state("paused")
    await cast.proctor.wait_acknowledged("pause")


async def _resume(cast: Cast) -> None:
    await cast.proctor.order("resume")
    await cast.candidate.wait_for_state("running")
    await cast.proctor.wait_acknowledged("resume")


async def _proctor_says(cast: Cast) -> None:
    await cast.proctor.say(GREETING)


async def _candidate_says(cast: Cast) -> None:
    await cast.candidate.say(REPLY)
    await cast.proctor.wait_chat(REPLY)


async def _stop(cast: Cast) -> None:
    await cast.candidate.press("stop")


GREETING = "Good luck! Write to me here if you need anything."
REPLY = "Thank you. May I use scrap paper?"

DEEDS: dict[str, Callable[[Cast], Awaitable[None]]] = {
    "proctor says": _proctor_says,
    "candidate says": _candidate_says,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
}

STORIES: dict[str, tuple[Step, ...]] = {
    "plain": (
        Step(0.15, "proctor says", "The proctor greets the candidate"),
        Step(0.25, "candidate says", "The candidate answers"),
        Step(0.40, "pause", "The proctor pauses the test"),
        Step(0.55, "resume", "The proctor resumes the test"),
        Step(1.00, "stop", "The candidate stops"),
    ),
}
"""Every course. The session runs before its first step and is over after its last."""


async def play(steps: tuple[Step, ...], cast: Cast, duration_s: float, tell: Callable[[str], None]) -> None:
    """Play the steps, each at its time; the running time begins now."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for step in steps:
        await asyncio.sleep(max(0.0, begun + step.at * duration_s - loop.time()))
        tell(step.sentence)
        await DEEDS[step.deed](cast)
