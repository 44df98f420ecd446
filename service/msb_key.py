"""MSB Keys as the service sees them: by whom they may be signed, whether one can be a key at all, what one adds to Init.

Whether a key is to be trusted, is of this exam and in its time, is the agent's to judge: it obeys the key, and its policy may
trust others than this service names. Here, what cannot be a key is refused before a candidate meets it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from secureproctor.contract import jws
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import RuleId
from secureproctor.contract.msb import MAX_KEY, TYPE, MsbClaims

FIELD = "proctoringSettings.msbKey"


def check_shape(text: str) -> None:
    """Raise Refusal msb_key_malformed or msb_key_unsigned when this is no MSB Key, whoever signed it."""
    try:
        _claims(text)
    except jws.Unsigned:
        raise Refusal("msb_key_unsigned", field=FIELD) from None
    except jws.Malformed as error:
        raise Refusal("msb_key_malformed", field=FIELD, why=str(error)) from None
    except msgspec.DecodeError:  # its words may quote a key that nobody has verified
        raise Refusal("msb_key_malformed", field=FIELD, why="its content is not that of an MSB Key") from None


def required(text: str) -> tuple[RuleId, ...]:
    """The rules that a key requires; of what is no key (an older version took any text), none."""
    try:
        return _claims(text).lockdown.required
    except (jws.Malformed, msgspec.DecodeError):
        return ()


def read_keys(pairs: Iterable[str], clients: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The option --msb-key: each `CLIENT=X` or `CLIENT=FILE`, the file holding a JWK. Raises ValueError with a sentence.

    A client's name may hold `=`, as base64 does; an X holds none.
    """
    known = frozenset(clients)
    keys: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        client, _, given = pair.rpartition("=")
        if not client or not given:
            raise ValueError(f"--msb-key {pair!r} is not CLIENT=KEY. Write the client's public key, =, and X or a file")
        if client not in known:
            raise ValueError(f"--msb-key is for the client {client!r}, for whom there is no --key. Correct one of them")
        keys[client] = (*keys.get(client, ()), _public(given))
    return keys


def _public(given: str) -> str:
    try:
        return jws.public_x(given)
    except jws.Malformed as no_key:
        path = Path(given)
        if not path.is_file():
            raise ValueError(f"--msb-key {given!r} is neither a key ({no_key}) nor a file. Correct it") from None
    try:
        return jws.public_x(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--msb-key: {given} cannot be read as a key: {error}. Give the JWK of an Ed25519 key"
        ) from None


def _claims(text: str) -> MsbClaims:
    """What a key says, without any trust in it. Raises jws.Malformed, msgspec.DecodeError."""
    payload = jws.read(text.strip(), TYPE, MAX_KEY).unverified
    jws.strict_object(payload)
    return msgspec.json.decode(payload, type=MsbClaims)
