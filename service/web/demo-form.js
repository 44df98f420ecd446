// @ts-check
/* The demo's form as one table: what is asked, in whose words, what makes it valid, and how it becomes the body of Init. */

import { byId, el } from "./dom.js";
import { RULES } from "./lockdown.js";

/** The switches of which each locks the exam (contract.http.ProctoringSettings.locked). */
const LOCKS = ["navigationControl", "msb"];

/**
 * One entry. `needs` are the switches of which one must be on for it to have a meaning: it is disabled otherwise. `invalid` says in
 * a sentence what is wrong with a non-empty value, or nothing.
 * @typedef {"text" | "password" | "email" | "url" | "number" | "check" | "radio" | "area" | "select"} Kind
 * @typedef {{id: string, label: string, kind: Kind, options?: Record<string, string>, hint?: string, required?: boolean,
 *            value?: string | boolean, group?: string, needs?: string[], limit?: number, unit?: string,
 *            range?: [number, number], invalid?: (value: string) => string}} Field
 */

/** @type {[title: string, note: string, fields: Field[]][]} */
export const GROUPS = [
  [
    "Signature",
    "For trying out only: an exam signs on its own server, and its private key never reaches a page.",
    [
      { id: "publicKey", label: "Public Key", kind: "text", required: true },
      {
        id: "privateKey",
        label: "Private Key",
        kind: "password",
        required: true,
        limit: 4096,
        hint: "Stays in this page; it is not sent.",
      },
      {
        id: "scheme",
        label: "Signature scheme",
        kind: "select",
        hint: "Either the exact body is signed, or the parameters with a time stamp that is valid for 24 hours.",
        options: {
          body: "Body (Authorization header)",
          parameters: "Parameters (ak, ts, asgn)",
        },
      },
    ],
  ],
  [
    "Parameters",
    "Who takes the test.",
    [
      { id: "userId", label: "User ID", kind: "text", required: true },
      { id: "groupName", label: "Group Name", kind: "text", required: true },
      { id: "userName", label: "User Name", kind: "text" },
      { id: "userEmail", label: "User Email", kind: "email", invalid: emailFault },
    ],
  ],
  [
    "Proctoring Settings",
    "",
    [
      {
        id: "screenCapture",
        label: "Screen Capture",
        kind: "check",
        value: true,
        hint: "The test taker's screen is captured.",
      },
      {
        id: "recording",
        label: "Recording On",
        kind: "check",
        value: true,
        hint: "The whole session is recorded and available in the report. Off: evidence serves the live view only.",
      },
      {
        id: "audioProctoring",
        label: "Audio Proctoring",
        kind: "check",
        value: true,
        hint: "The test taker's microphone is captured, so that noises and other voices in the room can be heard.",
      },
      {
        id: "authorization",
        label: "Authorization On",
        kind: "check",
        hint: "A proctor authorizes the test taker by hand before the start.",
      },
      {
        id: "expiryTime",
        label: "Session Expiry Time",
        kind: "number",
        value: "300",
        unit: "seconds",
        range: [10, 86400],
        invalid: expiryFault,
        hint:
          "How long the internet connection may be gone. If the test taker does not restore it within this time, " +
          "the session ends. 10 to 86400 seconds.",
      },
      {
        id: "pauseResume",
        label: "Pause/Resume test on",
        kind: "check",
        value: true,
        hint: "The proctor may pause and resume the test.",
      },
      {
        id: "initialStatePaused",
        label: "Initial State: Paused",
        kind: "radio",
        group: "initialState",
        needs: ["pauseResume"],
        hint: "The test waits until the proctor resumes it.",
      },
      {
        id: "initialStateRunning",
        label: "Initial State: Running",
        kind: "radio",
        group: "initialState",
        needs: ["pauseResume"],
        value: true,
      },
      {
        id: "captureWhilePaused",
        label: "Capture while paused",
        kind: "check",
        value: true,
        needs: ["pauseResume"],
        hint: "Evidence goes on while the test is paused.",
      },
      { id: "endTest", label: "End test on", kind: "check", value: true, hint: "The proctor may end the test." },
      {
        id: "msb",
        label: "MSB",
        kind: "check",
        hint:
          "The exam is taken in the secure browser, which locks the candidate's system down while the test runs: " +
          "leaving the test window and opening other resources are prevented.",
      },
      {
        id: "msbKey",
        label: "MSB Key",
        kind: "area",
        required: true,
        needs: ["msb"],
        limit: 16384,
        hint: "Made in advance by the client; it holds all the test settings that the client chose.",
      },
    ],
  ],
  [
    "Advanced Settings",
    "",
    [
      {
        id: "navigationControl",
        label: "Enable Navigation Control",
        kind: "check",
        hint: "The agent locks the candidate's system down while the test runs, in any browser.",
      },
      { id: "skipId", label: "Skip ID", kind: "check", hint: "Authorization without a picture of an ID card." },
      {
        id: "skipIdAndPhoto",
        label: "Skip ID and Photo",
        kind: "check",
        hint: "Authorization without a picture of ID card or candidate.",
      },
      {
        id: "candidatePhotoUrl",
        label: "Candidate Photo URL",
        kind: "url",
        limit: 2048,
        invalid: urlFault,
        hint: "Where the client keeps a photo of the candidate, for authorization and to notice impersonation.",
      },
    ],
  ],
  [
    "Lockdown",
    "How strictly Navigation Control and MSB lock; an MSB Key can only add to it.",
    [
      {
        id: "lockdownRequired",
        label: "Required rules",
        kind: "text",
        needs: LOCKS,
        limit: 1024,
        invalid: rulesFault,
        hint: `Without these the test does not start, unless a proctor overrides. Ids with commas between: ${Object.keys(RULES).join(", ")}.`,
      },
      {
        id: "browsingTolerance",
        label: "Browsing tolerance",
        kind: "number",
        needs: LOCKS,
        unit: "times",
        range: [0, 1000],
        invalid: toleranceFault,
        hint: "How often the test taker may leave the test window. Empty: as often as they like.",
      },
      {
        id: "beyondTolerance",
        label: "Beyond the tolerance",
        kind: "select",
        needs: LOCKS,
        options: { record: "It is on the record", pause: "The test is paused", end: "The test ends" },
      },
      {
        id: "programsPolicy",
        label: "Forbidden programs",
        kind: "select",
        needs: LOCKS,
        options: {
          close: "Asked to be closed, then closed",
          ask: "Asked to be closed",
          observe: "On the record",
        },
      },
      {
        id: "whilePaused",
        label: "While the test is paused",
        kind: "select",
        needs: LOCKS,
        options: { kept: "The computer stays locked", lifted: "The computer is given back" },
      },
    ],
  ],
];

