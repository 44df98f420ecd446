// @ts-check
/* How the computer was locked: each rule as it stood last, the secure browser, leaving the exam window, and the attestations. */

import { byId, duration, el, lasting, table, words } from "./dom.js";
import { browserName, inOrder, PHASES, phaseName, PROOFS, ruleName, RULES, standingName, stopsStart } from "./lockdown.js";

/** A report before schema 3 has none. @param {any} report */
export function showLockdown({ lockdown, running_s, events }) {
  const there = Boolean(lockdown) && (lockdown.phase !== "off" || lockdown.rules.length > 0);
  byId("lockdown").hidden = !there;
  if (!there) return;
  const { phase, rules, browser } = lockdown;
  byId("lockdown").dataset.phase = phase;
  byId("lockdownSummary").textContent = `${phaseName(phase)}: ${PHASES[phase]?.meaning ?? ""}`;
  byId("lockdownFacts").replaceChildren(...facts(lockdown, running_s));
  byId("browser").hidden = !browser;
  byId("browser").replaceChildren(...(browser ? secureBrowser(browser) : []));
  byId("rules").replaceChildren(rules.length ? ruleTable(rules, events) : "");
}

/** @param {any} lockdown @param {number} running */
function facts({ rules, locked_s, away, away_s, attested, missed_s }, running) {
  const sightings = rules.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.sightings, 0);
  const told = /** @type {[string, string, string][]} */ ([
    ["locked", "Locked", `${duration(locked_s)} of ${duration(running)} running`],
    ["away", "Left the exam window", away ? `${often(away)}, ${lasting(away_s)} altogether` : "never"],
    ["sightings", "Seen or stopped by the rules", often(sightings)],
    ["attested", "Attestations", attested ? `${attested} good` : "none"],
    ["missed", "Heard and not attested", missed_s ? lasting(Math.max(1, missed_s)) : "never"],
  ]);
  return told.map(([name, label, value]) => el("div", { "data-fact": name }, el("dt", {}, label), el("dd", {}, value)));
}

/** @param {number} times */
const often = (times) => (times === 0 ? "never" : times === 1 ? "once" : `${times} times`);

/** @param {any} browser */
function secureBrowser({ proof, path, why, started_agent, ...named }) {
  const notes = [path, PROOFS[proof]?.meaning, why, started_agent && "It started the agent."].filter(Boolean);
  byId("browser").dataset.proof = proof;
  return [
    el("span", { class: "mark", "data-mark": proof }, PROOFS[proof]?.name ?? words(proof)),
    ` ${browserName({ path, ...named })} `,
    el("span", { class: "hint told" }, notes.join(" · ")),
  ];
}

/** @param {any[]} rules @param {any[]} events */
function ruleTable(rules, events) {
  const shown = inOrder(rules);
  const rows = shown.map((each) => [
    el("span", { title: RULES[each.rule]?.meaning }, ruleName(each.rule)),
    el("span", { class: "standing", "data-standing": each.standing }, standingName(each.standing)),
    each.required ? "required" : "–",
    each.sightings ? String(each.sightings) : "–",
    notes(each, events),
  ]);
  const made = table("The rules of the lockdown", ["Rule", "Stood", "Required", "Seen or stopped", "Why"], rows);
  made.querySelectorAll("tbody tr").forEach((/** @type {HTMLElement} */ row, /** @type {number} */ i) => {
    const { rule, standing, required, overridden, sightings } = shown[i];
    Object.assign(row.dataset, { rule, standing, required, overridden, sightings, stops: stopsStart(shown[i]) });
  });
  return made;
}

/** @param {any} status @param {any[]} events */
function notes({ rule, why, overridden }, events) {
  if (!overridden) return why || "–";
  return el("span", {}, why, overriding(rule, events));
}

/** Who let the exam go on without it, and why. @param {string} rule @param {any[]} events */
function overriding(rule, events) {
  const told = events.findLast(({ kind, detail }) => kind === "rule_overridden" && detail?.rule === rule);
  const { by, reason } = told?.detail ?? {};
  return el("span", { class: "told" }, `Overridden${by ? ` by ${by}` : ""}${reason ? `: “${reason}”` : ""}`);
}
