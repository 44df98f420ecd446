"""The command line: `secureproctor <command>`. It reads words, calls one thing, and turns errors into sentences.

An expected failure is one sentence with its remedy on standard error and exit code 1; 2 is a wrong command line; 3 is an
agent that found another one at work.
"""

import argparse
import asyncio
import functools
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from secureproctor.config import paths, stores
from secureproctor.config.resolve import ConfigError, Resolved, resolve
from secureproctor.config.settings import COMMAND_ONLY, FIELDS, POLICY_ONLY, Origin

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

ELSEWHERE: dict[str, tuple[str, str]] = {
    "service": ("secureproctor.service.__main__", "run the embedded proctoring service"),
    "demo": ("secureproctor.demo.__main__", "play a whole proctored session on this machine"),
}
"""Commands of packages that the agent does not import; they are loaded by name when they are called."""

OWN: dict[str, tuple[str, str]] = {
    "msb-key": ("secureproctor.agent.msb_key", "make, sign and look at the keys of exams in a secure browser"),
    "unlock": ("secureproctor.agent.unlock", "give the computer back after an exam whose agent died"),
}
"""Commands with modules of their own, each with `add(parser)` and `run(arguments)`; loaded when they are called."""

SUPERVISED = "--supervised"


class Trouble(Exception):
    """A failure to be told in a sentence with its remedy."""

    def __init__(self, message: str, remedy: str, code: int = 1) -> None:
        self.message, self.remedy, self.code = message, remedy, code
        super().__init__(f"{message}\n  {remedy}" if remedy else message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ELSEWHERE:
        # each of them takes Ctrl-C over when it has something to give back
        run: Callable[[list[str]], int] = importlib.import_module(ELSEWHERE[words[0]][0]).main
        return run(words[1:])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = _parser(words[0] if words else "").parse_args(words)
    if getattr(arguments, "supervised", False):
        from secureproctor.agent.revival import revive

        return revive(
            [sys.executable, "-P", "-m", "secureproctor.agent", *(each for each in words if each != SUPERVISED)]
        )
    try:
        return int(COMMANDS[arguments.command](arguments))
    except (Trouble, ConfigError) as trouble:
        print(f"secureproctor: {trouble}", file=sys.stderr)  # noqa: T201 - the command line speaks to a person
        return trouble.code if isinstance(trouble, Trouble) else 1
    except KeyboardInterrupt:
        return 130


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="secureproctor", description="Candidate-side proctoring agent.")
    parser.add_argument("--version", action="version", version=version("secureproctor"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    agent = commands.add_parser("agent", help="run the agent on this machine")
    agent.add_argument(SUPERVISED, action="store_true", help="start it again whenever it dies")
    _add_settings(agent)
    check = commands.add_parser("check", help="check camera, microphone, screen, disk, clock and service")
    _add_settings(check)
    check.add_argument("--json", action="store_true", help="print data, not a table")
    check.add_argument(
        "--expiry", type=int, default=300, metavar="S", help="session expiry time that the disk is to last"
    )
    status = commands.add_parser("status", help="show what the running agent does")
    _add_settings(status)
    status.add_argument("--json", action="store_true", help="print data, not a table")
    for name, (module, meaning) in OWN.items():
        its = commands.add_parser(name, help=meaning)
        if name == command:
            importlib.import_module(module).add(its)
    _add_native_host(commands.add_parser("native-host", help="connect a browser's extension with the agent"))
    for name, (_, meaning) in ELSEWHERE.items():
        commands.add_parser(name, help=meaning)
    return parser


def _add_native_host(parser: argparse.ArgumentParser) -> None:
    from secureproctor.agent.local.browsers import BROWSERS

    _add_settings(parser)
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--install", action="store_true", help="make the host, with these settings, known to browsers")
    act.add_argument("--uninstall", action="store_true", help="take it away from them")
    parser.add_argument("--browser", action="append", default=[], choices=BROWSERS, help="repeatable; without: all")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("--user", dest="scope", action="store_const", const="user", default="user", help="for this user")
    scope.add_argument("--system", dest="scope", action="store_const", const="system", help="for everybody (as root)")
    parser.add_argument("--into", default="", metavar="FOLDER", help="in place of the browser's own folder")
    parser.add_argument(
        "--extension-id",
        action="append",
        default=[],
        metavar="ID",
        help="another extension that may start it; repeatable",
    )
    parser.add_argument("caller", nargs="*", help="what the browser says of itself and its extension")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    for name, field in FIELDS.items():
        if field.metadata["by"] != POLICY_ONLY:
            only = " (command line only)" if field.metadata["by"] == COMMAND_ONLY else ""
            shown = f"{field.metadata['meaning']}{only}".replace("%", "%%")
            parser.add_argument(f"--{name.replace('_', '-')}", default=None, metavar="VALUE", help=shown)


def _setting_words(arguments: argparse.Namespace) -> list[str]:
    """The settings of a command line, to be said to another command."""
    given = {name: getattr(arguments, name) for name in FIELDS if getattr(arguments, name, None) is not None}
    return [word for name, text in given.items() for word in (f"--{name.replace('_', '-')}", text)]


def read_settings(arguments: argparse.Namespace) -> Resolved:
    """The settings from all their origins. Raises ConfigError."""
    given = {name: getattr(arguments, name, None) for name in FIELDS}
    return resolve(
        {
            Origin.USER: stores.read_file(paths.user_file()),
            Origin.ENVIRONMENT: stores.read_environment(),
            Origin.COMMAND_LINE: {name: stores.listed(name, text) for name, text in given.items() if text is not None},
            Origin.POLICY: stores.read_file(paths.policy_file()),
        }
    )


def _agent(arguments: argparse.Namespace) -> int:
    import logging

    from secureproctor.agent.app import AGENT, running
    from secureproctor.agent.local.server import PortTaken
    from secureproctor.agent.lock import ANOTHER_AGENT, AnotherAgent
    from secureproctor.agent.outside import NoTrust

    settings = read_settings(arguments).settings
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # the one logs each request's address, the other a line for everybody who knocks
    for name in ("httpx", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)

    async def serve() -> None:
        ended = asyncio.Event()
        _on_signals(ended.set)
        async with running(settings) as agent:
            logging.getLogger(__name__).info("%s listens at 127.0.0.1:%d", AGENT, agent.port)
            await ended.wait()

    try:
        asyncio.run(serve())
    except AnotherAgent as error:
        remedy = "End the other agent, or use another state folder."
        raise Trouble(f"The agent cannot run: {error.strerror}.", remedy, ANOTHER_AGENT) from None
    except NoTrust as error:
        raise _untrusting(error) from None
    except PortTaken:
        raise Trouble(
            f"Port {settings.local_port} on 127.0.0.1 is taken, perhaps by another agent.",
            "End the other program, or choose another port with --local-port.",
        ) from None
    except OSError as error:
        raise Trouble(f"The agent cannot run: {error}.", "Check the folders in its settings.") from None
    return 0


def _untrusting(error: OSError) -> Trouble:
    return Trouble(f"No secure connection is possible: {error}.", "Correct or unset SSL_CERT_FILE and SSL_CERT_DIR.")


def _on_signals(end: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # Windows: the event loop has no signal handlers there
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))


def _check(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from secureproctor.agent.app import check_context
    from secureproctor.agent.checks.run import run_checks
    from secureproctor.agent.checks.table import check_table, exit_code, to_json
    from secureproctor.agent.outside import NoTrust, http_client
    from secureproctor.contract.page import CheckResult
    from secureproctor.contract.streams import MEDIA

    settings = read_settings(arguments).settings

    async def run() -> tuple[CheckResult, ...]:
        async with http_client() as client:
            return await run_checks(check_context(settings, client, frozenset(MEDIA), arguments.expiry))

    try:
        results = asyncio.run(run())
    except NoTrust as error:
        raise _untrusting(error) from None
    if arguments.json:
        sys.stdout.write(to_json(results) + "\n")
    else:
        Console().print(check_table(results))
    return exit_code(results)


def _status(arguments: argparse.Namespace) -> int:
    from secureproctor.agent.local.client import NotRunning, ask_status
    from secureproctor.agent.local.status_table import status_table, to_json

    folder: Path = paths.runtime_dir(read_settings(arguments).settings)
    try:
        status = asyncio.run(ask_status(folder))
    except NotRunning as error:
        raise Trouble(str(error), "Start it with: secureproctor agent") from None
    if arguments.json:
        sys.stdout.write(to_json(status) + "\n")
    else:
        from rich.console import Console

        Console().print(status_table(status))
    return 0


def _native_host(arguments: argparse.Namespace) -> int:
    if arguments.install or arguments.uninstall:
        return _browsers(arguments)
    from secureproctor.agent.local.native_host import Browser, bridge
    from secureproctor.agent.local.reaching import Denied, Reaching, launch, missing

    def reach(origin: str, unwanted: Callable[[], bool]) -> "ClientConnection":
        try:
            settings = read_settings(arguments).settings
        except ConfigError as error:
            raise Denied(missing(str(error))) from None
        start = functools.partial(launch, _setting_words(arguments), paths.state_dir(settings))
        return Reaching(paths.runtime_dir(settings), start)(origin, unwanted)

    return bridge(Browser(sys.stdin.fileno(), sys.stdout.fileno()), reach)


def _browsers(arguments: argparse.Namespace) -> int:
    from secureproctor.agent.local.browsers import install_all, uninstall_all

    places = arguments.browser, arguments.scope, arguments.into
    try:
        if arguments.install:
            done = install_all(*places, _setting_words(arguments), arguments.extension_id)
        else:
            done = uninstall_all(*places)
    except OSError as error:
        raise Trouble(f"{error}.", "Use --user, or run it as an administrator.") from None
    sys.stdout.writelines(f"{path}\n" for path in done)
    return 0


def _run_own(arguments: argparse.Namespace) -> int:
    return int(importlib.import_module(OWN[arguments.command][0]).run(arguments))


# the commands import what they need when they are called, so that `--help` and `status` start fast
COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "agent": _agent,
    "check": _check,
    "status": _status,
    "native-host": _native_host,
    **dict.fromkeys(OWN, _run_own),
}
