"""An exam's server that signs for SecureProctor. Python's standard library is all that it needs.

    PROCTOR_PUBLIC_KEY=my-exam PROCTOR_PRIVATE_KEY=a-secret python3 server.py

It serves the exam page at http://127.0.0.1:8000/ and signs what the page hands to the agent: `POST /sign/init` and
`POST /sign/report`, by the scheme `?scheme=body` or `?scheme=parameters`. The page says nothing about who the candidate
is: the server knows. `GET /questions` is for a locked exam only: the service judges the attestation of each request.
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

SERVICE = os.environ.get("PROCTOR_SERVICE", "http://127.0.0.1:8400")
PUBLIC_KEY = os.environ["PROCTOR_PUBLIC_KEY"]
PRIVATE_KEY = os.environ["PROCTOR_PRIVATE_KEY"]
PORT = int(os.environ.get("PORT", "8000"))
ADDRESS = os.environ.get("EXAM_ADDRESS", f"http://127.0.0.1:{PORT}")
"""How the candidates' browsers spell this server. Never take it from a request: whoever sends it can write what they want."""
PAGE = Path(__file__).parents[1] / "exam.html"


def candidate() -> dict[str, str]:
    """Who takes the exam. Yours comes from your log-in, and never from the page."""
    return {"userId": "candidate-1", "groupName": "physics-101", "name": "Eileen Collins", "email": "e@example.org"}


def sign_body(text: str) -> str:
    """The scheme of the Authorization header: the exact text is the password, the private key the salt."""
    return hashlib.pbkdf2_hmac("sha1", text.encode(), PRIVATE_KEY.encode(), 1001, 25).hex().upper()


def sign_parameters(method: str, endpoint: str, parameters: dict[str, str]) -> str:
    """The scheme of ak, ts and asgn: the values in the order of their names."""
    values = "\n".join(parameters[name] for name in sorted(parameters))
    signed = hmac.digest(PRIVATE_KEY.encode(), f"{method}{endpoint}\n{values}".encode(), "sha256")
    return base64.b64encode(signed).decode()


def stamped() -> dict[str, str]:
    """Who signs, and when."""
    return {"ak": PUBLIC_KEY, "ts": str(int(time.time()))}


def init(scheme: str, _format: str) -> dict[str, object]:
    """What the page gives to `proctor.init`."""
    who = candidate()
    body = json.dumps(
        {
            "publicKey": PUBLIC_KEY,
            "userId": who["userId"],
            "groupName": who["groupName"],
            "proctoringSettings": {"screenCapture": True, "audioProctoring": True, "authorization": True},
            "expiryTime": 300,
            "userMetaData": {"name": who["name"], "email": who["email"]},
        }
    )
    if scheme == "body":
        return {"body": body, "authorization": sign_body(body)}
    query = stamped()
    asgn = sign_parameters("POST", f"{SERVICE}/v1/init", {**query, "rd": body})
    return {"body": body, "query": {**query, "asgn": asgn}}


def report(scheme: str, report_format: str) -> dict[str, object]:
    """What the page gives to `proctor.report`, or your server sends to `GET /v2/report/` by itself."""
    who = candidate()
    query = {
        "groupName": who["groupName"],
        "publicKey": PUBLIC_KEY,
        "reportFormat": report_format,
        "userId": who["userId"],
    }
    if scheme == "body":
        return {"query": query, "authorization": sign_body("\n".join(query[name] for name in sorted(query)))}
    query |= stamped()
    return {"query": {**query, "asgn": sign_parameters("GET", f"{SERVICE}/v2/report/", query)}}


def verified(attestation: str, path: str) -> dict[str, object]:
    """What the service says of a request's header SecureProctor-Attestation: `ok`, and else `verdict` and `reason`."""
    who = candidate()
    body = json.dumps(
        {
            "publicKey": PUBLIC_KEY,
            "token": attestation,
            "url": f"{ADDRESS}{path}",
            "userId": who["userId"],
            "groupName": who["groupName"],
        }
    )
    headers = {"Authorization": sign_body(body), "Content-Type": "application/json"}
    request = Request(f"{SERVICE}/v1/attestations/verify", body.encode(), headers)  # noqa: S310 - the address is our own
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        judged: dict[str, object] = json.load(answer)["data"]
    return judged


SIGNED = {"/sign/init": init, "/sign/report": report}


class Exam(BaseHTTPRequestHandler):
    """The exam's pages and signatures."""

    def do_GET(self) -> None:
        """The exam page, and its questions."""
        if urlsplit(self.path).path == "/questions":
            self._questions()
            return
        if urlsplit(self.path).path != "/":
            self.send_error(404)
            return
        page = PAGE.read_text(encoding="utf-8").replace("{{service}}", SERVICE)
        self._answer("text/html; charset=utf-8", page)

    def do_POST(self) -> None:
        """A signature."""
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path not in SIGNED:
            self.send_error(404)
            return
        signed = SIGNED[address.path](asked.get("scheme", "body"), asked.get("format", "url"))
        self._answer("application/json", json.dumps(signed))

    def _questions(self) -> None:
        try:
            judged = verified(self.headers.get("SecureProctor-Attestation", ""), self.path)
        except OSError:  # the service cannot be asked: the candidate is to try again, and sees nothing meanwhile
            self.send_error(503)
            return
        told = {"questions": ["Why is the sky blue?"]} if judged["ok"] else {"reason": judged["reason"]}
        self._answer("application/json", json.dumps(told), 200 if judged["ok"] else 403)

    def _answer(self, kind: str, text: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", PORT), Exam) as server:
        server.serve_forever()
