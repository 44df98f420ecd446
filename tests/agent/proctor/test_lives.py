"""Each command takes effect at most once and is answered, each message is said once, whatever link and agent suffer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.agent.clock import boot_us
from secureproctor.agent.proctor import channel as channelling
from secureproctor.agent.session.desk import AuthorizationDesk
from secureproctor.agent.session.history import replay
from secureproctor.contract.channel import COMMANDS, FINAL, STATUS_ORDER
from tests.agent.conftest import init_data
from tests.agent.proctor.lives import Play

ORDERS = [
    ("pause", ""), ("resume", ""), ("end", ""), ("quality", "least"), ("quality", "reduced"), ("snapshot", "screen"),
    ("authorize", ""), ("reject", ""), ("resubmit", "photo"), ("pause", "now"), ("levitate", ""), ("override", "keys"),
]  # fmt: skip
DEEDS = st.one_of(
    st.tuples(st.just("order"), st.sampled_from(ORDERS)),
    st.tuples(st.just("kill"), st.tuples(st.integers(0, 12), st.booleans())),
    st.tuples(
        st.sampled_from(
            ["say", "speak", "read", "acknowledge", "switch", "late", "cut", "away", "back", "again", "swap"]
        ),
        st.none(),
    ),
    st.tuples(st.just("wait"), st.integers(1, 4)),
)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait between two connections, and a heartbeat whenever there is time for one."""
    monkeypatch.setattr("secureproctor.agent.delivery.backoff.SHORTEST_S", 0.0)
    monkeypatch.setattr(channelling, "KEEP_ALIVE_S", 0.002)


class Sockets:
    """Stands for the library's `connect`, for whichever play goes on."""

    service: Any = None

    @contextlib.asynccontextmanager
    async def __call__(self, address: str, **options: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        wire = self.service.connect()
        try:
            yield wire
        finally:
            wire.cut()


async def play(desk: bool, automatic: bool, deeds: list[tuple[str, Any]], sockets: Sockets) -> Play:
    play = Play(init_data(authorization=desk, skip_id_and_photo=True, navigation_control=True))
    sockets.service = play.service
    async with play.played():
        await play.by_hand(lambda: play.life.conductor.check_system())
        if desk:
            await play.by_hand(lambda: AuthorizationDesk(play.life.conductor).consent(accepted=True))
        else:
            await play.by_hand(lambda: play.life.conductor.start())
        if automatic:
            await play.by_hand(lambda: play.life.obedience.switch(True))
        for deed, detail in deeds:
            await suffer(play, deed, detail)
        await play.heal()
        check(play)
    return play


async def suffer(play: Play, deed: str, detail: Any) -> None:
    service, obedience = play.service, play.life.obedience
    match deed:
        case "order":
            service.order(*detail)
        case "say":
            service.say()
        case "kill":
            play.disk.arm(detail[0], after=detail[1])
        case "cut":
            service.cut()
        case "away":
            service.away = True
            service.cut()
        case "back":
            service.away = False
        case "again" if service.wire and service.old:
            service.wire.to_agent.put_nowait(service.old[len(service.old) // 2])
        case "swap" if service.wire and service.wire.to_agent.qsize() > 1:
            queue = service.wire.to_agent
            first, second = queue.get_nowait(), queue.get_nowait()
            queue.put_nowait(second)
            queue.put_nowait(first)
        case "speak":
            await play.by_hand(lambda: play.spoken.append(obedience.say("Sorry!")))
        case "read":
            messages = obedience.chatting.conversation().messages
            await play.by_hand(lambda: obedience.chatting.read(messages[-1].id if messages else "none"))
        case "acknowledge":
            await play.by_hand(lambda: obedience.acknowledge("pause"))
        case "switch":
            await play.by_hand(lambda: obedience.switch(not obedience.automatic))
        case "late":
            play.late_us += 31_000_000
            await play.by_hand(lambda: obedience.acknowledging.look(boot_us() + play.late_us))
        case "wait":
            await play.run(detail)
    await play.run(1)


def check(play: Play) -> None:
    effects, answers = play.effects(), play.service.answers
    for command in play.service.ordered:
        statuses = answers.get(command.id, [])
        assert effects[command.id] <= 1, f"{command} took effect {effects[command.id]} times"
        assert statuses, f"{command} was never answered"
        assert statuses[-1] in FINAL | {"applied", "unacknowledged"}, (command, statuses)
        asks_page = command.kind in COMMANDS and COMMANDS[command.kind].asks_page
        assert statuses[-1] in FINAL or (asks_page and not play.life.obedience.automatic), (command, statuses)
        once = list(dict.fromkeys(statuses))
        if "applied" in once or "acknowledged" in once:
            assert effects[command.id] == 1, (command, statuses)
            assert [STATUS_ORDER.index(each) for each in once] == sorted(STATUS_ORDER.index(each) for each in once)
        elif command.kind != "snapshot":  # of one that was interrupted only the service knows
            assert effects[command.id] == 0, (command, statuses)
    conversation = play.life.obedience.chatting.conversation().messages
    assert [each.id for each in conversation if each.sender == "proctor"] == [each.id for each in play.service.said]
    said = [each.id for each in conversation if each.sender == "candidate"]
    assert set(play.spoken) <= set(said)
    assert set(said) == set(play.service.heard)
    assert {(each.id, "delivered") for each in play.service.said} <= play.service.marks
    assert all(each.delivered_ms is not None for each in conversation)
    history = replay(play.disk.journal())
    assert history is not None
    assert history.state == play.life.conductor.state


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.booleans(), st.lists(DEEDS, min_size=8, max_size=30))
def test_each_command_takes_effect_at_most_once_and_is_answered(
    sockets: Sockets, desk: bool, automatic: bool, deeds: list[tuple[str, Any]]
) -> None:
    asyncio.run(play(desk, automatic, deeds, sockets))


@pytest.mark.parametrize(
    ("desk", "order"),
    [
        (False, ORDERS[0]),
        (False, ORDERS[2]),
        (False, ORDERS[3]),
        (False, ORDERS[5]),
        (False, ORDERS[11]),
        (True, ORDERS[6]),
        (True, ORDERS[7]),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_agent_that_is_killed_at_any_step_of_a_command_has_done_it_once_or_not_at_all(
    sockets: Sockets, desk: bool, order: tuple[str, str]
) -> None:
    """Before and after each thing that it writes, until there is none left at which to kill it."""
    for step in range(50):
        for after in (False, True):
            deeds: list[tuple[str, Any]] = [("wait", 2), ("kill", (step, after)), ("order", order), ("wait", 4)]
            done = asyncio.run(play(desk, False, deeds, sockets))
        if len(done.lives) == 1:
            assert step > 3
            return
    pytest.fail("it writes without end")


@pytest.fixture(scope="module")
def sockets() -> Iterator[Sockets]:
    with pytest.MonkeyPatch.context() as patch:
        sockets = Sockets()
        patch.setattr(channelling, "_Direct", sockets)
        yield sockets
