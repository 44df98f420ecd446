// @ts-check
/*
 * The demo page: each call of secureproctor.js behind a button, for integrators to try and to copy from.
 *
 * Element ids, stable for automation:
 *   form     #publicKey #privateKey #scheme · #userId #groupName #userName #userEmail · #screenCapture #recording
 *            #audioProctoring #authorization #expiryTime #pauseResume #initialStatePaused #initialStateRunning
 *            #captureWhilePaused #endTest #msb #msbKey · #navigationControl #skipId #skipIdAndPhoto #candidatePhotoUrl
 *            each #<id>-hint and #<id>-error; badges are [data-not-enforced=<id>]
 *   calls    #init #checkSystem #start #stop #reportUrl #reportJson #listenError #listenChat #listenEvents (aria-pressed)
 *            #autoAcknowledge (switch) #pauseAck #resumeAck #endAck #chatText #chatSend; a running call's button is aria-busy
 *   outputs  #consoleRequest #consoleSignature #consoleToken #consoleError (data-code) #consoleChat #log #checks
 *            (rows [data-check][data-status]) #reportLink #reportText #request (data-id, data-kind) #conversation
 *   status   #state (data-state, data-session) #capturing, and what demo-outlook.js names
 *   pause    #pauseLayer holds #talk while the test is paused; #pausedStop
 *
 * The form can be filled by the page's query, by ids (`?userId=...&screenCapture=0`); the private key only by the fragment
 * (`#privateKey=...`), which browsers do not send. `?agent=ws://127.0.0.1:PORT/v1/page` names another agent on this computer.
 */

import { byId, clock, el, table, words } from "./dom.js";
import { entryOf, initBody, mark, prefill, render, reportParameters, signer, validate } from "./demo-form.js";
import { forget, showOutlook } from "./demo-outlook.js";
import { commandName, stateName, streamName } from "./states.js";

const { SecureProctor, SecureProctorError } = globalThis;
const LOG_LENGTH = 300;

const place = new URLSearchParams(location.search);
render(byId("form"));
prefill(place);
takePrivateKey();
const proctor = connect();

/** What each button does. */
const CALLS = {
  init: register,
  checkSystem: async () => showChecks(await proctor.checkSystem()),
  start: () => proctor.start(),
  stop: () => proctor.stop(),
  pausedStop: () => proctor.stop(),
  reportUrl: () => report("url"),
  reportJson: () => report("json"),
  pauseAck: () => acknowledge("pause"),
  resumeAck: () => acknowledge("resume"),
  endAck: () => acknowledge("end"),
};

/** What each listener button registers, and with its second press removes. */
const LISTENERS = {
  listenError: { error: showError },
  listenChat: { chat: (/** @type {any} */ message) => chatLine("Proctor", message.text) },
  listenEvents: { pause: logRequest, resume: logRequest, end: logRequest },
};

for (const [id, call] of Object.entries(CALLS)) byId(id).addEventListener("click", () => run(byId(id), call));
for (const [id, listeners] of Object.entries(LISTENERS))
  byId(id).addEventListener("click", () => toggle(byId(id), listeners));
byId("form").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
byId("chatForm").addEventListener("submit", say);
byId("autoAcknowledge").addEventListener("change", switchAcknowledgement);

new ResizeObserver(([{ target }]) => document.body.style.setProperty("--head", `${target.clientHeight}px`)).observe(
  byId("bar"),
);
proctor.setListener("status", showStatus);
proctor.setListener("connection", ({ connected }) => showConnection(connected));
proctor.setListener("chat", (message) => bubble("proctor", message.text, message.at_ms));
for (const kind of /** @type {const} */ (["pause", "resume", "end"])) proctor.setListener(kind, showRequest);
proctor.hello().catch(agentMissing);

function takePrivateKey() {
  // "+" is a sign of base64 keys here, not a space
  const key = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("privateKey");
  if (!key) return;
  byId("privateKey").value = key;
  history.replaceState(null, "", location.pathname + location.search); // out of the address bar and the history
}

function connect() {
  const agentUrl = place.get("agent") ?? undefined;
  try {
    return new SecureProctor({ agentUrl });
  } catch (error) {
    showError(error);
    return new SecureProctor();
  }
}

