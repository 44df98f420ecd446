// @ts-check
/*
 * The candidate's view of an interruption in the demo page: what happened, how long the session holds out, what is on its way.
 *
 * Element ids, stable for automation: #link (data-online) #survivable #waiting (data-segments) in the status bar;
 *   #outlook (data-kind: expired, offline, waiting, last, drain, disk) holds #outlookTitle #outlookText #diskNotice (data-level)
 *   #countdown (data-seconds) #drain #drainBar #drainText; #news and #timeNews are for screen readers.
 */

import { byId, bytes, clock, duration } from "./dom.js";
import { Countdown } from "./countdown.js";
import { diskNotice, drainText, expiresIn, mark, outlook, percent, survivable, underWay } from "./outlook.js";

const countdown = new Countdown(showLeft);
let since = 0;

/** @param {any} status */
export function showOutlook(status) {
  // the wall clock at the loss is reckoned anew in each status, and may round to the next second: the first one stays
  since = status.link.online ? 0 : since || status.link.offline_since_ms;
  const steady = { ...status, link: { ...status.link, offline_since_ms: since } };
  showLink(steady);
  showPanel(outlook(steady), diskNotice(steady), steady.room);
  showDrain(underWay(steady));
  countdown.left(expiresIn(steady));
}

/** Nothing is known while the agent is away. */
export function forget() {
  since = 0;
  for (const id of ["link", "survivable", "waiting"]) byId(id).textContent = "–";
  delete byId("waiting").dataset.segments;
  showPanel(null, "", null);
  showDrain(null);
  countdown.left(null);
}

/** @param {any} status */
function showLink(status) {
  const { link, session_id, waiting_segments, waiting_bytes } = status;
  byId("link").textContent = link.online
    ? "Online"
    : session_id
      ? `Offline since ${clock(link.offline_since_ms)}`
      : "Not connected yet";
  byId("link").dataset.online = String(link.online || !session_id);
  byId("survivable").textContent = survivable(status);
  byId("waiting").textContent = waiting_segments ? `${waiting_segments} segments, ${bytes(waiting_bytes)}` : "None";
  byId("waiting").dataset.segments = waiting_segments;
}

/** @param {import("./outlook.js").Outlook | null} told @param {string} disk @param {any} room */
function showPanel(told, disk, room) {
  byId("outlook").hidden = !told;
  byId("outlook").dataset.kind = told?.kind ?? "";
  byId("outlookTitle").textContent = told?.title ?? "";
  byId("outlookText").textContent = told?.text ?? "";
  byId("outlookText").hidden = !told?.text;
  byId("diskNotice").textContent = disk;
  byId("diskNotice").hidden = !disk;
  byId("diskNotice").dataset.level = room?.dropping ? "dropping" : (room?.level ?? "");
  say("news", told ? [`${told.title}.`, told.text, disk].filter(Boolean).join(" ") : "");
}

/** @param {any} drain */
function showDrain(drain) {
  byId("drain").hidden = !drain;
  if (!drain) return;
  byId("drainBar").value = percent(drain);
  byId("drainText").textContent = drainText(drain);
}

/** @param {number | null} seconds */
function showLeft(seconds) {
  byId("countdownPlace").hidden = seconds === null;
  byId("countdown").textContent = seconds === null ? "" : duration(seconds);
  byId("countdown").dataset.seconds = seconds ?? "";
  say("timeNews", mark(seconds));
}

/** A live region is read out whenever it is written, also with the same words. @param {string} id @param {string} words */
function say(id, words) {
  if (byId(id).textContent !== words) byId(id).textContent = words;
}
