"""The exam's server asks whether a request comes from the candidate's locked exam: `POST /v1/attestations/verify`."""

import functools

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract import signing
from secureproctor.contract.attestation import VerifyAnswer, VerifyBody, VerifyData
from secureproctor.contract.errors import Refusal
from secureproctor.service import attestation, attested
from secureproctor.service.answers import answer
from secureproctor.service.attestation import Case
from secureproctor.service.bodies import read_body, read_struct
from secureproctor.service.clock import Clock
from secureproctor.service.config import ServiceConfig
from secureproctor.service.nonces import Nonces
from secureproctor.service.sessions import load
from secureproctor.service.store import Store

PATH = "/v1/attestations/verify"
MAX_BODY = 64 * 1024
MAX_AT_ONCE = 32
"""Each waits for the one writer of the database; more than these are asked to come back."""


class Attestations:
    """The call that judges."""

    def __init__(self, config: ServiceConfig, store: Store, nonces: Nonces, clock: Clock) -> None:
        self._config = config
        self._store = store
        self._nonces = nonces
        self._clock = clock
        self._under_way = 0

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [Route(PATH, self.verify, methods=["POST"])]

    async def verify(self, request: Request) -> Response:
        """`POST /v1/attestations/verify`: 200 with a verdict; a refusal only for who may not ask."""
        if self._under_way >= MAX_AT_ONCE:
            raise Refusal("busy")
        self._under_way += 1
        try:
            asked = await self._asked(request)
            return answer(VerifyAnswer(await self._store.run(self._judge, asked)))
        finally:
            self._under_way -= 1

    async def _asked(self, request: Request) -> VerifyBody:
        body = await read_body(request, MAX_BODY)
        asked = read_struct(body, VerifyBody)
        signing.verify(
            self._config.keys,
            method="POST",
            endpoints=self._config.endpoints(PATH),
            query=dict(request.query_params),
            body=body,
            public_key=asked.public_key,
            authorization=request.headers.get("Authorization", ""),
            now_s=self._clock.wall(),
        )
        return asked

    def _judge(self, asked: VerifyBody) -> VerifyData:
        if not asked.token.strip():
            return attestation.refused("missing")
        stated = attestation.read(asked.token.strip())
        if stated is None:
            return attestation.refused("malformed")
        claims = stated.claims
        with self._store.transaction() as db:
            try:
                session = load(db, claims.sid)
            except Refusal:
                return attestation.refused("unknown_session")
            signer = stated.signer(attested.keys(db, session.id))
            use = functools.partial(attested.first_use, db, session.id, signer, claims.n, self._clock.now_ms())
            age_s = self._nonces.age_s(session.id, claims.nonce)
            overridden = attested.overridden(db, session.id)
            return attestation.judged(Case(asked, claims, session, signer, age_s, overridden, use))
