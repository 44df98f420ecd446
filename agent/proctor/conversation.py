"""The chat of a session, both ways, with its marks. Pure; the journal makes it durable (chatting.py writes, history.py reads).

It is bounded: the newest KEPT messages are shown, and a session takes LIMIT messages of each side. With that a journal grows
by chat to some hundred kilobytes as people write, and by 32 MB at most when each message is as long as it may be.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from secureproctor.contract.channel import Chat
from secureproctor.contract.page import ChatMessage, DepartedRow

KEPT = 500
LIMIT = 1000

Mark = Literal["delivered", "read"]
Sender = Literal["proctor", "candidate"]


@dataclass(slots=True)
class Conversation:
    """What was said, oldest first. A message is known by its id: one that comes twice is one."""

    counts: dict[Sender, int] = field(default_factory=dict)
    """How many there were, also those that are not kept any more."""
    departed: DepartedRow | None = None
    """The candidate's messages of which the service has said that it has them."""
    _messages: dict[str, ChatMessage] = field(default_factory=dict)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """What is kept of it."""
        return tuple(self._messages.values())

    def knows(self, message_id: str) -> bool:
        """Whether the message was said before."""
        return message_id in self._messages

    def takes(self, sender: Sender) -> bool:
        """Whether there is room for one more of this side."""
        return self.counts.get(sender, 0) < LIMIT

    def add(self, chat: Chat, now_ms: int) -> None:
        """A message was said. The proctor's is delivered when it is here."""
        self.counts[chat.sender] = self.counts.get(chat.sender, 0) + 1
        delivered_ms = now_ms if chat.sender == "proctor" else None
        self._messages[chat.id] = ChatMessage(chat.id, chat.sender, chat.text, chat.at_ms, chat.by, delivered_ms)
        if len(self._messages) > KEPT:
            del self._messages[next(iter(self._messages))]

    def lacks(self, message_id: str, mark: Mark, sender: Sender) -> bool:
        """Whether a message of this side is there and does not have the mark yet."""
        message = self._messages.get(message_id)
        return message is not None and message.sender == sender and getattr(message, f"{mark}_ms") is None

    def mark(self, message_id: str, mark: Mark, at_ms: int) -> None:
        """A message was delivered or read. Of one that is not kept any more, nothing."""
        message = self._messages.get(message_id)
        if message is None:
            return
        if message.sender == "candidate" and message.delivered_ms is None and message.read_ms is None:
            self._departs(message, at_ms)
        self._messages[message_id] = msgspec.structs.replace(message, **{f"{mark}_ms": at_ms})

    def unread(self, up_to: str) -> Iterable[str]:
        """The proctor's messages that the candidate has read now, having read the one named; none for one unknown."""
        ids = list(self._messages)
        read = ids[: ids.index(up_to) + 1] if up_to in self._messages else []
        return [each for each in read if self.lacks(each, "read", "proctor")]

    def undelivered(self) -> list[Chat]:
        """The candidate's messages of which the service has not said that it has them."""
        return [
            Chat(each.id, each.sender, each.text, each.at_ms, each.by)
            for each in self._messages.values()
            if each.sender == "candidate" and each.delivered_ms is None and each.read_ms is None
        ]

    def _departs(self, message: ChatMessage, at_ms: int) -> None:
        row = self.departed or DepartedRow("chat", 0, 0, at_ms, at_ms)
        size = len(message.text.encode())
        self.departed = msgspec.structs.replace(row, pieces=row.pieces + 1, bytes=row.bytes + size, last_ms=at_ms)
