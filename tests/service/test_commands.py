"""A proctor's commands: what is refused at once, what is kept of each, and how each comes to an end."""

import signal
from typing import Any, get_args

import pytest

from secureproctor.contract.channel import (
    COMMANDS,
    FINAL,
    AuthorizationChanged,
    Command,
    CommandKind,
    CommandStatus,
    CommandUpdate,
    SessionChanged,
)
from secureproctor.contract.console import Failed, Issue, Issued
from secureproctor.contract.link import Link
from tests.service.attesting import msb_key

NOW_MS = 1_700_000_000_000
KEY = msb_key("exam-public", "group")
ARGUMENT = {kind: rule.arguments[0] if rule.arguments else "" for kind, rule in COMMANDS.items()}


def awaiting(server: Any, **settings: object) -> tuple[Any, Link]:
    """A candidate who has handed in what was wanted."""
    candidate = server.register(proctoringSettings={"authorization": True, **settings})
    link = Link()
    with candidate.channel(link) as agent:
        agent.tell(AuthorizationChanged("consent", NOW_MS, ("photo", "id_card")))
        agent.tell(AuthorizationChanged("capture", NOW_MS + 1, ("photo", "id_card")))
        agent.tell(AuthorizationChanged("submitted", NOW_MS + 2))
        agent.settle()
    return candidate, link


def issued(console: Any, candidate: Any, kind: Any, **how: Any) -> Any:
    console.send(Issue(candidate.id, kind, how.pop("text", ""), "m", how.pop("argument", ARGUMENT[kind])))
    return console.answer()


def refusal(console: Any, candidate: Any, kind: Any, **how: Any) -> str:
    answer = issued(console, candidate, kind, **how)
    assert isinstance(answer, Failed), answer
    assert answer.request == "m"
    return answer.error.message


@pytest.mark.parametrize("kind", get_args(CommandKind))
def test_every_command_goes_out_with_its_lifetime_and_the_proctors_name(server: Any, kind: CommandKind) -> None:
    candidate, link = awaiting(server, navigationControl=True)
    with candidate.channel(link) as agent, server.console() as console:
        answer = issued(console, candidate, kind, text="because")
        assert isinstance(answer, Issued), answer
        command = agent.expect(Command)
        assert (command.kind, command.text, command.argument, command.by) == (kind, "because", ARGUMENT[kind], "link")
        assert command.lifetime_s == COMMANDS[kind].lifetime_s
        kept = console.open(candidate.id).commands[0]
        assert (kept.id, kept.text, kept.argument, kept.issued_by) == (command.id, "because", ARGUMENT[kind], "link")
        assert kept.expires_ms == command.issued_ms + COMMANDS[kind].lifetime_s * 1000
        assert console.shown[candidate.id].open_commands == 1


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        ("pause", "photo"),
        ("resubmit", ""),
        ("resubmit", "passport"),
        ("quality", "best"),
        ("snapshot", "audio"),
        ("override", ""),
        ("override", "gravity"),
    ],
)
def test_an_argument_that_does_not_belong_to_the_command_is_refused(server: Any, kind: Any, argument: str) -> None:
    candidate, _ = awaiting(server)
    with server.console() as console:
        assert "argument" in refusal(console, candidate, kind, argument=argument)


@pytest.mark.parametrize(
    ("settings", "kind", "argument", "why"),
    [
        ({"pauseResume": False}, "resume", "", "Pause/Resume was switched off"),
        ({"endTest": False}, "end", "", "End test was switched off"),
        ({"authorization": False}, "authorize", "", "Authorization was switched off"),
        ({"authorization": False}, "reject", "", "Authorization was switched off"),
        ({"skipId": True}, "resubmit", "id_card", "the ID card was left out"),
        ({"skipId": True}, "resubmit", "both", "the ID card was left out"),
        ({"skipIdAndPhoto": True}, "resubmit", "photo", "photo and ID card was left out"),
        ({"screenCapture": False}, "snapshot", "screen", "Screen Capture was switched off"),
        ({"lockdown": {"required": ["keys"]}}, "override", "keys", "the lockdown was switched off"),
    ],
)
def test_what_init_switched_off_is_refused_in_words(
    server: Any, settings: Any, kind: Any, argument: str, why: str
) -> None:
    candidate, _ = awaiting(server, **settings)
    with server.console() as console:
        assert why in refusal(console, candidate, kind, argument=argument, text="because")


