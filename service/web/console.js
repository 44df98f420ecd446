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

import { byId, bytes, clock, duration, el, table, words } from "./dom.js";
import { commandName, stateName, streamName } from "./states.js";

const KEY = "secureproctor.proctorKey";
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const UNDER_WAY = ["running", "paused"];

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

/** @param {object} message */
function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

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
  part(session.card, "answer").textContent = sentence;
  part(session.card, "answer").hidden = !sentence;
}

/** @param {any} snapshot */
function showSession(snapshot) {
  const known = sessions.get(snapshot.session_id);
  const card = known?.card ?? build(snapshot);
  sessions.set(snapshot.session_id, { card, snapshot });
  byId("empty").hidden = true;
  update(card, snapshot);
}

/** @param {HTMLElement} card @param {string} name @returns {HTMLElement} */
const part = (card, name) => /** @type {HTMLElement} */ (card.querySelector(`[data-part="${name}"]`));

/** @param {any} snapshot */
function build(snapshot) {
  const { session_id: id, user_id, user_name, group_name } = snapshot;
  const act = (
    /** @type {string} */ action,
    /** @type {string} */ label,
    /** @type {() => void} */ onclick,
    look = "",
  ) => el("button", { type: "button", "data-action": action, class: look || null, onclick }, label);
  const reason = el("input", {
    "data-input": "reason",
    maxlength: 4000,
    "aria-label": "Words for the candidate with the next command (optional)",
    placeholder: "Words for the candidate (optional)",
    autocomplete: "off",
  });
  const issue = (/** @type {string} */ kind) => {
    const request = `console-${++marks}`;
    asked.set(request, id);
    send({ type: "command", session_id: id, kind, text: reason.value.trim(), request });
    reason.value = "";
  };
  const confirm = el(
    "div",
    { "data-part": "confirm", class: "notice bad", hidden: true, role: "alertdialog", "aria-label": "End the test" },
    el("p", {}, `End the test of ${user_name || user_id}? It cannot be taken up again.`),
    el(
      "div",
      { class: "buttons" },
      act(
        "confirm-end",
        "End the test",
        () => {
          confirm.hidden = true;
          issue("end");
        },
        "danger",
      ),
      act("cancel-end", "Go back", () => {
        confirm.hidden = true;
      }),
    ),
  );
  const orders = el(
    "div",
    { class: "order" },
    el(
      "div",
      { class: "buttons" },
      act("pause", "Pause", () => issue("pause")),
      act("resume", "Resume", () => issue("resume")),
      act(
        "end",
        "End",
        () => {
          confirm.hidden = false;
          confirm.querySelector("button").focus();
        },
        "danger",
      ),
    ),
    reason,
    confirm,
    el("p", { "data-part": "answer", class: "fault", role: "alert", hidden: true }),
  );
  const chat = el("input", {
    "data-input": "chat",
    maxlength: 4000,
    "aria-label": "Message to the candidate",
    placeholder: "Message to the candidate",
    autocomplete: "off",
  });
  const say = el(
    "form",
    { class: "say", onsubmit: (/** @type {Event} */ event) => speak(event, id, chat) },
    chat,
    el("button", { "data-action": "say" }, "Send"),
  );
  const card = el(
    "section",
    { class: "card session", "data-session": id, "aria-label": `Session of ${user_name || user_id}` },
    el(
      "header",
      {},
      el("h2", {}, user_name || user_id),
      el("span", { class: "hint" }, `${user_name ? `${user_id} · ` : ""}${group_name}`),
      el("span", { "data-part": "state", class: "mark" }),
      el("span", { "data-part": "link", class: "mark" }),
      el("a", { "data-part": "report", target: "_blank", rel: "noopener" }, "Report"),
    ),
    el("dl", { class: "facts", "data-part": "facts" }),
    el(
      "div",
      { class: "inside" },
      el("div", {}, orders, el("h3", {}, "Commands"), el("div", { "data-part": "commands" })),
      el(
        "div",
        {},
        el("h3", {}, "Chat"),
        el("ul", { class: "conversation", "data-part": "chat", role: "log", "aria-label": "Chat", tabindex: 0 }),
        say,
      ),
    ),
  );
  byId("sessions").prepend(card);
  return card;
}

