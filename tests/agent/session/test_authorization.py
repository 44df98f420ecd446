"""Authorization: its rules by themselves, and played at the desk with a camera that is a fake."""

import asyncio
import base64
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.session import viewing
from secureproctor.agent.session.authorization import Authorization, events_of, pictures_of
from secureproctor.agent.session.history import replay
from secureproctor.agent.session.journal import AuthorizationMoved, Entry, Registered, read
from secureproctor.agent.session.machine import AT_ANY_TIME, ENDINGS, State, Trigger
from secureproctor.agent.session.status import view
from secureproctor.contract.channel import AuthorizationChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.page import AuthorizationEvent, AuthorizationStatus, ConsentTerms, PreviewEvent
from secureproctor.contract.record import RecordKind, parse, unseal
from secureproctor.contract.stills import Identity, StillInfo, unpack

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
BOTH: tuple[Identity, ...] = ("photo", "id_card")
TERMS = ConsentTerms(("audio", "screen", "webcam"), "maths", "", "https://service.example", 1.0)


def code_of(error: pytest.ExceptionInfo[Refusal]) -> str:
    return error.value.code


def status(stage: "Stage") -> AuthorizationStatus:
    found = view(stage.conductor, "agent", 0, False).authorization
    assert found is not None
    return found


def stills(stage: "Stage") -> list[StillInfo]:
    """Those that are in the service's hands, opened with its key."""
    records = [record for record in map(parse, stage.taken) if record.header.kind is RecordKind.STILL]
    return [unpack(unseal(record, KEY))[0] for record in records]


# the rules


@pytest.mark.parametrize(
    ("settings", "pictures"),
    [({}, BOTH), ({"skip_id": True}, ("photo",)), ({"skip_id_and_photo": True}, ()),
     ({"skip_id": True, "skip_id_and_photo": True}, ())],
)  # fmt: skip
def test_what_is_to_be_shown_follows_the_settings(settings: dict[str, bool], pictures: tuple[str, ...]) -> None:
    assert pictures_of(ProctoringSettings(**settings)) == pictures  # type: ignore[arg-type]  # they are all switches


@pytest.mark.parametrize("step", ["consent", "capture", "authorized", "rejected"])
@pytest.mark.parametrize("decision", ["authorized", "rejected"])
def test_there_is_nothing_to_decide_before_all_is_handed_in_nor_twice(step: Any, decision: Any) -> None:
    with pytest.raises(Refusal, match="is not possible: the candidate") as caught:
        Authorization(BOTH, step).decided(decision, 1, "", "Ada", "c-1")
    assert code_of(caught) == "command_refused"


def test_pictures_that_are_still_wanted_stay_so_when_more_are_asked_for() -> None:
    authorization = Authorization(BOTH, "capture", ("id_card",))
    assert authorization.asked_again("photo", 1, "", "Ada", "c-1").wanted == BOTH
    assert authorization.asked_again("id_card", 1, "", "Ada", "c-1").wanted == ("id_card",)


@pytest.mark.parametrize(("due", "asked"), [(("photo",), "id_card"), (("photo",), "both"), ((), "photo")])
def test_what_the_exam_left_out_cannot_be_asked_for(due: Any, asked: str) -> None:
    with pytest.raises(Refusal, match="the exam left the"):
        Authorization(due, "submitted").asked_again(asked, 1, "", "Ada", "c-1")


def test_consent_is_taken_back_until_something_is_handed_in() -> None:
    taken_back = Authorization(BOTH, "capture", BOTH).answered(accepted=False, now_ms=1)
    assert taken_back == AuthorizationMoved("consent", 1)
    with pytest.raises(Refusal):
        Authorization(BOTH, "submitted").answered(accepted=False, now_ms=1)


