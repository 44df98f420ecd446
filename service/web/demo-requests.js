// @ts-check
/*
 * What the proctor asks for in the demo page: a pause, resume or end that waits for its acknowledgement, with the time that is left.
 *
 * Element ids, stable for automation: #request (data-id, data-kind, data-reminder) holds #requestText, #requestLeft (data-seconds) and
 *   #requestLeftText; #pauseText is in the pause layer; #requestNews is for screen readers.
 */

import { byId, duration } from "./dom.js";
import { Countdown } from "./countdown.js";
import { commandName } from "./states.js";

const countdown = new Countdown(showLeft);
/** @type {any} the request that is shown */
let shown = null;

/** A request as it is told. @param {any} request */
export function showRequest(request) {
  shown = request;
  const { kind, id, text, acknowledged, reminder, left_s } = request;
  const words = sentence(request);
  byId("requestText").textContent = words;
  byId("request").hidden = false;
  Object.assign(byId("request").dataset, { kind, id, reminder });
  byId("pauseText").textContent = kind === "pause" ? text : "";
  byId("pauseText").hidden = kind !== "pause" || !text;
  byId("requestNews").textContent = words; // read out again for each reminder
  countdown.left(acknowledged ? null : left_s);
}

/** The newest of the requests that wait; one that does not wait any more is taken away. @param {any} status */
export function showPending({ pending = [] }) {
  const newest = pending.at(-1);
  if (newest && newest.id === shown?.id) countdown.left(newest.left_s);
  else if (newest) showRequest({ ...newest, acknowledged: false, reminder: 0 });
  else if (shown && !shown.acknowledged) forgetRequest();
}

export function forgetRequest() {
  shown = null;
  byId("request").hidden = true;
  byId("requestNews").textContent = "";
  countdown.left(null);
}

/** The request of a kind that is shown, or "": the latest. @param {string} kind */
export const requestId = (kind) => (shown?.kind === kind ? shown.id : "");

/** @param {any} request */
function sentence({ kind, text, acknowledged, reminder }) {
  const name = commandName(kind);
  const next = acknowledged ? "acknowledged" : `please confirm with ${name} Ack`;
  return `${reminder ? "Asked again: " : ""}${name}${text ? ` – “${text}”` : ""}: ${next}`;
}

/** @param {number | null} seconds */
function showLeft(seconds) {
  byId("requestLeftPlace").hidden = seconds === null;
  byId("requestLeft").hidden = !seconds;
  byId("requestLeft").textContent = duration(seconds ?? 0);
  byId("requestLeft").dataset.seconds = seconds ?? "";
  byId("requestLeftText").textContent = seconds
    ? "until the proctor is told that it was not confirmed"
    : "The proctor has been told that it was not confirmed. You can still confirm it.";
}