/** @param {Event} event @param {string} id @param {HTMLInputElement} input */
function speak(event, id, input) {
  event.preventDefault();
  const text = input.value.trim();
  if (!text || socket?.readyState !== WebSocket.OPEN) return; // the text stays until it can be sent
  send({ type: "chat", session_id: id, text });
  input.value = "";
}

/** @param {HTMLElement} card @param {any} snapshot */
function update(card, snapshot) {
  const { session_id, state, end_reason, link, access, commands, chat } = snapshot;
  const over = state === "ended";
  Object.assign(card.dataset, { state, link });
  card.classList.toggle("over", over);
  part(card, "state").textContent = stateName(state) + (end_reason ? `: ${words(end_reason)}` : "");
  part(card, "state").dataset.mark = state;
  const report = new URL(`report/${encodeURIComponent(session_id)}`, document.baseURI);
  report.searchParams.set("access", access);
  part(card, "report").setAttribute("href", report.href);
  allow(card, "pause", snapshot.pause_resume && UNDER_WAY.includes(state));
  allow(card, "resume", snapshot.pause_resume && UNDER_WAY.includes(state));
  allow(card, "end", snapshot.end_test && !over);
  if (over) part(card, "confirm").hidden = true;
  showTimes(card, snapshot);
  showCommands(part(card, "commands"), commands);
  showChat(part(card, "chat"), chat);
}

/** @param {HTMLElement} card @param {string} action @param {boolean} allowed */
function allow(card, action, allowed) {
  const button = /** @type {HTMLButtonElement} */ (card.querySelector(`[data-action="${action}"]`));
  button.disabled = !allowed;
}

/** What grows older by itself: how long the link is away, when a stream last arrived. @param {HTMLElement} card @param {any} snapshot */
function showTimes(card, { link, state, heard_ms, started_ms, expiry_s, backlog_segments, streams }) {
  const ago = (/** @type {number} */ ms) => duration((Date.now() - ms) / 1000);
  const away = link === "offline" && heard_ms !== null;
  part(card, "link").textContent =
    away && state !== "ended"
      ? `offline for ${ago(heard_ms)} of ${duration(expiry_s)}`
      : link === "never"
        ? "not connected yet"
        : link;
  part(card, "link").dataset.mark = state === "ended" ? "" : link;
  const facts = [
    ["Started", clock(started_ms)],
    ["Waiting at the candidate", backlog_segments ? `${backlog_segments} segments` : "nothing"],
    ...Object.entries(streams).map(([name, { segments, bytes: size, last_ms }]) => [
      streamName(name),
      segments ? `${segments} segments, ${bytes(size)}, last ${ago(last_ms)} ago` : "nothing yet",
    ]),
  ];
  part(card, "facts").replaceChildren(
    ...facts.map(([term, text]) => el("div", {}, el("dt", {}, term), el("dd", {}, text))),
  );
}

/** @param {HTMLElement} place @param {any[]} commands */
function showCommands(place, commands) {
  if (!commands.length) return place.replaceChildren(el("p", { class: "hint" }, "None yet."));
  const rows = [...commands]
    .reverse()
    .map((each) => [
      commandName(each.kind),
      el("span", { class: "mark", "data-mark": each.status }, words(each.status)),
      clock(each.sent_ms ?? each.issued_ms),
      clock(each.received_ms),
      clock(each.applied_ms),
      `${clock(each.acknowledged_ms)}${each.acknowledged_by ? ` by ${each.acknowledged_by}` : ""}`,
      each.reason || "–",
    ]);
  const list = table("Commands", ["Command", "Status", "Sent", "Received", "Applied", "Acknowledged", "Reason"], rows);
  list.querySelectorAll("tbody tr").forEach((/** @type {HTMLElement} */ row, /** @type {number} */ i) => {
    const { id, kind, status } = commands[commands.length - 1 - i];
    Object.assign(row.dataset, { command: id, kind, status });
  });
  place.replaceChildren(list);
}

/** @param {HTMLElement} list @param {any[]} chat */
function showChat(list, chat) {
  if (list.children.length === chat.length) return;
  const who = (/** @type {string} */ sender) => (sender === "proctor" ? "You" : "Candidate");
  list.replaceChildren(
    ...chat.map(({ sender, text, at_ms }) =>
      el("li", { "data-sender": sender }, el("span", { class: "hint" }, `${who(sender)}, ${clock(at_ms)}`), text),
    ),
  );
  list.scrollTop = list.scrollHeight;
}
