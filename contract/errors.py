"""Every refusal that agent and service can say to each other, as one table.

    Refusal      an expected "no": a code, a sentence for a person, a remedy, and the HTTP status that carries it

A row is a code that programs compare; the message and the remedy are for people and may change. `number` is the error
number that the exam vendors' public API documents use for the same thing, for integrators who know those.
"""

from dataclasses import dataclass

import msgspec


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error at the wire: what happened (`code`), in words (`message`), and what to do (`remedy`)."""

    code: str
    message: str
    remedy: str = ""
    number: str = ""
    field: str = ""


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every answer with a status of 400 and above."""

    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of refusal. `message` and `remedy` may hold {placeholders} that the raiser fills."""

    status: int
    message: str
    remedy: str
    number: str = ""


CODES: dict[str, Row] = {
    # registration
    "signature_mismatch": Row(
        401,
        "The signature does not belong to this request.",
        "Sign the exact bytes that are sent, with the private key that belongs to this public key.",
        "E401",
    ),
    "signature_missing": Row(
        401,
        "The request is not signed.",
        "Send either ak, ts and asgn as query parameters, or the Authorization header with the body's signature.",
        "E401",
    ),
    "key_not_authorized": Row(
        403,
        "The public key {key!r} is not known here.",
        "Check the public key; ask the operator of the proctoring service to add it.",
        "E403",
    ),
    "timestamp_invalid": Row(
        400,
        "The time stamp {ts!r} is not a number of seconds since 1970.",
        "Send ts as whole seconds since 1970-01-01 UTC.",
        "E504",
    ),
    "timestamp_stale": Row(
        400,
        "The time stamp is {age_h} hours away from the service's clock; it is valid for 24 hours.",
        "Sign again with the present time, and check the clock of the machine that signs.",
        "E504",
    ),
    "body_malformed": Row(400, "The request's body is not what this call expects: {why}.", "Correct the body.", "E400"),
    "field_missing": Row(400, "The field {field} is missing or empty.", "Fill in {field}.", "E400"),
    "field_invalid": Row(400, "The field {field} is not valid: {why}.", "Correct {field}.", "E400"),
    # session and evidence
    "token_invalid": Row(401, "The session token is not valid.", "Register again with Init."),
    "token_expired": Row(401, "The session token has expired.", "Ask for a new one at /v1/sessions/{{id}}/token."),
    "proctor_key_invalid": Row(
        401, "This is not the proctor's key.", "Open the console with the link that the service printed at its start."
    ),
    "access_denied": Row(403, "This link does not open this session.", "Ask for a fresh report link."),
    "command_refused": Row(
        409, "The command {kind} is not possible: {why}.", "Switch it on at Init, and order it while the session runs."
    ),
    "method_not_allowed": Row(405, "This address does not take {method}.", "Use another method, as the protocol says."),
    "not_found": Row(404, "There is nothing here.", "Check the address."),
    "session_unknown": Row(404, "The session is not known.", "Register with Init first."),
    "record_malformed": Row(400, "The segment is not a sealed record: {why}.", "Send the record's bytes unchanged."),
    "record_mismatch": Row(
        400, "The record's header says {seen}, the address says {wanted}.", "Send each record to its own address."
    ),
    "record_conflict": Row(
        409, "Another record is stored at this address.", "Nothing is to be done: the stored record stays."
    ),
    "too_large": Row(413, "The body is larger than {limit} bytes.", "Make shorter segments."),
    "busy": Row(429, "The service has too much to do.", "Try again after the time in Retry-After."),
    "storage_full": Row(503, "The service cannot store evidence: {why}.", "Free space on the service's disk."),
    # the agent, to the page
    "origin_denied": Row(
        403,
        "The page {origin} may not talk to the agent about this session.",
        "Add the page's origin at the proctoring service, or in the agent's policy as allowed_origins.",
    ),
    "pairing_denied": Row(
        403,
        "A local program must present the agent's pairing token.",
        "Read the token from the agent's runtime folder; only the user who runs the agent can.",
    ),
    "not_now": Row(409, "{call} is not possible while the session is {state}.", "{remedy}"),
    "checks_failed": Row(
        409, "Proctoring cannot start: {failed} did not pass.", "Correct it as the check says, and check again."
    ),
    "source_failed": Row(409, "Capturing could not begin: {failed}.", "{remedy}"),
    "service_unreachable": Row(
        503,
        "The proctoring service at {url} cannot be reached: {why}.",
        "Check the internet connection, a proxy or a firewall; try again.",
    ),
    "service_puzzling": Row(
        502, "The proctoring service gave an answer that the agent does not understand: {why}.", "Update the agent."
    ),
    "nothing_to_acknowledge": Row(
        409,
        "There is no {kind} request that waits for an acknowledgement.",
        "Acknowledge once, after the request came.",
    ),
    "message_too_long": Row(400, "The message is longer than {limit} characters.", "Send it in parts."),
    "source_lost": Row(503, "The {stream} stopped delivering: {diagnosis}.", "{remedy}"),
    "link_lost": Row(
        503,
        "The connection to the proctoring service is lost. The session goes on, and nothing is lost.",
        "Restore the internet connection within {left} seconds, or the session ends.",
    ),
    "session_expired": Row(
        410,
        "The session ended: the connection was away for longer than the session expiry time of {expiry} seconds.",
        "Restore the connection so that the evidence is delivered; ask the exam's staff how to go on.",
    ),
    "disk_full": Row(
        507, "Evidence cannot be written to the disk: {why}.", "Free space on the disk that holds {folder}."
    ),
    "disk_short": Row(
        507,
        "The disk runs short: {what}.",
        "Free space on the disk that holds {folder}, or restore the internet connection.",
    ),
    "internal": Row(500, "The service failed.", "Try again; if it stays, ask the operator for the log."),
}


class Refusal(Exception):
    """An expected refusal, with a code of CODES. `field` names the form field it belongs to, if any."""

    def __init__(self, code: str, *, field: str = "", **data: object) -> None:
        row = CODES[code]
        self.code, self.status, self.number, self.field = code, row.status, row.number, field
        values = {"field": field, **data}
        self.message = row.message.format(**values)
        self.remedy = row.remedy.format(**values)
        super().__init__(f"{self.message} {self.remedy}")

    @property
    def info(self) -> ErrorInfo:
        """The refusal as it goes over the wire."""
        return ErrorInfo(self.code, self.message, self.remedy, self.number, self.field)
