"""The exam's reference photo, from Init to the console: fetched in the background, locked at rest, purged with its session."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apsw
import pytest

from secureproctor.contract.report import IdentityReport
from secureproctor.service.reference import PURPOSE
from secureproctor.service.vault import Vault

PHOTO = b"\x89PNG\r\n\x1a\n" + b"a face " * 1000


@contextmanager
def exam(answer_now: threading.Event | None = None) -> Iterator[str]:
    """The exam's server on loopback: the photo at /photo, after the event."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if answer_now:
                answer_now.wait(30)
            here = self.path == "/photo"
            self.send_response(200 if here else 404)
            self.end_headers()
            self.wfile.write(PHOTO if here else b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        if answer_now:
            answer_now.set()
        server.shutdown()
        thread.join()
        server.server_close()


def identity(server: Any, candidate: Any) -> IdentityReport:
    """Who the candidate is, once the photo was fetched or was not."""
    with server.console() as console:
        who: IdentityReport = console.open(
            candidate.id, lambda detail: detail.identity.reference or detail.identity.reference_error
        ).identity
        return who


def named(server: Any, url: str, **settings: object) -> Any:
    return server.register(proctoringSettings={"candidatePhotoUrl": url, "authorization": True, **settings})


def test_the_photo_is_laid_beside_what_the_candidate_shows(launch: Any, tmp_path: Path) -> None:
    with exam() as host:
        server = launch("--photo-host", host)
        candidate = named(server, f"http://{host}/photo")
        who = identity(server, candidate)
    answer = server.http.get(who.reference)
    assert (answer.content, answer.headers["Content-Type"]) == (PHOTO, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    path = f"/v1/sessions/{candidate.id}/reference"
    assert server.http.get(path).status_code == 403
    assert server.http.get(who.reference.replace(candidate.id, server.register().id)).status_code == 403
    access = who.reference.partition("=")[2]
    report = server.http.get(f"/v1/sessions/{candidate.id}/report", params={"access": access}).json()
    assert report["identity"]["reference"] == who.reference
    server.stop()
    assert not any(PHOTO[:40] in file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())


@pytest.mark.parametrize(
    ("path", "why"),
    [("http://{host}/nothing", "status 404"), ("http://127.0.0.1:1/", "port"), ("http://127.0.0.1/", "not public")],
)
def test_why_there_is_no_photo_is_told_in_words(launch: Any, path: str, why: str) -> None:
    with exam() as host:
        server = launch("--photo-host", host)
        candidate = named(server, path.format(host=host))
        who = identity(server, candidate)
    assert (who.reference, why in who.reference_error) == ("", True)
    assert "127.0.0.1" not in who.reference_error


def test_a_photo_that_was_not_fetched_when_the_service_died_is_fetched_by_the_next(launch: Any) -> None:
    answer_now = threading.Event()
    with exam(answer_now) as host:
        first = launch("--photo-host", host)
        candidate = named(first, f"http://{host}/photo")
        first.process.kill()
        first.stop()
        answer_now.set()
        second = launch("--photo-host", host)
        assert identity(second, candidate).reference


def test_init_does_not_wait_for_the_photo_and_the_service_ends_without_it(launch: Any) -> None:
    with exam(threading.Event()) as host:
        server = launch("--photo-host", host)
        named(server, f"http://{host}/photo")
        assert server.stop() == (0, "")


def test_the_photo_goes_with_its_session(launch: Any, tmp_path: Path) -> None:
    with exam() as host:
        server = launch("--photo-host", host)
        candidate = named(server, f"http://{host}/photo")
        identity(server, candidate)
        server.stop()
    database = apsw.Connection(str(tmp_path / "data" / "service.db"))
    ((session_id, locked),) = list(database.execute("SELECT session, photo FROM reference_photos"))
    assert Vault.opened(tmp_path / "data").unlock(PURPOSE, session_id, locked) == PHOTO
    database.execute("PRAGMA foreign_keys=ON").fetchall()
    database.execute("DELETE FROM sessions").fetchall()
    assert list(database.execute("SELECT * FROM reference_photos")) == []
    database.close()
