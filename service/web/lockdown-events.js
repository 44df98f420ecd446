// @ts-check
/*
 * What the lockdown and the secure browser did and saw, in sentences (contract/events.py). Each tells what the event holds, and
 * nothing that it does not: a sighting is a fact, and says nothing about why somebody did it.
 */

import { clock, lasting, words } from "./dom.js";
import { browserName, ruleName, standingName, STANDINGS } from "./lockdown.js";

/** Kinds whose `times` counts all so far; for the others it says how often it was seen within some seconds. */
const COUNTED = ["returned_to_window", "tolerance_exceeded"];

/** @type {Record<string, Record<string, string>>} */
const SAID = {
  leaving: { window: "for another window", minimized: "by making it small", page: "for another page" },
  beyond: { record: "it is on the record", pause: "the test is paused", end: "the test ends" },
  emptied: { start: "at the start", outside: "after something came in from outside", end: "at the end" },
  ended: { candidate: "the candidate closed it", asked: "it closed when it was asked to", closed: "it was closed" },
  matched: { name: "its name", original_name: "its original name", signer: "its signer" },
  heirs: { guardian: "the guardian", agent: "the next start of the agent", unlock: "“secureproctor unlock”" },
};

/** @type {Record<string, (detail: any) => string>} */
export const SENTENCES = {
  lockdown_applied: (detail) => sentence("The computer was locked: ", standings(detail)),
  lockdown_lifted: ({ why }) => sentence("The computer was given back for a while", because(why)),
  lockdown_released: ({ why }) => sentence("The computer was given back", because(why)),
  lockdown_failed: ({ why }) =>
    sentence("The computer could not be locked again, and the exam goes on without", because(why)),
  lockdown_stuck: ({ rule, why }) => sentence(of(rule), " could not be put back, and is tried again", because(why)),
  lockdown_left_behind: ({ by, rules }) =>
    sentence("What an agent that ended had left locked was put back by ", say("heirs", by), because(ruleNames(rules))),
  guardian_gone: () => "The process that gives the computer back if the agent ends was gone, and was started again.",
  rule_standing: ({ rule, standing, required, why }) =>
    sentence(of(rule), required && ", required", `: ${standingName(it(standing)).toLowerCase()}`, because(why)),
  rule_undone: ({ rule, held }) =>
    sentence(of(rule), " was undone from outside, and ", held === false ? "does not hold" : "was applied again"),
  rule_overridden: ({ rule, by, reason }) =>
    sentence(by || "The proctor", " let the exam go on without ", of(rule), reason && `: “${reason}”`),
  key_stopped: ({ keys, injected }) => sentence(one(keys), " was stopped", injected && "; a program pressed it"),
  key_seen: ({ keys, injected }) =>
    sentence(one(keys), " was pressed, and could not be stopped", injected && "; a program pressed it"),
  input_injected: ({ device }) => sentence("Keys or clicks came from a program", because(device)),
  left_window: ({ program, how }) =>
    sentence("The candidate left the exam window", how && ` ${say("leaving", how)}`, because(program)),
  returned_to_window: ({ away_s, times, left, by }) =>
    sentence(
      by === "agent" ? "The agent brought the exam window back" : "The candidate came back to the exam window",
      known(away_s) && ` after ${lasting(Math.max(1, away_s))}`,
      known(times) && `; left ${often(times)} so far`,
      known(left) && `, ${left} left of the tolerance`,
    ),
  tolerance_exceeded: ({ times, then }) =>
    sentence(
      "The exam window was left more often than the exam tolerates",
      known(times) && `: ${often(times)}`,
      then && `; ${say("beyond", then)}`,
    ),
  window_restored: () => "The exam window was not full screen or not in front, and was put right.",
  clipboard_emptied: ({ program, why }) =>
    sentence("The clipboard was emptied", why && ` ${say("emptied", why)}`, program && `; ${program} had filled it`),
  program_forbidden: ({ program, category, by }) =>
    sentence(
      `A forbidden program runs: ${it(program)}`,
      category && `, ${words(String(category))}`,
      by && `, known by ${say("matched", by)}`,
    ),
  program_closed: ({ program, how }) => sentence(one(program), " ended", how && `: ${say("ended", how)}`),
  program_not_closed: ({ program, why }) => sentence(one(program), " could not be closed", because(why)),
  program_started: ({ program }) => sentence("A program was started: ", it(program)),
  window_opened: ({ program, topmost }) =>
    sentence(`A window of ${it(program)} appeared`, topmost && ", over all others"),
  displays: ({ count, active, mirrored, allowed, outputs }) =>
    sentence(
      `Displays: ${active ?? count ?? "unknown"} in use`,
      known(active) && known(count) && ` of ${count}`,
      known(allowed) && `, ${allowed} allowed`,
      mirrored && ", mirrored",
      because(outputs),
    ),
  remote_session: ({ weight, evidence }) =>
    sentence("Signs of a remote session", known(weight) && `, weight ${weight}`, because(evidence)),
  virtual_machine: ({ weight, evidence, unknown }) =>
    sentence(
      "Signs of a virtual machine",
      known(weight) && `, weight ${weight}`,
      because(evidence),
      unknown && `; could not be read: ${unknown}`,
    ),
  window_hidden: ({ program, how }) =>
    sentence(`A window of ${it(program)} hides from capture or lies over all others`, because(how)),
  screenshot_tried: ({ how }) => sentence("Somebody tried to take a picture of the screen", because(how)),
  print_tried: ({ how }) => sentence("Something was printed, or somebody tried", because(how)),
  assistive_technology: ({ program, kind }) =>
    sentence(one(program), " is in use, and is allowed: ", kind ? words(String(kind)) : "assistive technology"),
  msb_key: ({ expires_ms }) =>
    sentence("The exam's MSB Key was verified", known(expires_ms) && `; it is valid until ${clock(expires_ms)}`),
  session_key: ({ changed }) =>
    sentence("The agent brought a key for its attestations", changed && "; another one was there before"),
  browser_attached: (detail) =>
    sentence(
      "The secure browser introduced itself: ",
      browserName(detail),
      detail.proof === "none" && "; nothing proves that it is one",
    ),
  browser_silent: ({ silent_s }) =>
    sentence("The secure browser runs, and has not been heard", known(silent_s) && ` for ${lasting(silent_s)}`),
  browser_heard: () => "The secure browser is heard again.",
  browser_gone: () => "The secure browser has ended.",
  frames_handed: () => "The secure browser hands over pictures of its window, which other programs cannot see.",
  quit_by_password: () => "Somebody ended the exam with its quit password.",
  quit_refused: () => "A wrong quit password was entered.",
};

