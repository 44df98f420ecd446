"""Chat: each message once, in the journal before it is told, with its marks; and bounded."""

from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.proctor import chatting, conversation
from secureproctor.agent.proctor.conversation import Conversation
from secureproctor.agent.session.history import History, replay
from secureproctor.agent.session.journal import Registered, read
from secureproctor.contract.channel import Chat, ChatMark, Unreadable
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import ChatEvent, ChatMarkEvent, ChatMessage, DepartedRow

if TYPE_CHECKING:
    from tests.agent.conftest import Stage


def proctors(number: int = 1) -> Chat:
    return Chat(f"m-{number}", "proctor", "Please look up.", number, "Ada")


def messages(stage: "Stage") -> tuple[ChatMessage, ...]:
    return stage.obedience.chatting.conversation().messages


def left_behind(stage: "Stage") -> History:
    history = replay([Registered(stage.session.data, "", 1), *read(stage.journal.path)])
    assert history is not None
    return history


def sent(stage: "Stage", kind: Any) -> list[Any]:
    return [each for each in stage.channel.sent if isinstance(each, kind)]


async def test_the_proctors_message_comes_to_the_page_and_is_marked_as_delivered(stage: "Stage") -> None:
    await stage.registered()
    await stage.take(proctors())
    assert stage.told == [ChatEvent("m-1", "Please look up.", 1, "Ada")]
    assert [(mark.id, mark.mark) for mark in sent(stage, ChatMark)] == [("m-1", "delivered")]
    assert stage.since("told registered")[-2:] == ["journal chattaken", "told m-1 delivered"]
    assert left_behind(stage).conversation.messages == messages(stage)


async def test_a_message_that_comes_twice_is_one_and_marked_again(stage: "Stage") -> None:
    """An agent that died before it could say that it had it."""
    await stage.registered()
    await stage.take(proctors())
    await stage.take(proctors())
    assert len(messages(stage)) == len(stage.told) == 1
    assert len(sent(stage, ChatMark)) == 2
    assert stage.events.count("journal chattaken") == 1


async def test_reading_marks_all_messages_up_to_that_one_once(stage: "Stage") -> None:
    await stage.registered()
    for number in (1, 2, 3):
        await stage.take(proctors(number))
    stage.obedience.say("Yes.")
    for up_to in ("m-2", "m-2", "unknown"):
        stage.obedience.chatting.read(up_to)
    assert [mark.id for mark in sent(stage, ChatMark) if mark.mark == "read"] == ["m-1", "m-2"]
    assert [each.read_ms is not None for each in messages(stage)] == [True, True, False, False]
    assert left_behind(stage).conversation.messages == messages(stage)


async def test_the_candidates_message_is_kept_and_sent_and_gets_its_marks(stage: "Stage") -> None:
    await stage.registered()
    chat_id = stage.obedience.say("Sorry!")
    assert [(chat.id, chat.sender, chat.text) for chat in sent(stage, Chat)] == [(chat_id, "candidate", "Sorry!")]
    for mark in ("delivered", "delivered", "read"):
        await stage.take(ChatMark(chat_id, mark, 9))
    assert stage.told == [ChatMarkEvent(chat_id, "delivered", 9), ChatMarkEvent(chat_id, "read", 9)]
    (message,) = messages(stage)
    assert (message.delivered_ms, message.read_ms) == (9, 9)
    assert left_behind(stage).conversation.messages == messages(stage)


async def test_marks_of_messages_that_nobody_wrote_are_passed_over(stage: "Stage") -> None:
    await stage.registered()
    await stage.take(proctors())
    for message_id in ("m-1", "m-9"):
        await stage.take(ChatMark(message_id, "read", 9))
    assert [type(event) for event in stage.told] == [ChatEvent]
    assert messages(stage)[0].read_ms is None


async def test_what_the_channel_never_had_is_sent_by_the_next_agent(stage: "Stage") -> None:
    await stage.registered()
    first, second, third = (stage.obedience.say(text) for text in ("one", "two", "three"))
    await stage.take(ChatMark(first, "delivered", 9))
    stage.channel.waiting = [chat for chat in sent(stage, Chat) if chat.id == second]
    stage.channel.sent.clear()
    stage.obedience.tell_again(stage.session, None)
    assert [chat.id for chat in sent(stage, Chat)] == [third]


async def test_too_many_messages_that_wait_are_refused_until_the_service_took_some(stage: "Stage") -> None:
    await stage.registered()
    stage.channel.waiting = [Chat(f"m-{number}", "candidate", "?", 1) for number in range(chatting.MOST_WAITING)]
    with pytest.raises(Refusal) as caught:
        stage.obedience.say("one more")
    assert caught.value.code == "chat_full"
    assert messages(stage) == ()
    stage.channel.waiting.pop()
    stage.obedience.say("one more")


async def test_a_session_takes_so_many_messages_of_each_side(stage: "Stage", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "LIMIT", 2)
    await stage.registered()
    for number in (1, 2, 3):
        await stage.take(proctors(number))
    assert len(messages(stage)) == 2
    assert sent(stage, Unreadable) == [Unreadable("chat", "There were too many messages in this session.")]
    for text in ("one", "two"):
        stage.obedience.say(text)
    with pytest.raises(Refusal) as caught:
        stage.obedience.say("three")
    assert caught.value.code == "chat_full"
    assert left_behind(stage).conversation.counts == {"proctor": 2, "candidate": 2}


async def test_without_a_session_there_is_nobody_to_talk_to(stage: "Stage") -> None:
    assert messages(stage) == ()
    for call in (stage.obedience.say, stage.obedience.chatting.read):
        with pytest.raises(Refusal) as caught:
            call("hello")
        assert (caught.value.code, caught.value.remedy) == ("not_now", "Register with Init first.")


def test_a_very_long_conversation_begins_with_what_is_kept_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "KEPT", 3)
    talk = Conversation()
    for number in range(5):
        talk.add(proctors(number), number)
    assert [each.id for each in talk.messages] == ["m-2", "m-3", "m-4"]
    assert talk.counts == {"proctor": 5}
    talk.mark("m-0", "read", 7)


def test_what_has_departed_is_what_the_service_has() -> None:
    talk = Conversation()
    for number, text in enumerate(("Ja.", "Nein, für später.", "nie")):
        talk.add(Chat(f"m-{number}", "candidate", text, number), number)
    talk.add(proctors(9), 9)
    assert talk.departed is None
    talk.mark("m-0", "delivered", 20)
    talk.mark("m-1", "read", 30)
    talk.mark("m-1", "delivered", 31)
    talk.mark("m-9", "read", 40)
    assert talk.departed == DepartedRow("chat", 2, len("Ja.Nein, für später.".encode()), 20, 30)
