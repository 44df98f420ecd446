"""Slowing down whoever guesses passwords, by name and by address. Pure; the clock is passed in.

The first wrong tries are free; after them each one doubles the time until the next is looked at. A try counts as wrong from
its beginning, until it proves right: many at once must not all be free. What is remembered is bounded; the one that was seen
longest ago is forgotten first.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.contract.errors import Refusal

MAX_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How many wrong tries are free, and the longest time between two later ones. A name has less to wait than an address:
    whoever knows a name must not keep its owner out for long."""

    free: int
    most_s: float


PATIENCE: dict[str, Patience] = {"name": Patience(5, 30), "address": Patience(20, 300)}

Who = tuple[str, str]
"""A kind of PATIENCE, and the name or address."""


class Tries:
    """The wrong tries of late; `clock` gives seconds that cannot be set back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[Who, tuple[int, float]] = OrderedDict()

    def begin(self, name: str, address: str) -> None:
        """A try begins. Raises Refusal too_many_tries when it comes too soon; it is not looked at then, and not counted."""
        whose = _whose(name, address)
        wait_s = max(self._wait_s(who) for who in whose)
        if wait_s > 0:
            raise Refusal("too_many_tries", wait_s=math.ceil(wait_s))
        for who in whose:
            count, _ = self._wrong.pop(who, (0, 0.0))
            self._wrong[who] = count + 1, self._clock()
        while len(self._wrong) > MAX_REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """The try that began proved right: the name is clean again; the address gets back what this try cost it."""
        of_name, of_address = _whose(name, address)
        self._wrong.pop(of_name, None)
        count, at = self._wrong.get(of_address, (0, 0.0))
        if count > 1:
            self._wrong[of_address] = count - 1, at
        else:
            self._wrong.pop(of_address, None)

    def _wait_s(self, who: Who) -> float:
        count, at = self._wrong.get(who, (0, 0.0))
        patience = PATIENCE[who[0]]
        if count < patience.free:
            return 0.0
        due_s = min(2.0 ** min(count - patience.free, 30), patience.most_s)
        return at + due_s - self._clock()


def _whose(name: str, address: str) -> tuple[Who, Who]:
    return ("name", name), ("address", _network(address))


def _network(address: str) -> str:
    """An IPv6 subscriber has a whole /64 to try from."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