/** Those that tell how it went, or what is usual; the others get a mark in the report's picture of the session. */
const USUAL = [
  "lockdown_applied",
  "lockdown_lifted",
  "lockdown_released",
  "rule_standing",
  "program_started",
  "window_opened",
  "assistive_technology",
  "msb_key",
  "session_key",
  "browser_attached",
  "browser_heard",
  "frames_handed",
];

/** @param {string} kind */
export const isSighting = (kind) => Object.hasOwn(SENTENCES, kind) && !USUAL.includes(kind);

/** The event as a sentence, or "" when it is none of the lockdown. @param {any} event */
export function lockdownSentence({ kind, detail }) {
  const told = SENTENCES[kind]?.(detail ?? {}) ?? "";
  const again = detail?.times > 1 && !COUNTED.includes(kind);
  return told && again ? `${told} (${often(detail.times)})` : told;
}

/**
 * The times in which the computer was locked, as [from, to] in seconds of the session.
 * @param {any[]} events
 * @param {number} end
 * @returns {[number, number][]}
 */
export function lockedSpans(events, end) {
  /** @type {[number, number][]} */
  const spans = [];
  let since = -1;
  for (const { kind, at_s } of [...events].sort((a, b) => a.at_s - b.at_s)) {
    if (kind === "lockdown_applied" && since < 0) since = Math.max(0, at_s);
    if (since >= 0 && ["lockdown_lifted", "lockdown_released", "session_ended"].includes(kind)) {
      spans.push([since, at_s]);
      since = -1;
    }
  }
  return since < 0 ? spans : [...spans, [since, end]];
}

/** @param {...any} parts what is not there is left out */
function sentence(...parts) {
  const told = parts.filter(Boolean).join("");
  return /[.!?]”?$/.test(told) ? told : `${told}.`;
}

/** @param {unknown} value */
const known = (value) => value !== null && value !== undefined && value !== "";

/** @param {unknown} value */
const it = (value) => (known(value) ? String(value) : "something");

/** The same where a sentence begins. @param {unknown} value */
const one = (value) => (known(value) ? String(value) : "Something");

/** @param {string} table @param {unknown} code */
const say = (table, code) => SAID[table][String(code)] ?? words(it(code));

/** @param {unknown} rule */
const of = (rule) => (known(rule) ? ruleName(String(rule)) : "A rule");

/** @param {unknown} why */
const because = (why) => (known(why) ? `: ${String(why).replace(/\.$/, "")}` : "");

/** What a detail lists: `keys, focus`. @param {unknown} text */
const listed = (text) => (known(text) ? String(text).split(/[,\s]+/).filter(Boolean) : []);

/** @param {unknown} rules */
const ruleNames = (rules) => listed(rules).map(ruleName).join(", ");

/** How many rules stand how. @param {any} detail */
const standings = (detail) =>
  Object.keys(STANDINGS)
    .filter((standing) => known(detail[standing]))
    .map((standing) => `${listed(detail[standing]).length} ${standingName(standing).toLowerCase()}`)
    .join(", ") || "nothing can be enforced here";

/** @param {number} times */
const often = (times) => (times === 1 ? "once" : `${times} times`);
