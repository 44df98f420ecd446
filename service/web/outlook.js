// @ts-check
/*
 * What the candidate is told of link, disk and delivery: sentences made of a Status (contract/page.py). Nothing here touches
 * the page.
 *
 * A sentence stands still while nothing new has happened, so that a screen reader tells news and not each second; what runs
 * is shown beside the sentences in numbers. Nothing is promised that the agent does not keep.
 */

import { clock, lasting } from "./dom.js";

/** @typedef {{kind: string, title: string, text: string}} Outlook */

const UNDER_WAY = ["running", "paused"];
const OVER = ["ending", "draining", "ended"];
/** Of what runs out, the places at which a screen reader is told again, in seconds. */
const MARKS_S = [10, 30, 60, 120, 300];

const KEPT = "What is recorded stays on this computer and is delivered as soon as the connection is back.";
const SAFE = "Your evidence up to then is safe on this computer and";

/** @type {Record<string, string>} */
const DISK = {
  reduced: "The disk of this computer runs short, so the pictures are recorded at a lower quality.",
  least:
    "The disk of this computer is nearly full, so the pictures are recorded at the lowest quality. Free some space on it if you can.",
  dropping:
    "The disk of this computer is full: the oldest video that waited had to be given up, and the record says which. Free some space on it.",
};

/** @param {any} status */
const over = ({ state }) => OVER.includes(state);

/**
 * What there is to tell, the most important first: its kind, whether it is so, and the words. The first that holds is told.
 * @type {{kind: string, holds: (status: any) => boolean, title: (status: any) => string, text: (status: any) => string}[]}
 */
const TELL = [
  {
    kind: "expired",
    holds: ({ end_reason }) => end_reason === "expired",
    title: () => "The session ended because the connection was away for too long",
    text: (status) => `${afterExpiry(status)} Ask the exam's staff how to go on.`,
  },
  {
    kind: "offline",
    holds: (status) => offline(status) && !over(status),
    title: ({ link }) => `Offline since ${clock(link.offline_since_ms)}`,
    text: ({ state }) =>
      UNDER_WAY.includes(state)
        ? `The session goes on without the service. ${KEPT}`
        : "Nothing is recorded yet. The session waits for the connection.",
  },
  {
    kind: "waiting",
    holds: (status) => offline(status) && status.waiting_segments > 0,
    title: ({ link }) => `Offline since ${clock(link.offline_since_ms)}`,
    text: () =>
      `The session is over, and nothing is recorded any more. ${SAFE} is delivered when the connection is back.`,
  },
  {
    kind: "last",
    holds: ({ state, waiting_segments }) => ["ending", "draining"].includes(state) && waiting_segments > 0,
    title: () => "The last evidence is being delivered",
    text: () => "The session is over, and nothing is recorded any more. Keep this computer on until it is done.",
  },
  {
    kind: "drain",
    holds: (status) => underWay(status) !== null,
    title: () => "Evidence is catching up",
    text: () => "The service is connected. What waited is being delivered while the session goes on.",
  },
  {
    kind: "disk",
    holds: (status) => diskNotice(status) !== "",
    title: () => "Room for evidence is short",
    text: () => "",
  },
];

/** What the panel says, or null when all is as usual. @param {any} status @returns {Outlook | null} */
export function outlook(status) {
  const told = TELL.find(({ holds }) => holds(status));
  return told ? { kind: told.kind, title: told.title(status), text: told.text(status) } : null;
}

/** @param {any} status */
const offline = ({ link, session_id }) => session_id !== "" && !link.online;

/** @param {any} status */
function afterExpiry({ link, state, waiting_segments }) {
  if (!waiting_segments) return "All evidence up to then has been delivered.";
  if (state === "ended") return "Not all of the evidence could be delivered.";
  return `${SAFE} ${link.online ? "is being delivered." : "is delivered when the connection is back. Keep the computer on until then."}`;
}

/** In how many seconds the session ends if nothing changes, or null. @param {any} status @returns {number | null} */
export const expiresIn = (status) => (offline(status) && !over(status) ? status.link.expires_in_s : null);

/** What is on its way, or null: without a link nothing is. @param {any} status */
export const underWay = (status) => (status.link.online && status.drain) || null;

/** The disk in words, or "". @param {any} status */
export function diskNotice({ room, survivable_s }) {
  if (!room) return ""; // an agent that does not tell it
  const sentence = DISK[room.dropping ? "dropping" : room.level] ?? "";
  const first = room.lasts_s !== null && survivable_s !== null && room.lasts_s <= survivable_s; // before the session expires
  if (!first || room.dropping) return sentence;
  const takes = `takes evidence for ${coarse(room.lasts_s)} more.`;
  return sentence ? `${sentence} It ${takes}` : `The disk of this computer ${takes}`;
}

/** @param {any} status */
export function survivable({ survivable_s }) {
  return survivable_s === null || survivable_s === undefined ? "–" : coarse(survivable_s);
}

/** Whole minutes, for what need not be watched. @param {number} seconds */
function coarse(seconds) {
  return seconds < 60 ? "less than a minute" : lasting(Math.floor(seconds / 60) * 60);
}

/** The share that has been delivered, in whole percent: 100 only when nothing is left. @param {any} drain */
export function percent({ total_bytes, left_bytes }) {
  if (!total_bytes) return 0;
  return Math.max(0, Math.min(100, Math.floor((100 * (total_bytes - left_bytes)) / total_bytes)));
}

/** @param {any} drain */
export function drainText(drain) {
  const left = drain.left_s === null ? "" : `, about ${lasting(Math.max(1, drain.left_s))} left`;
  return `${percent(drain)} % delivered${left}`;
}

/** What is told again of a time that runs out, and then only at a mark. @param {number | null} seconds */
export function mark(seconds) {
  const next = seconds === null ? undefined : MARKS_S.find((each) => seconds <= each);
  return next ? `The session ends in less than ${lasting(next)}.` : "";
}
