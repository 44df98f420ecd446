"""Which addresses an exam allows, and every trick by which another one looks like them."""

import re

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from secureproctor.contract.msb import MsbClaims
from secureproctor.lockdown.browser.allowed import NotAnAddress, _runs, allows, covers, parsed_pattern

HOST = "https://exam.example.org"
ANY = "https://*.example.org"


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        (HOST, HOST),
        (HOST, f"{HOST}/"),
        (HOST, f"{HOST}:443/quiz/1?page=2#top"),
        (HOST, "HTTPS://Exam.Example.ORG/quiz"),
        (f"{HOST}:443", f"{HOST}/quiz"),
        (f"{HOST}/quiz", f"{HOST}/quiz"),
        (f"{HOST}/quiz", f"{HOST}/quiz/1/2"),
        (f"{HOST}/quiz", f"{HOST}/quiz?q=1"),
        (f"{HOST}/quiz/", f"{HOST}/quiz/1"),
        (f"{HOST}/a/*.pdf", f"{HOST}/a/b/c.pdf"),
        (f"{HOST}/a/*.pdf", f"{HOST}/a/b.pdf?dl=1"),
        (f"{HOST}/a?id=7", f"{HOST}/a?id=7"),
        (f"{HOST}/a?id=*", f"{HOST}/a?id=7&x=1"),
        (f"{HOST}/*?ok", f"{HOST}/b/c?ok"),
        (ANY, "https://exam.example.org/a"),
        (ANY, "https://a.b.example.org/"),
        ("https://cdn-*.example.org/x", "https://cdn-3.example.org/x"),
        ("http://127.0.0.1:*", "http://127.0.0.1:41234/demo"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://localhost", "http://localhost:80/"),
    ],
)
def test_a_pattern_covers_what_it_means(pattern: str, url: str) -> None:
    assert covers(pattern, url)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        (HOST, "http://exam.example.org/"),
        (HOST, f"{HOST}:8443/"),
        (HOST, "https://exam.example.org.evil.com/"),
        (HOST, "https://evil.com/exam.example.org"),
        (HOST, "https://evil.com?https://exam.example.org/"),
        (HOST, "https://evil.com#https://exam.example.org/"),
        (HOST, "https://exam.example.org@evil.com/"),
        (HOST, "https://exam.example.org:443@evil.com/"),
        (HOST, "https://user@exam.example.org/"),
        (HOST, "https://evil.com\\@exam.example.org/"),
        (HOST, "https:\\\\exam.example.org/"),
        (HOST, "https://exam.example.org\\.evil.com/"),
        (HOST, "https://exam.example.org%2eevil.com/"),
        (HOST, "https://exam.example.org\t/"),
        (HOST, " https://exam.example.org/"),
        (HOST, "https://exam.example.org\n.evil.com/"),
        (HOST, "https://exam.example.org\0.evil.com/"),
        (HOST, "https://exam.example.org./"),
        (HOST, "https://ехам.example.org/"),
        (HOST, "https:exam.example.org/"),
        (HOST, "https:///exam.example.org/"),
        (HOST, "//exam.example.org/"),
        (HOST, "javascript://exam.example.org/%0aalert(1)"),
        (HOST, "data:text/html,https://exam.example.org/"),
        (HOST, "file:///etc/passwd"),
        (HOST, "blob:https://exam.example.org/1"),
        (HOST, "https://exam.example.org:x/"),
        (HOST, "https://exam.example.org:/"),
        (HOST, "https://[::1/"),
        (HOST, ""),
        (f"{HOST}/quiz", f"{HOST}/quizmaster"),
        (f"{HOST}/quiz", f"{HOST}/Quiz"),
        (f"{HOST}/quiz", f"{HOST}/quiz/../admin"),
        (f"{HOST}/quiz", f"{HOST}/quiz/%2e%2e/admin"),
        (f"{HOST}/quiz", f"{HOST}/quiz/%2e%2e%2fadmin"),
        (f"{HOST}/quiz", f"{HOST}/quiz/%252e%252e/admin"),
        (f"{HOST}/quiz", f"{HOST}/quiz/..%5cadmin"),
        (f"{HOST}/quiz/", f"{HOST}/quiz"),
        (f"{HOST}/a/*.pdf", f"{HOST}/a/b.html"),
        (f"{HOST}/a?id=7", f"{HOST}/a?id=77"),
        (f"{HOST}/a?id=7", f"{HOST}/a"),
        (f"{HOST}/a?id=7", f"{HOST}/a/b?id=7"),
        (ANY, "https://example.org/"),
        (ANY, "https://evilexample.org/"),
        (ANY, "https://exam.example.org.evil.com/"),
        (ANY, "https://x.example.org@evil.com/"),
        (ANY, "https://evil.com/.example.org"),
        (ANY, "https://.example.org/"),
        (ANY, "https://evil.com#.example.org"),
        ("https://cdn-*.example.org", "https://cdn-a.b.example.org/"),
        ("https://cdn-*.example.org", "https://cdn.example.org/"),
        ("http://127.0.0.1:*", "http://127.0.0.1.evil.com:80/"),
        ("http://127.0.0.1:*", "http://2130706433:80/"),
        ("https://*", "https://evil.com/"),
        ("*://exam.example.org", f"{HOST}/"),
        ("*", f"{HOST}/"),
        ("https://*.org", f"{HOST}/"),
        ("https://exam.*.org", f"{HOST}/"),
        ("https://exam.example.*", f"{HOST}/"),
        ("https://exam*example.org", f"{HOST}/"),
        ("http://127.*.0.1", "http://127.0.0.1/"),
        ("http://*.0.0.1", "http://127.0.0.1/"),
        (f"{HOST}/../quiz", f"{HOST}/quiz"),
        (HOST, ANY),
    ],
)
def test_a_pattern_covers_nothing_else(pattern: str, url: str) -> None:
    assert not covers(pattern, url)


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
TEXT = st.text("ab*/.?&=%-", max_size=12)


