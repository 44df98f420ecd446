"""How a story is played: who plays, what they can do, and the steps at their times.

A new deed is a row in DEEDS. The stories themselves are in stories.py.
"""

import asyncio
import functools
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from secureproctor.demo.actors import Candidate
from secureproctor.demo.camera import CameraSight
from secureproctor.demo.desk import Desk
from secureproctor.demo.gathering import PICTURES
from secureproctor.demo.hands import WAYS_OUT, Hands
from secureproctor.demo.link import Link
from secureproctor.demo.locked import FORBIDDEN
from secureproctor.demo.proctor import Proctor
from secureproctor.demo.supervision import AFTER_KILLS_S, BEFORE_KILLS_S, Supervised, moments
from secureproctor.demo.witness import Witness

GREETING = "Good luck! Write to me here if you need anything."
REPLY = "Thank you. May I use scrap paper?"
DRAIN_S = 30.0
"""How long it is waited for the middle of a drain."""
DELIVERY_S = 600.0
FORBIDDEN_ENDS_S = 20.0
"""How long it is waited for the end of a forbidden program; the key of the demo has it closed after three."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays, and what they play with. `link`, `agent`, `hands` and `exam` (the address of the exam's own server) are there
    in stories that need them."""

    pc: Desk
    candidate: Candidate
    proctor: Proctor
    witness: Witness
    out: Path
    tell: Callable[[str], None]
    link: Link | None = None
    agent: Supervised | None = None
    hands: Hands | None = None
    exam: str = ""

    @property
    def marks(self) -> dict[str, float]:
        """When something was done."""
        return self.witness.account.marks


@dataclass(frozen=True, slots=True)
class Step:
    """A deed, so many seconds after the play began at the earliest, with the sentence that the audience sees."""

    at_s: float
    deed: str
    sentence: str


async def _agree(cast: Cast) -> None:
    await cast.candidate.agree()


async def _show_photo(cast: Cast) -> None:
    await cast.candidate.aim("photo")
    await cast.candidate.shoot()


async def _show_card(cast: Cast) -> None:
    cast.pc.camera_sees(CameraSight.CARD)
    try:
        await cast.candidate.aim("id_card")
        await cast.candidate.picture(cast.out / PICTURES["authorization"], whole=False)
        await cast.candidate.shoot()
    finally:
        cast.pc.camera_sees(CameraSight.PERSON)


async def _hand_in(cast: Cast) -> None:
    await cast.candidate.hand_in()
    await cast.proctor.wait_for_authorization("submitted")


async def _allow(cast: Cast) -> None:
    await cast.proctor.wait_for_identity()
    await cast.proctor.picture(cast.out / PICTURES["desk"])
    await cast.proctor.order("authorize")
    await cast.candidate.wait_for_state("ready")
    await cast.proctor.wait_acknowledged("authorize")


async def _look_at_the_wall(cast: Cast) -> None:
    await cast.proctor.back()
    await cast.proctor.wait_for_thumbnails()
    await cast.proctor.picture(cast.out / PICTURES["wall"])
    await cast.proctor.open_candidate()


async def _snapshot(cast: Cast) -> None:
    await cast.proctor.order("snapshot-webcam")
    await cast.proctor.wait_acknowledged("snapshot")
    await cast.proctor.wait_for_picture()


async def _picture_candidate(cast: Cast) -> None:
    await cast.proctor.wait_for_live()
    await cast.proctor.picture(cast.out / PICTURES["candidate"])


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
    await cast.candidate.read(GREETING)
    await cast.proctor.wait_read(GREETING)


async def _candidate_says(cast: Cast) -> None:
    await cast.candidate.say(REPLY)
    await cast.proctor.wait_chat(REPLY)
    await cast.candidate.wait_read(REPLY)


async def _departed(cast: Cast) -> None:
    await cast.candidate.press("departedShow")


async def _stop(cast: Cast) -> None:
    cast.marks["stop"] = time.time()
    await cast.candidate.press("stop")


async def _cut(cast: Cast) -> None:
    assert cast.link is not None  # noqa: S101 - a story that cuts the link has one
    marks = cast.witness.account.marks
    marks["contact"] = await cast.link.cut()
    marks["cut"] = time.time()


async def _mend(cast: Cast) -> None:
    assert cast.link is not None  # noqa: S101 - as above
    terms, marks = cast.witness.account.terms, cast.witness.account.marks
    await asyncio.sleep(max(0.0, marks["cut"] + terms.outage_s - time.time()))
    cast.link.mend(terms.rate_mbit)
    marks["back"] = time.time()