@pytest.mark.parametrize("setting", ["navigationControl", "msb"])
def test_a_rule_is_overridden_for_a_reason(server: Any, setting: str) -> None:
    candidate, link = awaiting(server, **{setting: True, "msbKey": KEY if setting == "msb" else ""})
    with candidate.channel(link) as agent, server.console() as console:
        assert "says why" in refusal(console, candidate, "override", argument="displays", text=" ")
        assert isinstance(
            issued(console, candidate, "override", argument="displays", text="one room, one beamer"), Issued
        )
        command = agent.expect(Command)
        assert (command.argument, command.text) == ("displays", "one room, one beamer")


@pytest.mark.parametrize(
    ("step", "kind", "why"),
    [
        ("consent", "authorize", "does not wait for authorization yet"),
        ("capture", "resubmit", "does not wait for authorization yet"),
        ("authorized", "reject", "is authorized already"),
        ("rejected", "authorize", "was rejected already"),
    ],
)
def test_a_decision_is_refused_unless_the_candidate_waits_for_it(server: Any, step: Any, kind: Any, why: str) -> None:
    candidate, link = awaiting(server)
    with candidate.channel(link) as agent, server.console() as console:
        agent.tell(AuthorizationChanged(step, NOW_MS + 3))
        agent.settle()
        assert why in refusal(console, candidate, kind)


def test_whoever_has_not_agreed_yet_can_be_rejected(server: Any) -> None:
    candidate, link = awaiting(server)
    with candidate.channel(link) as agent, server.console() as console:
        agent.tell(AuthorizationChanged("consent", NOW_MS + 3))
        agent.settle()
        assert isinstance(issued(console, candidate, "reject", text="Not today."), Issued)


@pytest.mark.parametrize(("state", "why"), [("ending", "is ending"), ("draining", "is ending"), ("ended", "has ended")])
def test_a_session_that_is_over_takes_no_command(server: Any, state: str, why: str) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        agent.tell(SessionChanged(state, NOW_MS, 0, "stopped"))
        agent.settle()
        for kind in ("pause", "snapshot"):
            assert why in refusal(console, candidate, kind)


def course(agent: Any, console: Any, candidate: Any, statuses: list[CommandStatus]) -> Any:
    """A pause whose agent says this of it; what the service shows afterwards."""
    assert isinstance(issued(console, candidate, "pause"), Issued)
    command = agent.expect(Command)
    for n, status in enumerate(statuses):
        agent.tell(CommandUpdate(command.id, status, NOW_MS + n, 1, "page", f"why {n}"))
    agent.settle()
    return console.open(candidate.id, lambda detail: detail.commands[-1].status != "issued").commands[-1]


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        (["received"], "received"),
        (["received", "applied", "unacknowledged"], "unacknowledged"),
        (["received", "applied", "unacknowledged", "acknowledged"], "acknowledged"),
        (["received", "applied", "acknowledged", "unacknowledged", "applied", "received"], "acknowledged"),
        (["received", "refused", "applied"], "refused"),
        (["received", "expired", "acknowledged"], "expired"),
        (["received", "failed"], "failed"),
        (["applied", "received"], "applied"),
    ],
)
def test_a_status_never_moves_back(server: Any, statuses: list[CommandStatus], shown: str) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        kept = course(agent, console, candidate, statuses)
        assert kept.status == shown
        for status in ("received", "applied", "unacknowledged", "acknowledged"):
            at = statuses.index(status) if status in statuses else None
            assert getattr(kept, f"{status}_ms") == (None if at is None else NOW_MS + at)
        still_open = console.shown[candidate.id].open_commands
        assert still_open == (shown not in FINAL)


def test_an_answer_counts_after_a_restart_of_the_service(launch: Any) -> None:
    first = launch()
    candidate, link = first.register(), Link()
    with candidate.channel(link) as agent, first.console() as console:
        assert isinstance(issued(console, candidate, "end"), Issued)
        command = agent.expect(Command)
        first.stop(signal.SIGKILL)
    candidate.server = second = launch()
    with candidate.channel(link) as agent, second.console() as console:
        for status in ("received", "applied", "acknowledged"):
            agent.tell(CommandUpdate(command.id, status, NOW_MS, None, "page"))
        agent.settle()
        assert console.open(candidate.id).commands[0].status == "acknowledged"
