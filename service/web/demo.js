// @ts-check
/*
 * The demo page: each call of secureproctor.js behind a button, for integrators to try and to copy from.
 *
 * Element ids, stable for automation:
 *   form     #publicKey #privateKey #scheme · #userId #groupName #userName #userEmail · #screenCapture #recording
 *            #audioProctoring #authorization #expiryTime #pauseResume #initialStatePaused #initialStateRunning
 *            #captureWhilePaused #endTest #msb #msbKey · #navigationControl #skipId #skipIdAndPhoto #candidatePhotoUrl ·
 *            #lockdownRequired #browsingTolerance #beyondTolerance #programsPolicy #whilePaused
 *            each #<id>-hint and #<id>-error
 *   calls    #init #checkSystem #start #stop #reportUrl #reportJson #attest #listenError #listenChat #listenEvents (aria-pressed)
 *            #autoAcknowledge (switch) #pauseAck #resumeAck #endAck #chatText #chatSend; a running call's button is aria-busy
 *   outputs  #consoleRequest #consoleSignature #consoleToken #consoleError (data-code) #consoleChat #log #checks
 *            (rows [data-check][data-status]) #reportLink #reportText #attestation (data-header, data-expires)
 *            #departed (rows [data-departed]) by #departedShow
 *   status   #state (data-state, data-session) #capturing #quality (data-level) #transport (data-transport), and what
 *            demo-outlook.js names; #holder with #takeOver, when another tab holds the session
 *   proctor  what demo-chat.js and demo-requests.js name
 *   lockdown what demo-lockdown.js and demo-warnings.js name
 *   pause    #pauseLayer holds #talk and #lockdown while the test is paused; #pausedStop
 *   desk     #desk holds the authorization desk: see authorization.js
 *
 * The form can be filled by the page's query, by ids (`?userId=...&screenCapture=0`); the private key only by the fragment
 * (`#privateKey=...`), which browsers do not send. `?agent=ws://127.0.0.1:PORT/v1/page` names another agent on this computer,
 * `?transport=native|loopback|auto` the way to it.
 */

import { byId, clock, el, table, words } from "./dom.js";
import { showAuthorization } from "./authorization.js";
import { Chat } from "./demo-chat.js";
import { showDeparted } from "./demo-departed.js";
import { entryOf, initBody, mark, prefill, render, reportParameters, signer, validate } from "./demo-form.js";
import { forgetLockdown, showLockdown } from "./demo-lockdown.js";
import { forget, showOutlook } from "./demo-outlook.js";
import { forgetRequest, requestId, showPending, showRequest } from "./demo-requests.js";
import { forgetWarnings, showAsked, showWarning } from "./demo-warnings.js";
import { commandName, stateName, streamName } from "./states.js";

const { SecureProctor, SecureProctorError } = globalThis;
const LOG_LENGTH = 300;
/** @type {Record<string, string>} */
const TRANSPORTS = { loopback: "WebSocket", native: "Extension" };
/** @type {Record<string, string>} */
const QUALITIES = { full: "Full", reduced: "Reduced", least: "Lowest" };

const place = new URLSearchParams(location.search);
render(byId("form"));
prefill(place);
takePrivateKey();
const proctor = connect();
const chat = new Chat(proctor);

