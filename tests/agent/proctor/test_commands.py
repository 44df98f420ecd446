"""Each kind of command: what it does, and when it is refused. Pausing, resuming and ending are in test_obedience.py, the
decisions on a candidate in session/test_authorization.py."""

import math
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.proctor.commands import COMMANDS, objection
from secureproctor.agent.session.history import replay
from secureproctor.agent.session.journal import Registered, read
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.status import view
from secureproctor.contract import channel
from secureproctor.contract.channel import Command
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.record import RecordKind, parse, unseal
from secureproctor.contract.stills import unpack
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
SETTINGS = ProctoringSettings(authorization=True, navigation_control=True)


def test_every_command_of_the_contract_has_a_row() -> None:
    assert set(COMMANDS) == set(channel.COMMANDS)


@pytest.mark.parametrize("kind", channel.COMMANDS)
def test_only_the_arguments_of_the_contract_are_taken(kind: Any) -> None:
    rule = channel.COMMANDS[kind]
    for argument in rule.arguments or ("",):
        assert objection(Command("c-1", kind, 0, argument=argument), SETTINGS, 0) is None
    for argument in ("nonsense", "" if rule.arguments else "full"):
        status, reason = objection(Command("c-1", kind, 0, argument=argument), SETTINGS, 0) or ("", "")
        assert (status, repr(argument) in reason) == ("refused", True)


def test_an_unknown_command_is_refused_however_old_it_is() -> None:
    assert objection(Command("c-1", "levitate", 0, lifetime_s=1), SETTINGS, 10**9) == (
        "refused", "This agent does not know the command 'levitate'.",
    )  # fmt: skip


@pytest.mark.parametrize(("lifetime_s", "expired"), [(59.9, True), (60.0, False), (-1.0, True), (math.inf, False)])
def test_a_command_is_expired_past_its_lifetime(lifetime_s: float, expired: bool) -> None:
    found = objection(Command("c-1", "pause", 0, lifetime_s), SETTINGS, 60_000)
    assert (found is not None and found[0] == "expired") == expired


# quality


def heard(stage: "Stage") -> list[dict[str, Any]]:
    return [dict(event.detail) for event in stage.evidence() if event.kind == "quality_changed"]


async def test_the_proctor_sets_the_quality(stage: "Stage") -> None:
    await stage.running()
    await stage.command("quality", argument="reduced")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    assert (stage.captures[-1].quality, view(stage.conductor, "agent", 0, False).quality) == ("reduced", "reduced")
    await stage.command("quality", "c-2", argument="reduced")
    await stage.command("quality", "c-3", argument="full")
    await stage.conductor.stop()
    assert heard(stage) == [{"level": "reduced", "by": "proctor"}, {"level": "full", "by": "proctor"}]


async def test_what_is_captured_is_the_worse_of_what_proctor_and_disk_ask_for(
    stage: "Stage", monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.running()
    levels = ["full"]
    monkeypatch.setattr(type(stage.session.delivery.spool), "level", property(lambda spool: levels[-1]))
    captured = stage.captures[-1]
    await stage.command("quality", "c-1", argument="least")
    levels.append("reduced")
    stage.conductor.squeezed(stage.session, "reduced", False)
    assert captured.quality == "least"
    await stage.command("quality", "c-2", argument="full")
    assert captured.quality == "reduced"
    levels.append("full")
    stage.conductor.squeezed(stage.session, "full", False)
    assert captured.quality == "full"
    await stage.conductor.stop()
    assert [(each["level"], each["by"]) for each in heard(stage)] == [
        ("least", "proctor"), ("reduced", "proctor"), ("full", "disk"),
    ]  # fmt: skip


async def test_a_quality_set_before_the_start_is_captured_in(stage: "Stage") -> None:
    await stage.ready()
    await stage.command("quality", argument="least")
    await stage.conductor.start()
    assert stage.captures[-1].quality == "least"


async def test_a_session_that_is_over_has_no_quality(stage: "Stage") -> None:
    stage.away = True
    await stage.running()
    await stage.conductor.end(Trigger.STOP, "Stop")
    await stage.command("quality", argument="least")
    assert stage.statuses() == ["received", "failed"]
    assert stage.reason() == f"Quality is not possible while the session is {stage.conductor.state}."


async def test_the_next_agent_knows_the_quality(stage: "Stage") -> None:
    await stage.running()
    await stage.command("quality", argument="least")
    history = replay([Registered(stage.session.data, "", 1), *read(stage.journal.path)])
    assert history is not None
    assert (history.quality, history.commands["c-1"].done) == ("least", True)


# snapshot


@pytest.mark.parametrize("of", ["screen", "webcam"])
async def test_a_snapshot_comes_as_a_still_of_the_command(stage: "Stage", of: str, eventually: Any) -> None:
    await stage.running()
    await stage.command("snapshot", argument=of)
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    assert stage.captures[-1].stills == [(Stream(of), 5.0)]
    await eventually(lambda: any(parse(data).header.kind is RecordKind.STILL for data in stage.taken))
    (record,) = [each for each in map(parse, stage.taken) if each.header.kind is RecordKind.STILL]
    info, _ = unpack(unseal(record, KEY))
    assert (info.of, info.request, info.width, info.height) == (of, "c-1", 1920, 1080)
    assert record.header.start_us > 0
    await stage.conductor.stop()
    taken = [event.detail for event in stage.evidence() if event.kind == "still_taken"]
    assert taken == [{"of": of, "hints": "", "request": "c-1"}]


async def test_a_snapshot_of_what_is_not_captured_fails_with_the_reason(stage: "Stage") -> None:
    await stage.ready(screen_capture=False)
    await stage.command("snapshot", "c-1", argument="webcam")
    await stage.conductor.start()
    await stage.command("snapshot", "c-2", argument="screen")
    assert stage.reason("c-1") == "The command snapshot is not possible: the webcam is not captured now."
    assert stage.reason("c-2") == "The command snapshot is not possible: the screen is not captured now."


async def test_a_snapshot_for_which_no_picture_came_fails_with_the_reason(stage: "Stage") -> None:
    await stage.running()
    stage.captures[-1].blind = True
    await stage.command("snapshot", argument="screen")
    assert stage.statuses() == ["received", "failed"]
    assert stage.reason() == "The command snapshot is not possible: the screen gave no picture within 5 seconds."


async def test_a_snapshot_that_the_disk_does_not_take_fails(stage: "Stage", monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.running()

    async def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(stage.session.delivery), "still", full)
    await stage.command("snapshot", argument="screen")
    assert stage.statuses() == ["received", "failed"]
    assert "could not be kept" in stage.reason()


async def test_nobody_waits_for_a_snapshot(stage: "Stage", eventually: Any) -> None:
    """A pause that comes after it takes effect at once."""
    import threading

    await stage.running()
    developed = threading.Event()
    capture = stage.captures[-1]
    plain = capture.still

    def slow(stream: Stream, timeout_s: float) -> Any:
        developed.wait(5)
        return plain(stream, timeout_s)

    capture.still = slow  # type: ignore[method-assign]  # the test's own pace
    issued = Command("c-1", "snapshot", 2**45, argument="screen")
    assert stage.obedience.take(stage.session, issued) is None
    work = stage.obedience.take(stage.session, Command("c-2", "pause", 2**45))
    assert work is not None
    await work
    assert (stage.statuses("c-1"), stage.statuses("c-2")) == (["received"], ["received", "applied"])
    developed.set()
    await eventually(lambda: stage.statuses("c-1")[-1] == "acknowledged")
