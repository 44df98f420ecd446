"""The channel of an agent and the console of a proctor, against each other through the service."""

import signal
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from secureproctor.contract.channel import MAX_MESSAGE, Chat, Command, CommandUpdate, KeepAlive, SessionChanged
from secureproctor.contract.console import Failed, Issue, Issued, Say
from secureproctor.contract.link import Link
from secureproctor.contract.streams import Stream

NOW_MS = 1_700_000_000_000


def running(agent: Any) -> None:
    agent.tell(SessionChanged("running", NOW_MS, 0))
    agent.settle()


def test_a_heartbeat_is_answered(server: Any) -> None:
    with server.register().channel() as agent:
        agent.beat()
        assert isinstance(agent.expect(KeepAlive), KeepAlive)


def test_a_command_comes_to_the_agent_and_its_course_to_the_console(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        running(agent)
        console.send(Issue(candidate.id, "pause", "one moment", "mark"))
        issued = console.answer()
        command = agent.expect(Command)
        assert (issued, command.kind, command.text) == (Issued("mark", command.id), "pause", "one moment")
        for status in ("received", "applied", "acknowledged"):
            agent.tell(CommandUpdate(command.id, status, NOW_MS + 7, 1, by="page" if status == "acknowledged" else ""))
        shown = console.open(candidate.id, lambda s: s.commands and s.commands[0].status == "acknowledged")
        assert shown.commands[0].received_ms == shown.commands[0].applied_ms == NOW_MS + 7
        assert shown.commands[0].acknowledged_by == "page"
        assert shown.commands[0].sent_ms is not None


def test_chat_goes_both_ways(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        console.send(Say(candidate.id, "Hello"))
        assert agent.expect(Chat).text == "Hello"
        agent.tell(Chat("1", "candidate", "Good morning", NOW_MS))
        agent.tell(Chat("2", "proctor", "I am not the proctor", NOW_MS))
        shown = console.open(candidate.id, lambda s: len(s.chat) == 2)
        assert [(each.sender, each.text) for each in shown.chat] == [
            ("proctor", "Hello"),
            ("candidate", "Good morning"),
        ]


def test_what_was_sent_while_the_agent_was_away_comes_once_and_in_order(server: Any) -> None:
    candidate = server.register()
    link = Link()
    with candidate.channel(link) as agent:
        running(agent)
    with server.console() as console:
        for kind in ("pause", "resume", "end"):
            console.send(Issue(candidate.id, kind))
            assert isinstance(console.answer(), Issued)
    with candidate.channel(link) as agent:
        assert [agent.expect(Command).kind for _ in range(3)] == ["pause", "resume", "end"]
    with candidate.channel(link) as agent, server.console() as console:
        console.send(Say(candidate.id, "next"))
        after = agent.expect(Chat | Command)
        assert (type(after), after.text) == (Chat, "next")


def test_a_new_connection_replaces_the_old_one(server: Any) -> None:
    candidate = server.register()
    link = Link()
    with candidate.channel(link) as old, candidate.channel(link) as new:
        assert old.closed() == 4000
        new.beat()
        assert isinstance(new.expect(KeepAlive), KeepAlive)


def test_commands_and_words_survive_the_death_of_the_service(launch: Any) -> None:
    first = launch()
    candidate = first.register()
    link = Link()
    with candidate.channel(link) as agent, first.console() as console:
        running(agent)
        agent.tell(Chat("1", "candidate", "still there?", NOW_MS))
        agent.settle()
        agent.socket.close()
        console.send(Issue(candidate.id, "pause"))
        assert isinstance(console.answer(), Issued)
        first.stop(signal.SIGKILL)
    candidate.server = launch()
    with candidate.channel(link) as agent, candidate.server.console() as console:
        assert agent.expect(Command).kind == "pause"
        shown = console.snapshot(candidate.id)
        assert [each.text for each in console.open(candidate.id).chat] == ["still there?"]
        assert (shown.state, shown.started_ms) == ("running", NOW_MS)


@pytest.mark.parametrize(
    ("settings", "kind", "taken"),
    [
        ({"pauseResume": False}, "pause", False),
        ({"pauseResume": False}, "end", True),
        ({"endTest": False}, "end", False),
    ],
)
def test_a_command_that_init_switched_off_is_refused(server: Any, settings: Any, kind: Any, taken: bool) -> None:
    candidate = server.register(proctoringSettings=settings)
    with server.console() as console:
        console.send(Issue(candidate.id, kind, request="m"))
        answer = console.answer()
        assert isinstance(answer, Issued if taken else Failed)
        assert answer.request == "m"


def test_an_ended_or_unknown_session_takes_no_command(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent:
        agent.tell(SessionChanged("ended", NOW_MS, None, "failed"))
        agent.settle()
    with server.console() as console:
        for session_id in (candidate.id, "nobody"):
            console.send(Issue(session_id, "end"))
            assert isinstance(console.answer(), Failed)


def test_the_console_sees_state_link_and_arrivals(server: Any) -> None:
    candidate = server.register()
    with server.console() as console:
        assert console.snapshot(candidate.id).link == "never"
        with candidate.channel() as agent:
            running(agent)
            agent.beat(backlog=3)
            candidate.record(Stream.SCREEN, 0)
            shown = console.snapshot(candidate.id, lambda s: s.streams and s.backlog_segments == 3)
            assert (shown.state, shown.link, shown.streams["screen"].segments) == ("running", "online", 1)
        away = console.snapshot(candidate.id, lambda s: s.link == "offline")
        assert away.state == "running"
        assert away.offline_s is not None
        assert away.expires_in_s is not None
        assert 0 < away.offline_s + away.expires_in_s <= away.expiry_s + 0.01
        assert (shown.offline_s, shown.expires_in_s) == (None, None)


@pytest.mark.parametrize("hello", ["", "wrong", "\ud7ff"])
def test_a_console_without_the_key_is_told_and_closed(server: Any, hello: str) -> None:
    with server.console(hello) as console:
        answer = console.next()
        assert isinstance(answer, Failed)
        assert answer.error.code == "proctor_key_invalid"
        assert console.closed() == 1008


def test_an_agent_without_a_valid_token_is_refused_before_the_handshake(server: Any) -> None:
    candidate = server.register()
    with pytest.raises(InvalidStatus) as refused, connect(f"{server.socket_url}/v1/sessions/{candidate.id}/channel"):
        pass
    assert refused.value.response.status_code == 401
    assert b"token_invalid" in refused.value.response.body


HOSTILE: list[tuple[str | bytes, int]] = [
    ("nonsense", 1002),
    ("{}", 1002),
    ('{"n":7,"ack":0,"body":{"type":"chat"}}', 1002),
    ('{"n":0,"ack":99,"body":{"type":"resume","heard":99}}', 1002),
    ('{"n":1,"ack":0,"body":' + "[" * 20_000 + "]" * 20_000 + "}", 1002),
    (b'{"n":0,"ack":0,"body":{"type":"\xff"}}', 1002),
    (b"\x00" * 100, 1002),
    ('{"n":1,"ack":0,"body":{"type":"chat","text":"\\ud800"}}', 1002),
    ("x" * (MAX_MESSAGE + 1), 1009),
]


@pytest.mark.parametrize(("frame", "code"), HOSTILE)
def test_a_frame_that_breaks_the_protocol_closes_the_connection_only(
    server: Any, frame: str | bytes, code: int
) -> None:
    candidate = server.register()
    with candidate.channel() as agent:
        agent.socket.send(frame)
        assert agent.closed() == code
    with candidate.channel() as agent:
        agent.beat()
        assert isinstance(agent.expect(KeepAlive), KeepAlive)


STRANGE = [
    '{"type":"from_the_future","x":1}',
    '{"type":"chat","id":"1"}',
    '{"type":"session","state":"asleep","at_ms":1}',
    '{"type":"session","state":"running","at_ms":' + "9" * 40 + "}",
    '{"type":"event","kind":"gap","at_ms":' + "9" * 25 + "}",
]


def test_a_strange_message_is_acknowledged_and_changes_nothing(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        for n, body in enumerate(STRANGE, 1):
            agent.link.sent = n
            agent.link.waiting[n] = body.encode()
            agent.socket.send(f'{{"n":{n},"ack":0,"body":{body}}}')
        agent.settle()
        assert console.snapshot(candidate.id).state == "registered"


@pytest.mark.parametrize("frame", ["nonsense", "[]", '{"type":"chat"}', b"\xff", "[" * 100_000])
def test_a_console_that_talks_nonsense_is_told(server: Any, frame: str | bytes) -> None:
    with server.console() as console:
        console.socket.send(frame)
        assert isinstance(console.answer(), Failed)