@pytest.mark.parametrize(
    ("entry", "before", "kinds"),
    [
        (AuthorizationMoved("capture", 1, BOTH), "consent", ["consent_given"]),
        (AuthorizationMoved("submitted", 1), "consent", ["consent_given", "authorization_submitted"]),
        (AuthorizationMoved("submitted", 1), "capture", ["authorization_submitted"]),
        (AuthorizationMoved("consent", 1), "capture", ["consent_refused"]),
        (AuthorizationMoved("capture", 1, ("photo",), "dark", "Ada", "c-1"), "submitted", ["resubmit_requested"]),
        (AuthorizationMoved("authorized", 1, (), "", "Ada", "c-1"), "submitted", ["authorized"]),
        (AuthorizationMoved("rejected", 1, (), "no", "Ada", "c-1"), "submitted", ["rejected"]),
    ],
)
def test_each_step_is_an_event_on_the_record(entry: AuthorizationMoved, before: Any, kinds: list[str]) -> None:
    assert [kind for kind, _ in events_of(entry, before, TERMS)] == kinds


# the way to the exam


async def test_without_authorization_nothing_is_asked(stage: "Stage") -> None:
    await stage.ready()
    assert stage.conductor.state == "ready"
    assert view(stage.conductor, "agent", 0, False).authorization is None
    with pytest.raises(Refusal, match="Consent is not possible"):
        await stage.desk.consent(accepted=True)


async def test_a_candidate_agrees_shows_both_is_authorized_and_starts(stage: "Stage", eventually: Any) -> None:
    await stage.ready(authorization=True)
    assert stage.conductor.state == "awaiting_authorization"
    assert (status(stage).step, status(stage).wanted) == ("consent", ())
    await stage.desk.consent(accepted=True)
    assert (status(stage).step, status(stage).wanted) == ("capture", BOTH)
    shot = await stage.desk.take("photo")
    assert base64.b64decode(shot.jpeg).endswith(b"photo")
    assert (shot.of, shot.width, shot.height, shot.hints) == ("photo", 1280, 720, ("blurred",))
    assert status(stage).taken == ("photo",)
    await stage.desk.take("id_card")
    await stage.desk.submit()
    assert (status(stage).step, status(stage).wanted, status(stage).taken) == ("submitted", (), ())
    await eventually(lambda: [still.of for still in stills(stage)] == list(BOTH))
    await stage.command("authorize", text="Welcome.")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    assert (stage.conductor.state, status(stage).step, status(stage).text) == ("ready", "authorized", "Welcome.")
    assert stage.told == [AuthorizationEvent("authorized", "Welcome.")]
    await stage.conductor.start()
    await stage.conductor.stop()
    steps = ["consent_given", "still_taken", "still_taken", "authorization_submitted", "authorized", "session_started"]
    assert [kind for kind in stage.recorded() if kind in steps] == steps
    assert [each.step for each in stage.channel.sent if isinstance(each, AuthorizationChanged)] == [
        "consent", "capture", "submitted", "authorized",
    ]  # fmt: skip


async def test_the_terms_say_what_for_whom_and_how_long(stage: "Stage") -> None:
    await stage.ready(authorization=True, skip_id=True, recording=False, audio_proctoring=False)
    assert status(stage).terms == ConsentTerms(
        ("screen", "webcam", "photo"), "maths", "", "https://service.example", 1.0, live_only=True
    )


async def test_without_pictures_consent_alone_is_handed_in(stage: "Stage") -> None:
    await stage.ready(authorization=True, skip_id_and_photo=True)
    await stage.desk.consent(accepted=True)
    assert status(stage).step == "submitted"
    with pytest.raises(Refusal) as caught:
        await stage.desk.take("photo")
    assert code_of(caught) == "picture_not_wanted"
    await stage.command("authorize")
    assert stage.conductor.state == "ready"
    assert stage.previews == []


async def test_start_waits_for_the_proctor(stage: "Stage") -> None:
    await stage.submitted()
    with pytest.raises(Refusal) as caught:
        await stage.conductor.start()
    assert (code_of(caught), caught.value.remedy) == ("not_now", "Wait for the proctor's authorization.")
    assert stage.captures == []


async def test_a_check_that_failed_takes_the_candidate_back_and_keeps_what_was_handed_in(stage: "Stage") -> None:
    await stage.submitted()
    passed, stage.checks = stage.checks, stage.checks[:0] + tuple(_failed(each) for each in stage.checks)
    await stage.conductor.check_system()
    assert stage.conductor.state == "registered"
    stage.checks = passed
    await stage.conductor.check_system()
    assert (stage.conductor.state, status(stage).step) == ("awaiting_authorization", "submitted")


