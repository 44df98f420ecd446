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
    "login_failed": Row(
        401, "Name and password do not belong together.", "Try again, or ask a super proctor for a new password."
    ),
    "login_needed": Row(401, "The log-in is not valid any more.", "Log in again."),
    "too_many_tries": Row(429, "There were too many wrong passwords.", "Wait {wait_s} seconds, then try again."),
    "role_missing": Row(403, "Only a super proctor may do this.", "Ask a super proctor."),
    "proctor_unknown": Row(404, "There is no proctor of this name.", "Look at the list of proctors."),
    "last_super": Row(
        409, "This is the last super proctor.", "Make another super proctor first, or use the link of the service."
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
    "agent_missing": Row(
        503,
        "The SecureProctor agent does not run on this computer, and cannot be started: {why}.",
        "Correct that, or start it with: secureproctor agent. Then load the page again.",
    ),
    "agent_gone": Row(
        503,
        "The connection to the SecureProctor agent is gone: {why}.",
        "Nothing is to be done: the page connects again.",
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
    "held_elsewhere": Row(
        409,
        "Another tab of the browser holds this session.",
        "Go on in that tab, or take the session over to this one.",
    ),
    "too_many_pages": Row(
        429, "Too many pages are connected with the agent.", "Close tabs of the exam that are not needed."
    ),
    "too_many_calls": Row(
        429, "More than {limit} calls of this page wait for an answer.", "Wait for the answers first."
    ),
    "consent_missing": Row(
        409, "{call} is not possible before the candidate has agreed to be proctored.", "Show the terms and ask first."
    ),
    "picture_not_wanted": Row(409, "The {of} is not asked for.", "Look at authorization.wanted in the status."),
    "pictures_missing": Row(409, "Not everything was taken yet: {missing}.", "Take it first, then submit."),
    "camera_unavailable": Row(409, "The camera gives no picture: {diagnosis}.", "{remedy}"),
    "chat_full": Row(
        429, "Too many messages wait for the service.", "Wait until the connection is back, then send it again."
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
    # lockdown and secure browser
    "rules_not_enforceable": Row(
        409,
        "The exam requires what cannot be enforced on this computer: {rules}.",
        "{remedy}",
    ),
    "lockdown_failed": Row(
        409,
        "The lockdown could not be applied: {why}. Everything was put back.",
        "Start again; then ask the exam's staff.",
    ),
    "msb_key_missing": Row(
        400, "The exam asks for the secure browser, and there is no MSB Key.", "Set MSB Key at Init."
    ),
    "msb_key_malformed": Row(400, "This is no MSB Key: {why}.", "Make one with: secureproctor msb-key sign."),
    "msb_key_unsigned": Row(403, "The MSB Key is not signed.", "Sign it with: secureproctor msb-key sign."),
    "msb_key_untrusted": Row(
        403,
        "The MSB Key was signed by {kid}, which is not trusted here for the client {client!r}.",
        "Add the client's public key at the proctoring service, or in the agent's policy as msb_keys.",
    ),
    "msb_key_tampered": Row(
        403, "The MSB Key was changed after it was signed.", "Use the MSB Key unchanged, or sign a new one."
    ),
    "msb_key_expired": Row(403, "The MSB Key expired at {at}.", "Sign a new one, or check this computer's clock."),
    "msb_key_early": Row(
        403, "The MSB Key is not valid before {at}.", "Come back then, or check this computer's clock."
    ),
    "msb_key_wrong_exam": Row(
        403, "The MSB Key is for the exam {key_exam!r}, and this is {exam!r}.", "Use the MSB Key of this exam."
    ),
    "msb_key_wrong_client": Row(
        403,
        "The MSB Key belongs to the client {key_client!r}, and {client!r} registers.",
        "Use this client's own MSB Key.",
    ),
    "below_floor": Row(
        403, "The MSB Key demands more than Init gives: {missing}.", "Change the proctoring settings at Init."
    ),
    "browser_unproven": Row(
        403,
        "The exam must be taken in the secure browser; {why}.",
        "Open the exam with the secure browser, or ask the exam's staff.",
    ),
    "quit_refused": Row(
        403, "This is not the quit password.", "Ask the invigilator. The next try is possible in {wait_s} s."
    ),
    "quit_not_possible": Row(409, "The exam has no quit password.", "Stop the exam in its page."),
    "attestation_not_possible": Row(
        409, "Nothing can be attested now: {why}.", "Ask again when the session runs and the service was heard."
    ),
    "frame_unreadable": Row(400, "The frame is no picture: {why}.", "Send a whole JPEG or PNG in base64."),
    "frame_not_wanted": Row(409, "No frames are wanted: {why}.", "Say hidesWindow when the browser attaches."),
    "internal": Row(500, "The service failed.", "Try again; if it stays, ask the operator for the log."),
}


class Refusal(Exception):
    """An expected refusal, with a code of CODES. `field` names the form field it belongs to, if any."""

    def __init__(self, code: str, *, field: str = "", **data: object) -> None:
        row = CODES[code]
        self.code, self.status, self.number, self.field = code, row.status, row.number, field
        self.data = data
        values = {"field": field, **data}
        self.message = row.message.format(**values)
        self.remedy = row.remedy.format(**values)
        super().__init__(f"{self.message} {self.remedy}")

    @property
    def info(self) -> ErrorInfo:
        """The refusal as it goes over the wire."""
        return ErrorInfo(self.code, self.message, self.remedy, self.number, self.field)
