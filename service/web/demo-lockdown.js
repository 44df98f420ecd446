// @ts-check
/*
 * The lockdown before the candidate's eyes, all the time: what is locked, why, until when, and how to get out. Nobody is locked in
 * without a word, nor without an end.
 *
 * Element ids, stable for automation: #lock (data-phase) in the status bar; #lockBar, while locked, holds #lockBarText #lockBarMore
 *   #askProctor #lockdownStop; #lockdown (data-phase) holds #lockdownTitle #lockdownText #lockdownBlocked #lockdownFacts
 *   [data-fact=away|assistive|browser] #waysOut, the form #quitForm with #quitPassword #quitSubmit #quitFault, and #rules with rows
 *   [data-rule][data-standing][data-holds][data-required]; #pauseLock in the pause layer; #lockNews is for screen readers.
 */

import { byId, el, table, words } from "./dom.js";
import { browserName, inOrder, PHASES, ruleName, RULES, stopsStart } from "./lockdown.js";

const UNDER_WAY = ["running", "paused"];

/** Words for a phase: in the status bar, and as title and text of the panel. @typedef {{bar: string, title: string, text: string}} Words */

/** @type {Record<string, Words>} */
export const TOLD = {
  off: { bar: "Not locked", title: "", text: "" },
  probed: {
    bar: "Not locked yet",
    title: "The test locks this computer",
    text: "From Start on, and until the test ends. Nothing is locked yet; below is what it will be.",
  },
  locked: {
    bar: "Locked",
    title: "This computer is locked for the test",
    text: "The exam asks for it, so that everybody takes the test on the same terms. When the test ends, everything is put back at once.",
  },
  lifted: {
    bar: "Unlocked for now",
    title: "This computer is unlocked for now",
    text: "The secure browser is gone, so you have the computer back. It is locked again when the test goes on.",
  },
  released: {
    bar: "Unlocked",
    title: "The computer is yours again",
    text: "Everything that was locked for the test has been put back.",
  },
  stuck: {
    bar: "Not all unlocked",
    title: "Something could not be put back yet",
    text: "The agent tries it again until it is done. “secureproctor unlock” puts it back, too; or ask the exam's staff.",
  },
};

const LIFTED_BY_PAUSE =
  "While the test is paused you have the computer back: nothing is locked. It is locked again when the test goes on.";
const KEPT_IN_PAUSE = "The computer stays locked while the test is paused.";

/** How a rule stands, for who sits before it: before it is in place, and while it is. @type {Record<string, [string, string]>} */
export const STANDING = {
  enforced: ["Will be locked", "Locked"],
  observed: ["Will be on the record", "On the record"],
  impossible: ["Not possible here", "Not possible here"],
  could_not_check: ["Could not be checked", "Could not be checked"],
};

let drawn = "";
let phaseBefore = "off";
let pausedBefore = false;

/** @param {any} status */
export function showLockdown(status) {
  const { lockdown, state, paused } = status;
  if (!lockdown) return; // an agent without one
  const { phase } = lockdown;
  const now = JSON.stringify([{ ...lockdown, asked: [] }, paused, state]);
  if (now === drawn) return; // who reads in it is not disturbed each second
  drawn = now;
  const told = wordsOf(phase, paused);
  showBars(phase, told, paused, UNDER_WAY.includes(state));
  byId("lockdown").hidden = phase === "off";
  byId("lockdown").dataset.phase = phase;
  byId("lockdownTitle").textContent = told.title;
  byId("lockdownText").textContent = told.text;
  showBlocked(lockdown.rules);
  showFacts(lockdown);
  showWaysOut(lockdown, UNDER_WAY.includes(state));
  showRules(lockdown);
  announce(phase, told);
}

/** Nothing is known while the agent is away. */
export function forgetLockdown() {
  drawn = "";
  byId("lock").textContent = "Not known";
  byId("lock").dataset.phase = "";
  for (const id of ["lockBar", "waysOut", "quitForm"]) byId(id).hidden = true;
  byId("lockdown").dataset.phase = "";
  byId("lockdownTitle").textContent = "The agent is away";
  byId("lockdownText").textContent =
    "If it has ended, what it had locked is put back by itself. Otherwise the test goes on here in a moment.";
}

/** @param {string} phase @param {boolean} paused @returns {Words} */
function wordsOf(phase, paused) {
  const told = TOLD[phase] ?? { bar: words(phase), title: PHASES[phase]?.name ?? words(phase), text: "" };
  return phase === "lifted" && paused ? { ...told, text: LIFTED_BY_PAUSE } : told;
}

