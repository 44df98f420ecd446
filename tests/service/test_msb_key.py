"""MSB Keys at the service: whose they may be is told to the agent, and what can be none is refused at Init."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secureproctor.contract import jws
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.service.msb_key import check_shape, read_keys, required
from tests.service.attesting import msb_key

X = jws.public_text(Ed25519PrivateKey.generate().public_key())
OTHER = jws.public_text(Ed25519PrivateKey.generate().public_key())


def test_a_key_is_x_or_a_file_and_a_client_may_have_several(tmp_path: Path) -> None:
    file = tmp_path / "key=1.jwk"
    file.write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": OTHER, "d": "whatever"}))
    file = file.rename(tmp_path / "key.jwk")
    assert read_keys([f"exam={X}", f"exam={file}", f"a2V5=={OTHER}"], ["exam", "a2V5="]) == {
        "exam": (X, OTHER), "a2V5=": (OTHER,)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("exam", "is not CLIENT=KEY"),
        ("=key", "is not CLIENT=KEY"),
        (f"nobody={X}", "for whom there is no --key"),
        ("exam=/nowhere/key", "nor a file"),
        ("exam=" + "A" * 42, "nor a file"),
        ("exam={folder}/text", "cannot be read as a key"),
        ("exam={folder}/rsa", "cannot be read as a key: it is not the JWK of an Ed25519 key"),
        ("exam={folder}/bytes", "cannot be read as a key"),
    ],
)
def test_what_is_no_key_is_a_sentence(tmp_path: Path, pair: str, sentence: str) -> None:
    (tmp_path / "text").write_text("no key at all")
    (tmp_path / "rsa").write_text('{"kty": "RSA"}')
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="--msb-key") as error:
        read_keys([pair.format(folder=tmp_path)], ["exam"])
    assert sentence in str(error.value)


def test_the_agent_is_told_the_keys_of_its_client(launch: Any) -> None:
    server = launch("--key", "another:secret", "--msb-key", f"exam-public={X}", "--msb-key", f"another={OTHER}")
    data = server.register().data
    assert (data.client, data.msb_keys) == ("exam-public", (X,))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (msb_key("k", "g"), ""),
        (msb_key("k", "g") + "\n", ""),
        (msb_key("k", "g", exp=1), ""),
        ("made in advance", "msb_key_malformed"),
        ("e30.e30.e30", "msb_key_malformed"),
        (msb_key("k", "g").rpartition(".")[0] + ".", "msb_key_unsigned"),
        (jws.sign(b"{}", Ed25519PrivateKey.generate(), "msb+jws"), "msb_key_malformed"),
        (jws.sign(b"\xff", Ed25519PrivateKey.generate(), "msb+jws"), "msb_key_malformed"),
        (jws.sign(b"{}", Ed25519PrivateKey.generate(), "attestation+jws"), "msb_key_malformed"),
    ],
)
def test_a_key_is_looked_at_for_its_shape(text: str, code: str) -> None:
    """Trust, exam and time are the agent's to judge."""
    if not code:
        check_shape(text)
        return
    with pytest.raises(Refusal) as refused:
        check_shape(text)
    assert (refused.value.code, refused.value.field) == (code, "proctoringSettings.msbKey")


def test_what_a_key_requires_is_known_and_of_what_is_none_nothing_is() -> None:
    assert required(msb_key("k", "g", lockdown=LockdownSettings(required=("keys",)))) == ("keys",)
    assert required("made in advance") == required("") == ()
