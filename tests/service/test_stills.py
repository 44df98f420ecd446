"""Single pictures: what the service shows of them, who the candidate is by them, and what the report says of their chain."""

from dataclasses import replace
from typing import Any

import pytest

from secureproctor.contract.channel import STATUS_ORDER, AuthorizationChanged, Command, CommandUpdate, SessionChanged
from secureproctor.contract.console import Issue
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.report import SCHEMA, CommandReport, StillReport
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.identity import identity
from secureproctor.service.session import stepped
from tests.service.chainmodel import session as ended_session

NOW_MS = 1_700_000_000_000
S = 1_000_000
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def get(candidate: Any, path: str, access: str) -> Any:
    return candidate.server.http.get(f"/v1/sessions/{candidate.id}/{path}", params={"access": access})


def submitted(server: Any) -> Any:
    """A candidate who has shown photo and ID card."""
    candidate = server.register(proctoringSettings={"authorization": True})
    for seq, of in enumerate(("photo", "id_card", "photo")):
        candidate.still(seq, of, JPEG + of.encode() + bytes([seq]), hints=("blurred",) if seq == 0 else ())
    return candidate


def test_the_console_sees_the_newest_pictures_and_their_addresses_open_them(server: Any) -> None:
    candidate = submitted(server)
    with candidate.channel() as agent, server.console() as console:
        agent.tell(AuthorizationChanged("capture", NOW_MS, ("photo", "id_card")))
        agent.tell(AuthorizationChanged("submitted", NOW_MS + 9000))
        agent.settle()
        detail = console.open(candidate.id)
    assert [(each.of, each.seq, each.hints, each.width) for each in detail.stills] == [
        ("photo", 0, ("blurred",), 640), ("id_card", 1, (), 640), ("photo", 2, (), 640)
    ]  # fmt: skip
    who = detail.identity
    assert (who.step, who.wanted, who.consent_ms, who.submitted_ms) == ("submitted", (), NOW_MS, NOW_MS + 9000)
    assert who.photo
    assert who.id_card
    assert (who.photo.seq, who.id_card.seq) == (2, 1)
    answer = server.http.get(who.photo.url)
    assert (answer.content, answer.headers["Content-Type"]) == (JPEG + b"photo\x02", "image/jpeg")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_decision_is_kept_with_its_proctor_its_time_and_its_words(server: Any) -> None:
    candidate = submitted(server)
    with candidate.channel() as agent, server.console() as console:
        agent.tell(AuthorizationChanged("submitted", NOW_MS))
        agent.settle()
        console.send(Issue(candidate.id, "resubmit", "It is blurred.", argument="photo"))
        command = agent.expect(Command)
        assert console.open(candidate.id).identity.decided_by == "", "nothing is decided before it took effect"
        for n, status in enumerate(STATUS_ORDER):
            agent.tell(CommandUpdate(command.id, status, NOW_MS + n))
        agent.tell(AuthorizationChanged("capture", NOW_MS + 5, ("photo", "nonsense")))
        agent.settle()
        who = console.detail(candidate.id, lambda detail: detail.identity.step == "capture").identity
    assert (who.decided_by, who.decided_ms, who.text, who.wanted) == ("link", NOW_MS + 1, "It is blurred.", ("photo",))


def test_the_report_holds_pictures_identity_and_a_chain_of_their_own(server: Any) -> None:
    candidate = submitted(server)
    with candidate.channel() as agent, server.console() as console:
        agent.tell(AuthorizationChanged("authorized", NOW_MS))
        agent.tell(SessionChanged("running", NOW_MS, 0))
        for stream in MEDIA:
            candidate.record(stream, 0)
            candidate.record(stream, 1, duration_us=4 * S)
        agent.beat(at_us=4 * S)
        agent.tell(SessionChanged("ended", NOW_MS + 4000, 4 * S, "stopped"))
        agent.settle()
        access = console.snapshot(candidate.id, lambda s: s.state == "ended").access
    report = get(candidate, "report", access).json()
    assert report["schema"] == SCHEMA
    assert [(chain["stream"], chain["records"], chain["verified"]) for chain in report["chains"]] == [
        ("screen", 2, True), ("webcam", 2, True), ("audio", 2, True), ("stills", 3, True)
    ]  # fmt: skip
    assert [each["of"] for each in report["stills"]] == ["photo", "id_card", "photo"]
    assert (report["identity"]["step"], report["identity"]["photo"]["seq"]) == ("authorized", 2)
    assert [stream["stream"] for stream in report["streams"]] == list(MEDIA), "nothing is expected of stills"
    assert (report["gaps"], report["tampering"], report["verified"]) == ([], [], True)