@given(LABEL, st.lists(LABEL, min_size=1, max_size=3), st.text(max_size=30))
def test_no_host_but_one_below_it_is_covered_by_a_star(first: str, before: list[str], tail: str) -> None:
    """Whatever stands after the host name, and whatever in front of it."""
    for url in (
        f"https://{'.'.join(before)}.example.org{tail}",
        f"https://{tail}.example.org/",
        f"https://{first}{tail}",
    ):
        if covers(ANY, url):
            host = re.match(r"https://([^/?#:]+)(?::443)?(?:[/?#]|$)", url, re.IGNORECASE)
            assert host is not None
            assert host.group(1).lower().endswith(".example.org")


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_is_raised_whatever_the_texts(pattern: str, url: str) -> None:
    assert covers(pattern, url) in (True, False)
    assert not covers(pattern, "https://" + url) or pattern.lower().startswith("https://")


@given(LABEL, TEXT, TEXT)
def test_an_address_covers_itself(label: str, path: str, query: str) -> None:
    url = f"https://{label}.example.org/{path}?{query}".replace("*", "x")
    assume(".." not in url)
    assert covers(url, url)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_a_star_is_any_run_of_characters(pattern: str, text: str) -> None:
    assert _runs(pattern, text) == bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text))


def test_many_stars_cost_no_time() -> None:
    """A backtracking matcher would not come to an end here within a lifetime."""
    assert not covers(f"{HOST}/" + "a*" * 900 + "b", f"{HOST}/" + "a" * 1900)


def test_the_start_is_always_allowed_and_nothing_else_without_patterns() -> None:
    claims = MsbClaims("acme", "maths", 0, 0, 1, "j", start_url=f"{HOST}/take?id=7#intro")
    assert allows(claims, f"{HOST}/take?id=7")
    assert allows(claims, f"{HOST}:443/take?id=7#next")
    assert not allows(claims, f"{HOST}/take?id=8")
    assert not allows(claims, f"{HOST}/take")
    assert not allows(claims, HOST)
    more = msgspec.structs.replace(claims, allowed_urls=("nonsense", f"{HOST}/take"))
    assert allows(more, f"{HOST}/take?id=8")


def test_an_exam_without_addresses_allows_none() -> None:
    assert not allows(MsbClaims("acme", "maths", 0, 0, 1, "j"), HOST)
    assert not allows(MsbClaims("acme", "maths", 0, 0, 1, "j", start_url="maths"), "maths")


@pytest.mark.parametrize(
    "pattern", ["https://*.org", "ftp://exam.example.org", "exam.example.org", "https://a b.example"]
)
def test_why_a_pattern_is_not_taken_is_said(pattern: str) -> None:
    with pytest.raises(NotAnAddress) as caught:
        parsed_pattern(pattern)
    assert len(str(caught.value).split()) > 3
