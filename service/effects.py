"""What an agent's message does, within one transaction, and what the agent is told in return."""

import logging
from typing import assert_never

import apsw
import msgspec

from secureproctor.contract.channel import (
    AuthorizationChanged,
    Chat,
    ChatMark,
    CommandUpdate,
    EventSeen,
    Heartbeat,
    KeepAlive,
    LockdownChanged,
    Resume,
    SessionChanged,
    SessionKey,
    ToAgent,
    ToService,
    Unreadable,
)
from secureproctor.service import attested, conversation, ledger, lockdown
from secureproctor.service.nonces import Nonces
from secureproctor.service.session import beaten, changed, locked, stepped
from secureproctor.service.sessions import load, save

log = logging.getLogger(__name__)

_SHORT = 200


def effect(db: apsw.Cursor, session_id: str, message: ToService, now_ms: int, nonces: Nonces) -> tuple[ToAgent, ...]:
    """Do what a message says; what is to be answered. A number that no database can hold makes it void: nobody means one."""
    answer: tuple[ToAgent, ...] = ()
    try:
        with db.connection:
            answer = _effect(db, session_id, message, now_ms, nonces)
    except OverflowError as error:
        log.warning("A message of session %s was ignored: %s", session_id, error)
    return answer


def _effect(db: apsw.Cursor, session_id: str, message: ToService, now_ms: int, nonces: Nonces) -> tuple[ToAgent, ...]:
    match message:
        case SessionChanged():
            save(db, changed(load(db, session_id), message))
        case Heartbeat():
            session = beaten(load(db, session_id), message, now_ms)
            if message.attestation:
                session = attested.heard(db, session, message.attestation, nonces, now_ms)
            save(db, session)
            ledger.announced(db, session_id, message.heads)
        case SessionKey():
            attested.keyed(db, session_id, message, now_ms)
            save(db, locked(load(db, session_id), lockdown.newest(db, session_id)))
        case LockdownChanged():
            lockdown.tell(db, session_id, message)
            save(db, locked(load(db, session_id), lockdown.newest(db, session_id)))
        case AuthorizationChanged():
            save(db, stepped(load(db, session_id), message))
        case CommandUpdate():
            ledger.updated(db, session_id, message)
        case Chat(sender="candidate"):
            own = msgspec.structs.replace(message, by="")  # only proctors have names here
            if conversation.said(db, session_id, own, now_ms):
                return (ChatMark(message.id, "delivered", now_ms),)
            log.warning("Session %s has too many chat messages; one was not kept.", session_id)
        case Chat():
            log.warning("The agent of session %s spoke for the proctor; it was ignored.", session_id)
        case ChatMark():
            conversation.marked(db, session_id, "proctor", message)
        case Unreadable():
            log.warning(
                "The agent of session %s could not read a %.40r: %.200r", session_id, message.kind, message.reason
            )
            detail = {"kind": message.kind[:_SHORT], "reason": message.reason[:_SHORT]}
            ledger.seen(db, session_id, EventSeen("message_unreadable", now_ms, "", {**detail}))
        case EventSeen():
            ledger.seen(db, session_id, message)
        case KeepAlive() | Resume():
            pass
        case _:
            assert_never(message)
    return ()