@pytest.mark.parametrize(
    "payload",
    [b"", b"no picture", b"{}\n\xff\xd8", b'{"of":"photo","at_ms":1,"width":1,"height":1}\nGIF89a', b"[" * 5000],
)
def test_a_still_that_holds_no_picture_is_told_and_opens_nothing(server: Any, payload: bytes) -> None:
    candidate = server.register()
    candidate.record(Stream.STILLS, 0, payload=payload)
    with server.console() as console:
        assert console.open(candidate.id).stills == []
        access = console.shown[candidate.id].access
    assert get(candidate, "stills/0/0", access).status_code == 404
    (chain,) = get(candidate, "report", access).json()["chains"]
    assert (chain["stream"], chain["verified"]) == ("stills", False)
    assert "it holds no picture" in chain["faults"][0] or "no JPEG" in chain["faults"][0]


@pytest.mark.parametrize("path", ["stills/0/7", "stills/1/0", "stills/x/0", "stills/0/" + "9" * 30])
def test_a_picture_that_is_not_there_is_not_found(server: Any, path: str) -> None:
    candidate = submitted(server)
    with server.console() as console:
        access = console.snapshot(candidate.id).access
    assert get(candidate, path, access).status_code == 404


def test_a_picture_opens_by_its_sessions_access_code_only(server: Any) -> None:
    candidate, other = submitted(server), server.register()
    with server.console() as console:
        foreign = console.snapshot(other.id).access
    for access in ("", "1.x", foreign):
        assert get(candidate, "stills/0/0", access).status_code == 403


def test_a_still_that_was_taken_away_is_a_hole_in_its_chain(server: Any) -> None:
    candidate = server.register()
    candidate.still(0)
    candidate.seal(Stream.STILLS, 1)
    candidate.still(2)
    with candidate.channel() as agent, server.console() as console:
        agent.beat("ready", None)
        agent.tell(SessionChanged("ended", NOW_MS, None, "stopped"))
        agent.settle()
        access = console.snapshot(candidate.id, lambda s: s.state == "ended").access
    (chain,) = get(candidate, "report", access).json()["chains"]
    # it may still be on its way: the agent was heard a moment ago
    assert (chain["verified"], chain["faults"], chain["waiting"]) == (False, [], ["Record 0/1: not arrived yet."])


def still(seq: int, of: str = "photo") -> StillReport:
    return StillReport(of, 0, 0, seq, 1, 1, (), "")


def test_without_authorization_there_is_no_identity() -> None:
    assert identity(ended_session(0), [], [still(0)]).step == "off"


@pytest.mark.parametrize(
    ("steps", "consent_ms", "submitted_ms"),
    [
        (["consent"], None, None),
        (["consent", "capture"], 2, None),
        (["consent", "submitted"], 2, 2),
        (["consent", "capture", "submitted", "capture", "submitted", "authorized"], 2, 5),
        (["consent", "rejected"], None, None),
    ],
)
def test_consent_is_the_first_step_beyond_and_what_was_submitted_last_counts(
    steps: list[Any], consent_ms: int | None, submitted_ms: int | None
) -> None:
    session = ended_session(0)
    for at_ms, step in enumerate(steps, 1):
        session = stepped(session, AuthorizationChanged(step, at_ms))
    assert (session.step, session.consent_ms, session.submitted_ms) == (steps[-1], consent_ms, submitted_ms)


def test_the_latest_decision_that_took_effect_counts() -> None:
    session = ended_session(0)
    session = replace(session, settings=ProctoringSettings(authorization=True))
    commands = [
        CommandReport("1", "resubmit", "acknowledged", 1, applied_ms=10, text="again", issued_by="ada"),
        CommandReport("2", "pause", "acknowledged", 2, applied_ms=30, issued_by="eve"),
        CommandReport("3", "authorize", "acknowledged", 3, applied_ms=20, text="fine", issued_by="bob"),
        CommandReport("4", "reject", "failed", 4, text="too late", issued_by="ada"),
    ]
    who = identity(session, commands, [], "url", "")
    assert (who.decided_by, who.decided_ms, who.text, who.reference) == ("bob", 20, "fine", "url")
