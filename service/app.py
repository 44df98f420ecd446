"""Puts the service together: the one file that knows every part."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from secureproctor.contract.http import Health
from secureproctor.service import openapi, pages
from secureproctor.service.accounts import Accounts
from secureproctor.service.answers import HANDLERS, answer
from secureproctor.service.attestations import Attestations
from secureproctor.service.board import Board
from secureproctor.service.changes import Changes
from secureproctor.service.channel import Channel
from secureproctor.service.clock import Clock
from secureproctor.service.config import ServiceConfig
from secureproctor.service.console import Consoles
from secureproctor.service.contacts import Contacts
from secureproctor.service.evidence import Evidence
from secureproctor.service.glance import Glances
from secureproctor.service.ingest import Ingest
from secureproctor.service.live import Live
from secureproctor.service.media import Media
from secureproctor.service.nonces import Nonces
from secureproctor.service.photo import Photos
from secureproctor.service.proctors import Proctors
from secureproctor.service.reference import References
from secureproctor.service.registration import Registration
from secureproctor.service.reports import Reports
from secureproctor.service.rounds import Rounds
from secureproctor.service.sessions import Sessions
from secureproctor.service.snapshots import Snapshots
from secureproctor.service.stills import Stills
from secureproctor.service.store import Store
from secureproctor.service.thumbnails import Thumbnails
from secureproctor.service.tokens import Tokens
from secureproctor.service.tries import Tries
from secureproctor.service.vault import Vault
from secureproctor.service.watch import Watch


def create_app(config: ServiceConfig, store: Store, vault: Vault, clock: Clock) -> Starlette:
    """The whole service over an open store. Its lifespan recovers after a crash, and does what it does by itself."""
    sessions = Sessions(store, vault, clock)
    evidence = Evidence(store, config.data / "records", config.disk_floor)
    tokens = Tokens(vault.derived("session tokens"), vault.derived("access codes"), clock.wall)
    proctors = Proctors(store, vault, clock.wall)
    changes = Changes()
    contacts = Contacts(store, clock)
    nonces = Nonces(vault.derived("attestation nonces"), clock.wall)
    channel = Channel(store, contacts, nonces, changes, clock)
    glances = Glances(store, clock.boot)
    stills = Stills(store, sessions, evidence, tokens)
    references = References(store, vault, tokens, Photos(config.photo_hosts), changes)
    snapshots = Snapshots(store, contacts, channel, glances, stills, references, tokens, clock)
    board = Board(store, sessions, proctors, snapshots, changes)
    watch = Watch(store, contacts, clock)
    rounds = Rounds(config, store, sessions, contacts, evidence, channel, glances, watch, changes, clock)
    parts = (
        Registration(config, store, sessions, contacts, tokens, references, changes, clock),
        Ingest(store, sessions, contacts, evidence, tokens, changes, clock),
        Thumbnails(store, sessions, evidence, tokens),
        Media(store, sessions, evidence, tokens),
        stills,
        references,
        Reports(config, store, sessions, contacts, evidence, stills, references, tokens, clock),
        Attestations(config, store, nonces, clock),
        Accounts(store, proctors, Tries(clock.boot), board),
        Live(store, sessions, evidence, proctors, changes),
        Consoles(store, channel, proctors, board, clock),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await store.run(evidence.recover, clock.now_ms())
        with changes.following(glances.arrived):
            async with asyncio.TaskGroup() as tasks:
                going = [tasks.create_task(each.go()) for each in (rounds, board, references)]
                yield
                for each in going:
                    each.cancel()

    routes = [
        Route("/v1/health", _health(clock)),
        WebSocketRoute("/v1/sessions/{id}/channel", _channel(store, sessions, channel, tokens)),
        *(route for part in parts for route in part.routes()),
        *openapi.routes(),
        *pages.routes(),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=HANDLERS)


def _health(clock: Clock) -> Callable[[Request], Awaitable[Response]]:
    async def health(_request: Request) -> Response:
        return answer(Health("secureproctor", version("secureproctor"), clock.now_ms()))

    return health


def _channel(
    store: Store, sessions: Sessions, channel: Channel, tokens: Tokens
) -> Callable[[WebSocket], Awaitable[None]]:
    async def serve(websocket: WebSocket) -> None:
        session_id = str(websocket.path_params["id"])
        tokens.verify(websocket.headers.get("Authorization", ""), session_id)
        await store.run(sessions.find, session_id)
        await websocket.accept()
        await channel.serve(websocket, session_id)

    return serve
