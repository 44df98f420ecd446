"""Nonces: the service knows its own without remembering any."""

import pytest

from secureproctor.service.audience import address, fits
from secureproctor.service.nonces import Nonces


class Wall:
    """A clock that a test sets."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_nonce_is_known_by_its_age_also_after_a_restart() -> None:
    wall = Wall()
    nonce = Nonces(b"key", wall).fresh("session")
    wall.now += 12.5
    assert Nonces(b"key", wall).age_s("session", nonce) == pytest.approx(12.5)
    assert Nonces(b"key", wall).fresh("session") != nonce


def test_it_is_of_one_session_one_moment_and_one_service() -> None:
    wall = Wall()
    nonces = Nonces(b"key", wall)
    nonce = nonces.fresh("session")
    ms, _, mac = nonce.partition(".")
    later = f"{int(ms, 16) + 1:x}.{mac}"
    for session, given in (("other", nonce), ("session", later), ("session", f"0{nonce}"), ("session", nonce.upper())):
        assert nonces.age_s(session, given) is None
    assert Nonces(b"other key", wall).age_s("session", nonce) is None


@pytest.mark.parametrize("text", ["", ".", "x.y", "\ud800.x", "0" * 400 + ".x", "٣.x"])
def test_what_is_none_is_none(text: str) -> None:
    assert Nonces(b"key", Wall()).age_s("session", text) is None


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("https://exam.example", "https://exam.example/"),
        ("HTTPS://EXAM.example:443/A?b#c", "https://exam.example/A?b"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("https://prüfung.example/", "https://xn--prfung-4ya.example/"),
        ("https://user@exam.example/", ""),
        ("ftp://exam.example/", ""),
        ("//exam.example/", ""),
        ("https://exam.example:port/", ""),
        ("https://[exam/", ""),
        ("nonsense", ""),
    ],
)
def test_an_address_has_one_spelling(text: str, spelled: str) -> None:
    assert address(text) == spelled


def test_an_address_that_is_none_fits_nothing() -> None:
    assert not fits("nonsense", "nonsense", False)
