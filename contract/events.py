"""The vocabulary of what happens in a session, and of the flags that the service raises from it.

An event is a fact that the agent saw, with its inputs. A flag is a conclusion, drawn by the service from events, with a
confidence and pointers to its evidence. The agent never raises flags.
"""

import msgspec

Detail = dict[str, str | int | float | bool | None]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact at a time. `at_us` and `until_us` are microseconds of the session clock; `wall_ms` is milliseconds since 1970.

    `kind` is one of EVENTS. `stream` names the evidence it is about, if any.
    """

    kind: str
    at_us: int
    wall_ms: int
    stream: str = ""
    until_us: int | None = None
    detail: Detail = {}


EVENTS: dict[str, str] = {
    "session_started": "Start took effect; the session clock is 0 here. `settings` and `sources` say what is captured.",
    "session_ended": "The session ended; `reason` says why.",
    "paused": "The test was paused; `by` says by whom.",
    "resumed": "The test was resumed.",
    "source_started": "A source delivered its first frame.",
    "source_lost": "A source stopped delivering; `code` is the diagnosis.",
    "source_recovered": "A source delivers again.",
    "source_stopped": "A source was stopped.",
    "test_source": "A source is a test source, named on the agent's command line.",
    "gap": "There is no evidence of `stream` from `at_us` to `until_us`; `cause` says why.",
    "link_lost": "Nothing was heard from the service for 15 seconds.",
    "link_restored": "The service was heard again.",
    "command": "A proctor command changed its status; `id`, `command` and `status`.",
    "check": "A result of Check System; `id`, `status`, `code`, `seen`.",
    "page_connected": "The exam page connected to the agent; `origin`.",
    "page_gone": "The exam page's connection closed.",
    "page_hidden": "The exam page was hidden or lost the focus.",
    "page_shown": "The exam page is seen again.",
    "page_holds": "Another page holds the session from now on; `origin`, `taken_over`.",
    "consent_given": "The candidate agreed to be proctored; `captures` is what they were told, `kept_h` for how long.",
    "consent_refused": "The candidate did not agree.",
    "preview_started": "The camera was opened for the candidate's preview of `of`.",
    "preview_stopped": "The camera of the preview was closed.",
    "still_taken": "A picture was taken: `of`, `hints`; for a proctor's snapshot `request`.",
    "authorization_submitted": "The candidate handed in what was wanted.",
    "authorized": "The proctor let the candidate start; `by`.",
    "rejected": "The proctor did not let the candidate start; `by`, `reason`.",
    "resubmit_requested": "The proctor asked for another picture; `wanted`, `by`.",
    "quality_changed": "What is captured has another quality from now on; `level`, `by` (`proctor` or `disk`).",
    "acknowledgement_missing": "Nobody acknowledged a request in time; `id`, `command`.",
    "message_unreadable": "The service sent something that could not be read; `kind`.",
    "setting_not_enforced": "A setting was asked for that has no effect in this version; `setting`.",
    "agent_restarted": "The agent came back and went on with the session.",
    "agent_stalled": "The agent did not run from `at_us` to `until_us`: stopped, or starved by the computer.",
    "machine_slept": "The computer was asleep from `at_us` to `until_us`.",
    "clock_changed": "The computer's clock was set; `by_s` seconds forward, or back when negative.",
    "disk_short": "The disk runs short; `free` bytes are left, and `level` is the quality captured from now on.",
    "disk_recovered": "The disk has room again; `free` bytes.",
    "record_missing": "A sealed record is gone from the candidate's disk; `epoch`, `seq`, the first of `count`.",
    "record_damaged": "A sealed record on the candidate's disk is not the one that was written; `epoch`, `seq`, `kind`: "
    "`truncated`, `altered`, `misplaced` (another record lies in its place; `found` says which) or `unreadable`.",
    # lockdown; `rule` is one of contract.lockdown.RULES. Programs are named by their file, windows never by their title.
    "lockdown_applied": "The lockdown is in place; `enforced`, `observed`, `impossible`, `could_not_check` list the rules.",
    "lockdown_lifted": "The machine was given back for a while; `why`: `paused`, `browser gone`.",
    "lockdown_released": "The machine was given back; `why`.",
    "session_key": "The agent brought a key for its attestations; `key` is its thumbprint, `changed`: another one was there.",
    "lockdown_failed": "The lockdown could not be applied again, and the exam goes on without; `why`.",
    "lockdown_stuck": "A rule could not be restored, and is tried again; `rule`, `why`.",
    "lockdown_left_behind": "What an agent that died had left was restored; `by` (`guardian`, `agent`, `unlock`), `rules`.",
    "guardian_gone": "The process that gives the machine back if the agent dies was gone, and was started again.",
    "rule_standing": "How a rule stands on this computer; `rule`, `standing`, `required`, `why`.",
    "rule_undone": "A rule was undone from outside, and was applied again unless `held` is false; `rule`.",
    "rule_overridden": "The proctor let the exam go on without a rule; `rule`, `by`, `reason`.",
    "key_stopped": "A key combination was stopped; `keys`, `injected` (None: nobody can tell).",
    "key_seen": "A key combination that leads out of the exam was pressed, and could not be stopped; `keys`, `injected`.",
    "input_injected": "Keys or clicks came from a program; `device`.",
    "left_window": "The candidate left the exam window; `program` is what is in front, `how`: `window`, `minimized`, `page`.",
    "returned_to_window": "The exam window is in front again; `away_s`, `times` so far, `left` of the tolerance, `by`: "
    "`candidate` or `agent`.",
    "tolerance_exceeded": "The candidate left the exam window more often than the exam tolerates; `times`, `then`.",
    "window_restored": "The exam window was not full screen or not in front of all others, and was put right.",
    "clipboard_emptied": "The clipboard was emptied; `program` is what had filled it, `why`: `start`, `outside`, `end`.",
    "program_forbidden": "A forbidden program runs; `program`, `category`, `by` (`name`, `original_name`, `signer`), `pid`.",
    "program_closed": "A forbidden program ended; `program`, `how`: `candidate`, `asked`, `closed`.",
    "program_not_closed": "A forbidden program could not be closed; `program`, `why`.",
    "program_started": "A program that has a window, or is not the system's, was started; `program`.",
    "window_opened": "A window of another program appeared; `program`, `topmost`.",
    "displays": "The displays of this computer; `count`, `active`, `mirrored`, `allowed`, `outputs`.",
    "remote_session": "Signs of a remote session; `weight`, `evidence`.",
    "virtual_machine": "Signs of a virtual machine; `weight` from 0 to 1, `evidence`, `unknown` (what could not be read).",
    "window_hidden": "A window excludes itself from capture, or lies over all others; `program`, `how`.",
    "screenshot_tried": "Somebody tried to take a picture of the screen; `how`.",
    "print_tried": "Something was printed, or somebody tried; `how`.",
    "assistive_technology": "Assistive technology is in use, and is allowed; `program`, `kind`.",
    # secure browser
    "msb_key": "The exam's MSB Key was verified; `kid`, `jti`, `expires_ms`.",
    "browser_attached": "The secure browser introduced itself; `product`, `version`, `path`, `proof`, `signer`.",
    "browser_silent": "The secure browser runs, and has not been heard for `silent_s` seconds.",
    "browser_heard": "The secure browser is heard again.",
    "browser_gone": "The secure browser has ended.",
    "frames_handed": "The secure browser hands over pictures of its window, which other programs cannot see.",
    "quit_by_password": "Somebody ended the exam with its quit password.",
    "quit_refused": "A wrong quit password was entered.",
}
"""Every kind of event and its meaning."""

FLAGS: dict[str, str] = {
    "AWAY_FROM_WINDOW": "The exam page was hidden or lost the focus.",
    "CAMERA_UNAVAILABLE": "The camera stopped delivering pictures during the session.",
    "SCREEN_UNAVAILABLE": "The screen could not be captured during the session.",
    "MICROPHONE_UNAVAILABLE": "The microphone stopped delivering sound during the session.",
    "LINK_LOST": "The connection to the service was lost.",
    "EVIDENCE_GAP": "There is no evidence of a stream for a time without a recorded cause.",
    "CHAIN_BROKEN": "The hash chain of a stream does not hold: records are missing or were changed.",
    "EVIDENCE_TAMPERED": "Records were deleted, truncated, altered, replaced, reordered or replayed before they arrived.",
    "EVIDENCE_DROPPED": "The candidate's disk was full, and evidence was given up.",
    "CLOCK_CHANGED": "The computer's clock was set during the session.",
    "LOCKDOWN_BROKEN": "A rule of the lockdown was undone from outside, or a required one did not hold.",
    "TOLERANCE_EXCEEDED": "The candidate left the exam window more often than the exam tolerates.",
    "FORBIDDEN_PROGRAM": "A program ran that helps to cheat.",
    "SEVERAL_DISPLAYS": "More displays were in use than the exam allows.",
    "REMOTE_SESSION": "Somebody else may have seen or controlled the computer.",
    "VIRTUAL_MACHINE_SUSPECTED": "The exam may have run in a virtual machine.",
    "HIDDEN_WINDOW": "A window was there that capture cannot see.",
    "INPUT_INJECTED": "Keys or clicks came from a program.",
    "SCREENSHOT_TRIED": "Somebody tried to take a picture of the screen.",
    "BROWSER_GONE": "The secure browser ended while the exam ran.",
    "ATTESTATION_MISSING": "The agent was heard, and did not attest the lockdown.",
    "SESSION_EXPIRED": "The connection was not restored within the session expiry time.",
}
"""Every flag that the service raises in this version."""
