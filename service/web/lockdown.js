// @ts-check
/*
 * The lockdown in words, the same on every page: its rules, how each stands, its phases, and what is known of the secure browser
 * (contract/lockdown.py, contract/msb.py). Nothing here touches the page.
 */

import { words } from "./dom.js";

/** @typedef {{name: string, meaning: string, observes?: boolean}} Words */

/** Every rule, in the order in which they are applied; those that observe cannot stand higher. @type {Record<string, Words>} */
export const RULES = {
  power: {
    name: "Power and screen saver",
    meaning: "The computer does not sleep or darken by itself; power options are away.",
  },
  lock_screen: { name: "Lock", meaning: "The screen cannot be locked by the candidate during the exam." },
  switch_user: { name: "Switch user", meaning: "Nobody else can be switched to." },
  sign_out: { name: "Sign out", meaning: "The candidate cannot be signed out by a key or a menu." },
  task_manager: { name: "Task manager", meaning: "The system's task manager cannot be opened." },
  keys: { name: "System keys", meaning: "Keys and shortcuts that lead out of the exam do nothing." },
  focus: { name: "Exam window", meaning: "The exam window is in front and full screen; leaving it is counted." },
  clipboard: { name: "Clipboard", meaning: "Nothing is brought in or carried out by the clipboard." },
  programs: { name: "Forbidden programs", meaning: "Programs that help to cheat are asked to be closed, then closed." },
  windows: {
    name: "New windows",
    meaning: "Windows and programs that appear during the exam are on the record.",
    observes: true,
  },
  hidden_windows: {
    name: "Hidden windows",
    meaning: "Windows that exclude themselves from capture are found.",
    observes: true,
  },
  screenshots: { name: "Screenshots", meaning: "Pictures of the screen cannot be taken." },
  printing: { name: "Printing", meaning: "Nothing is printed." },
  displays: {
    name: "Displays",
    meaning: "No more displays than allowed, none of them mirrored or split.",
    observes: true,
  },
  remote_session: { name: "Remote session", meaning: "Nobody else sees or controls this computer.", observes: true },
  virtual_machine: {
    name: "Virtual machine",
    meaning: "The exam runs on a real computer, by weighted evidence.",
    observes: true,
  },
  injected_input: { name: "Injected input", meaning: "Keys and clicks come from a person's hands.", observes: true },
  assistive: {
    name: "Assistive technology",
    meaning: "It keeps working, and what is used is on the record.",
    observes: true,
  },
};

/** @type {Record<string, Words>} */
export const STANDINGS = {
  enforced: { name: "Enforced", meaning: "It cannot be done, or is undone at once." },
  observed: { name: "Observed", meaning: "It can be done, and is on the record." },
  impossible: { name: "Not possible here", meaning: "This system offers no way to prevent or to see it." },
  could_not_check: { name: "Could not check", meaning: "It could not be found out here." },
};

/** @type {Record<string, Words>} */
export const PHASES = {
  off: { name: "No lockdown", meaning: "The exam has no lockdown." },
  probed: { name: "Not locked yet", meaning: "It is known how each rule stands; nothing is applied yet." },
  locked: { name: "Locked", meaning: "The rules are applied." },
  lifted: {
    name: "Unlocked for now",
    meaning: "The rules are restored for a while: the test is paused, or the secure browser is gone.",
  },
  released: { name: "Given back", meaning: "The machine has been given back." },
  stuck: {
    name: "Not all given back",
    meaning: "A rule could not be restored; it is tried again, and “secureproctor unlock” does it, too.",
  },
};

/** What of the policy the secure browser satisfies. @type {Record<string, Words>} */
export const PROOFS = {
  signature: { name: "Browser proven", meaning: "It is signed by an expected signer." },
  path: { name: "Browser proven", meaning: "Its program lies where only an administrator can write." },
  none: { name: "Browser not proven", meaning: "Nothing shows that it is the secure browser." },
};

/** @param {string} rule */
export const ruleName = (rule) => RULES[rule]?.name ?? words(rule);

/** @param {string} phase */
export const phaseName = (phase) => PHASES[phase]?.name ?? words(phase);

/** @param {string} standing */
export const standingName = (standing) => STANDINGS[standing]?.name ?? words(standing);

/** Whether the exam cannot start because of it (contract.lockdown.RuleStatus.stops_start). @param {any} status */
export function stopsStart({ rule, standing, required, overridden }) {
  const enough = RULES[rule]?.observes ? ["enforced", "observed"] : ["enforced"];
  return Boolean(required) && !overridden && !enough.includes(standing);
}

/** Those that stop the start first, else as they are applied. @param {any[]} rules @returns {any[]} */
export const inOrder = (rules) => [...rules].sort((a, b) => Number(stopsStart(b)) - Number(stopsStart(a)));

/** Who the secure browser is, in a line. @param {any} browser */
export function browserName({ product, version, path, signer }) {
  const said = [product, version].filter(Boolean).join(" ") || path || "unnamed";
  return signer ? `${said}, signed by ${signer}` : said;
}
