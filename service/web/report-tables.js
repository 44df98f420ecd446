// @ts-check
/* The report in words: who, the verdict, and a table for each kind of thing that it holds (contract/report.py). */

import { entryOf, FIELDS } from "./demo-form.js";
import { byId, bytes, clock, dateTime, duration, el, table, words } from "./dom.js";
import { sentence } from "./incidents.js";
import { phaseName, RULES } from "./lockdown.js";
import { lockdownSentence } from "./lockdown-events.js";
import { argumentName, commandName, flagName, stateName, statusName, streamName } from "./states.js";
import { identityLine, showIdentity } from "./report-identity.js";
import { showLockdown } from "./report-lockdown.js";

/** @typedef {(session: number) => void} Seek */

/** A setting that is longer is shown by its beginning: an MSB Key is thousands of letters. */
const LONGEST = 80;

/** @type {Record<string, string>} */
const LOOKS = { high: "good", medium: "middling", low: "poor" };

/** Findings that accuse nobody (contract/report.py). */
const BLAMELESS = ["unreadable", "spoilt"];

/** Who saw it. @type {Record<string, string>} */
const WITNESSES = {
  agent: "Found by the agent on the candidate's disk.",
  upload: "Refused by the service when it was offered.",
  chain: "The records beside it name another one.",
  head: "The agent had announced another one.",
  record: "It does not open.",
  coverage: "There is time without a record, and no cause is known.",
  store: "Found on the service's own disk.",
};

/** @param {any} report @param {Seek} seek is called with the session time of a row that was pressed */
export function showTables(report, seek) {
  showWho(report);
  showIntegrity(report);
  showVerdict(report);
  showIdentity(report);
  showCoverage(report, seek);
  showLockdown(report);
  showFlags(report, seek);
  showCommands(report);
  showChat(report);
  showChains(report);
  showSettings(report);
  showEvents(report, seek);
}

/** @param {any} report */
function showWho(report) {
  const who = report.user_name || report.user_id;
  document.title = `${who} – SecureProctor Report`;
  byId("who").textContent = who;
  facts({
    "User ID": report.user_id,
    Group: report.group_name,
    "E-mail": report.user_email || "–",
    State: stateName(report.state) + (report.end_reason ? `: ${words(report.end_reason)}` : ""),
    Registered: dateTime(report.registered_ms),
    Started: dateTime(report.started_ms),
    Ended: dateTime(report.ended_ms),
    Running: duration(report.running_s),
    "Session expiry": duration(report.expiry_s),
    Identity: identityLine(report.identity),
    Lockdown: phaseName(report.lockdown?.phase ?? "off"),
  });
}

/** @param {Record<string, string>} entries */
function facts(entries) {
  byId("facts").replaceChildren(
    ...Object.entries(entries).map(([term, text]) => el("div", {}, el("dt", {}, term), el("dd", {}, text))),
  );
}

/** What was done to the evidence, before all else: it bears on whether the rest can be believed. @param {any} report */
function showIntegrity({ tampering = [] }) {
  const guilty = tampering.filter((/** @type {any} */ { kind }) => !BLAMELESS.includes(kind)).length;
  byId("integrity").hidden = !tampering.length;
  byId("integrity").dataset.findings = guilty;
  byId("integritySummary").textContent = guilty
    ? "Evidence is not as the agent made it. What was found, and by whom:"
    : "Some evidence was damaged. Nothing says that anybody did it on purpose.";
  byId("tampering").replaceChildren(...tampering.map(finding));
}

/** @param {any} finding */
function finding({ kind, stream, source, sentence: told }) {
  return el(
    "li",
    { "data-kind": kind, "data-stream": stream },
    el("span", { class: "mark", "data-mark": BLAMELESS.includes(kind) ? "warned" : "failed" }, words(kind)),
    el("strong", {}, ` ${streamName(stream)} `),
    `${told} `,
    el("span", { class: "hint" }, WITNESSES[source] ?? words(source ?? "")),
  );
}

/** @param {any} report */
function showVerdict(report) {
  const { score, band, computed } = report.credibility;
  Object.assign(byId("verdict").dataset, { band, score });
  const how = computed.length ? computed : ["Nothing was deducted."];
  byId("verdict").replaceChildren(
    el("div", { class: `band ${LOOKS[band.toLowerCase()] ?? ""}` }, `${words(band)} · ${Math.round(score)} of 100`),
    el("ul", { "aria-label": "How it was computed" }, ...how.map((/** @type {string} */ line) => el("li", {}, line))),
  );
}