async def test_another_check_keeps_the_authorization(stage: "Stage") -> None:
    await stage.submitted()
    await stage.command("authorize")
    passed, stage.checks = stage.checks, tuple(_failed(each) for each in stage.checks)
    await stage.conductor.check_system()
    assert stage.conductor.state == "registered"
    stage.checks = passed
    await stage.conductor.check_system()
    assert stage.conductor.state == "ready"


def _failed(check: Any) -> Any:
    return type(check)(check.id, check.name, "failed", "broken", check.seen)


async def test_a_proctor_who_authorizes_during_a_check_is_not_overruled_by_it(stage: "Stage") -> None:
    await stage.submitted()
    stage.checking = asyncio.Event()
    check = asyncio.create_task(stage.conductor.check_system())
    await asyncio.sleep(0)
    await stage.command("authorize")
    stage.checking.set()
    await check
    assert stage.conductor.state == "ready"


async def test_a_rejected_candidate_is_told_why_and_the_session_ends(stage: "Stage") -> None:
    await stage.submitted()
    await stage.command("reject", text="This is not your ID card.")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    assert stage.told == [AuthorizationEvent("rejected", "This is not your ID card.")]
    await stage.conductor.delivered(5)
    assert (stage.conductor.state, stage.session.end_reason) == ("ended", "rejected by proctor")
    assert status(stage).text == "This is not your ID card."
    assert [event.detail for event in stage.evidence() if event.kind == "rejected"] == [
        {"by": "Ada", "reason": "This is not your ID card."}
    ]


@pytest.mark.parametrize("kind", ["authorize", "reject", "resubmit"])
@pytest.mark.parametrize("step", ["consent", "capture"])
async def test_a_decision_before_its_time_fails_with_the_reason(stage: "Stage", kind: str, step: str) -> None:
    await stage.ready(authorization=True)
    if step == "capture":
        await stage.desk.consent(accepted=True)
    await stage.command(kind, argument="both" if kind == "resubmit" else "")
    if (kind, step) == ("resubmit", "capture"):
        assert stage.statuses()[-1] == "acknowledged"
        return
    assert stage.statuses() == ["received", "failed"]
    assert stage.reason() == (
        f"The command {kind} is not possible: the candidate has not "
        + ("agreed to be proctored yet." if step == "consent" else "handed in what is wanted yet.")
    )
    assert stage.conductor.state == "awaiting_authorization"


@pytest.mark.parametrize(("argument", "wanted"), [("photo", ("photo",)), ("id_card", ("id_card",)), ("both", BOTH)])
async def test_pictures_are_asked_for_again_and_handed_in_again(
    stage: "Stage", argument: str, wanted: tuple[Any, ...]
) -> None:
    await stage.submitted()
    await stage.command("resubmit", argument=argument, text="Too dark.")
    assert (status(stage).step, status(stage).wanted, status(stage).text) == ("capture", wanted, "Too dark.")
    assert stage.told == [AuthorizationEvent("resubmit", "Too dark.", wanted)]
    with pytest.raises(Refusal) as caught:
        await stage.desk.submit()
    assert code_of(caught) == "pictures_missing"
    for picture in wanted:
        await stage.desk.take(picture)
    await stage.desk.submit()
    assert status(stage).step == "submitted"
    await stage.command("authorize", "c-2")
    assert stage.conductor.state == "ready"


@pytest.mark.parametrize("ending", AT_ANY_TIME)
async def test_every_ending_comes_from_the_desk_too(stage: "Stage", ending: Trigger) -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.take("photo")
    await stage.desk.start_preview("photo")
    await stage.conductor.end(ending, "End")
    await stage.conductor.delivered(5)
    assert (stage.session.end_reason, stage.session.taken) == (ENDINGS[ending], {})
    assert not stage.previews[-1].running


# consent


async def test_declining_captures_nothing_and_the_candidate_may_still_agree(stage: "Stage") -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=False)
    for call in (stage.desk.take, stage.desk.start_preview):
        with pytest.raises(Refusal) as caught:
            await call("photo")
        assert code_of(caught) == "consent_missing"
    assert (stage.previews, stage.captures) == ([], [])
    await stage.desk.consent(accepted=True)
    await stage.desk.consent(accepted=True)
    assert status(stage).step == "capture"
    assert [each for each in stage.events if each.startswith("event consent")] == [
        "event consent_refused", "event consent_given",
    ]  # fmt: skip


