"""An exam's server that lets nobody in but candidates whose lockdown is attested: the counterpart for tests and the demo.

    python -m secureproctor.demo.examserver --service http://127.0.0.1:8400 --key demo:secret --ready-file exam.json

`GET /questions` asks the proctoring service what the request's attestation is worth, and answers 200 or 403 with the verdict
(contract.attestation.VERDICTS). It signs its own question as it signs Init, so the private key is here and nowhere else.
"""

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from secureproctor.contract.attestation import HEADER, VerifyAnswer, VerifyBody, VerifyData
from secureproctor.contract.signing import sign_body

MAX_AGE_S = 15.0
"""Stricter than the protocol asks for: the demo shows a replay, and does not want to wait long for it."""
VERIFY = "/v1/attestations/verify"


@dataclass(frozen=True, slots=True)
class Gate:
    """Asks the service about attestations, as the client with this key pair. `address` is this server's own: what a request
    says of it, whoever sends the request has written."""

    address: str
    client: httpx.AsyncClient
    public_key: str
    private_key: str

    async def judge(self, token: str, url: str) -> VerifyData:
        """The service's verdict on a request. Raises httpx.HTTPError when the service cannot be asked, or refuses, and
        msgspec.DecodeError when its answer is none."""
        body = msgspec.json.encode(VerifyBody(self.public_key, token, url, max_age_s=MAX_AGE_S))
        headers = {"Authorization": sign_body(self.private_key, body), "Content-Type": "application/json"}
        answer = await self.client.post(VERIFY, content=body, headers=headers)
        return msgspec.json.decode(answer.raise_for_status().content, type=VerifyAnswer).data

    async def questions(self, request: Request) -> Response:
        """The exam's questions, for whom the service vouches."""
        try:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            judged = await self.judge(request.headers.get(HEADER, ""), self.address + asked)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            return _answer(503, {"verdict": "unknown", "reason": f"The proctoring service cannot be asked: {error}"})
        told = {"verdict": judged.verdict, "reason": judged.reason, "user": judged.user_id}
        if not judged.ok:
            return _answer(403, told)
        return _answer(200, {**told, "questions": ["What keeps a satellite in its orbit?"]})


def _answer(status: int, told: Mapping[str, object]) -> Response:
    # the page that asks is the service's: another origin
    return JSONResponse(told, status, {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"})


async def serve(service: str, key: str, ready: Path) -> None:
    """Serve until it is told to end; `ready` is written with the address when it listens."""
    public, _, private = key.partition(":")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=service, timeout=10) as client:
            routes = [Route("/questions", Gate(url, client, public, private).questions)]
            config = uvicorn.Config(Starlette(routes=routes), log_level="warning", timeout_graceful_shutdown=1)
            listening.listen()
            await asyncio.to_thread(ready.write_text, json.dumps({"url": url}))
            await uvicorn.Server(config).serve(sockets=[listening])


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m secureproctor.demo.examserver", description="An exam's server.")
    parser.add_argument("--service", required=True, metavar="URL", help="the proctoring service")
    parser.add_argument("--key", required=True, metavar="PUBLIC:PRIVATE", help="the client's key pair")
    parser.add_argument("--ready-file", required=True, type=Path, metavar="PATH", help="written when it listens")
    given = parser.parse_args(argv)
    asyncio.run(serve(given.service, given.key, given.ready_file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