/** What each button does. */
const CALLS = {
  init: register,
  checkSystem: async () => showChecks(await proctor.checkSystem()),
  start: () => proctor.start(),
  stop: () => proctor.stop(),
  pausedStop: () => proctor.stop(),
  lockdownStop: () => proctor.stop(),
  reportUrl: () => report("url"),
  reportJson: () => report("json"),
  attest: async () => showAttestation(await proctor.attest(location.href)),
  pauseAck: () => acknowledge("pause"),
  resumeAck: () => acknowledge("resume"),
  endAck: () => acknowledge("end"),
  departedShow: async () => showDeparted(await proctor.departed()),
  takeOver: () => proctor.takeOver(),
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
byId("quitForm").addEventListener("submit", quit);
byId("askProctor").addEventListener("click", () => byId("chatText").focus());
byId("autoAcknowledge").addEventListener("change", switchAcknowledgement);

new ResizeObserver(([{ target }]) =>
  document.documentElement.style.setProperty("--head", `${target.clientHeight}px`),
).observe(byId("bar"));
proctor.setListener("status", showStatus);
proctor.setListener("connection", ({ connected }) => showConnection(connected));
proctor.setListener("holder", ({ holding }) => showHolder(holding));
proctor.setListener("authorization", ({ decision, text }) =>
  log("authorization", [words(decision), text].filter(Boolean).join(": ")),
);
proctor.onWarning((warning) => {
  showWarning(warning);
  log("warning", warning.text);
});
for (const kind of /** @type {const} */ (["pause", "resume", "end"])) proctor.setListener(kind, showRequest);
showAuthorization(proctor, byId("desk"));
proctor.hello().catch(agentMissing);

function takePrivateKey() {
  // "+" is a sign of base64 keys here, not a space
  const key = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("privateKey");
  if (!key) return;
  byId("privateKey").value = key;
  history.replaceState(null, "", location.pathname + location.search); // out of the address bar and the history
}

function connect() {
  const [agentUrl, transport] = ["agent", "transport"].map((name) => place.get(name) ?? undefined);
  try {
    return new SecureProctor({ agentUrl, transport: /** @type {any} */ (transport) });
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
  for (const id of registered.not_enforced) log("note", `“${id}” was asked for, and this service does not pass it on.`);
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

/** @param {import("./secureproctor.js").Attestation} attestation */
function showAttestation({ header, value, expiresMs }) {
  const output = byId("attestation");
  output.hidden = false;
  output.textContent = `${header}: ${value}`;
  Object.assign(output.dataset, { header, expires: expiresMs });
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
  const id = requestId(kind);
  await proctor[`${kind}Ack`](id);
  if (id && id === requestId(kind)) forgetRequest();
}

async function switchAcknowledgement() {
  const box = byId("autoAcknowledge");
  const wanted = box.checked;
  try {
    await proctor.enableAutoAcknowledgement(wanted);
    box.checked = wanted; // a status that was on its way has said what was before
    log("call", `Auto Acknowledgement: ${wanted ? "on" : "off"}`);
  } catch (error) {
    box.checked = !wanted;
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
    await chat.send(text);
    input.value = "";
    if (byId("listenChat").getAttribute("aria-pressed") === "true") chatLine("You", text);
  } catch (error) {
    showError(error);
  }
}

/** @param {Event} event */
async function quit(event) {
  event.preventDefault();
  const input = byId("quitPassword");
  byId("quitFault").textContent = "";
  if (!input.value) return input.focus();
  await run(byId("quitSubmit"), () => proctor.quit(input.value));
  input.value = "";
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
  if (/^quit_/.test(code)) byId("quitFault").textContent = `${message} ${remedy}`;
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
  showQuality(status);
  showPending(status);
  showLockdown(status);
  showAsked(status);
  byId("autoAcknowledge").checked = status.auto_acknowledgement;
  pause(status.paused);
}

/** @param {any} status */
function showCapturing({ capturing, test_sources, authorization }) {
  const names = capturing.map(
    (/** @type {string} */ each) => streamName(each) + (test_sources.includes(each) ? " (test source)" : ""),
  );
  if (authorization?.preview) names.push("Camera, for your own eyes"); // it is open, and its light is on
  byId("capturing").textContent = names.join(", ") || "Nothing";
  byId("capturing").dataset.on = String(names.length > 0);
}

/** @param {any} status */
function showQuality({ quality = "full", session_id }) {
  byId("quality").textContent = session_id ? (QUALITIES[quality] ?? words(quality)) : "–";
  byId("quality").dataset.level = session_id ? quality : "";
}

/** @param {boolean} holding */
function showHolder(holding) {
  byId("holder").hidden = holding;
  byId("holderNews").textContent = holding ? "" : "This session is open in another tab.";
  log("holder", holding ? "This tab holds the session." : "Another tab holds the session.");
}

/** @param {any} error */
function agentMissing(error) {
  showError(error);
  byId("state").textContent = "No agent on this computer yet";
}

/** @param {boolean} connected */
function showConnection(connected) {
  log("agent", connected ? "The agent is connected." : "The agent is away; this page reconnects by itself.");
  byId("transport").textContent = TRANSPORTS[proctor.transport] ?? "–";
  byId("transport").dataset.transport = proctor.transport;
  if (connected) return;
  byId("holder").hidden = true;
  byId("state").textContent = "The agent is away";
  byId("state").dataset.state = "";
  forget();
  forgetLockdown();
  byId("capturing").textContent = "Not known";
}

/** Cover the exam, and keep what the candidate may need: the conversation and the acknowledgements. @param {boolean} paused */
function pause(paused) {
  const layer = byId("pauseLayer");
  if (layer.hidden !== paused) return;
  byId(paused ? "pausePlace" : "talkPlace").append(byId("talk"));
  byId(paused ? "pausePlace" : "lockPlace").append(byId("lockdown"));
  layer.hidden = !paused;
  byId("exam").inert = paused;
  document.body.classList.toggle("paused", paused);
  if (paused) byId("pauseTitle").focus();
}

/** @param {any} request */
function logRequest({ kind, text, acknowledged, reminder }) {
  const how = acknowledged ? " (acknowledged)" : reminder ? " (asked again)" : "";
  log(kind, `${commandName(kind)} request${text ? `: ${text}` : ""}${how}`);
}

/** @param {string} who @param {string} text */
function chatLine(who, text) {
  byId("consoleChat").append(el("span", {}, `${clock(Date.now())} ${who}: ${text}\n`));
}

/** @param {string} kind @param {string} text */
function log(kind, text) {
  const list = byId("log");
  list.append(el("li", { "data-kind": kind }, el("time", {}, clock(Date.now())), ` ${text}`));
  if (list.children.length > LOG_LENGTH) list.firstElementChild.remove();
  list.scrollTop = list.scrollHeight;
}
