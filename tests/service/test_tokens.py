"""Session tokens and access codes, on a clock that the test moves."""

import pytest

from secureproctor.contract.errors import Refusal
from secureproctor.service.tokens import ACCESS_LIFETIME_S, TOKEN_LIFETIME_S, Tokens


class Wall:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def made(wall: Wall, seed: bytes = bytes(32)) -> Tokens:
    return Tokens(seed, bytes(32), wall)


def code_of(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return refused.value.code


def test_a_token_holds_for_its_session_and_its_time() -> None:
    wall = Wall()
    tokens = made(wall)
    token = f"Bearer {tokens.issue('s', ('http://exam',))}"
    tokens.verify(token, "s")
    wall.now += TOKEN_LIFETIME_S
    with pytest.raises(Refusal) as refused:
        tokens.verify(token, "s")
    assert code_of(refused) == "token_expired"
    tokens.verify(token, "s", expired_too=True)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-4] + "AAAA", lambda t: t + "x", lambda t: "", lambda t: t.split(".")[0]]
)
def test_a_spoilt_token_is_invalid(spoil) -> None:  # type: ignore[no-untyped-def] # a table of lambdas
    tokens = made(Wall())
    with pytest.raises(Refusal) as refused:
        tokens.verify("Bearer " + spoil(tokens.issue("s", ())), "s", expired_too=True)
    assert code_of(refused) == "token_invalid"


def test_a_token_of_another_service_or_session_is_invalid() -> None:
    tokens, other = made(Wall()), made(Wall(), b"x" * 32)
    for authorization, session in ((other.issue("s", ()), "s"), (tokens.issue("s", ()), "t")):
        with pytest.raises(Refusal) as refused:
            tokens.verify(f"Bearer {authorization}", session)
        assert code_of(refused) == "token_invalid"


def test_an_access_code_opens_its_session_for_a_week() -> None:
    wall = Wall()
    tokens = made(wall)
    code, expires_s = tokens.access("s")
    tokens.check_access("s", code)
    assert ACCESS_LIFETIME_S <= expires_s - wall.now <= ACCESS_LIFETIME_S + 3600
    wall.now = expires_s
    with pytest.raises(Refusal):
        tokens.check_access("s", code)


@pytest.mark.parametrize(
    "code", ["", ".", "1", "9999999999.", "9999999999.AAAA", "x.y", "٣.x", "9" * 50 + ".x", "\ud800"]
)
def test_a_made_up_access_code_opens_nothing(code: str) -> None:
    with pytest.raises(Refusal) as refused:
        made(Wall()).check_access("s", code)
    assert code_of(refused) == "access_denied"


def test_an_access_code_opens_no_other_session_and_not_for_longer() -> None:
    tokens = made(Wall())
    code, expires_s = tokens.access("s")
    mac = code.partition(".")[2]
    for session, forged in (("t", code), ("s", f"{expires_s + 3600}.{mac}")):
        with pytest.raises(Refusal):
            tokens.check_access(session, forged)