/** @param {string} phase @param {Words} told @param {boolean} paused @param {boolean} underWay */
function showBars(phase, { bar, title }, paused, underWay) {
  byId("lock").textContent = bar;
  byId("lock").dataset.phase = phase;
  byId("lockBar").hidden = phase !== "locked" || !underWay;
  byId("lockBarText").textContent = `${title}, until it ends.`;
  const inPause = { locked: KEPT_IN_PAUSE, lifted: LIFTED_BY_PAUSE }[phase] ?? "";
  byId("pauseLock").textContent = paused ? inPause : "";
  byId("pauseLock").hidden = !paused || !inPause;
  if (paused !== pausedBefore) byId("rulesDetails").open = !paused; // the pause is calm
  pausedBefore = paused;
}

/** @param {any[]} rules */
function showBlocked(rules) {
  const stopping = rules.filter(stopsStart).map(({ rule }) => ruleName(rule));
  byId("lockdownBlocked").hidden = !stopping.length;
  byId("lockdownBlocked").textContent = stopping.length
    ? `The test cannot start yet because of: ${stopping.join(", ")}. See below what to do, or ask the proctor to let it pass.`
    : "";
}

/** @param {any} lockdown */
function showFacts({ away, tolerance_left, assistive, browser }) {
  const facts = [
    fact("away", "You left the test window", times(away, tolerance_left), away || tolerance_left !== null),
    fact("assistive", "Assistive technology, allowed", `${assistive.join(", ")}: it keeps working`, assistive.length),
    fact("browser", "Secure browser", browser && browserName(browser), browser),
  ];
  byId("lockdownFacts").replaceChildren(...facts.filter(Boolean));
}

/** @param {string} name @param {string} label @param {string} value @param {unknown} holds */
const fact = (name, label, value, holds) =>
  holds ? el("div", { "data-fact": name }, el("dt", {}, label), el("dd", {}, value)) : null;

/** @param {number} away @param {number | null} left */
function times(away, left) {
  const so = away === 1 ? "once" : away ? `${away} times` : "not yet";
  if (left === null) return so;
  return `${so}; ${left === 0 ? "no more is tolerated" : `${left} more ${left === 1 ? "is" : "are"} tolerated`}`;
}

/** @param {any} lockdown @param {boolean} underWay */
function showWaysOut({ phase, quit_password }, underWay) {
  const quit = quit_password && underWay;
  byId("waysOut").hidden = phase !== "locked" || !underWay;
  byId("wayByPassword").hidden = !quit;
  byId("quitForm").hidden = !quit;
}

/** @param {any} lockdown */
function showRules({ phase, rules }) {
  const shown = inOrder(rules);
  const rows = shown.map((each) => [about(each), standing(each, phase), toDo(each)]);
  const made = table("The rules of the lockdown", ["What", "Here", "Why, and what to do"], rows);
  made.querySelectorAll("tbody tr").forEach((/** @type {HTMLElement} */ row, /** @type {number} */ i) => {
    const { rule, standing: stands, holds, required } = shown[i];
    Object.assign(row.dataset, { rule, standing: stands, holds, required });
  });
  byId("rulesSummary").textContent = `What is locked, and what is on the record (${rules.length})`;
  byId("rules").replaceChildren(made);
}

/** @param {any} status */
function about({ rule, required, overridden }) {
  const mark = overridden ? "the proctor lets it pass" : required ? "required" : "";
  return el(
    "div",
    {},
    el("strong", {}, ruleName(rule)),
    mark && el("span", { class: "needed" }, mark),
    el("span", { class: "hint told" }, RULES[rule]?.meaning ?? ""),
  );
}

/** @param {any} status @param {string} phase */
function standing({ standing: stands, holds }, phase) {
  const [before, now] = STANDING[stands] ?? [words(stands), words(stands)];
  const over = ["lifted", "released"].includes(phase) && ["enforced", "observed"].includes(stands);
  return el("span", { class: "standing", "data-standing": stands }, holds ? now : over ? "Not locked now" : before);
}

/** @param {any} status */
function toDo({ why, remedy }) {
  if (!why && !remedy) return "–";
  return el("div", {}, why, remedy && el("strong", { class: "told" }, remedy));
}

/** A phase is told once, in words that stand still. @param {string} phase @param {Words} told */
function announce(phase, { title, text }) {
  if (phase === phaseBefore) return;
  phaseBefore = phase;
  byId("lockNews").textContent = title ? `${title}. ${text}` : "";
}
