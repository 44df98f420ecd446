"""Which addresses an exam allows: those that its MSB Key names, and nothing that only looks like them.

A pattern is an address with `*` in it:

    https://exam.example.org            everything of this host, on the scheme's own port
    https://exam.example.org/quiz       /quiz, /quiz/…, /quiz?…, and not /quizmaster
    https://exam.example.org/a/*.pdf    `*` is any run of characters of a path or a query
    https://exam.example.org/a?id=7     with a query, exactly this one
    https://*.example.org               one or more labels in front; not example.org itself, not example.org.evil.com
    https://cdn-*.example.org           part of one label
    http://127.0.0.1:*                  any port

`*` never stands for a scheme nor for the last two labels of a host: `https://*.org` allows nothing at all.

Browsers and servers read odd addresses in different ways, and that is what attacks live on. So what a browser would never
send by itself is not interpreted but refused: user info, backslashes, `..`, control characters, escapes or other alphabets
than ASCII in a host. Compared without regular expressions, in time linear in both lengths for each `*`.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urldefrag, urlsplit

from secureproctor.contract.msb import MsbClaims

_PORTS = {"http": 80, "https": 443}
_ODD = re.compile(r"[^\x21-\x7e]|\\")
_HOST = re.compile(r"[a-z0-9_*](?:[a-z0-9_*.-]*[a-z0-9_*])?|\[[0-9a-f:.]+\]")
_PORT = re.compile(r"[0-9]{1,5}|\*")
_ADDRESS = re.compile(r"[0-9.]+|\[.*\]")


class NotAnAddress(ValueError):
    """An address or a pattern that is not taken here. Says why in a sentence's part."""


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address that are compared. `port` is its number as text, or `*`; `query` None: there is none."""

    scheme: str
    host: str
    port: str
    path: str
    query: str | None


def allows(claims: MsbClaims, url: str) -> bool:
    """Whether an exam allows an address: its start, up to the fragment, or one that a pattern covers."""
    return _same(claims.start_url, url) or any(covers(pattern, url) for pattern in claims.allowed_urls)


def covers(pattern: str, url: str) -> bool:
    """Whether a pattern covers an address. What is wrong with either covers, and is covered by, nothing."""
    try:
        wanted, given = parsed_pattern(pattern), parsed(url)
    except NotAnAddress:
        return False
    return (
        wanted.scheme == given.scheme
        and wanted.port in ("*", given.port)
        and _host_covers(wanted.host, given.host)
        and _path_covers(wanted.path, given.path, exact=wanted.query is not None)
        and (wanted.query is None or _runs(wanted.query, given.query or ""))
    )


def parsed(url: str) -> Address:
    """An address taken apart. Raises NotAnAddress."""
    address = _taken_apart(url)
    if "*" in address.host or "*" in address.port:
        raise NotAnAddress("it holds * in its host or port")
    return address


def parsed_pattern(pattern: str) -> Address:
    """A pattern taken apart. Raises NotAnAddress, also for one that would cover more than its author can mean."""
    address = _taken_apart(pattern)
    labels = address.host.split(".")
    if "*" in address.host and (len(labels) < 3 or "*" in labels[-1] + labels[-2]):
        raise NotAnAddress("* may not stand in the last two labels of its host")
    if "*" in address.host and _ADDRESS.fullmatch(address.host.replace("*", "0")):
        raise NotAnAddress("* may not stand in a numeric address")
    if any("*" in label for label in labels[1:]):
        raise NotAnAddress("* may stand in the first label of its host only")
    return address


def _same(one: str, other: str) -> bool:
    try:
        return parsed(one) == parsed(other)
    except NotAnAddress:
        return False


def _taken_apart(url: str) -> Address:
    if _ODD.search(url):
        raise NotAnAddress("it holds a space, a backslash, or what is not ASCII")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotAnAddress("it cannot be read") from None
    if parts.scheme not in _PORTS:
        raise NotAnAddress("it begins neither with https:// nor with http://")
    host, port = _authority(parts)
    path = parts.path or "/"
    if ".." in re.split(r"[/\\]", unquote(unquote(path))):
        raise NotAnAddress("it holds .. in its path")
    return Address(parts.scheme, host, port, path, parts.query if "?" in urldefrag(url).url else None)


def _authority(parts: SplitResult) -> tuple[str, str]:
    if "@" in parts.netloc:
        raise NotAnAddress("it holds a user name")
    host, colon, port = parts.netloc.lower().rpartition(":")
    if not colon or parts.netloc.endswith("]"):
        host, port = parts.netloc.lower(), str(_PORTS[parts.scheme])
    if not _HOST.fullmatch(host) or ".." in host:
        raise NotAnAddress("its host is not a plain name or address")
    if not _PORT.fullmatch(port):
        raise NotAnAddress("its port is not a number")
    return host, port if port == "*" else str(int(port))


def _host_covers(pattern: str, host: str) -> bool:
    if "*" not in pattern:
        return pattern == host
    label, rest = pattern.split(".", 1)
    if not host.endswith(f".{rest}"):
        return False
    front = host[: -len(rest) - 1]
    return bool(front) and (label == "*" or ("." not in front and _runs(label, front)))


def _path_covers(pattern: str, path: str, exact: bool) -> bool:
    """A pattern's path covers what lies below it, too, unless it goes on with a query."""
    below = pattern if pattern.endswith("/") else f"{pattern}/"
    return _runs(pattern, path) or (not exact and _runs(f"{below}*", path))


def _runs(pattern: str, text: str) -> bool:
    """Whether `text` is `pattern`, in which each `*` is any run of characters. The first place that fits is the best."""
    first, *others = pattern.split("*")
    if not others:
        return first == text
    if not text.startswith(first):
        return False
    at = len(first)
    for each in others[:-1]:
        found = text.find(each, at)
        if found < 0:
            return False
        at = found + len(each)
    return len(text) - at >= len(others[-1]) and text.endswith(others[-1])
