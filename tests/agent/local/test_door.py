"""Who may come in: a table of requests and what the door says to each."""

import msgspec
import pytest

from secureproctor.agent.local.door import Visitor, admit
from secureproctor.contract.errors import ErrorInfo, Refusal

PORT, PAIRING = 46317, "pairing-token"
PAIRED = f"Bearer {PAIRING}"
ORIGINS = frozenset({"https://exam.example", "http://127.0.0.1:8400"})
HERE = f"127.0.0.1:{PORT}"

Headers = tuple[str, str | None, str, str | None]
"""Host, Origin, Authorization, and the page's origin as a program names it."""

WELCOME: dict[str, tuple[Headers, str]] = {
    "the exam's page": ((HERE, "https://exam.example", "", None), "https://exam.example"),
    "a page by the name localhost": ((f"localhost:{PORT}", "http://127.0.0.1:8400", "", None), "http://127.0.0.1:8400"),
    "a paired program": ((HERE, None, PAIRED, None), ""),
    "a page needs no pairing, and a wrong one does no harm": (
        (HERE, "https://exam.example", "Bearer x", None), "https://exam.example",
    ),
    "a page that a paired program speaks for": ((HERE, None, PAIRED, "https://exam.example"), "https://exam.example"),
    "a page cannot speak for another": (
        (HERE, "https://exam.example", "", "http://127.0.0.1:8400"), "https://exam.example",
    ),
}  # fmt: skip

UNWELCOME: dict[str, tuple[str, str | None, str, str]] = {
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


FOREIGN_PAGES: dict[str, tuple[Headers, str]] = {
    "a foreign page": ((HERE, None, PAIRED, "https://evil.example"), "origin_denied"),
    "a sandboxed page": ((HERE, None, PAIRED, "null"), "origin_denied"),
    "no page": ((HERE, None, PAIRED, ""), "origin_denied"),
    "undecodable bytes": ((HERE, None, PAIRED, "https://\udcff.example"), "origin_denied"),
    "a program without a token": ((HERE, None, "", "https://exam.example"), "pairing_denied"),
    "a program with a token of another agent": ((HERE, None, "Bearer old", "https://exam.example"), "pairing_denied"),
    "a rebound name": ((f"evil.example:{PORT}", None, PAIRED, "https://exam.example"), "origin_denied"),
    "a foreign page that names another": ((HERE, "https://evil.example", "", "https://exam.example"), "origin_denied"),
    "the same with the token": ((HERE, "https://evil.example", PAIRED, "https://exam.example"), "origin_denied"),
}


def enter(headers: Headers) -> Visitor:
    host, origin, authorization, page_origin = headers
    return admit(
        host=host, port=PORT, origin=origin, authorization=authorization,
        origins=ORIGINS, pairing=PAIRING, page_origin=page_origin,
    )  # fmt: skip


@pytest.mark.parametrize("name", WELCOME)
def test_comes_in(name: str) -> None:
    headers, origin = WELCOME[name]
    seen = enter(headers)
    assert seen.origin == origin
    assert seen.is_page == bool(origin)


@pytest.mark.parametrize(
    ("named", "pid"),
    [(None, 0), ("4711", 4711), ("", 0), ("-1", 0), ("４", 0), ("1e3", 0), ("99999999999", 0), ("\udcff", 0)],
)
def test_a_paired_program_names_the_process_of_its_browser_and_nobody_else_does(named: str | None, pid: int) -> None:
    def came(origin: str | None, authorization: str) -> Visitor:
        return admit(
            host=HERE, port=PORT, origin=origin, authorization=authorization, origins=ORIGINS, pairing=PAIRING,
            page_origin="https://exam.example", browser_pid=named, peer_port=5,
        )  # fmt: skip

    host, page = came(None, PAIRED), came("https://exam.example", PAIRED)
    assert (host.paired, host.browser_pid, host.ports) == (True, pid, (PORT, 5))
    assert (page.paired, page.browser_pid, page.ports) == (False, 0, (PORT, 5))


def test_two_connections_are_two_visitors() -> None:
    headers, _ = WELCOME["the exam's page"]
    assert enter(headers) != enter(headers)


@pytest.mark.parametrize("name", UNWELCOME)
def test_stays_outside(name: str) -> None:
    host, origin, authorization, code = UNWELCOME[name]
    refused((host, origin, authorization, None), code)


@pytest.mark.parametrize("name", FOREIGN_PAGES)
def test_a_program_brings_in_no_page_that_could_not_come_by_itself(name: str) -> None:
    refused(*FOREIGN_PAGES[name])


def test_an_empty_origin_comes_in_by_no_list() -> None:
    with pytest.raises(Refusal):
        admit(host=HERE, port=PORT, origin="", authorization=PAIRED, origins={""}, pairing=PAIRING)


def refused(headers: Headers, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        enter(headers)
    assert (caught.value.code, caught.value.status) == (code, 403)
    assert PAIRING not in str(caught.value)
    assert msgspec.json.decode(msgspec.json.encode(caught.value.info), type=ErrorInfo) == caught.value.info