/** @param {HTMLButtonElement} button @param {() => Promise<unknown>} call */
async function run(button, call) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  showError(null);
  try {
    const result = await call();
    if (result !== false) log("call", `${button.textContent}: done`);
  } catch (error) {
    showError(error);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

async function register() {
  if (!validate()) return false;
  const body = JSON.stringify(initBody());
  const request = await signing().signRequest({ ...signer(), endpoint: address("v1/init"), body });
  showRequestSent(body, request);
  byId("consoleToken").textContent = "";
  const registered = await proctor.init(request);
  byId("consoleToken").textContent = registered.token;
  for (const id of registered.not_enforced) log("note", `“${words(id)}” was asked for and is not yet enforced.`);
  return registered;
}

/** @param {"url" | "json"} format */
async function report(format) {
  if (!validate()) return false;
  const parameters = reportParameters(format);
  const query = await signing().signQuery({ ...signer(), endpoint: address("v2/report/"), parameters });
  showRequestSent(JSON.stringify(query.query), query);
  const answer = await proctor.report(query);
  showReport(answer);
  return answer;
}

/** @param {any} answer */
function showReport({ data, report }) {
  byId("reportResult").hidden = !/^https?:/.test(data.url);
  byId("reportLink").href = data.url;
  byId("reportLink").textContent = data.url;
  byId("reportDetails").hidden = !report;
  byId("reportText").textContent = report ? JSON.stringify(report, null, 2) : "";
}

function signing() {
  if (SecureProctor.signing) return SecureProctor.signing;
  throw new SecureProctorError({
    code: "signing_missing",
    message: "signing.js is not loaded.",
    remedy: "Reload this page.",
  });
}

/** @param {string} path */
const address = (path) => new URL(path, document.baseURI).href;

/** @param {string} text @param {{authorization?: string, query?: Record<string, string>}} signed */
function showRequestSent(text, signed) {
  byId("consoleRequest").textContent = text;
  byId("consoleSignature").textContent = signed.authorization || signed.query?.asgn || "";
}

/** @param {"pause" | "resume" | "end"} kind */
async function acknowledge(kind) {
  const shown = byId("request");
  const id = shown.dataset.kind === kind ? shown.dataset.id : "";
  await proctor[`${kind}Ack`](id);
  if (shown.dataset.kind === kind) shown.hidden = true;
}

async function switchAcknowledgement() {
  const box = byId("autoAcknowledge");
  try {
    await proctor.enableAutoAcknowledgement(box.checked);
    log("call", `Auto Acknowledgement: ${box.checked ? "on" : "off"}`);
  } catch (error) {
    box.checked = !box.checked;
    showError(error);
  }
}

/** @param {Event} event */
async function say(event) {
  event.preventDefault();
  const input = byId("chatText");
  const text = input.value.trim();
  if (!text) return;
  try {
    await proctor.sendMessage(text);
    input.value = "";
    bubble("candidate", text, Date.now());
    if (byId("listenChat").getAttribute("aria-pressed") === "true") chatLine("You", text);
  } catch (error) {
    showError(error);
  }
}

/** @param {HTMLButtonElement} button @param {Record<string, any>} listeners */
function toggle(button, listeners) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  for (const [kind, listener] of Object.entries(listeners)) {
    if (on) proctor.setListener(/** @type {any} */ (kind), listener);
    else proctor.removeListener(/** @type {any} */ (kind), listener);
  }
  log("listener", `${button.textContent}: ${on ? "listening" : "not listening"}`);
}

/** @param {any} error an error, or null to clear */
function showError(error) {
  const output = byId("consoleError");
  const { code = "", number = "", message = "", remedy = "", field = "" } = error ?? {};
  output.dataset.code = code;
  output.textContent = error ? [number ? `${code} (${number})` : code, message, remedy].filter(Boolean).join("\n") : "";
  if (error) log("error", `${code}: ${message}`);
  const entry = entryOf(field);
  if (byId(`${entry}-error`)) mark(entry, message);
}

