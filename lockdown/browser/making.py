"""What an MSB Key is to say, from what its maker gave; and what makes no sense, found before it is signed.

A key cannot be called back: whoever takes the exam with a wrong one is locked out, or locked in less than was meant. So
everything here that the agent would later refuse, pass over or be unable to obey is refused now, and all of it at once.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from secureproctor.contract.lockdown import RULES
from secureproctor.contract.msb import FLOOR, MsbClaims
from secureproctor.lockdown.browser.allowed import NotAnAddress, parsed, parsed_pattern
from secureproctor.lockdown.browser.identity import problem_of
from secureproctor.lockdown.browser.key import unknown_members, when
from secureproctor.lockdown.browser.password import NotAHash
from secureproctor.lockdown.browser.password import parsed as parsed_hash

DEFAULT_HOURS = 24.0


class Nonsense(ValueError):
    """What is to be signed makes no sense; `problems` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


def made(members: Mapping[str, object], now_s: float, hours: float | None = None) -> MsbClaims:
    """The claims of these members, named as in the key's JSON. Raises Nonsense.

    What is not given of `iat`, `nbf`, `exp` and `jti` is added: valid from now on, for `hours`, under a random number. `hours`
    given overrides an `exp`.
    """
    whole: dict[str, object] = {"iat": int(now_s), "nbf": int(now_s), "jti": secrets.token_urlsafe(16), **members}
    begin = whole["nbf"]
    if isinstance(begin, int) and (hours is not None or "exp" not in whole):
        whole["exp"] = begin + round(3600 * (DEFAULT_HOURS if hours is None else hours))
    names = [*_strangers(whole)]
    if names:
        raise Nonsense(names)
    try:
        claims = msgspec.convert(whole, MsbClaims)
    except msgspec.ValidationError as error:
        raise Nonsense([f"{error}."]) from None
    problems = [*_of_time(claims, now_s), *_of_lockdown(claims), *_of_addresses(claims), *_of_browser(claims)]
    if problems:
        raise Nonsense(problems)
    return claims


def _strangers(whole: Mapping[str, object]) -> Iterable[str]:
    """Names that are none, each kind with those that there are."""
    unknown = unknown_members(dict(whole))
    if unknown:
        yield f"An MSB Key does not say {', '.join(unknown)}."
    lockdown = whole.get("lockdown")
    inner = lockdown if isinstance(lockdown, dict) else {}
    rules = [*_listed(inner.get("required")), *_listed(inner.get("off"))]
    for what, given, known in (("rules", rules, RULES), ("floors", _listed(whole.get("floor")), FLOOR)):
        wrong = [str(each) for each in given if each not in known]
        if wrong:
            yield f"There are no {what} {', '.join(wrong)}; there are {', '.join(known)}."


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _of_time(claims: MsbClaims, now_s: float) -> Iterable[str]:
    if claims.exp <= claims.nbf:
        yield "It would end (exp) before it begins (nbf)."
    elif claims.exp <= now_s:
        yield f"It would have expired already, at {when(claims.exp)}."


def _of_lockdown(claims: MsbClaims) -> Iterable[str]:
    lockdown = claims.lockdown
    both = [rule for rule in lockdown.required if rule in lockdown.off]
    if both:
        yield f"Rules cannot be both required and off: {', '.join(both)}."
    lower = {name.casefold() for name in lockdown.forbidden_programs}
    programs = [name for name in lockdown.allowed_programs if name.casefold() in lower]
    if programs:
        yield f"Programs cannot be both allowed and forbidden: {', '.join(programs)}."
    if lockdown.beyond_tolerance != "record" and lockdown.browsing_tolerance is None:
        yield f"Without a browsing tolerance, nothing lies beyond it that could {lockdown.beyond_tolerance} the test."
    if lockdown.browsing_tolerance is not None and "focus" not in lockdown.wanted:
        yield "A browsing tolerance needs the rule focus, which is off."


def _of_addresses(claims: MsbClaims) -> Iterable[str]:
    addresses = [("start", claims.start_url, parsed)] if claims.start_url else []
    for what, url, read in [*addresses, *(("allowed", each, parsed_pattern) for each in claims.allowed_urls)]:
        try:
            read(url)
        except NotAnAddress as error:
            yield f"The {what} address {url} is not taken: {error}."


def _of_browser(claims: MsbClaims) -> Iterable[str]:
    for entry in claims.browsers:
        problem = problem_of(entry)
        if problem:
            yield f"The browser {entry} cannot be recognized: {problem}."
    if claims.quit_password_hash:
        try:
            parsed_hash(claims.quit_password_hash)
        except NotAHash as error:
            yield f"The quit password's hash is not one: {error}. Let it be made with --quit-password."
