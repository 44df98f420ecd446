"""Chat, both ways. A message is in the journal before it is told to anybody; marks say how far it came.

proctor → candidate   in the journal: `delivered`; the page says that it was read: `read`
candidate → proctor   in the journal, then with the channel, which keeps it while the link is away; the marks come back
"""

from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import ChatMarked, ChatTaken
from secureproctor.agent.session.remedies import REMEDIES
from secureproctor.agent.session.session import Session
from secureproctor.contract.channel import Chat, ChatMark, Unreadable
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import ChatEvent, ChatMarkEvent, Conversation

MOST_WAITING = 100
"""So many messages of the candidate wait for the service; more are refused until it has taken some."""


@dataclass(slots=True)
class Chatting:
    """`new_id` names the candidate's messages."""

    conductor: Conductor
    new_id: Callable[[], str]

    def say(self, text: str) -> str:
        """Send the candidate's message; its id. Raises Refusal not_now without a session, chat_full when too many wait."""
        session = self._session("SendMessage")
        crowd = len(session.channel.protocol.waiting(Chat))
        if crowd >= MOST_WAITING or not session.conversation.takes("candidate"):
            raise Refusal("chat_full")
        chat = Chat(self.new_id(), "candidate", text, wall_ms())
        self._note(session, chat)
        session.channel.send(chat)
        return chat.id

    def came(self, session: Session, chat: Chat) -> None:
        """The proctor wrote. One that came before is only marked again: the mark may have been lost."""
        if not session.conversation.knows(chat.id):
            if not session.conversation.takes("proctor"):
                session.channel.offer(Unreadable("chat", "There were too many messages in this session."))
                return
            self._note(session, chat)
            self.conductor.tell(ChatEvent(chat.id, chat.text, chat.at_ms, chat.by))
        session.channel.send(ChatMark(chat.id, "delivered", wall_ms()))

    def marked(self, session: Session, mark: ChatMark) -> None:
        """The service says how far the candidate's message came; what it said before, or of others, is passed over."""
        if session.conversation.lacks(mark.id, mark.mark, "candidate"):
            session.note(ChatMarked(mark.id, mark.mark, mark.at_ms))
            session.conversation.mark(mark.id, mark.mark, mark.at_ms)
            self.conductor.tell(ChatMarkEvent(mark.id, mark.mark, mark.at_ms))

    def read(self, up_to: str) -> None:
        """The candidate has read the proctor's messages up to this one. Raises Refusal not_now without a session.

        Told first, then noted: a mark that is told twice is harmless, one that is never told is missing.
        """
        session, now_ms = self._session("ChatRead"), wall_ms()
        for message_id in session.conversation.unread(up_to):
            session.channel.send(ChatMark(message_id, "read", now_ms))
            session.note(ChatMarked(message_id, "read", now_ms))
            session.conversation.mark(message_id, "read", now_ms)

    def conversation(self) -> Conversation:
        """All that was said in the session, as far as it is kept."""
        session = self.conductor.session
        return Conversation(session.conversation.messages if session else ())

    def tell_again(self, session: Session) -> None:
        """Send what the agent before noted and died before the channel had it. What comes twice is one, by its id."""
        waiting = {getattr(chat, "id", "") for chat in session.channel.protocol.waiting(Chat)}
        for chat in session.conversation.undelivered():
            if chat.id not in waiting:
                session.channel.send(chat)

    def _note(self, session: Session, chat: Chat) -> None:
        now_ms = wall_ms()
        session.note(ChatTaken(chat, now_ms))
        session.conversation.add(chat, now_ms)

    def _session(self, call: str) -> Session:
        session = self.conductor.session
        if session is None or session.closed:
            raise Refusal("not_now", call=call, state=self.conductor.state, remedy=REMEDIES[self.conductor.state])
        return session
