"""Which network addresses the service may be sent to by an address that somebody else wrote. Pure.

Only what is reachable by everybody is fair: a service stands within a network whose other machines trust it, and must not be
the hand that reaches them. Addresses that only wrap another one (IPv4 in IPv6, by whatever transition) are refused as they
are: nobody needs them, and each is a way around the rule.
"""

import ipaddress

_IPV6_GLOBAL = ipaddress.ip_network("2000::/3")
"""The only unicast space that IANA has given out; it leaves out mapped, NAT64, site-local, link-local and multicast ones."""
_IPV6_WRAPPING = (
    ipaddress.ip_network("2001::/32"),  # Teredo, RFC 4380
    ipaddress.ip_network("2002::/16"),  # 6to4, RFC 3056
)
_IPV4_SPECIAL = (
    ipaddress.ip_network("192.0.0.0/24"),  # for protocols, RFC 6890; one cloud's metadata lies there
    ipaddress.ip_network("100.64.0.0/10"),  # shared by carriers, RFC 6598; another one's metadata
    ipaddress.ip_network("192.88.99.0/24"),  # relays of 6to4, RFC 7526
    ipaddress.ip_network("168.63.129.16/32"),  # the host agent of one cloud: global by its number, local by its meaning
)


def is_public(address: str) -> bool:
    """Whether an address (in numbers) is of a machine that everybody can reach."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if "%" in address:  # a zone: an address of one of this machine's links
        return False
    if parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified or not parsed.is_global:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _IPV4_SPECIAL)
    return parsed in _IPV6_GLOBAL and not any(parsed in network for network in _IPV6_WRAPPING)