async def _picture(cast: Cast, name: str) -> None:
    await cast.candidate.picture(cast.out / PICTURES[name])


async def _picture_drain(cast: Cast) -> None:
    """In the middle of the drain; of one that does not get there, after a while."""
    account, deadline = cast.witness.account, time.time() + DRAIN_S
    backlog = account.statuses[-1][1].waiting_bytes
    while time.time() < deadline:
        if account.statuses[-1][1].waiting_bytes < backlog * 0.6:
            break
        await asyncio.sleep(0.05)
    await _picture(cast, "drain")


async def _wait_for_delivery(cast: Cast) -> None:
    await cast.candidate.wait_for_state("ended", within_s=DELIVERY_S)


async def _kills(cast: Cast) -> None:
    """Kill the agent at its random moments; what the service had just before is noted."""
    assert cast.agent is not None  # noqa: S101 - a story that kills the agent has a supervisor
    account, loop = cast.witness.account, asyncio.get_running_loop()
    terms, begun = account.terms, loop.time()
    within_s = terms.duration_s - BEFORE_KILLS_S - AFTER_KILLS_S
    for number, at_s in enumerate(moments(terms.seed, terms.kills, within_s), 1):
        await asyncio.sleep(max(0.0, begun + at_s - loop.time()))
        account.acknowledged.append(await cast.witness.stored())
        cast.agent.kill()
        cast.tell(f"Kill {number} of {terms.kills}")


async def _ways_out(cast: Cast) -> None:
    assert cast.hands is not None  # noqa: S101 - a story of a lockdown has hands
    for keys in WAYS_OUT:
        await cast.hands.press(keys)
    cast.marks["keys"] = time.time()


async def _intrude(cast: Cast, deed: str) -> None:
    assert cast.hands is not None  # noqa: S101 - as above
    cast.marks[deed] = await cast.hands.tell_intruder(deed)


async def _forbidden(cast: Cast) -> None:
    assert cast.hands is not None  # noqa: S101 - as above
    began, ended = await cast.hands.start_forbidden(FORBIDDEN, FORBIDDEN_ENDS_S)
    cast.marks["forbidden"] = began
    cast.marks["forbidden ended"] = time.time() if ended else math.inf


async def _questions(cast: Cast) -> None:
    """The page fetches the exam's questions; so does somebody else, without the browser and with what it once sent."""
    verdicts = cast.witness.account.verdicts
    address = f"{cast.exam}/questions"
    verdicts["browser"] = await cast.candidate.fetch_verdict(address)
    header, token = await cast.candidate.attest(address)
    for who, sent in {"outsider": {}, "page": {header: token}, "replay": {header: token}}.items():
        answer = await cast.witness.client.get(address, headers=sent)
        verdicts[who] = str(answer.json()["verdict"])


async def _picture_locked(cast: Cast) -> None:
    await cast.candidate.picture(cast.out / PICTURES["locked"], whole=False)
    await cast.proctor.picture(cast.out / PICTURES["rules"])


DEEDS: dict[str, Callable[[Cast], Awaitable[None]]] = {
    "agree": _agree,
    "show photo": _show_photo,
    "show card": _show_card,
    "hand in": _hand_in,
    "allow": _allow,
    "look at the wall": _look_at_the_wall,
    "snapshot": _snapshot,
    "picture candidate": _picture_candidate,
    "proctor says": _proctor_says,
    "candidate says": _candidate_says,
    "pause": _pause,
    "resume": _resume,
    "departed": _departed,
    "stop": _stop,
    "cut": _cut,
    "mend": _mend,
    "picture offline": functools.partial(_picture, name="offline"),
    "picture drain": _picture_drain,
    "picture expired": functools.partial(_picture, name="expired"),
    "wait for delivery": _wait_for_delivery,
    "kills": _kills,
    "ways out": _ways_out,
    "window": functools.partial(_intrude, deed="window"),
    "clipboard": functools.partial(_intrude, deed="clipboard"),
    "forbidden": _forbidden,
    "questions": _questions,
    "picture locked": _picture_locked,
}


async def play(steps: tuple[Step, ...], cast: Cast) -> None:
    """Play the steps, each at its time from now."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for step in steps:
        await asyncio.sleep(max(0.0, begun + step.at_s - loop.time()))
        cast.tell(step.sentence)
        await DEEDS[step.deed](cast)
