"""The proctors: who they are, what they may see, and their log-ins.

The key of the link that the service prints at its start makes whoever holds it a super proctor named `link`: so the first
account can be made, and a forgotten password mended. Everybody else logs in with name and password, and holds a token:

    base64url(name) . expiry in seconds since 1970 . base64url(HMAC-SHA256 over name, expiry and the account's version)

No token is stored. A new password or a new account of the same name gets another version, which ends the tokens before it.
The accounts are few and are looked at with every message: they are kept in memory, and written through.
"""

import base64
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from secureproctor.contract.console import Hello, ProctorAccount, ProctorChange, Role
from secureproctor.contract.errors import Refusal
from secureproctor.service.passwords import hashed, matches
from secureproctor.service.store import Store
from secureproctor.service.vault import Vault

LINK = "link"
"""The name of whoever holds the key of the service's link."""
LOGIN_LIFETIME_S = 12 * 3600
MIN_PASSWORD = 8
MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Proctor:
    """Somebody who was let in. Without `groups` they see all. `version` and `expires_s` are of their log-in."""

    name: str
    role: Role
    groups: tuple[str, ...] = ()
    version: str = field(default="", repr=False)
    expires_s: int | None = None

    def sees(self, group_name: str) -> bool:
        """Whether the sessions of a group are theirs to see and to command."""
        return self.role == "super" or not self.groups or group_name in self.groups


@dataclass(frozen=True, slots=True)
class Account:
    """A row: what everybody may know, the password's hash, and the version of the log-ins."""

    public: ProctorAccount
    hash: str = field(repr=False)
    version: str = field(repr=False)


class Proctors:
    """All accounts. What blocks says so; the rest is for every message."""

    def __init__(self, store: Store, vault: Vault, wall: Callable[[], float]) -> None:
        """Read the accounts. Blocks."""
        self._store = store
        self._vault = vault
        self._key = vault.derived("proctor log-ins")
        self._wall = wall
        self._changing = threading.Lock()
        with store.transaction() as db:
            rows = list(db.execute("SELECT name, role, groups, disabled, hash, version FROM proctors"))
        self._accounts = {row[0]: _account(*row) for row in rows}

    def admitted(self, hello: Hello) -> Proctor:
        """Who this is. Raises Refusal proctor_key_invalid or login_needed."""
        if hello.token:
            return self._of_token(hello.token)
        if self._vault.is_proctor(hello.key):
            return Proctor(LINK, "super")
        raise Refusal("proctor_key_invalid")

    def current(self, proctor: Proctor) -> Proctor:
        """The same proctor as they are now. Raises Refusal login_needed when the log-in has come to its end."""
        if proctor.expires_s is None:
            return proctor
        account = self._accounts.get(proctor.name)
        dead = account is None or account.public.disabled or account.version != proctor.version
        if dead or account is None or proctor.expires_s <= self._wall():
            raise Refusal("login_needed")
        return replace(proctor, role=account.public.role, groups=account.public.groups)

    def log_in(self, name: str, password: str) -> Proctor:
        """A proctor by name and password. Raises Refusal login_failed. Blocks, for some tenths of a second."""
        account = self._accounts.get(name)
        right = matches(password, account.hash if account else "")
        if account is None or not right or account.public.disabled:
            raise Refusal("login_failed")
        expires_s = int(self._wall()) + LOGIN_LIFETIME_S
        return Proctor(name, account.public.role, account.public.groups, account.version, expires_s)

    def token(self, proctor: Proctor) -> str:
        """The token of a log-in."""
        mac = self._mac(proctor.name, proctor.expires_s or 0, proctor.version)
        return f"{_text(proctor.name.encode())}.{proctor.expires_s or 0}.{mac}"

    def all(self) -> tuple[ProctorAccount, ...]:
        """Every account, by name."""
        return tuple(self._accounts[name].public for name in sorted(self._accounts))

    def change(self, name: str, change: ProctorChange, by: str = LINK) -> ProctorAccount:
        """Make or change an account. Raises Refusal field_invalid, field_missing or last_super. Blocks."""
        _check_name(name)
        if change.password and len(change.password) < MIN_PASSWORD:
            raise Refusal("field_invalid", field="password", why=f"it has fewer than {MIN_PASSWORD} characters")
        new = (hashed(change.password), secrets.token_hex(8)) if change.password else None
        with self._changing:
            before = self._accounts.get(name)
            hash_, version = new or ((before.hash, before.version) if before else ("", ""))
            if not hash_:
                raise Refusal("field_missing", field="password")
            if change.disabled:
                version = secrets.token_hex(8)  # enabled again, they log in again
            public = ProctorAccount(name, change.role, change.groups, change.disabled)
            self._check_super(name, public, by)
            account = Account(public, hash_, version)
            self._write(account)
            self._accounts[name] = account
        return public

    def remove(self, name: str, by: str = LINK) -> None:
        """Remove an account. Raises Refusal proctor_unknown or last_super. Blocks."""
        with self._changing:
            if name not in self._accounts:
                raise Refusal("proctor_unknown")
            self._check_super(name, None, by)
            with self._store.transaction() as db:
                db.execute("DELETE FROM proctors WHERE name = ?", (name,))
            del self._accounts[name]

    def _check_super(self, name: str, after: ProctorAccount | None, by: str) -> None:
        """One who may manage the accounts stays, unless the link does it, which always may."""
        others = [each.public for each in self._accounts.values() if each.public.name != name]
        left = [each for each in (*others, after) if each and each.role == "super" and not each.disabled]
        if not left and by != LINK:
            raise Refusal("last_super")

    def _write(self, account: Account) -> None:
        public = account.public
        groups = msgspec.json.encode(public.groups).decode()
        with self._store.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO proctors (name, role, groups, disabled, hash, version)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (public.name, public.role, groups, public.disabled, account.hash, account.version),
            )

    def _of_token(self, token: str) -> Proctor:
        encoded, _, rest = token.partition(".")
        expires, _, mac = rest.partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise Refusal("login_needed")
        try:
            name = base64.urlsafe_b64decode(encoded.encode()).decode()
        except ValueError:
            raise Refusal("login_needed") from None
        account = self._accounts.get(name)
        version = account.version if account else ""
        if not hmac.compare_digest(mac.encode(), self._mac(name, int(expires), version).encode()):
            raise Refusal("login_needed")
        return self.current(Proctor(name, "proctor", (), version, int(expires)))

    def _mac(self, name: str, expires_s: int, version: str) -> str:
        return _text(hmac.digest(self._key, f"{name}\n{expires_s}\n{version}".encode(), "sha256"))


def _check_name(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip() or name == LINK:
        why = f"it is printable text of up to {MAX_NAME} characters, and not {LINK!r}"
        raise Refusal("field_invalid", field="name", why=why)


def _account(name: str, role: Role, groups: str, disabled: int, hash_: str, version: str) -> Account:
    named = msgspec.json.decode(groups, type=tuple[str, ...])
    return Account(ProctorAccount(name, role, named, bool(disabled)), hash_, version)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
