"""How weak signs are weighed together: several may say what none may say alone.

Signs are combined as independent ones (noisy-or: one minus the product of what each leaves open). Signs with the same name
are not independent, so only the strongest of them counts. One sign alone stays below every threshold, however strong: each
can be forged, and each has harmless causes. What could not be read weighs nothing.
"""

from math import prod

from secureproctor.contract.events import Detail
from secureproctor.lockdown.readings import Sign, Signs

ALONE = 0.45
"""What one sign by itself can weigh at most."""
CORROBORATES = 0.1
"""A sign below this does not support another one."""


def weight_of(signs: Signs) -> float:
    """From 0 to 1, for all signs together."""
    weights = [sign.weight for sign in strongest(signs)]
    together = 1 - prod(1 - min(max(weight, 0.0), 1.0) for weight in weights)
    several = sum(weight >= CORROBORATES for weight in weights) > 1
    return round(together if several else min(together, ALONE), 3)


def strongest(signs: Signs) -> tuple[Sign, ...]:
    """One of each name, the strongest first."""
    best: dict[str, Sign] = {}
    for sign in sorted(signs.found, key=lambda sign: (-sign.weight, sign.name, sign.seen)):
        best.setdefault(sign.name, sign)
    return tuple(best.values())


def detail_of(signs: Signs) -> Detail:
    """As an event carries it: the weight, each sign with its own, and what is unknown."""
    seen = sorted(signs.found, key=lambda sign: (-sign.weight, sign.name, sign.seen))
    return {
        "weight": weight_of(signs),
        "evidence": "; ".join(f"{sign.name} {sign.weight:g}: {sign.seen}" for sign in seen),
        "unknown": ", ".join(signs.unknown),
    }
