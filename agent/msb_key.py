"""`secureproctor msb-key`: keys for the makers of exams. They make a key pair once, sign an MSB Key for each exam, and look at
what they made.

It works without an agent, a service or a network. What succeeds is told on standard output, for a script with --json; what
fails is one sentence with its remedy on standard error and exit code 1.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secureproctor.agent.durable import save
from secureproctor.agent.msb_options import STANDARD, Trouble, add_claims, members_of, moment, password_of, text_of
from secureproctor.contract import jws
from secureproctor.contract.errors import Refusal
from secureproctor.contract.msb import TYPE, MsbClaims, MsbTrust
from secureproctor.lockdown.browser import jwk
from secureproctor.lockdown.browser.key import generate, inspect, sign, verify, when
from secureproctor.lockdown.browser.making import Nonsense, made
from secureproctor.lockdown.browser.password import hash_password

NOT_VERIFIED = "NOT VERIFIED: nobody has checked who made this key. Use: secureproctor msb-key verify"
VERIFIED = "Verified: unchanged, of this signer, client and exam, and in its time."
_PUBLIC = "Take x as keygen told it, or a file with the JWK."


def add(parser: argparse.ArgumentParser) -> None:
    """The commands below `msb-key`."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="command")
    keygen = acts.add_parser("keygen", help="make a key pair")
    keygen.add_argument("--out", type=Path, required=True, metavar="FILE", help="the private key; a new file")
    _add_sign(acts.add_parser("sign", help="sign an MSB Key"))
    look = acts.add_parser("inspect", help="show what an MSB Key says, without any trust in it")
    look.add_argument("file", help="the MSB Key; - for standard input")
    judge = acts.add_parser("verify", help="judge an MSB Key as an agent does")
    judge.add_argument("file", help="the MSB Key; - for standard input")
    judge.add_argument("--public", required=True, metavar="X", help="the public key, or a file with its JWK")
    judge.add_argument("--client", required=True, metavar="KEY", help="who registers the candidate")
    judge.add_argument("--exam", required=True, metavar="NAME", help="groupName at Init")
    judge.add_argument("--at", type=moment, metavar="TIME", help="in place of now: 2030-01-31T09:00 (UTC) or seconds")
    for each in acts.choices.values():
        each.add_argument("--json", action="store_true", help="print data, not a table")


