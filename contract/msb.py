"""The MSB Key, and who the secure browser is.

An MSB Key is a compact JWS (RFC 7515) with `alg` `Ed25519` (RFC 9864), `typ` `msb+jws` and `kid`, the JWK thumbprint
(RFC 7638, SHA-256, base64url) of the client's public key. Its payload is `MsbClaims` as JSON. The client makes it in advance;
it holds all settings of a test, so that nobody between the client and the agent can change one.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.http import ProctoringSettings, Text, Url
from secureproctor.contract.lockdown import LockdownSettings

TYPE = "msb+jws"
ALGORITHM = "Ed25519"
MAX_KEY = 16384
LEEWAY_S = 60
"""Seconds by which clocks may differ when the time window of a key is judged."""

FloorId = Literal[
    "screenCapture", "recording", "audioProctoring", "authorization", "idCard", "photo", "captureWhilePaused"
]
FLOOR: dict[FloorId, tuple[str, Callable[[ProctoringSettings], bool]]] = {
    "screenCapture": ("Screen Capture is on", lambda settings: settings.screen_capture),
    "recording": ("Recording is on", lambda settings: settings.recording),
    "audioProctoring": ("Audio Proctoring is on", lambda settings: settings.audio_proctoring),
    "authorization": ("Authorization is on", lambda settings: settings.authorization),
    "idCard": ("The ID card is not skipped", lambda settings: not settings.skip_id and not settings.skip_id_and_photo),
    "photo": ("The photo is not skipped", lambda settings: not settings.skip_id_and_photo),
    "captureWhilePaused": ("Capture goes on while paused", lambda settings: settings.capture_while_paused),
}
"""What a key may demand of Init's settings: its words, and whether settings satisfy it."""


class MsbClaims(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """All settings of a test. Times in seconds since 1970.

    `iss` is the client: its public key at the proctoring service, which must be the one that registers the candidate. `exam`
    is Init's groupName. `allowed_urls` are addresses with `*` for any run of characters; `start_url` is always allowed.
    `quit_password_hash` is made by `secureproctor msb-key sign` (scrypt); empty: there is no quit password. `browsers` are
    what the secure browser must be, each as `path:`, `name:` or `signer:` with a value; empty: as the agent's policy says.
    `browser_gone` says what follows when the browser is gone: the session ends, or waits `wait_s` seconds for it to return.
    """

    iss: Annotated[str, Meta(min_length=1, max_length=256)]
    exam: Annotated[str, Meta(min_length=1, max_length=256)]
    iat: int
    nbf: int
    exp: int
    jti: Annotated[str, Meta(min_length=1, max_length=64)]
    start_url: Url = ""
    allowed_urls: Annotated[tuple[Url, ...], Meta(max_length=200)] = ()
    lockdown: LockdownSettings = LockdownSettings()
    floor: Annotated[tuple[FloorId, ...], Meta(max_length=16)] = ()
    quit_password_hash: Text = ""
    browsers: Annotated[tuple[Text, ...], Meta(max_length=32)] = ()
    browser_gone: Literal["end", "wait"] = "wait"
    wait_s: Annotated[float, Meta(ge=0, le=3600)] = 60.0


def below_floor(claims: MsbClaims, settings: ProctoringSettings) -> tuple[str, ...]:
    """What the key demands and Init does not give, in words."""
    return tuple(FLOOR[each][0] for each in claims.floor if not FLOOR[each][1](settings))


class MsbTrust(msgspec.Struct, frozen=True):
    """A key that is trusted for a client: `x` is the Ed25519 public key, 32 bytes as base64url without padding (RFC 8037)."""

    client: str
    x: str


Proof = Literal["signature", "path", "none"]


class BrowserIdentity(msgspec.Struct, frozen=True):
    """The secure browser as the operating system tells, never as it says of itself, but for `product` and `version`.

    `proof` is what of the policy it satisfies: `signature` (signed by an expected signer), `path` (its program lies where
    only an administrator can write, as the policy names it) or `none`. `started_agent`: it is an ancestor of the agent.
    """

    pid: int
    path: str
    product: str = ""
    version: str = ""
    signer: str = ""
    proof: Proof = "none"
    started_agent: bool = False
    why: str = ""
