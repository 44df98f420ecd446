"""`secureproctor service`: read the command line, open the data folder, listen, and end quietly when told to."""

import argparse
import asyncio
import errno
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec
import platformdirs
import uvicorn

from secureproctor.contract.channel import MAX_MESSAGE
from secureproctor.contract.errors import Refusal
from secureproctor.service.app import create_app
from secureproctor.service.clock import Clock
from secureproctor.service.config import LOOPBACK, ServiceConfig
from secureproctor.service.msb_key import read_keys
from secureproctor.service.photo import Host
from secureproctor.service.proctor_password import COMMAND, set_password
from secureproctor.service.store import Store, StoreError
from secureproctor.service.vault import Vault, secret, write_private

ENDING_S = 1


class StartError(Exception):
    """The service cannot start; the message says why and what to do."""


class Ready(msgspec.Struct, frozen=True):
    """What is written to --ready-file once the service listens."""

    url: str
    proctor_key: str
    console_url: str
    pid: int


class AnnouncingServer(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Ready, ready_file: Path | None) -> None:
        super().__init__(config)
        self._ready = ready
        self._ready_file = ready_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce."""
        await super().startup(sockets)
        if not self.started:
            return
        if self._ready_file:
            write_private(self._ready_file, msgspec.json.encode(self._ready).decode())
        demo = f"The proctoring service is ready. Demo: {self._ready.url}/demo  Console: {self._ready.console_url}"
        print(demo, flush=True)  # noqa: T201 - the one line that a person starts from


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT, or set a proctor's password. The exit code: 0, or 1 with a sentence on stderr."""
    words = sys.argv[1:] if argv is None else argv
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        if words[:1] == [COMMAND]:
            set_password(words[1:], _default_data(), sys.stdin)
        else:
            _run(_parser().parse_args(words))
    except (StartError, StoreError, Refusal) as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the person who started it
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="secureproctor service",
        description="The embedded proctoring service.",
        epilog=f"`secureproctor service {COMMAND} --help`: a proctor's password, while the service is stopped.",
    )
    add = parser.add_argument
    add("--host", default=LOOPBACK, help="the address to listen on (%(default)s)")
    add("--port", type=int, default=8400, help="the port to listen on; 0: a free one (%(default)s)")
    add("--data", type=Path, default=_default_data(), help="the folder of evidence, database and keys (%(default)s)")
    add(
        "--key",
        action="append",
        default=[],
        metavar="PUBLIC:PRIVATE",
        help="a key pair of an exam's server; repeatable",
    )
    add("--origin", action="append", default=[], help="an exam page's origin that may talk to the agent; repeatable")
    add("--public-url", default="", metavar="URL", help="how others spell this service, for signatures and links")
    add("--retention", type=float, default=72, metavar="HOURS", help="how long sessions are kept (%(default)s)")
    add("--live-window", type=float, default=30, metavar="SECONDS", help="with Recording off (%(default)s)")
    add("--operator", default="", metavar="NAME", help="who runs this service, as candidates are told")
    add(
        "--photo-host",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="where reference photos may lie though it is no public address; repeatable",
    )
    add(
        "--msb-key",
        action="append",
        default=[],
        metavar="CLIENT=KEY",
        help="by whom the MSB Keys of a client (its public key) may be signed: the Ed25519 key's x, or a file with its"
        " JWK; repeatable",
    )
    add("--ready-file", type=Path, metavar="PATH", help="written, with mode 0600, as soon as the service listens")
    return parser


def _default_data() -> Path:
    return Path(platformdirs.user_data_dir("secureproctor", appauthor=False)) / "service"


def _run(options: argparse.Namespace) -> None:
    os.umask(0o077)
    data: Path = options.data
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = _given_keys(options.key) or _kept_keys(data / "keys.json")
        vault = Vault.opened(data)
    except OSError as error:
        raise StartError(
            f"The folder {data} cannot be used: {error.strerror or error}. Choose another one with --data."
        ) from None
    except (ValueError, msgspec.DecodeError) as error:
        raise StartError(
            f"A key in {data} cannot be read: {error}. Restore it, or start with an empty folder."
        ) from None
    with _listening(options.host, options.port) as listener:
        url = options.public_url.rstrip("/") or f"http://{_bracketed(options.host)}:{listener.getsockname()[1]}"
        config = ServiceConfig(
            data, keys, url, tuple(options.origin), options.retention * 3600, options.live_window, options.operator,
            _hosts(options.photo_host), _msb_keys(options.msb_key, keys),
        )  # fmt: skip
        console = f"{url}/console#key={quote(vault.proctor_key, safe='')}"
        ready = Ready(url, vault.proctor_key, console, os.getpid())
        store = Store.opened(data)
        try:
            _serve(config, store, vault, listener, ready, options.ready_file)
        finally:
            store.close()


def _serve(
    config: ServiceConfig, store: Store, vault: Vault, listener: socket.socket, ready: Ready, ready_file: Path | None
) -> None:
    settings = uvicorn.Config(
        create_app(config, store, vault, Clock()),
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE,
        lifespan="on",
        log_config=None,
        access_log=False,  # addresses hold access codes
        server_header=False,
        timeout_graceful_shutdown=ENDING_S,
    )
    # uvicorn raises the signal again once it has shut down; being told to end is no failure
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server = AnnouncingServer(settings, ready, ready_file)
    asyncio.run(server.serve([listener]))
    if not server.started:
        raise StartError("The service could not start. The lines above say why.")


def _hosts(names: list[str]) -> tuple[Host, ...]:
    try:
        return tuple(map(Host.read, names))
    except ValueError as error:
        raise StartError(f"--photo-host: {error}.") from None


def _msb_keys(pairs: list[str], clients: dict[str, str]) -> Mapping[str, tuple[str, ...]]:
    try:
        return read_keys(pairs, clients)
    except ValueError as error:
        raise StartError(f"{error}.") from None


def _given_keys(pairs: list[str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for pair in pairs:
        public, _, private = pair.partition(":")
        if not public or not private:
            raise StartError(f"--key {public!r} is not PUBLIC:PRIVATE. Write both keys with a colon between them.")
        keys[public] = private
    return keys


def _kept_keys(path: Path) -> dict[str, str]:
    pair = {secrets.token_hex(8): secrets.token_urlsafe(24)}
    return msgspec.json.decode(secret(path, lambda: msgspec.json.encode(pair).decode()), type=dict[str, str])


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise StartError(f"There is no port {port}. Choose one up to 65535 with --port.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that name their protocol, which create_server's do not:
    # every answer came 40 ms late
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two services share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        return listener
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} is in use by another program. End it, or choose another port with --port."
            ) from None
        raise StartError(
            f"The service cannot listen on {host}:{port}: {error.strerror or error}. Choose another --host or --port."
        ) from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