async def test_consent_that_is_taken_back_closes_the_camera_and_drops_the_pictures(stage: "Stage") -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.take("photo")
    await stage.desk.start_preview("photo")
    await stage.desk.consent(accepted=False)
    assert (status(stage).step, stage.session.taken, stage.previews[-1].running) == ("consent", {}, False)


async def test_consent_may_come_before_the_check_and_pictures_may_not(stage: "Stage") -> None:
    await stage.registered(authorization=True)
    await stage.desk.consent(accepted=True)
    with pytest.raises(Refusal, match="TakePhoto is not possible while the session is registered"):
        await stage.desk.take("photo")
    await stage.conductor.check_system()
    assert (stage.conductor.state, status(stage).step) == ("awaiting_authorization", "capture")


async def test_each_step_is_in_the_journal_before_it_is_told(stage: "Stage") -> None:
    await stage.submitted()
    await stage.command("authorize")
    steps = [
        each for each in stage.since("told awaiting_authorization") if "event" not in each and "camera" not in each
    ]
    assert steps == [
        "journal step capture", "told step capture",
        "journal step submitted", "told step submitted",
        "journal received", "told c-1 received",
        "journal step authorized", "told step authorized",
        "journal ready", "told ready",
        "journal applied", "told c-1 applied", "journal acknowledged", "told c-1 acknowledged",
    ]  # fmt: skip


async def test_the_journal_tells_where_it_was_at_every_entry(stage: "Stage") -> None:
    await stage.submitted()
    await stage.command("resubmit", argument="photo", text="Again.")
    entries = list(read(stage.journal.path))
    seen = []
    for length in range(1, len(entries) + 1):
        history = replay([*_registered(stage), *entries[:length]])
        assert history is not None
        assert history.authorization is not None
        seen.append((history.authorization.step, history.authorization.wanted, history.authorization.text))
    assert [each for each, _ in itertools.groupby(seen)] == [
        ("consent", (), ""), ("capture", BOTH, ""), ("submitted", (), ""), ("capture", ("photo",), "Again."),
    ]  # fmt: skip


def _registered(stage: "Stage") -> list[Entry]:
    return [Registered(stage.session.data, "https://service.example", 1)]


# pictures and the preview


async def test_a_picture_that_is_not_wanted_is_not_taken(stage: "Stage") -> None:
    await stage.ready(authorization=True, skip_id=True)
    await stage.desk.consent(accepted=True)
    with pytest.raises(Refusal, match="The ID card is not asked for") as caught:
        await stage.desk.take("id_card")
    assert code_of(caught) == "picture_not_wanted"
    assert stage.previews == []


async def test_a_retake_replaces_the_picture(stage: "Stage", eventually: Any) -> None:
    await stage.ready(authorization=True, skip_id=True)
    await stage.desk.consent(accepted=True)
    first = await stage.desk.take("photo")
    second = await stage.desk.take("photo")
    assert first.at_ms <= second.at_ms
    await stage.desk.submit()
    await eventually(lambda: len(stills(stage)) == 1)
    assert stills(stage)[0].at_ms == second.at_ms


async def test_submitting_twice_hands_in_once(stage: "Stage", eventually: Any) -> None:
    await stage.submitted()
    await stage.desk.submit()
    await eventually(lambda: len(stills(stage)) == 2)
    assert stage.events.count("told step submitted") == 1


async def test_submitting_says_what_is_missing(stage: "Stage") -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.take("photo")
    with pytest.raises(Refusal, match="Not everything was taken yet: ID card") as caught:
        await stage.desk.submit()
    assert code_of(caught) == "pictures_missing"
    assert status(stage).taken == ("photo",)