/** @param {any} report @param {Seek} seek */
function showCoverage(report, seek) {
  const rows = report.streams.map(
    (/** @type {any} */ { stream, coverage_pct, covered_s, segments, bytes: size, codec }) => [
      streamName(stream),
      `${coverage_pct.toFixed(1)} %`,
      duration(covered_s),
      String(segments),
      bytes(size),
      codec || "–",
    ],
  );
  const gaps = report.gaps.map((/** @type {any} */ { stream, start_s, end_s, cause }) => [
    streamName(stream),
    seekButton(start_s, seek),
    duration(end_s),
    `${(end_s - start_s).toFixed(1)} s`,
    words(cause),
  ]);
  byId("coverage").replaceChildren(
    table("Coverage", ["Stream", "Coverage", "Covered", "Segments", "Size", "Codec"], rows),
    ...(gaps.length ? [el("h3", {}, "Gaps"), table("Gaps", ["Stream", "From", "To", "Length", "Cause"], gaps)] : []),
  );
}

/** @param {number} session @param {Seek} seek */
function seekButton(session, seek) {
  const attributes = {
    type: "button",
    class: "seek",
    "data-seek": session,
    "aria-label": `Go to ${duration(session)}`,
  };
  return el("button", { ...attributes, onclick: () => seek(session) }, duration(session));
}

/** @param {string} id @param {string} caption @param {string[]} columns @param {(Node | string)[][]} rows */
function listing(id, caption, columns, rows) {
  byId(id).replaceChildren(rows.length ? table(caption, columns, rows) : el("p", { class: "hint" }, "None."));
}

/** @param {any} report @param {Seek} seek */
function showFlags(report, seek) {
  const rows = report.flags.map((/** @type {any} */ { flag, start_s, end_s, confidence, evidence, note }) => [
    flagName(flag),
    seekButton(start_s, seek),
    duration(end_s),
    `${Math.round(confidence * 100)} %`,
    evidence.map((/** @type {number} */ i) => `${i}: ${words(report.events[i]?.kind ?? "?")}`).join(", ") || "–",
    note || "–",
  ]);
  listing("flags", "Flags", ["Flag", "From", "To", "Confidence", "Events", "Note"], rows);
}

/** @param {any} report */
function showCommands(report) {
  const rows = report.commands.map((/** @type {any} */ each) => [
    whatWasOrdered(each),
    el("span", { class: "mark", "data-mark": each.status }, statusName(each.status)),
    `${clock(each.issued_ms)}${by(each.issued_by)}`,
    clock(each.received_ms),
    clock(each.applied_ms),
    acknowledgement(each),
    each.reason || "–",
  ]);
  listing(
    "commands",
    "Proctor's commands",
    ["Command", "Status", "Issued", "Received", "In effect", "Acknowledged", "Reason"],
    rows,
  );
}

/** @param {any} command */
function whatWasOrdered({ kind, argument, text }) {
  const name = argument ? `${commandName(kind)}: ${argumentName(argument)}` : commandName(kind);
  return el("span", {}, name, text ? el("span", { class: "told hint" }, `“${text}”`) : null);
}

/** It may have come after the proctor was told of its lack. @param {any} command */
function acknowledgement({ acknowledged_ms, acknowledged_by, unacknowledged_ms }) {
  const late = unacknowledged_ms ? `not by ${clock(unacknowledged_ms)}` : "";
  if (!acknowledged_ms) return late || "–";
  return `${clock(acknowledged_ms)}${by(acknowledged_by)}${late ? ` (${late})` : ""}`;
}

/** @param {string | undefined} name */
const by = (name) => (name ? ` by ${name}` : "");

/** @param {any} report */
function showChat(report) {
  const lines = report.chat.map((/** @type {any} */ message) => {
    const { sender, text, at_ms, by: name, delivered_ms, read_ms } = message;
    const mark = read_ms ? "read" : delivered_ms ? "delivered" : "sent";
    const when = read_ms ?? delivered_ms;
    return el(
      "li",
      { "data-sender": sender, "data-mark": mark },
      el("span", { class: "hint" }, `${sender === "proctor" ? name || "Proctor" : "Candidate"}, ${clock(at_ms)}`),
      text,
      el("span", { class: "hint tick" }, when ? `${mark} ${clock(when)}` : mark),
    );
  });
  byId("chat").replaceChildren(...(lines.length ? lines : [el("p", { class: "hint" }, "Nobody wrote.")]));
}