/** @type {Field[]} */
export const FIELDS = GROUPS.flatMap(([, , fields]) => fields);

/** @param {string} value */
function emailFault(value) {
  return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value) ? "" : "Write the e-mail address in the form name@example.com.";
}

/** @param {string} value */
function expiryFault(value) {
  const whole = /^\d+$/.test(value) && Number(value) >= 10 && Number(value) <= 86400;
  return whole ? "" : "Give a whole number of seconds from 10 to 86400.";
}

/** @param {string} value */
function toleranceFault(value) {
  return /^\d+$/.test(value) && Number(value) <= 1000 ? "" : "Give a whole number from 0 to 1000, or nothing.";
}

/** @param {string} value */
function rulesFault(value) {
  const unknown = listed(value).filter((rule) => !Object.hasOwn(RULES, rule));
  return unknown.length ? `There is no rule ${unknown.join(", ")}.` : "";
}

/** @param {string} value */
function urlFault(value) {
  const valid = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && !/\s/.test(value);
  return valid ? "" : "Give an address that begins with http:// or https://.";
}

/** What is wrong with a field now, as a sentence, or "". @param {Field} field */
export function fault(field) {
  const control = byId(field.id);
  if (control.disabled || field.kind === "check" || field.kind === "radio") return "";
  // a number that is none has an empty value, but it is not missing
  if (control.validity.badInput) return field.invalid?.("?") ?? "";
  const value = control.value.trim();
  if (!value) return field.required ? `Fill in ${field.label}.` : field.id === "expiryTime" ? expiryFault("") : "";
  const limit = field.limit ?? 256;
  if (value.length > limit) return `${field.label} may have ${limit} characters at most.`;
  return field.invalid?.(value) ?? "";
}

/** Show, or with "" clear, the sentence at a field. @param {string} id @param {string} sentence */
export function mark(id, sentence) {
  byId(`${id}-error`).textContent = sentence;
  byId(id).setAttribute("aria-invalid", String(Boolean(sentence)));
}

/** Check all, say at each field what is wrong, and go to the first such field. True when all is well. */
export function validate() {
  const faults = FIELDS.filter(hasSentence).map((field) => ({ id: field.id, sentence: fault(field) }));
  for (const { id, sentence } of faults) mark(id, sentence);
  const first = faults.find(({ sentence }) => sentence);
  if (first) byId(first.id).focus();
  return !first;
}

/** @param {Field} field */
const hasSentence = (field) => field.kind !== "check" && field.kind !== "radio";

/** What is written with commas between. @param {string} value */
const listed = (value) =>
  value
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);

/** @param {string} id */
const text = (id) => (byId(id).disabled ? "" : byId(id).value.trim());

/** @param {string} id */
const on = (id) => !byId(id).disabled && byId(id).checked;

/** contract.lockdown.LockdownSettings as the form says; what is not named keeps its default. */
function lockdown() {
  return {
    required: listed(text("lockdownRequired")),
    browsingTolerance: text("browsingTolerance") ? Number(text("browsingTolerance")) : null,
    beyondTolerance: text("beyondTolerance"),
    programs: text("programsPolicy"),
    whilePaused: text("whilePaused"),
  };
}