def _add_sign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key, of keygen")
    parser.add_argument("--claims", metavar="FILE", help="the claims as JSON; iat, nbf, exp, jti are added")
    add_claims(parser)
    parser.add_argument("--out", default=STANDARD, metavar="FILE", help="the MSB Key; without: standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run a command; its exit code."""
    try:
        return ACTS[arguments.act](arguments)
    except Refusal as refusal:
        trouble = Trouble(refusal.message, refusal.remedy)
    except Nonsense as nonsense:
        trouble = Trouble(f"No key was signed. {nonsense}", "Correct it, and sign again.")
    except OSError as error:
        trouble = Trouble(f"{error.filename or 'The file'}: {error.strerror}.", "Check the file and its folder.")
    except Trouble as told:
        trouble = told
    sys.stderr.write(f"secureproctor: {trouble}\n")
    return 1


def _keygen(arguments: argparse.Namespace) -> int:
    private = generate()
    while jws.public_text(private.public_key()).startswith("-"):  # which command lines would take for an option
        private = generate()
    try:
        jwk.save(arguments.out, private)
    except FileExistsError:
        raise Trouble(f"{arguments.out} exists already.", "Choose another file; a key that is lost is lost.") from None
    x = jws.public_text(private.public_key())
    told = {"private": str(arguments.out), "kid": jws.thumbprint(x), "x": x}
    lines = [
        f"Private key  {arguments.out}  (only you may read it; whoever has it can sign in your name)",
        f"Key id       {told['kid']}",
        f"Public key   {x}",
        "Tell the public key either to the proctoring service, or to the agents by their policy. CLIENT is your key there:",
        f"  secureproctor service --msb-key CLIENT={x}",
        f'  msb_keys = ["CLIENT={x}"]',
    ]
    return _tell(arguments, told, lines)


def _sign(arguments: argparse.Namespace) -> int:
    private = _private(arguments.key)
    members = members_of(arguments)
    password = password_of(arguments)
    if password is not None:
        members["quitPasswordHash"] = hash_password(password)
    claims = made(members, time.time(), arguments.valid_hours)
    key = sign(claims, private)
    if arguments.out == STANDARD:
        told = {"key": key, "jti": claims.jti, "exp": claims.exp}
        return _tell(arguments, told, [key])
    out = Path(arguments.out)
    if out.exists() and out.samefile(arguments.key):
        raise Trouble(f"{out} is the private key.", "Choose another file for --out.")
    save(out, f"{key}\n".encode())
    told = {"out": str(out), "jti": claims.jti, "exp": claims.exp}
    return _tell(arguments, told, [f"{out}: for {claims.exam}, from {when(claims.nbf)} to {when(claims.exp)}"])


def _inspect(arguments: argparse.Namespace) -> int:
    found = inspect(text_of(arguments.file))
    told = {"verified": False, "header": {"alg": jws.ALGORITHM, "typ": TYPE, "kid": found.kid}, "claims": found.claims}
    return _tell(arguments, told, [NOT_VERIFIED, "", *_lines(found.kid, found.claims), "", NOT_VERIFIED])


def _verify(arguments: argparse.Namespace) -> int:
    trusts = [MsbTrust(arguments.client, _public(arguments.public))]
    now_s = time.time() if arguments.at is None else arguments.at
    try:
        found = verify(text_of(arguments.file), trusts, arguments.client, arguments.exam, now_s)
    except Refusal as refusal:
        if not arguments.json:
            raise
        _tell(arguments, {"verified": False, "error": refusal.info}, [])
        return 1
    told = {"verified": True, "kid": found.kid, "claims": found.claims}
    return _tell(arguments, told, [VERIFIED, "", *_lines(found.kid, found.claims)])


ACTS: dict[str, Callable[[argparse.Namespace], int]] = {
    "keygen": _keygen,
    "sign": _sign,
    "inspect": _inspect,
    "verify": _verify,
}


def _tell(arguments: argparse.Namespace, data: object, lines: list[str]) -> int:
    text = msgspec.json.format(msgspec.json.encode(data), indent=2).decode() if arguments.json else "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    return 0


def _lines(kid: str, claims: MsbClaims) -> list[str]:
    """Header and claims for a person: a line each, times with their meaning."""
    facts = {"alg": jws.ALGORITHM, "typ": TYPE, "kid": kid, **msgspec.to_builtins(claims)}
    facts = {name: value for name, value in facts.items() if name != "lockdown"}
    facts |= {f"lockdown.{name}": value for name, value in msgspec.to_builtins(claims.lockdown).items()}
    width = max(map(len, facts))
    return [f"{name:<{width}}  {_shown(name, value)}" for name, value in facts.items()]


def _shown(name: str, value: object) -> str:
    if name in ("iat", "nbf", "exp") and isinstance(value, int):
        return f"{when(value)}  ({value})"
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    text = "none" if value in ("", None) else str(value)
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        private = jwk.load(path)
    except jws.Malformed as error:
        raise Trouble(f"{path} holds no private key: {error}.", "Make one with: secureproctor msb-key keygen") from None
    if jwk.others_can_read(path):
        sys.stderr.write(f"secureproctor: others can read {path}; make that: chmod 600 {path}\n")
    return private


def _public(given: str) -> str:
    """A public key, or that of a file."""
    try:
        return jws.public_x(given)
    except jws.Malformed:
        path = Path(given)
    if not path.is_file():
        raise Trouble("--public is neither a public key nor a file.", _PUBLIC)
    try:
        return jws.public_x(text_of(given))
    except jws.Malformed as error:
        raise Trouble(f"{path} holds no public key: {error}.", _PUBLIC) from None
