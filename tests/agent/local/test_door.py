"""Who may come in: a table of requests and what the door says to each."""

import msgspec
import pytest

from secureproctor.agent.local.door import Visitor, admit
from secureproctor.contract.errors import ErrorInfo, Refusal

PORT, PAIRING = 46317, "pairing-token"
ORIGINS = frozenset({"https://exam.example", "http://127.0.0.1:8400"})
HERE = f"127.0.0.1:{PORT}"

WELCOME = {
    "the exam's page": (HERE, "https://exam.example", "", Visitor("https://exam.example")),
    "a page by the name localhost": (f"localhost:{PORT}", "http://127.0.0.1:8400", "", Visitor("http://127.0.0.1:8400")),
    "a paired program": (HERE, None, f"Bearer {PAIRING}", Visitor()),
    "a page needs no pairing, and a wrong one does no harm": (HERE, "https://exam.example", "Bearer x", Visitor("https://exam.example")),
}  # fmt: skip

UNWELCOME = {
    "a foreign page": (HERE, "https://evil.example", "", "origin_denied"),
    "a foreign page with the token": (HERE, "https://evil.example", f"Bearer {PAIRING}", "origin_denied"),
    "a page of another scheme": (HERE, "http://exam.example", "", "origin_denied"),
    "a page of another port": (HERE, "https://exam.example:8443", "", "origin_denied"),
    "a page whose name begins alike": (HERE, "https://exam.example.evil.example", "", "origin_denied"),
    "a page with a slash": (HERE, "https://exam.example/", "", "origin_denied"),
    "a sandboxed page": (HERE, "null", "", "origin_denied"),
    "an empty origin": (HERE, "", f"Bearer {PAIRING}", "origin_denied"),
    "a page in other letters": (HERE, "HTTPS://EXAM.EXAMPLE", "", "origin_denied"),
    "a rebound name": (f"evil.example:{PORT}", "https://exam.example", "", "origin_denied"),
    "a rebound name with the token": (f"evil.example:{PORT}", None, f"Bearer {PAIRING}", "origin_denied"),
    "another port": ("127.0.0.1:80", "https://exam.example", "", "origin_denied"),
    "no port": ("127.0.0.1", "https://exam.example", "", "origin_denied"),
    "no host": ("", "https://exam.example", "", "origin_denied"),
    "another loopback address": (f"127.0.0.2:{PORT}", "https://exam.example", "", "origin_denied"),
    "a page of undecodable bytes": (HERE, "https://\udcff.example", "", "origin_denied"),
    "a program without a token": (HERE, None, "", "pairing_denied"),
    "a program with a wrong token": (HERE, None, f"Bearer {PAIRING}x", "pairing_denied"),
    "a program with a part of the token": (HERE, None, f"Bearer {PAIRING[:-1]}", "pairing_denied"),
    "a program with another scheme": (HERE, None, f"Basic {PAIRING}", "pairing_denied"),
    "a program with the bare token": (HERE, None, PAIRING, "pairing_denied"),
    "a token of foreign letters": (HERE, None, "Bearer töken", "pairing_denied"),
    "a header of undecodable bytes": (HERE, None, "Bearer \udcff", "pairing_denied"),
}


@pytest.mark.parametrize("name", WELCOME)
def test_comes_in(name: str) -> None:
    host, origin, authorization, visitor = WELCOME[name]
    seen = admit(host=host, port=PORT, origin=origin, authorization=authorization, origins=ORIGINS, pairing=PAIRING)
    assert seen == visitor
    assert seen.is_page == (origin is not None)


@pytest.mark.parametrize("name", UNWELCOME)
def test_stays_outside(name: str) -> None:
    host, origin, authorization, code = UNWELCOME[name]
    with pytest.raises(Refusal) as caught:
        admit(host=host, port=PORT, origin=origin, authorization=authorization, origins=ORIGINS, pairing=PAIRING)
    assert (caught.value.code, caught.value.status) == (code, 403)
    assert PAIRING not in str(caught.value)
    assert msgspec.json.decode(msgspec.json.encode(caught.value.info), type=ErrorInfo) == caught.value.info