/** The body of Init (contract.http.InitBody) as the form says. */
export function initBody() {
  return {
    publicKey: text("publicKey"),
    userId: text("userId"),
    groupName: text("groupName"),
    proctoringSettings: {
      screenCapture: on("screenCapture"),
      recording: on("recording"),
      audioProctoring: on("audioProctoring"),
      authorization: on("authorization"),
      pauseResume: on("pauseResume"),
      initialState: on("initialStatePaused") ? "paused" : "running",
      endTest: on("endTest"),
      msb: on("msb"),
      msbKey: text("msbKey"),
      navigationControl: on("navigationControl"),
      skipId: on("skipId"),
      skipIdAndPhoto: on("skipIdAndPhoto"),
      candidatePhotoUrl: text("candidatePhotoUrl"),
      captureWhilePaused: byId("captureWhilePaused").checked,
      lockdown: LOCKS.some(on) ? lockdown() : {},
    },
    expiryTime: Number(text("expiryTime")),
    userMetaData: { name: text("userName"), email: text("userEmail") },
  };
}

/** The entry for a field that a refusal names by its path in Init's body. @param {string} path */
export function entryOf(path) {
  const name = path.split(".").at(-1)?.replace(/\[.*/, "") ?? "";
  const others = { name: "userName", email: "userEmail", required: "lockdownRequired", programs: "programsPolicy" };
  return /** @type {Record<string, string>} */ (others)[name] ?? name;
}

/** The four parameters of Report. @param {"url" | "json"} reportFormat */
export function reportParameters(reportFormat) {
  return { groupName: text("groupName"), publicKey: text("publicKey"), reportFormat, userId: text("userId") };
}

/** Who signs, and how. @returns {{publicKey: string, privateKey: string, scheme: "body" | "parameters"}} */
export function signer() {
  return { publicKey: text("publicKey"), privateKey: text("privateKey"), scheme: byId("scheme").value };
}

/** Fill fields by their ids; boxes and choices understand 1, true and on. @param {URLSearchParams} values */
export function prefill(values) {
  for (const field of FIELDS) {
    const value = values.get(field.id);
    if (value === null || field.id === "privateKey") continue;
    if (hasSentence(field)) byId(field.id).value = value;
    else byId(field.id).checked = ["1", "true", "on"].includes(value);
  }
  applyNeeds();
}

/** Put the form on the page. @param {HTMLFormElement} form */
export function render(form) {
  for (const [title, note, fields] of GROUPS) {
    form.append(
      el("fieldset", {}, el("legend", {}, title), note && el("p", { class: "hint" }, note), ...fields.map(row)),
    );
  }
  form.addEventListener("input", ({ target }) => recheck(/** @type {HTMLInputElement} */ (target).id));
  applyNeeds();
}

/** A sentence goes away as soon as what it says is mended; a new one waits for the next call. @param {string} id */
function recheck(id) {
  applyNeeds();
  const field = FIELDS.find((each) => each.id === id);
  if (field && hasSentence(field) && byId(id).getAttribute("aria-invalid") === "true") mark(id, fault(field));
}

function applyNeeds() {
  for (const { id, needs } of FIELDS) {
    if (!needs) continue;
    byId(id).disabled = !needs.some((each) => byId(each).checked);
    if (byId(id).disabled && byId(`${id}-error`)) mark(id, "");
  }
}

/** @param {Field} field */
function row(field) {
  const toggle = !hasSentence(field);
  const described = [field.hint && `${field.id}-hint`, !toggle && `${field.id}-error`].filter(Boolean).join(" ");
  const star = field.required ? el("span", { class: "star", "aria-hidden": "true" }, "*") : null;
  const caption = el("div", { class: "caption" }, el("label", { for: field.id }, field.label, star));
  const hint = field.hint ? el("p", { class: "hint", id: `${field.id}-hint` }, field.hint) : null;
  const input = control(field, described);
  if (toggle)
    return el("div", { class: field.group ? "field toggle sub" : "field toggle" }, input, el("div", {}, caption, hint));
  const entry = field.unit ? el("div", { class: "unit" }, input, el("span", {}, field.unit)) : input;
  return el(
    "div",
    { class: "field" },
    caption,
    entry,
    hint,
    el("p", { class: "fault", id: `${field.id}-error`, role: "alert" }),
  );
}

/** @param {Field} field @param {string} described */
function control({ id, kind, required, value, group, range, options = {} }, described) {
  const shared = {
    id,
    name: group ?? id,
    "aria-describedby": described || null,
    "aria-required": required ? "true" : null,
  };
  if (kind === "check") return el("input", { ...shared, type: "checkbox", checked: value });
  if (kind === "radio") return el("input", { ...shared, type: "radio", value: id, checked: value });
  if (kind === "area") return el("textarea", { ...shared, rows: 3, spellcheck: "false" });
  if (kind === "select")
    return el(
      "select",
      shared,
      ...Object.entries(options).map(([name, label]) => el("option", { value: name }, label)),
    );
  // no maxlength: it would cut off a pasted key without a word
  const numeric = range ? { min: range[0], max: range[1], step: 1, inputmode: "numeric" } : {};
  return el("input", { ...shared, ...numeric, type: kind, value, autocomplete: "off", spellcheck: "false" });
}
