// @ts-check
/*
 * Warnings to the candidate, and the programs that they are asked to close. They stand in the status bar, which is always in sight,
 * over a pause too; a warning stays until it is put away or the next of its kind takes its place.
 *
 * Element ids, stable for automation: #alerts holds #warnings li[data-warning=<kind>] with button [data-action=understood], and #asked
 *   li[data-program]; in both [data-part=left] (data-seconds) counts down. #warningNews is for screen readers, at once.
 */

import { Countdown } from "./countdown.js";
import { byId, duration, el, words } from "./dom.js";

/** What follows when the time of a warning has run out. @type {Record<string, string>} */
export const FOLLOWS = {
  left_window: "to come back",
  tolerance_exceeded: "until it takes effect",
  program: "to close it",
  displays: "to put it right",
  browser_gone: "until the test ends, if it does not come back",
};

const OVER = ["idle", "ending", "draining", "ended"];

/** @typedef {{item: HTMLElement, countdown: Countdown}} Shown */

/** @type {Map<string, Shown>} by kind */
const warnings = new Map();
/** @type {Map<string, Shown>} by program */
const asked = new Map();

/** @param {import("./secureproctor.js").WarningEvent} warning */
export function showWarning({ kind, text, left, left_s }) {
  drop(warnings, kind);
  const tolerated = left === null ? "" : left === 0 ? "No more is tolerated." : `${left} more tolerated.`;
  const told = el("p", {}, el("strong", {}, text), tolerated && el("span", { class: "hint" }, ` ${tolerated}`));
  const away = el("button", { type: "button", "data-action": "understood", onclick: () => putAway(kind) }, "Understood");
  const shown = made({ "data-warning": kind }, FOLLOWS[kind] ?? "left", told, away);
  warnings.set(kind, shown);
  byId("warnings").prepend(shown.item);
  shown.countdown.left(left_s);
  byId("warningNews").textContent = [text, tolerated].filter(Boolean).join(" ");
  look();
}

/** @param {any} status */
export function showAsked({ state, lockdown }) {
  const now = lockdown?.asked ?? [];
  for (const program of asked.keys())
    if (!now.some((/** @type {any} */ each) => each.program === program)) drop(asked, program);
  for (const each of now) ask(each);
  if (OVER.includes(state)) forgetWarnings();
  look();
}

/** What was warned of is over with the test. */
export function forgetWarnings() {
  for (const kind of [...warnings.keys()]) drop(warnings, kind);
  byId("warningNews").textContent = "";
  look();
}

/** @param {any} each */
function ask({ program, category, left_s }) {
  const shown = asked.get(program) ?? added(program, category, left_s !== null);
  shown.countdown.left(left_s);
}

/** @param {string} program @param {string} category @param {boolean} closes */
function added(program, category, closes) {
  const what = category ? ` (${words(category)})` : "";
  const then = closes ? " Otherwise it is closed for you, and what is not saved in it may be lost." : "";
  const told = el(
    "p",
    {},
    el("strong", {}, `Please close ${program}`),
    `${what}: it is not allowed during the test. Save your work in it first.${then}`,
  );
  const shown = made({ "data-program": program }, "until it is closed for you", told);
  asked.set(program, shown);
  byId("asked").append(shown.item);
  return shown;
}

/** @param {Record<string, string>} attributes @param {string} follows @param {...Node} children @returns {Shown} */
function made(attributes, follows, ...children) {
  const seconds = el("span", { class: "number", role: "timer", "aria-live": "off", "data-part": "left" });
  const left = el("p", { class: "left", hidden: true }, seconds, el("span", { class: "hint" }, follows));
  const countdown = new Countdown((shown) => {
    left.hidden = shown === null;
    seconds.textContent = shown === null ? "" : duration(shown);
    seconds.dataset.seconds = shown ?? "";
  });
  return { item: el("li", attributes, children[0], left, ...children.slice(1)), countdown };
}

/** The focus does not fall out of the page with the button that had it. @param {string} kind */
function putAway(kind) {
  drop(warnings, kind);
  look();
  if (byId("alerts").hidden) byId(byId("pauseLayer").hidden ? "lockdownTitle" : "pauseTitle").focus();
  else byId("alerts").focus();
}

/** @param {Map<string, Shown>} all @param {string} name */
function drop(all, name) {
  const shown = all.get(name);
  if (!shown) return;
  shown.countdown.left(null);
  shown.item.remove();
  all.delete(name);
}

function look() {
  byId("alerts").hidden = !warnings.size && !asked.size;
}
