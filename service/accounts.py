"""The HTTP calls of proctors: logging in, and the accounts that super proctors manage."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.console import Hello, LoggedIn, LogIn, ProctorAccounts, ProctorChange
from secureproctor.contract.errors import Refusal
from secureproctor.service.answers import answer
from secureproctor.service.board import Board
from secureproctor.service.bodies import read_body, read_struct
from secureproctor.service.proctors import Proctor, Proctors
from secureproctor.service.store import Store
from secureproctor.service.tries import Tries

MAX_BODY = 64 * 1024
HASHING_AT_ONCE = 2
"""Each takes a core and 32 MiB for some tenths of a second."""
WAITING_AT_ONCE = 32


class Accounts:
    """The calls around proctors' accounts."""

    def __init__(self, store: Store, proctors: Proctors, tries: Tries, board: Board) -> None:
        self._store = store
        self._proctors = proctors
        self._tries = tries
        self._board = board
        self._hashing = asyncio.Semaphore(HASHING_AT_ONCE)
        self._waiting = 0

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [
            Route("/v1/proctor/login", self.log_in, methods=["POST"]),
            Route("/v1/proctors", self.all, methods=["GET"]),
            Route("/v1/proctors/{name}", self.change, methods=["PUT"]),
            Route("/v1/proctors/{name}", self.remove, methods=["DELETE"]),
        ]

    async def log_in(self, request: Request) -> Response:
        """`POST /v1/proctor/login`."""
        given = read_struct(await read_body(request, MAX_BODY), LogIn)
        address = request.client.host if request.client else ""
        if self._waiting >= WAITING_AT_ONCE:
            raise Refusal("busy")
        self._tries.begin(given.name, address)
        self._waiting += 1
        try:
            async with self._hashing:
                proctor = await self._store.run(self._proctors.log_in, given.name, given.password)
        finally:
            self._waiting -= 1
        self._tries.right(given.name, address)
        expires_ms = (proctor.expires_s or 0) * 1000
        return answer(LoggedIn(self._proctors.token(proctor), proctor.name, proctor.role, expires_ms))

    async def all(self, request: Request) -> Response:
        """`GET /v1/proctors`."""
        self._super(request)
        return answer(ProctorAccounts(self._proctors.all()))

    async def change(self, request: Request) -> Response:
        """`PUT /v1/proctors/{name}`."""
        by = self._super(request)
        change = read_struct(await read_body(request, MAX_BODY), ProctorChange)
        name = str(request.path_params["name"])
        async with self._hashing:
            account = await self._store.run(self._proctors.change, name, change, by.name)
        self._board.recheck()
        return answer(account)

    async def remove(self, request: Request) -> Response:
        """`DELETE /v1/proctors/{name}`."""
        by = self._super(request)
        await self._store.run(self._proctors.remove, str(request.path_params["name"]), by.name)
        self._board.recheck()
        return Response(status_code=204)

    def _super(self, request: Request) -> Proctor:
        """The super proctor who calls. Raises Refusal login_needed, proctor_key_invalid or role_missing."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Refusal("login_needed")
        # a token has dots, the key of the link has none
        given = secret.strip()
        proctor = self._proctors.admitted(Hello(token=given) if "." in given else Hello(key=given))
        if proctor.role != "super":
            raise Refusal("role_missing")
        return proctor
