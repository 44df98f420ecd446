"""The options of `secureproctor msb-key sign`: what the key is to say, and where its quit password comes from.

A table, since each option only names a claim: what makes no sense together is found where the claims are made.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from secureproctor.contract import jws
from secureproctor.contract.lockdown import RULES, BeyondTolerance, ProgramsPolicy
from secureproctor.contract.msb import FLOOR
from secureproctor.lockdown.browser.making import DEFAULT_HOURS
from secureproctor.lockdown.browser.password import MIN_PASSWORD

STANDARD = "-"
"""The name of standard input or output in place of a file's."""
_MAX_FILE = 1 << 20


class Trouble(Exception):
    """A failure to be told in a sentence with its remedy."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}\n  {remedy}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that an option sets: its place in the key's JSON, and its meaning."""

    place: str
    meaning: str
    metavar: str = "TEXT"
    type: Callable[[str], object] = str
    choices: tuple[str, ...] | None = None
    many: bool = False


CLAIMS: dict[str, Claim] = {
    "--client": Claim("iss", "the client's public key at the proctoring service", "KEY"),
    "--exam": Claim("exam", "the exam, as groupName at Init", "NAME"),
    "--start-url": Claim("startUrl", "where the exam begins; always allowed", "URL"),
    "--allow-url": Claim("allowedUrls", "an address that is allowed, * for any run of characters", "URL", many=True),
    "--require": Claim(
        "lockdown.required", "a rule without which it does not start", "RULE", choices=(*RULES,), many=True
    ),
    "--off": Claim("lockdown.off", "a rule that is not wanted", "RULE", choices=(*RULES,), many=True),
    "--tolerance": Claim("lockdown.browsingTolerance", "how often the exam window may be left", "N", int),
    "--beyond": Claim("lockdown.beyondTolerance", "what follows then", "WHAT", choices=get_args(BeyondTolerance)),
    "--programs": Claim(
        "lockdown.programs", "what to do about forbidden ones", "WHAT", choices=get_args(ProgramsPolicy)
    ),
    "--patience": Claim("lockdown.programPatienceS", "seconds from asking to closing", "S", float),
    "--allow-program": Claim("lockdown.allowedPrograms", "a program that is not closed", "NAME", many=True),
    "--forbid-program": Claim("lockdown.forbiddenPrograms", "a program that is forbidden, too", "NAME", many=True),
    "--displays": Claim("lockdown.displays", "how many displays are allowed", "N", int),
    "--while-paused": Claim("lockdown.whilePaused", "the lockdown while paused", "HOW", choices=("kept", "lifted")),
    "--floor": Claim("floor", "what Init must not switch off", "FLOOR", choices=(*FLOOR,), many=True),
    "--browser": Claim(
        "browsers", "what a secure browser is: path:, name: or signer: with a value", "ENTRY", many=True
    ),
    "--browser-gone": Claim("browserGone", "what follows when it is gone", "WHAT", choices=("end", "wait")),
    "--wait-s": Claim("waitS", "for how many seconds its return is waited for", "S", float),
}
"""The options of `sign` that set a claim. Given besides --claims, they override what stands there."""


def add_claims(parser: argparse.ArgumentParser) -> None:
    """The options that say what is to be signed."""
    for flag, claim in CLAIMS.items():
        action = "append" if claim.many else "store"
        repeatable = "; repeatable" if claim.many else ""
        choices = f": {', '.join(claim.choices)}" if claim.choices else ""
        parser.add_argument(
            flag,
            action=action,
            type=claim.type,
            choices=claim.choices,
            metavar=claim.metavar,
            dest=claim.place,
            help=f"{claim.meaning}{choices}{repeatable}",
        )
    parser.add_argument("--from", type=moment, dest="begin", metavar="TIME", help="valid from then on, not from now")
    parser.add_argument("--valid-hours", type=_hours, metavar="H", help=f"for how long; without: {DEFAULT_HOURS:g}")
    password = parser.add_mutually_exclusive_group()
    password.add_argument("--quit-password", action="store_true", help="ask for the quit password on the terminal")
    password.add_argument(
        "--quit-password-file", metavar="FILE", help="its first line is the quit password; - for input"
    )
    password.add_argument("--quit-password-fd", type=int, metavar="N", help="the same of an open file descriptor")


def members_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The claims of --claims, and of the options over them."""
    members: dict[str, object] = {}
    if arguments.claims is not None:
        try:
            members = jws.strict_object(text_of(arguments.claims).encode())
        except jws.Malformed as error:
            raise Trouble(f"{arguments.claims} holds no claims: {error}.", "Write them as one JSON object.") from None
    given = {claim.place: getattr(arguments, claim.place) for claim in CLAIMS.values()}
    for place, value in given.items():
        if value is not None:
            _put(members, place, value)
    if arguments.begin is not None:
        members["nbf"] = int(arguments.begin)
    return members


def _put(members: dict[str, object], place: str, value: object) -> None:
    outer, dot, name = place.partition(".")
    if not dot:
        members[outer] = value
        return
    inner = members.setdefault(outer, {})
    if isinstance(inner, dict):  # else it is found to be nonsense as it stands
        inner[name] = value


def password_of(arguments: argparse.Namespace) -> str | None:
    """The quit password, from where others cannot see it; a command line is there for everybody to read."""
    if arguments.quit_password:
        password = _asked()
    elif arguments.quit_password_file is not None:
        password = _first_line(text_of(arguments.quit_password_file))
    elif arguments.quit_password_fd is not None:
        with os.fdopen(arguments.quit_password_fd, encoding="utf-8", closefd=False) as file:
            password = _first_line(file.read(_MAX_FILE))
    else:
        return None
    if not MIN_PASSWORD <= len(password) <= 256:
        remedy = f"Take {MIN_PASSWORD} to 256 characters: whoever has the key can try out passwords at home."
        raise Trouble("The quit password is too short, or too long.", remedy)
    return password


def _asked() -> str:
    try:
        password, again = getpass.getpass("Quit password: "), getpass.getpass("Once more: ")
    except EOFError:
        raise Trouble("There is no terminal to ask on.", "Use --quit-password-file or --quit-password-fd.") from None
    if password != again:
        raise Trouble("The two are not the same.", "Try again.")
    return password


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0].rstrip("\r")


def text_of(file: str) -> str:
    """A file that is no larger than anything that is read here."""
    try:
        if file == STANDARD:
            return sys.stdin.read(_MAX_FILE)
        with Path(file).open(encoding="utf-8-sig") as opened:  # editors on Windows put a mark in front
            return opened.read(_MAX_FILE)
    except UnicodeDecodeError:
        raise Trouble(f"{file} is no text in UTF-8.", "Check which file it is, and save it in UTF-8.") from None


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= 24 * 366 * 10:
        raise argparse.ArgumentTypeError("a key is valid for more than no time, and for ten years at most")
    return hours


def moment(text: str) -> float:
    """Seconds since 1970, of them as a number, or of an ISO 8601 time (UTC unless it says otherwise)."""
    try:
        return float(int(text))
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2030-01-31T09:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
