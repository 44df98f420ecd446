"""The service's addresses as an OpenAPI 3.1 document (`GET /openapi.json`).

What each address is, is said once, in contract.http.PATHS; what travels is said by the contract's structs. The table here
adds what neither can say: who may call, and which answers there are. A test holds it against the routes of the app.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.attestation import VerifyAnswer, VerifyBody
from secureproctor.contract.console import LoggedIn, LogIn, ProctorAccount, ProctorAccounts, ProctorChange
from secureproctor.contract.errors import ErrorAnswer
from secureproctor.contract.http import (
    PATHS,
    Health,
    InitAnswer,
    InitBody,
    ReportLink,
    Stored,
    StoredList,
    TokenAnswer,
)
from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.evidence import MAX_NUMBER

Key = Literal["anybody", "session", "proctor", "link", "exam"]
Json = dict[str, Any]
Content = type | str | None
"""A struct of the contract as JSON, a media type, or an empty body."""

REF = "#/components/schemas/{name}"
HTML, SCRIPT, JPEG, BYTES = "text/html", "text/javascript", "image/jpeg", "application/octet-stream"
PLAYLIST = "application/vnd.apple.mpegurl"
LOCKED: dict[Key, tuple[int, ...]] = {"session": (401,), "proctor": (401, 403), "link": (403,), "exam": (401, 403)}
"""How a caller without the right key is refused."""
SECURITY: dict[Key, Json] = {
    "session": {"type": "http", "scheme": "bearer", "description": "The session token of Init."},
    "proctor": {"type": "http", "scheme": "bearer", "description": "A super proctor's token of log-in."},
    "link": {"type": "apiKey", "in": "query", "name": "access", "description": "The access code of a report's link."},
    "exam": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The signature of the body, or of the parameters; or ak, ts and asgn as parameters.",
    },
}


ReportAnswer = msgspec.defstruct("ReportAnswer", [("data", ReportLink), ("report", Report | None)])
"""contract.http.ReportAnswer, which carries the report encoded already."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One address: what its good answers hold by their status, how else it may refuse, and what it takes."""

    answers: Mapping[int, tuple[Content, ...]]
    refuses: tuple[int, ...] = ()
    key: Key = "anybody"
    body: Content = None
    query: Mapping[str, Json] = field(default_factory=dict)


def _page(kind: str) -> Operation:
    return Operation({200: (kind,)}, (404,))


_SOCKET = Operation({101: (None,)}, (404,))
_MEDIA = (404,)
_VIDEO = ("video/mp4", "audio/mp4")
_TEXT: Json = {"type": "string"}
_SIGNED: Mapping[str, Json] = {"ak": _TEXT, "ts": _TEXT, "asgn": _TEXT}
_REPORT: Mapping[str, Json] = {
    "publicKey": _TEXT,
    "groupName": _TEXT,
    "userId": _TEXT,
    "reportFormat": {"enum": ["url", "json"]},
}
NEEDED = frozenset({"publicKey", "groupName", "userId"})
"""Parameters of the query that must be there."""

OPERATIONS: dict[str, Operation] = {
    "GET /v1/health": Operation({200: (Health,)}),
    "POST /v1/init": Operation({200: (InitAnswer,)}, (400, 413, 429), "exam", InitBody, _SIGNED),
    "POST /v1/sessions/{id}/token": Operation({200: (TokenAnswer,)}, (404,), "session"),
    "PUT /v1/sessions/{id}/segments/{stream}/{epoch}/{seq}": Operation(
        {200: (Stored,), 201: (Stored,)}, (400, 404, 409, 413, 429, 503), "session", BYTES
    ),
    "GET /v1/sessions/{id}/segments": Operation({200: (StoredList,)}, (404,), "session"),
    "GET /v1/sessions/{id}/channel": Operation({101: (None,)}, (404,), "session"),
    "GET /v2/report/": Operation({200: (ReportAnswer,)}, (400, 404), "exam", query={**_REPORT, **_SIGNED}),
    "GET /v1/sessions/{id}/report": Operation({200: (Report,)}, (404,), "link"),
    "GET /v1/sessions/{id}/media/{stream}.m3u8": Operation({200: (PLAYLIST,)}, _MEDIA, "link"),
    "GET /v1/sessions/{id}/media/master.m3u8": Operation({200: (PLAYLIST,)}, _MEDIA, "link"),
    "GET /v1/sessions/{id}/media/{stream}.mp4": Operation(
        {200: _VIDEO}, _MEDIA, "link", query={"epoch": {"type": "integer", "minimum": 0}}
    ),
    "GET /v1/sessions/{id}/media/{stream}/{epoch}/{seq}": Operation({200: _VIDEO}, _MEDIA, "link"),
    "GET /report/{id}": _page(HTML),
    "GET /demo": _page(HTML),
    "GET /console": _page(HTML),
    "GET /v1/proctor": _SOCKET,
    "GET /v1/sessions/{id}/media/{stream}/thumbnail.jpg": Operation(
        {200: (JPEG,), 304: (None,)}, _MEDIA, "link", query={"w": {"type": "integer", "minimum": 1}}
    ),
    "GET /v1/sessions/{id}/stills/{epoch}/{seq}": Operation({200: (JPEG,)}, _MEDIA, "link"),
    "GET /v1/sessions/{id}/reference": Operation({200: (JPEG, "image/png", "image/webp")}, _MEDIA, "link"),
    "GET /v1/proctor/live": _SOCKET,
    "POST /v1/attestations/verify": Operation({200: (VerifyAnswer,)}, (400, 413, 429), "exam", VerifyBody, _SIGNED),
    "POST /v1/proctor/login": Operation({200: (LoggedIn,)}, (400, 401, 413, 429), body=LogIn),
    "GET /v1/proctors": Operation({200: (ProctorAccounts,)}, (), "proctor"),
    "PUT /v1/proctors/{name}": Operation({200: (ProctorAccount,)}, (400, 409, 413, 429), "proctor", ProctorChange),
    "DELETE /v1/proctors/{name}": Operation({204: (None,)}, (404, 409), "proctor"),
    "GET /openapi.json": Operation({200: ("application/json",)}),
    "GET /secureproctor.js": _page(SCRIPT),
    "GET /authorization.js": _page(SCRIPT),
}
"""What PATHS cannot say of each address."""

_NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}
PLACES: dict[str, Json] = {
    "id": {"type": "string", "minLength": 1},
    "name": {"type": "string", "minLength": 1, "maxLength": 64},
    "stream": {"enum": [stream.value for stream in Stream]},
    "epoch": _NUMBER,
    "seq": _NUMBER,
}
"""The parameters within addresses."""
_MEDIA_STREAM: Json = {"enum": [stream.value for stream in MEDIA]}
_PLACE = re.compile(r"{(\w+)}")


def document() -> Json:
    """The whole document."""
    kinds = [kind for each in OPERATIONS.values() for kind in _structs(each)]
    _, components = msgspec.json.schema_components([*kinds, ErrorAnswer], ref_template=REF)
    paths: Json = {}
    for address, meaning in PATHS.items():
        method, path = address.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(path, meaning, OPERATIONS[address])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SecureProctor service",
            "version": version("secureproctor"),
            "description": "What exam servers, agents and proctors say to the service over HTTP.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": _plain(components), "securitySchemes": dict(SECURITY)},
    }


def routes() -> list[BaseRoute]:
    """The addresses of this part."""
    encoded = msgspec.json.encode(document())

    async def serve(_request: Request) -> Response:
        return Response(encoded, headers={"X-Content-Type-Options": "nosniff"}, media_type="application/json")

    return [Route("/openapi.json", serve)]


def _plain(schema: Any) -> Any:
    """A schema without `prefixItems`, which some tools of OpenAPI misread: our tuples are of one type, and of a length."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(each) for name, each in schema.items() if name != "prefixItems"}
    return {**plain, "items": schema["prefixItems"][0]} if "prefixItems" in schema else plain


def _operation(path: str, meaning: str, operation: Operation) -> Json:
    body = {"requestBody": {"required": True, "content": _content(operation.body)}} if operation.body else {}
    refused = sorted({*operation.refuses, *LOCKED.get(operation.key, ()), 500})
    return {
        "summary": meaning,
        "security": [{operation.key: []}] if operation.key in SECURITY else [],
        "parameters": [*_places(path), *_query(operation)],
        **body,
        "responses": {
            **{str(status): _good(contents) for status, contents in operation.answers.items()},
            **{str(status): {"description": "Refused.", "content": _content(ErrorAnswer)} for status in refused},
        },
    }


def _places(path: str) -> list[Json]:
    known = {**PLACES, "stream": _MEDIA_STREAM} if "/media/" in path else PLACES
    return [{"name": name, "in": "path", "required": True, "schema": known[name]} for name in _PLACE.findall(path)]


def _query(operation: Operation) -> list[Json]:
    return [
        {"name": name, "in": "query", "required": name in NEEDED, "schema": schema}
        for name, schema in operation.query.items()
    ]


def _good(contents: tuple[Content, ...]) -> Json:
    content: Json = {}
    for each in contents:
        content |= _content(each)
    return {"description": "Done.", **({"content": content} if content else {})}


def _content(content: Content) -> Json:
    if content is None:
        return {}
    if isinstance(content, str):
        return {content: {}}
    return {"application/json": {"schema": {"$ref": REF.format(name=content.__name__)}}}


def _structs(operation: Operation) -> list[type]:
    contents = [operation.body, *(each for contents in operation.answers.values() for each in contents)]
    return [each for each in contents if isinstance(each, type)]