/** @param {any} results */
function showChecks({ ok, checks }) {
  const rows = checks.map((/** @type {any} */ { name, status, seen, remedy }) => [
    name,
    el("span", { class: "mark", "data-mark": status }, words(status)),
    seen,
    remedy || "–",
  ]);
  const results = table("System check", ["Check", "Result", "What was seen", "What to do"], rows);
  results.querySelectorAll("tbody tr").forEach((/** @type {HTMLElement} */ row, /** @type {number} */ i) => {
    Object.assign(row.dataset, { check: checks[i].id, status: checks[i].status });
  });
  byId("checks").replaceChildren(
    el("p", {}, ok ? "All is ready." : "Something needs your attention before Start."),
    results,
  );
}

/** @param {any} status */
function showStatus(status) {
  const state = byId("state");
  if (state.dataset.state !== status.state)
    log("state", stateName(status.state) + (status.end_reason ? ` (${words(status.end_reason)})` : ""));
  state.textContent = stateName(status.state) + (status.end_reason ? `: ${words(status.end_reason)}` : "");
  Object.assign(state.dataset, { state: status.state, session: status.session_id });
  showCapturing(status);
  showOutlook(status);
  byId("autoAcknowledge").checked = status.auto_acknowledgement;
  pause(status.paused);
}

/** @param {any} status */
function showCapturing({ capturing, test_sources }) {
  const names = capturing.map(
    (/** @type {string} */ each) => streamName(each) + (test_sources.includes(each) ? " (test source)" : ""),
  );
  byId("capturing").textContent = names.join(", ") || "Nothing";
  byId("capturing").dataset.on = String(names.length > 0);
}

/** @param {any} error */
function agentMissing(error) {
  showError(error);
  byId("state").textContent = "No agent on this computer yet";
}

/** @param {boolean} connected */
function showConnection(connected) {
  log("agent", connected ? "The agent is connected." : "The agent is away; this page reconnects by itself.");
  if (connected) return;
  byId("state").textContent = "The agent is away";
  byId("state").dataset.state = "";
  forget();
  byId("capturing").textContent = "Not known";
}

/** Cover the exam, and keep what the candidate may need: the conversation and the acknowledgements. @param {boolean} paused */
function pause(paused) {
  const layer = byId("pauseLayer");
  if (layer.hidden !== paused) return;
  byId(paused ? "pausePlace" : "talkPlace").append(byId("talk"));
  layer.hidden = !paused;
  byId("exam").inert = paused;
  document.body.classList.toggle("paused", paused);
  if (paused) byId("pauseTitle").focus();
}

/** @param {any} request */
function showRequest({ kind, id, text, acknowledged }) {
  const shown = byId("request");
  const name = commandName(kind);
  const next = acknowledged ? "acknowledged" : `please confirm with ${name} Ack`;
  shown.textContent = `${name}${text ? ` – “${text}”` : ""}: ${next}`;
  shown.hidden = false;
  Object.assign(shown.dataset, { kind, id });
  byId("pauseText").textContent = kind === "pause" ? text : "";
  byId("pauseText").hidden = kind !== "pause" || !text;
}

/** @param {any} request */
function logRequest({ kind, text, acknowledged }) {
  log(kind, `${commandName(kind)} request${text ? `: ${text}` : ""}${acknowledged ? " (acknowledged)" : ""}`);
}

/** @param {string} who @param {string} text */
function chatLine(who, text) {
  byId("consoleChat").append(el("span", {}, `${clock(Date.now())} ${who}: ${text}\n`));
}

/** @param {"proctor" | "candidate"} sender @param {string} text @param {number} at */
function bubble(sender, text, at) {
  const who = sender === "proctor" ? "Proctor" : "You";
  byId("conversation").append(
    el("li", { "data-sender": sender }, el("span", { class: "hint" }, `${who}, ${clock(at)}`), text),
  );
  byId("conversation").scrollTop = byId("conversation").scrollHeight;
}

/** @param {string} kind @param {string} text */
function log(kind, text) {
  const list = byId("log");
  list.append(el("li", { "data-kind": kind }, el("time", {}, clock(Date.now())), ` ${text}`));
  if (list.children.length > LOG_LENGTH) list.firstElementChild.remove();
  list.scrollTop = list.scrollHeight;
}
