// @ts-check
/* Which candidates the wall shows, and in which order. Pure. */

import { phaseName } from "./lockdown.js";
import { stateName, stepName } from "./states.js";

export const UNDER_WAY = ["running", "paused"];
export const OVER = ["ending", "draining", "ended"];

/**
 * What asks for a proctor's eyes, the most urgent first.
 * @type {{weight: number, of: (snapshot: any, unseen: number) => unknown, words: (snapshot: any, unseen: number) => string}[]}
 */
const ATTENTION = [
  {
    weight: 100,
    of: ({ authorization_step, state }) => authorization_step === "submitted" && !OVER.includes(state),
    words: () => stepName("submitted"),
  },
  {
    weight: 80,
    of: ({ stopping, state }) => stopping && !OVER.includes(state),
    words: ({ stopping }) => `${stopping} ${stopping === 1 ? "rule stops" : "rules stop"} the start`,
  },
  {
    weight: 60,
    of: ({ unread }) => unread,
    words: ({ unread }) => `${unread} unread ${unread === 1 ? "message" : "messages"}`,
  },
  {
    weight: 50,
    of: ({ link, state }) => link === "offline" && UNDER_WAY.includes(state),
    words: () => "Offline",
  },
  {
    weight: 40,
    of: ({ lockdown }) => lockdown === "stuck",
    words: () => phaseName("stuck"),
  },
  {
    weight: 30,
    of: (_, unseen) => unseen,
    words: (_, unseen) => `${unseen} new ${unseen === 1 ? "flag" : "flags"}`,
  },
];

/** Why a candidate asks for attention, in words, the most urgent first. @param {any} snapshot @param {number} unseen flags */
export const reasons = (snapshot, unseen) =>
  ATTENTION.filter(({ of }) => of(snapshot, unseen)).map(({ words }) => words(snapshot, unseen));

/** @param {any} snapshot @param {number} unseen */
const urgency = (snapshot, unseen) =>
  ATTENTION.reduce((sum, { weight, of }) => sum + (of(snapshot, unseen) ? weight : 0), 0) +
  (UNDER_WAY.includes(snapshot.state) ? 2 : snapshot.state === "ended" ? 0 : 1);

/** @param {any} snapshot */
export const nameOf = ({ user_name, user_id }) => user_name || user_id;

/** The least coverage of a stream, or null before any. @param {any} snapshot */
export function coverage({ streams }) {
  const known = Object.values(streams)
    .map(({ coverage_pct }) => coverage_pct)
    .filter((each) => each !== null && each !== undefined);
  return known.length ? Math.min(...known) : null;
}

/** @param {any} a @param {any} b */
const byName = (a, b) => nameOf(a).localeCompare(nameOf(b)) || a.session_id.localeCompare(b.session_id);

/** @type {Record<string, {label: string, compare: (a: any, b: any, unseen: (s: any) => number) => number}>} */
export const SORTS = {
  attention: { label: "Attention first", compare: (a, b, unseen) => urgency(b, unseen(b)) - urgency(a, unseen(a)) },
  name: { label: "Name", compare: () => 0 },
  newest: { label: "Newest first", compare: (a, b) => b.registered_ms - a.registered_ms },
  state: { label: "State", compare: (a, b) => stateName(a.state).localeCompare(stateName(b.state)) },
  group: { label: "Group", compare: (a, b) => a.group_name.localeCompare(b.group_name) },
  coverage: { label: "Least coverage", compare: (a, b) => (coverage(a) ?? 101) - (coverage(b) ?? 101) },
  backlog: { label: "Largest backlog", compare: (a, b) => b.backlog_segments - a.backlog_segments },
};

/** @type {Record<string, {label: string, fits: (snapshot: any, unseen: number) => boolean}>} */
export const FILTERS = {
  "": { label: "All", fits: () => true },
  attention: { label: "Needs attention", fits: (each, unseen) => reasons(each, unseen).length > 0 },
  authorization: { label: "Waits for a decision", fits: (each) => each.authorization_step === "submitted" },
  preparing: {
    label: "Preparing",
    fits: ({ state }) => !UNDER_WAY.includes(state) && !OVER.includes(state),
  },
  running: { label: "Running", fits: ({ state }) => state === "running" },
  paused: { label: "Paused", fits: ({ state }) => state === "paused" },
  offline: { label: "Offline", fits: ({ link, state }) => link === "offline" && state !== "ended" },
  open: { label: "Not ended", fits: ({ state }) => state !== "ended" },
  ended: { label: "Ended", fits: ({ state }) => state === "ended" },
};

/**
 * The ids of the wall, in order.
 * @param {Iterable<any>} snapshots
 * @param {{text: string, state: string, group: string, sort: string}} wanted
 * @param {(snapshot: any) => number} unseen
 * @returns {string[]}
 */
export function arranged(snapshots, { text, state, group, sort }, unseen) {
  const sought = text.trim().toLowerCase();
  const found = (/** @type {any} */ each) =>
    (!group || each.group_name === group) &&
    (FILTERS[state] ?? FILTERS[""]).fits(each, unseen(each)) &&
    [each.user_name, each.user_id, each.group_name].some((word) => word.toLowerCase().includes(sought));
  const { compare } = SORTS[sort] ?? SORTS.attention;
  return [...snapshots]
    .filter(found)
    .sort((a, b) => compare(a, b, unseen) || byName(a, b))
    .map(({ session_id }) => session_id);
}
