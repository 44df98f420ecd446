"""Which addresses are everybody's, and which only look so."""

import pytest

from secureproctor.service.addresses import is_public

INTERNAL = {
    "127.0.0.1": "loopback",
    "127.9.9.9": "loopback",
    "0.0.0.0": "this host",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "link-local: the metadata of many clouds",
    "100.64.0.1": "shared by carriers",
    "100.100.100.200": "shared by carriers: the metadata of one cloud",
    "168.63.129.16": "the host agent of one cloud",
    "192.0.0.192": "for protocols: the metadata of one cloud",
    "192.0.2.1": "documentation",
    "198.18.0.1": "benchmarks",
    "192.88.99.1": "relays of 6to4",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local with its zone",
    "2606:4700::1%1": "no public address has a zone",
    "fd00:ec2::254": "unique local: the metadata of one cloud",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "::ffff:127.0.0.1": "IPv4-mapped",
    "::ffff:93.184.216.34": "IPv4-mapped, even of a public one",
    "::127.0.0.1": "IPv4-compatible",
    "64:ff9b::7f00:1": "NAT64",
    "64:ff9b:1::7f00:1": "NAT64 of a network",
    "2002:7f00:1::1": "6to4",
    "2001:0:5ef5:79fd::1": "Teredo",
    "2001:db8::1": "documentation",
    "100::1": "discard",
    "localhost": "a name is no address",
    "0x7f000001": "a number in another way of writing",
    "2130706433": "a number in another way of writing",
    "": "nothing",
}


@pytest.mark.parametrize("address", INTERNAL)
def test_an_address_that_is_not_everybodys_is_refused(address: str) -> None:
    assert not is_public(address), INTERNAL[address]


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::200e"])
def test_a_public_address_is_taken(address: str) -> None:
    assert is_public(address)