async def test_a_disk_that_takes_no_picture_is_told_and_nothing_is_handed_in(
    stage: "Stage", monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.ready(authorization=True, skip_id=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.take("photo")

    async def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(stage.session.delivery), "still", full)
    with pytest.raises(Refusal) as caught:
        await stage.desk.submit()
    assert code_of(caught) == "disk_full"
    assert (status(stage).step, status(stage).taken) == ("capture", ("photo",))


async def test_the_preview_shows_what_the_camera_sees_to_the_holder_only(stage: "Stage", eventually: Any) -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.start_preview("photo")
    await eventually(lambda: stage.shown)
    assert stage.shown == [PreviewEvent("photo", base64.b64encode(b"small").decode(), 480, 270, ("too_dark",))]
    assert stage.told == []
    assert status(stage).preview
    await stage.desk.start_preview("id_card")
    assert (len(stage.previews), stage.previews[0].of) == (1, "id_card")
    await stage.desk.stop_preview()
    await stage.desk.stop_preview()
    assert not status(stage).preview
    assert [each for each in stage.events if "camera" in each] == ["camera opened for photo", "camera closed"]
    assert [each for each in stage.events if "preview" in each] == ["event preview_started", "event preview_stopped"]


async def test_a_picture_without_a_preview_opens_the_camera_and_closes_it(stage: "Stage") -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.take("photo")
    assert not status(stage).preview
    await stage.desk.start_preview("photo")
    await stage.desk.take("photo")
    assert status(stage).preview
    assert stage.events.count("camera closed") == 1


@pytest.mark.parametrize("call", ["take", "start_preview"])
async def test_a_camera_that_does_not_open_is_a_refusal_with_a_remedy(stage: "Stage", call: str) -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    stage.trouble = "busy"
    with pytest.raises(Refusal, match="The camera gives no picture: busy") as caught:
        await getattr(stage.desk, call)("photo")
    assert (code_of(caught), caught.value.remedy) == (
        "camera_unavailable", "Close the other programs that use the webcam.",
    )  # fmt: skip
    assert not status(stage).preview
    stage.trouble = ""
    await getattr(stage.desk, call)("photo")


async def test_a_camera_that_was_lost_is_opened_anew(stage: "Stage") -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.start_preview("photo")
    stage.previews[0].dead = True
    with pytest.raises(Refusal, match="stalled"):
        await stage.desk.take("photo")
    stage.previews[0].running = False
    await stage.desk.take("photo")
    assert len(stage.previews) == 2


async def test_the_preview_closes_by_itself(stage: "Stage", eventually: Any) -> None:
    assert viewing.LONGEST_S == 120
    stage.conductor.viewing.longest_s = 0.05
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    await stage.desk.start_preview("photo")
    await eventually(lambda: not stage.previews[0].running)
    assert not stage.conductor.viewing.on


@pytest.mark.parametrize("way", ["submit", "check", "authorize", "register", "failed check"])
async def test_the_preview_closes_on_every_way_from_the_desk(stage: "Stage", way: str) -> None:
    await stage.ready(authorization=True, skip_id_and_photo=way == "authorize", skip_id=True)
    await stage.desk.consent(accepted=True)
    if way == "authorize":  # nothing but a late preview can still be open then
        await stage.conductor.viewing.start("photo")
    else:
        await stage.desk.take("photo")
        await stage.desk.start_preview("photo")
    match way:
        case "submit":
            await stage.desk.submit()
        case "check":
            await stage.conductor.check_system()
        case "failed check":
            stage.checks = tuple(_failed(each) for each in stage.checks)
            await stage.conductor.check_system()
        case "authorize":
            await stage.command("authorize")
        case "register":
            await stage.registered()
    assert not stage.conductor.viewing.on
    assert not any(preview.running for preview in stage.previews)


async def test_a_preview_that_opens_while_the_session_ends_is_closed(stage: "Stage") -> None:
    await stage.ready(authorization=True)
    await stage.desk.consent(accepted=True)
    async with stage.conductor.viewing._lock:
        opening = asyncio.create_task(stage.desk.start_preview("photo"))
        await asyncio.sleep(0)
        stage.conductor.state = State.DRAINING  # its closing has been and gone
    with pytest.raises(Refusal):
        await opening
    assert not stage.conductor.viewing.on
    assert not stage.previews[0].running
    stage.conductor.state = State.AWAITING_AUTHORIZATION
