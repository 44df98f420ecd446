// @ts-check
/* One session of the console: the card's template comes to life once, and then each snapshot changes its texts. */

import { byId, bytes, clock, duration, el, table, words } from "./dom.js";
import { commandName, stateName, streamName } from "./states.js";

const UNDER_WAY = ["running", "paused"];

/** @typedef {(id: string, kind: string, text: string) => boolean} Issue whether it was sent */
/** @typedef {(id: string, text: string) => boolean} Say whether it was sent */

/** @param {HTMLElement} card @param {string} name @returns {HTMLElement} */
const part = (card, name) => /** @type {HTMLElement} */ (card.querySelector(`[data-part="${name}"]`));

/** @param {HTMLElement} card @param {string} name @returns {HTMLInputElement} */
const input = (card, name) => /** @type {HTMLInputElement} */ (card.querySelector(`[data-input="${name}"]`));

/** @param {HTMLElement} card @param {string} action @returns {HTMLButtonElement} */
const button = (card, action) => /** @type {HTMLButtonElement} */ (card.querySelector(`[data-action="${action}"]`));

/**
 * A card for a session.
 * @param {any} snapshot
 * @param {Issue} issue
 * @param {Say} say
 * @returns {HTMLElement}
 */
export function build({ session_id, user_id, user_name, group_name }, issue, say) {
  const card = byId("card").content.firstElementChild.cloneNode(true);
  const name = user_name || user_id;
  card.dataset.session = session_id;
  card.setAttribute("aria-label", `Session of ${name}`);
  part(card, "name").textContent = name;
  part(card, "who").textContent = user_name ? `${user_id} · ${group_name}` : group_name;
  part(card, "question").textContent = `End the test of ${name}? It cannot be taken up again.`;
  const order = (/** @type {string} */ kind) => {
    if (issue(session_id, kind, input(card, "reason").value.trim())) input(card, "reason").value = "";
  };
  const actions = {
    pause: () => order("pause"),
    resume: () => order("resume"),
    end: () => confirming(card, true),
    "confirm-end": () => (confirming(card, false), order("end")),
    "cancel-end": () => confirming(card, false),
  };
  for (const [action, act] of Object.entries(actions)) button(card, action).addEventListener("click", act);
  card.querySelector("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = input(card, "chat").value.trim();
    if (text && say(session_id, text)) input(card, "chat").value = ""; // it stays until it can be sent
  });
  return card;
}

/** @param {HTMLElement} card @param {boolean} asked */
function confirming(card, asked) {
  part(card, "confirm").hidden = !asked;
  button(card, asked ? "confirm-end" : "end").focus();
}

/** Why the last command was refused, or "". @param {HTMLElement} card @param {string} sentence */
export function showAnswer(card, sentence) {
  part(card, "answer").textContent = sentence;
  part(card, "answer").hidden = !sentence;
}

/** Show a snapshot. @param {HTMLElement} card @param {any} snapshot */
export function update(card, snapshot) {
  const { session_id, state, end_reason, link, access, commands, chat } = snapshot;
  const over = state === "ended";
  Object.assign(card.dataset, { state, link });
  card.classList.toggle("over", over);
  part(card, "state").textContent = stateName(state) + (end_reason ? `: ${words(end_reason)}` : "");
  part(card, "state").dataset.mark = state;
  const report = new URL(`report/${encodeURIComponent(session_id)}`, document.baseURI);
  report.searchParams.set("access", access);
  part(card, "report").setAttribute("href", report.href);
  button(card, "pause").disabled = !(snapshot.pause_resume && UNDER_WAY.includes(state));
  button(card, "resume").disabled = !(snapshot.pause_resume && UNDER_WAY.includes(state));
  button(card, "end").disabled = !(snapshot.end_test && !over);
  if (over) part(card, "confirm").hidden = true;
  showTimes(card, snapshot);
  showCommands(part(card, "commands"), commands);
  showChat(part(card, "chat"), chat);
}

/**
 * The link in words. How long the session holds out is counted from the moment at which the service said it: the clocks of
 * the service and of this computer need not agree.
 * @param {any} snapshot
 */
function linkText({ link, state, heard_ms, expires_in_s, arrived }) {
  if (link === "never") return "not connected yet";
  if (link !== "offline" || heard_ms === null || state === "ended") return link;
  const since = `offline since ${clock(heard_ms)}`;
  if (expires_in_s === null || expires_in_s === undefined) return since;
  const left = Math.ceil(expires_in_s - (performance.now() - arrived) / 1000);
  return left > 0 ? `${since}, ends in ${duration(left)}` : `${since}, ends now`;
}

/**
 * What grows older by itself: how long the session holds out, when a stream last arrived.
 * @param {HTMLElement} card
 * @param {any} snapshot
 */
export function showTimes(card, snapshot) {
  const { link, state, started_ms, backlog_segments, streams } = snapshot;
  const ago = (/** @type {number} */ ms) => duration((Date.now() - ms) / 1000);
  part(card, "link").textContent = linkText(snapshot);
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
