"""A command that nobody got in its lifetime: the service says that it expired when that is certain, and not before."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from secureproctor.contract.channel import Command, CommandUpdate, ToAgent
from secureproctor.contract.console import Issue
from secureproctor.contract.link import Link
from secureproctor.contract.report import CommandReport
from secureproctor.service import ledger
from secureproctor.service.session import Session
from tests.service.house import House, Wire

LIFETIME_S = 60
PATIENCE_S = 5


def issue(house: House, session: Session) -> Command:
    """A command with a lifetime of a minute."""
    order = Issue(session.id, "snapshot", argument="webcam")
    sending = house.channel.send(
        session.id, lambda db: [ledger.issued(db, session.id, order, "Ada", house.clock.now_ms())]
    )
    (command,) = asyncio.run(sending)
    return command


def kept(house: House, session: Session) -> CommandReport:
    with house.store.transaction() as db:
        return ledger.commands(db, session.id)[0]


async def until(true: Callable[[], bool], wire: Wire) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            wire.written.clear()
            await wire.written.wait()


def connected(house: House, session: Session, link: Link, *messages: msgspec.Struct, bodies: int = 0) -> list[ToAgent]:
    """One connection of the agent that says these messages: what it newly got."""

    async def talk() -> list[ToAgent]:
        wire = Wire(link)
        serving = asyncio.create_task(house.channel.serve(wire.socket(), session.id))
        for message in messages:
            wire.say(link.send(message))
        await until(lambda: len(wire.bodies) >= bodies and not link.waiting, wire)
        wire.hang_up()
        await serving
        return [msgspec.json.decode(body, type=ToAgent) for body in wire.bodies]

    return asyncio.run(talk())


def obeys(command: Command, now_ms: int) -> bool:
    return now_ms <= command.issued_ms + command.lifetime_s * 1000


def test_a_command_that_was_never_written_expires_by_the_services_clock(house: House) -> None:
    session = house.register(running=False)
    issue(house, session)
    house.now += LIFETIME_S - 1
    house.once()
    assert kept(house, session).status == "issued"
    house.now += 1
    house.once()
    after = kept(house, session)
    assert (after.status, after.reason, after.received_ms) == ("expired", ledger.UNREACHED, None)


def test_no_clock_of_an_agent_obeys_a_command_that_was_shown_as_expired(house: House) -> None:
    session = house.register(running=False)
    command, link = issue(house, session), Link()
    house.now += LIFETIME_S
    house.once()
    (got,) = connected(house, session, link, bodies=1)
    assert isinstance(got, Command)
    assert got.id == command.id
    assert not obeys(got, command.issued_ms - 3_600_000), "an hour behind, it is past its lifetime all the same"
    connected(house, session, link, CommandUpdate(got.id, "received", 1), CommandUpdate(got.id, "expired", 2))
    assert (kept(house, session).status, kept(house, session).received_ms) == ("expired", 1)


def test_a_command_that_was_written_may_have_been_obeyed_and_stays_open_until_the_agent_tells(house: House) -> None:
    session, link = house.register(running=False), Link()
    command = issue(house, session)
    forgetful = Link.restored(link.snapshot())
    (got,) = connected(house, session, forgetful, bodies=1)
    assert got == command
    house.now += LIFETIME_S
    house.once()
    assert kept(house, session).status == "issued", "nobody knows"
    connected(
        house, session, forgetful, CommandUpdate(command.id, "received", 1), CommandUpdate(command.id, "applied", 2)
    )
    assert kept(house, session).status == "applied"


@pytest.mark.parametrize("late", [False, True])
def test_a_command_that_was_written_and_not_heard_expires_when_the_agent_is_back(house: House, late: bool) -> None:
    session = house.register(running=False)
    command = issue(house, session)
    with house.store.transaction() as db:
        ledger.sent(db, session.id, house.clock.now_ms())
    house.now += LIFETIME_S if late else 1
    house.once()
    assert kept(house, session).status == "issued"
    (got,) = connected(house, session, Link(), bodies=1)
    assert isinstance(got, Command)
    assert obeys(got, house.clock.now_ms()) is not late
    assert kept(house, session).status == ("expired" if late else "issued")
    assert command.id == got.id


def test_what_lapsed_outlives_a_restart_of_the_service(house: House) -> None:
    session = house.register(running=False)
    command = issue(house, session)
    house.now += LIFETIME_S
    house.store.close()
    house.__post_init__()
    house.once()
    assert kept(house, session).status == "expired"
    (got,) = connected(house, session, Link(), bodies=1)
    assert isinstance(got, Command)
    assert (got.id, obeys(got, command.issued_ms)) == (command.id, False)
