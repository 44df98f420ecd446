"""Whether an attestation was made for the address that was requested. Pure.

An address may be spelled in more than one way (the case of its host, a default port, a missing slash). Both sides are brought
to one spelling, that of browsers (WHATWG URL), before they are compared; what differs then is another address.
"""

from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}


def fits(aud: str, url: str, exact: bool) -> bool:
    """Whether `aud` is the address `url`, or, unless it has to be the exact one, its origin."""
    stated, asked = address(aud), address(url)
    if not stated or not asked:
        return False
    return stated == asked or (not exact and stated == f"{origin(url)}/")


def address(text: str) -> str:
    """The one spelling of a web address, without its fragment; "" when it is none."""
    parts = _split(text)
    if parts is None:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{_origin(parts)}{parts.path or '/'}{query}"


def origin(text: str) -> str:
    """Scheme, host and port of a web address; "" when it is none."""
    parts = _split(text)
    return _origin(parts) if parts else ""


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text.strip())
        _ = parts.port  # it is read here, so that one that is no number is told here
    except ValueError:  # that, or brackets that do not match
        return None
    return parts if parts.scheme in PORTS and parts.hostname and "@" not in parts.netloc else None


def _origin(parts: SplitResult) -> str:
    host = _plain(parts.hostname or "")
    port = parts.port
    default = port is None or port == PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if default else f"{parts.scheme}://{host}:{port}"


def _plain(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    try:
        return host.encode("idna").decode()
    except UnicodeError:  # longer than names may be; then it is compared as it is
        return host
