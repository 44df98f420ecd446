"""The chat between candidate and proctor, with its marks, through the service."""

import signal
from typing import Any

import pytest

from secureproctor.contract.channel import Chat, ChatMark
from secureproctor.contract.console import Failed, Read, Say
from secureproctor.contract.link import Link
from secureproctor.service import conversation
from tests.service.house import House

NOW_MS = 1_700_000_000_000


def marks(agent: Any, count: int) -> list[tuple[str, str]]:
    found = [agent.expect(ChatMark) for _ in range(count)]
    return [(each.id, each.mark) for each in found]


def test_a_message_is_marked_as_delivered_when_it_is_stored_and_read_when_a_proctor_says_so(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        for n in "123":
            agent.tell(Chat(n, "candidate", f"message {n}", NOW_MS))
        assert marks(agent, 3) == [("1", "delivered"), ("2", "delivered"), ("3", "delivered")]
        assert console.snapshot(candidate.id, lambda s: s.unread == 3)
        console.send(Read(candidate.id, "2"))
        assert marks(agent, 2) == [("1", "read"), ("2", "read")]
        assert console.snapshot(candidate.id, lambda s: s.unread == 1)
        chat = console.open(candidate.id).chat
        assert [each.read_ms is not None for each in chat] == [True, True, False]
        assert all(each.delivered_ms is not None for each in chat)


def test_what_the_candidate_read_is_shown_to_the_proctor(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        for text in ("one", "two", "three"):
            console.send(Say(candidate.id, text))
        said = [agent.expect(Chat) for _ in range(3)]
        assert {each.by for each in said} == {"link"}
        agent.tell(ChatMark(said[0].id, "delivered", NOW_MS + 1))
        agent.tell(ChatMark(said[1].id, "delivered", NOW_MS + 2))
        agent.tell(ChatMark(said[1].id, "read", NOW_MS + 3))
        agent.tell(ChatMark(said[1].id, "read", NOW_MS + 9))
        agent.tell(ChatMark("of-nobody", "read", NOW_MS + 9))
        agent.settle()
        chat = console.open(candidate.id, lambda detail: detail.chat[1].read_ms is not None).chat
        assert [(each.delivered_ms, each.read_ms) for each in chat] == [
            (NOW_MS + 1, NOW_MS + 3), (NOW_MS + 2, NOW_MS + 3), (None, None)
        ]  # fmt: skip
        assert [each.by for each in chat] == ["link"] * 3


def test_a_mark_of_the_agent_on_its_own_message_changes_nothing(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        agent.tell(Chat("1", "candidate", "read this", NOW_MS))
        agent.tell(ChatMark("1", "read", NOW_MS))
        agent.settle()
        assert console.snapshot(candidate.id).unread == 1


def test_messages_and_marks_outlive_the_service_and_the_connection(launch: Any) -> None:
    first = launch()
    candidate, link = first.register(), Link()
    with candidate.channel(link) as agent:
        agent.tell(Chat("1", "candidate", "anybody there?", NOW_MS))
        assert marks(agent, 1) == [("1", "delivered")]
    with first.console() as console:
        console.send(Read(candidate.id, "1"))
        assert console.snapshot(candidate.id, lambda s: s.unread == 0)
    first.stop(signal.SIGKILL)
    candidate.server = second = launch()
    with candidate.channel(link) as agent, second.console() as console:
        assert marks(agent, 1) == [("1", "read")]
        (kept,) = console.open(candidate.id).chat
        assert (kept.id, kept.text, kept.read_ms is not None) == ("1", "anybody there?", True)


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_a_message_of_no_length_or_too_much_is_refused(server: Any, text: str) -> None:
    candidate = server.register()
    with server.console() as console:
        console.send(Say(candidate.id, text))
        assert isinstance(console.answer(), Failed)


def test_a_session_keeps_so_many_messages_and_tells_of_none_beyond_that_they_are_delivered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = house.register()
    monkeypatch.setattr(conversation, "MAX_CHAT", 3)
    with house.store.transaction() as db:
        taken = [conversation.said(db, session.id, Chat(str(n), "candidate", "x", 1)) for n in range(5)]
        assert taken == [True, True, True, False, False]
        assert len(conversation.chat(db, session.id)) == 3
