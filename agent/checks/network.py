"""Whether the service answers, and how far this computer's clock is from the service's.

Both ask `GET /v1/health`. "No connection" has causes that call for very different steps (a name that is not known, a
port that refuses, a certificate that is not trusted, a hotel's log-in page), so the cause is dug out of the exception:
httpx says ConnectError to most of them and keeps the truth in the chain of exceptions.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import msgspec

from secureproctor.agent.checks.check import (
    COULD_NOT_CHECK,
    CheckContext,
    CouldNotCheck,
    Failed,
    Outcome,
    Passed,
    Warned,
)
from secureproctor.contract.http import Health

CLOCK_WARN_S = 30
CLOCK_FAIL_S = 300
"""Far inside the 24 hours for which a signature is valid: beyond five minutes the clock is wrong, not merely late."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The service's answer, and this computer's time (ms since 1970) before and after it."""

    health: Health
    sent_ms: int
    received_ms: int

    @property
    def clock_ahead_s(self) -> float:
        """How far this clock is ahead; the answer is taken to have been made half-way through the round trip."""
        return ((self.sent_ms + self.received_ms) / 2 - self.health.now_ms) / 1000


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there was none."""

    code: str
    seen: str


CAUSES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (socket.gaierror, "name_unknown", "The name of the service, {host}, could not be looked up."),
    (ssl.SSLError, "tls", "No secure connection to {host}: {error}"),
    (ConnectionRefusedError, "refused", "{host} refused the connection."),
    ((TimeoutError, httpx.TimeoutException), "timeout", "{host} did not answer within {answer_s:g} s."),
    ((httpx.InvalidURL, httpx.UnsupportedProtocol), "address", "{url} is not the address of a service: {error}"),
    ((httpx.RemoteProtocolError, httpx.DecodingError), "wrong_answer", "{host} answered something else: {error}"),
    (Exception, "unreachable", "{host} cannot be reached: {error}"),
)
"""What an exception, or a cause of it, means: the first row that fits."""


async def service_reachable(context: CheckContext) -> Outcome:
    """Whether the service answers as a proctoring service."""
    match await ask(context):
        case Answer(health=health, sent_ms=sent_ms, received_ms=received_ms):
            return Passed("ok", f"{health.service} {health.version} answered in {received_ms - sent_ms} ms.")
        case NoAnswer(code=code, seen=seen):
            return Failed(code, seen)


async def clock_difference(context: CheckContext) -> Outcome:
    """How far this computer's clock is from the service's."""
    match await ask(context):
        case Answer() as answer:
            return judged_clock(answer.clock_ahead_s)
        case NoAnswer(seen=seen):
            return CouldNotCheck(COULD_NOT_CHECK, seen)


def judged_clock(ahead_s: float) -> Outcome:
    """Seconds that this clock is ahead of the service's (negative: behind)."""
    direction = "ahead of" if ahead_s > 0 else "behind"
    seen = f"This computer's clock is {_duration(abs(ahead_s))} {direction} the service's."
    if abs(ahead_s) < CLOCK_WARN_S:
        return Passed("ok", seen)
    return (Warned if abs(ahead_s) < CLOCK_FAIL_S else Failed)("clock_differs", seen)


async def ask(context: CheckContext) -> Answer | NoAnswer:
    """Asks the service who it is and what time it has, for `context.answer_s` at most."""
    sent_ms = context.wall_ms()
    try:
        # httpx bounds each step; only the outer limit stops a server that sends one byte now and then
        async with asyncio.timeout(context.answer_s):
            response = await context.client.get(_health_url(context), timeout=context.answer_s)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return explained(error, context)
    return understood(response, sent_ms, context.wall_ms())


def understood(response: httpx.Response, sent_ms: int, received_ms: int) -> Answer | NoAnswer:
    """The answer, if a proctoring service gave it; a redirect to a log-in page is none."""
    host = response.url.host
    if response.status_code != httpx.codes.OK:
        return NoAnswer("wrong_answer", f"{host} answered {response.status_code} {response.reason_phrase}.")
    try:
        health = msgspec.json.decode(response.content, type=Health)
    except (ValueError, RecursionError):  # also bytes that are no text, and nesting beyond the stack
        return NoAnswer("wrong_answer", f"{host} answered, but not as a proctoring service.")
    return Answer(health, sent_ms, received_ms)


def explained(error: Exception, context: CheckContext) -> NoAnswer:
    """The first row of CAUSES that fits the exception or one of its causes."""
    causes = tuple(causes_of(error))
    code, sentence, cause = next(
        (code, sentence, cause) for kind, code, sentence in CAUSES for cause in causes if isinstance(cause, kind)
    )
    url = context.service_url
    return NoAnswer(code, sentence.format(host=_host(url), url=url, answer_s=context.answer_s, error=cause))


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it, the newest first; a name with several addresses may fail for several reasons.

    httpcore's pool raises "from None", which clears `__cause__` and leaves `__context__`: that one is followed too.
    """
    yield error
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from causes_of(member)
    earlier = error.__cause__ or error.__context__
    if earlier is not None:
        yield from causes_of(earlier)


def _health_url(context: CheckContext) -> str:
    return f"{context.service_url.rstrip('/')}/v1/health"


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0] or url


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
