"""The end by the quit password, and who guesses it."""

from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.session.journal import QuitTried, read
from secureproctor.agent.session.lockdown import lockdown_of
from secureproctor.agent.session.quitting import Quitting
from secureproctor.contract.errors import Refusal
from secureproctor.lockdown.browser.password import FREE_TRIES, Cost, hash_password
from tests.agent.conftest import a_key, init_data
from tests.agent.session.test_history import told

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

HASH = hash_password("let me out", Cost(n=2, r=8, p=1))


async def running(stage: "Stage", hashed: str = HASH) -> Quitting:
    key = a_key(quit_password_hash=hashed)
    await stage.running(key, navigation_control=True)
    return Quitting(stage.conductor)


async def test_the_password_ends_the_exam_and_gives_the_machine_back(stage: "Stage") -> None:
    quitting = await running(stage)
    await quitting.quit("let me out")
    await stage.conductor.delivered(5)
    assert (stage.session.end_reason, stage.guard.phase) == ("quit by password", "released")
    assert "quit_by_password" in stage.recorded()


async def test_a_wrong_one_is_refused_and_on_the_record(stage: "Stage") -> None:
    quitting = await running(stage)
    with pytest.raises(Refusal) as caught:
        await quitting.quit("please")
    assert (caught.value.code, stage.conductor.state) == ("quit_refused", "running")
    await stage.conductor.stop()
    assert stage.recorded().count("quit_refused") == 1


async def test_guessing_gets_slow_and_a_new_agent_does_not_make_it_fast_again(stage: "Stage") -> None:
    quitting = await running(stage)
    for _ in range(FREE_TRIES):
        with pytest.raises(Refusal):
            await quitting.quit("please")
    with pytest.raises(Refusal, match="This is not the quit password") as caught:
        await quitting.quit("let me out")
    assert "possible in 2 s" in caught.value.remedy
    tries = [each for each in read(stage.journal.path) if isinstance(each, QuitTried)]
    assert len(tries) == FREE_TRIES
    data = init_data(navigation_control=True)
    lockdown = lockdown_of(data.settings, told(a_key(), *tries, data=data))
    assert lockdown is not None
    assert not lockdown.tries.begin()


@pytest.mark.parametrize("key", [None, a_key()])
async def test_an_exam_without_a_quit_password_cannot_be_quit(stage: "Stage", key: Any) -> None:
    await stage.running(key, navigation_control=True)
    with pytest.raises(Refusal) as caught:
        await Quitting(stage.conductor).quit("let me out")
    assert caught.value.code == "quit_not_possible"


async def test_without_an_exam_there_is_nothing_to_quit(stage: "Stage") -> None:
    with pytest.raises(Refusal) as caught:
        await Quitting(stage.conductor).quit("let me out")
    assert caught.value.code == "not_now"
