"""Init, and fresh tokens for old ones: how an agent comes to its session."""

import base64

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract import signing
from secureproctor.contract.http import InitAnswer, InitData, TokenAnswer
from secureproctor.service.answers import answer
from secureproctor.service.bodies import read_body
from secureproctor.service.changes import Changes
from secureproctor.service.clock import Clock
from secureproctor.service.config import ServiceConfig
from secureproctor.service.contacts import Contacts
from secureproctor.service.init import read_init
from secureproctor.service.reference import References
from secureproctor.service.session import Session
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

MAX_INIT = 64 * 1024
PATH = "/v1/init"


class Registration:
    """The calls that give out tokens."""

    def __init__(
        self,
        config: ServiceConfig,
        store: Store,
        sessions: Sessions,
        contacts: Contacts,
        tokens: Tokens,
        references: References,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._config = config
        self._store = store
        self._sessions = sessions
        self._contacts = contacts
        self._tokens = tokens
        self._references = references
        self._changes = changes
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [
            Route(PATH, self.init, methods=["POST"]),
            Route("/v1/sessions/{id}/token", self.token, methods=["POST"]),
        ]

    async def init(self, request: Request) -> Response:
        """`POST /v1/init`."""
        body = await read_body(request, MAX_INIT)
        init = read_init(body)
        signing.verify(
            self._config.keys,
            method="POST",
            endpoints=self._config.endpoints(PATH),
            query=dict(request.query_params),
            body=body,
            public_key=init.public_key,
            authorization=request.headers.get("Authorization", ""),
            now_s=self._clock.wall(),
        )
        session = await self._store.run(self._sessions.register, init)
        self._references.want(session)
        self._changes.mark(session.id)
        return answer(InitAnswer(self._data(session)))

    async def token(self, request: Request) -> Response:
        """`POST /v1/sessions/{id}/token`: for an old token, also an expired one."""
        session_id = str(request.path_params["id"])
        self._tokens.verify(request.headers.get("Authorization", ""), session_id, expired_too=True)
        self._contacts.heard(session_id)
        await self._store.run(self._sessions.find, session_id)
        return answer(TokenAnswer(self._token(session_id)))

    def _token(self, session_id: str) -> str:
        return self._tokens.issue(session_id, self._config.allowed_origins)

    def _data(self, session: Session) -> InitData:
        return InitData(
            token=self._token(session.id),
            session_id=session.id,
            expiry_s=session.expiry_s,
            settings=session.settings,
            sealing_key=base64.b64encode(session.sealing_key).decode(),
            origins=self._config.allowed_origins,
            not_enforced=(),
            now_ms=self._clock.now_ms(),
            retention_s=int(self._config.retention_s),
            user_id=session.user_id,
            group_name=session.group_name,
            user_name=session.user_name,
            operator=self._config.operator,
            client=session.public_key,
            msb_keys=tuple(self._config.msb_keys.get(session.public_key, ())),
        )
