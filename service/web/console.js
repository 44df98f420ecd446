// @ts-check
/*
 * The proctor's console: one WebSocket (contract/console.py), one card for each session, the newest first.
 *
 * A card is built once and then only its texts change, so that a message half typed survives the next snapshot.
 *
 * Element ids and attributes, stable for automation:
 *   #connection (data-connected) · #gate #key #open #keyError: asks for the key when there is none, or a wrong one
 *   #sessions holds [data-session=<id>] with data-state and data-link; in each:
 *     [data-action=pause|resume|end] · [data-action=confirm-end|cancel-end] after end · [data-input=reason]
 *     [data-part=commands] rows [data-command=<id>][data-kind][data-status] · [data-part=chat]
 *     [data-input=chat] [data-action=say] · [data-part=report] · [data-part=answer]
 *   #consoleError: refusals that belong to no session
 *
 * The key comes by the fragment (`#key=...`), which browsers do not send, and stays in sessionStorage.
 */

import { build, showAnswer, showTimes, update } from "./console-card.js";
import { byId } from "./dom.js";

const KEY = "secureproctor.proctorKey";
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** @type {Map<string, {card: HTMLElement, snapshot: any}>} */
const sessions = new Map();
/** Commands without an answer yet: the console's mark → the session. @type {Map<string, string>} */
const asked = new Map();
/** @type {WebSocket | null} */
let socket = null;
let attempts = 0;
let marks = 0;

takeKey();
byId("gate").addEventListener("submit", enter);
setInterval(() => sessions.forEach(({ card, snapshot }) => showTimes(card, snapshot)), 1000);
if (sessionStorage.getItem(KEY)) connect();
else ask("");

function takeKey() {
  const key = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B")).get("key");
  if (!key) return;
  sessionStorage.setItem(KEY, key);
  history.replaceState(null, "", location.pathname + location.search); // out of the address bar and the history
}

/** @param {string} sentence */
function ask(sentence) {
  sessionStorage.removeItem(KEY);
  byId("gate").hidden = false;
  byId("keyError").textContent = sentence;
  byId("key").focus();
}

/** @param {Event} event */
function enter(event) {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId("key").value.trim());
  byId("gate").hidden = true;
  connect();
}

function connect() {
  const address = new URL("v1/proctor", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.onopen = opened;
  socket.onmessage = ({ data }) => received(JSON.parse(data));
  socket.onclose = lost;
}

function opened() {
  attempts = 0;
  send({ type: "hello", key: sessionStorage.getItem(KEY) });
  showConnection(true);
}

function lost() {
  showConnection(false);
  asked.clear();
  if (!sessionStorage.getItem(KEY)) return;
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempts++);
  setTimeout(connect, pause * (0.5 + Math.random() / 2));
}

/** @param {boolean} connected */
function showConnection(connected) {
  byId("connection").dataset.connected = String(connected);
  byId("connection").textContent = connected ? "Connected" : "Not connected; trying again";
  byId("empty").hidden = !connected || sessions.size > 0;
}

/** @param {object} message @returns {boolean} whether it could be sent */
function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

/** @param {string} id @param {string} kind @param {string} text */
function issue(id, kind, text) {
  const request = `console-${++marks}`;
  asked.set(request, id);
  const sent = send({ type: "command", session_id: id, kind, text, request });
  if (!sent) answer(request, "The service is not connected; the command was not sent.");
  return sent;
}

/** @param {string} id @param {string} text */
const say = (id, text) => send({ type: "chat", session_id: id, text });

/** @param {any} message */
function received(message) {
  if (message.type === "failed") return failed(message);
  if (message.type === "session") return showSession(message);
  if (message.type === "issued") return answer(message.request, "");
}

/** @param {{error: {code: string, message: string, remedy?: string}, request?: string}} failure */
function failed({ error, request = "" }) {
  const sentence = `${error.message} ${error.remedy ?? ""}`.trim();
  if (error.code === "proctor_key_invalid") return ask(sentence);
  if (asked.has(request)) return answer(request, sentence);
  byId("consoleError").textContent = sentence;
  byId("consoleError").hidden = false;
}

/** @param {string} request @param {string} sentence why it was refused, or "" */
function answer(request, sentence) {
  const session = sessions.get(asked.get(request) ?? "");
  asked.delete(request);
  if (!session) return;
  showAnswer(session.card, sentence);
}

/** @param {any} fresh */
function showSession(fresh) {
  const snapshot = { ...fresh, arrived: performance.now() };
  const known = sessions.get(snapshot.session_id);
  const card = known?.card ?? build(snapshot, issue, say);
  if (!known) byId("sessions").prepend(card);
  sessions.set(snapshot.session_id, { card, snapshot });
  byId("empty").hidden = true;
  update(card, snapshot);
}
