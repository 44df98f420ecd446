"""The service's own secrets: files of mode 0600 in its data folder, made at the first start.

    master.key    32 random bytes, from which every other key is derived by its purpose (HKDF-SHA256)
    proctor.key   what a proctor's console must know, as text

Whoever has the data folder without master.key can read no evidence: each session's private key lies in the database
wrapped by AES-256-GCM and bound to its session.
"""

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEYS = "session keys"


class Vault:
    """The secrets of one data folder."""

    def __init__(self, master: bytes, proctor_key: str) -> None:
        self._master = master
        self.proctor_key = proctor_key

    @classmethod
    def opened(cls, folder: Path) -> "Vault":
        """Read the secrets, or make them. Raises OSError when the folder cannot be used."""
        master = bytes.fromhex(secret(folder / "master.key", lambda: secrets.token_hex(32)))
        return cls(master, secret(folder / "proctor.key", lambda: secrets.token_urlsafe(24)))

    def is_proctor(self, key: str) -> bool:
        """Whether this is the proctor's key; takes the same time for every wrong one."""
        return hmac.compare_digest(key.encode(), self.proctor_key.encode())

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose only."""
        return HKDF(SHA256(), 32, salt=None, info=f"secureproctor {purpose}".encode()).derive(self._master)

    def lock(self, purpose: str, session_id: str, data: bytes) -> bytes:
        """What is said of one session as it may lie in the database; it opens for this purpose and session only."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.derived(purpose)).encrypt(nonce, data, session_id.encode())

    def unlock(self, purpose: str, session_id: str, locked: bytes) -> bytes:
        """It again. Raises cryptography's InvalidTag when master.key is another one, or it is another session's."""
        return AESGCM(self.derived(purpose)).decrypt(locked[:_NONCE], locked[_NONCE:], session_id.encode())

    def wrap(self, session_id: str, key: X25519PrivateKey) -> bytes:
        """A session's private key as it may lie in the database."""
        return self.lock(_KEYS, session_id, key.private_bytes_raw())

    def unwrap(self, session_id: str, wrapped: bytes) -> X25519PrivateKey:
        """The private key again. Raises cryptography's InvalidTag when master.key is another one."""
        return X25519PrivateKey.from_private_bytes(self.unlock(_KEYS, session_id, wrapped))


def secret(path: Path, make: Callable[[], str]) -> str:
    """The text of a file that only this user can read; made once."""
    if not path.exists():
        write_private(path, make())
    return path.read_text("utf-8").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 at once or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