/** @param {any} report */
function showChains(report) {
  byId("chains").dataset.verified = String(report.verified);
  const rows = report.chains.map((/** @type {any} */ { stream, records, verified, head, faults, waiting = [] }) => [
    streamName(stream),
    verdict(verified, faults),
    String(records),
    [...faults, ...waiting].join("; ") || "–",
    head || "–",
  ]);
  byId("chains").replaceChildren(
    el("p", {}, chainSummary(report)),
    table(
      "Chain of evidence",
      ["Stream", "Chain", "Records", "Faults, and what has not arrived yet", "Head (SHA-256)"],
      rows,
    ),
  );
}

/** @param {any} report */
function chainSummary({ verified, chains }) {
  if (verified) return "Every record follows from the one before it, up to the last that the agent announced.";
  return chains.some((/** @type {any} */ { faults }) => faults.length)
    ? "The chain does not hold everywhere; the faults are listed."
    : "Not all records have arrived yet, so the chain is not verified; no fault was found.";
}

/** @param {boolean} verified @param {string[]} faults */
function verdict(verified, faults) {
  const said = verified ? "verified" : faults.length ? "broken" : "incomplete";
  return el("span", { class: "mark", "data-mark": said }, said);
}

/** What the form does not ask for, of contract.lockdown.LockdownSettings. @type {Record<string, string>} */
const LOCKDOWN_SETTINGS = {
  off: "Rules left out",
  programPatienceS: "Seconds to close a program",
  allowedPrograms: "Programs allowed",
  forbiddenPrograms: "Programs forbidden besides the list",
  displays: "Displays allowed",
};

/** As the form says it. @param {string} path */
function settingName(path) {
  const name = path.replace(/^lockdown\./, "");
  if (name in LOCKDOWN_SETTINGS) return LOCKDOWN_SETTINGS[name];
  const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return FIELDS.find((field) => field.id === entryOf(name))?.label ?? spaced[0].toUpperCase() + spaced.slice(1);
}

/** One within another, as the lockdown's, is told under its own name. @param {[string, any][]} settings @returns {[string, any][]} */
const flat = (settings) =>
  settings.flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value) ? flat(Object.entries(value)) : [[name, value]],
  );

/** @param {any} value */
function settingValue(value) {
  if (typeof value === "boolean") return value ? "on" : "off";
  const told = Array.isArray(value) ? value.map((each) => RULES[each]?.name ?? each).join(", ") : String(value ?? "");
  return told.length > LONGEST ? `${told.slice(0, LONGEST)} …` : told || "–";
}

/** @param {any} report */
function showSettings(report) {
  const { msb, navigationControl } = report.settings;
  const asked = Object.entries(report.settings).filter(([name]) => name !== "lockdown" || msb || navigationControl);
  const rows = flat(asked).map(([name, value]) => [
    settingName(name),
    settingValue(value),
    report.not_enforced.includes(name)
      ? el("span", { class: "badge", "data-not-enforced": name }, "not yet enforced")
      : "",
  ]);
  byId("settings").replaceChildren(table("Settings", ["Setting", "Value", "Note"], rows));
}

/** @param {any} report @param {Seek} seek */
function showEvents(report, seek) {
  const rows = report.events.map((/** @type {any} */ event, /** @type {number} */ i) => [
    String(i),
    seekButton(event.at_s, seek),
    event.until_s === null ? "–" : duration(event.until_s),
    clock(event.at_ms),
    words(event.kind),
    event.stream ? streamName(event.stream) : "–",
    sentence(event) || lockdownSentence(event) || told(event.detail),
  ]);
  listing("events", "Events", ["No.", "At", "Until", "Clock", "Event", "Stream", "Detail"], rows);
}

/** @param {Record<string, any>} detail */
const told = (detail) =>
  Object.entries(detail ?? {})
    .map(([name, value]) => `${words(name)}: ${value}`)
    .join(", ") || "–";
