// @ts-check
/*
 * What befell the agent, its computer and its disk, in sentences: the events of contract/events.py that a reader should not have
 * to make out of codes. Each sentence tells what the event holds, and nothing that it does not.
 */

import { bytes, lasting, words } from "./dom.js";
import { streamName } from "./states.js";

/** @type {Record<string, string>} */
const LEVELS = { full: "full quality", reduced: "reduced quality", least: "the lowest quality" };

/** @type {Record<string, string>} */
const DAMAGES = {
  truncated: "was cut short",
  altered: "was altered",
  misplaced: "has another record in its place",
  unreadable: "cannot be read",
};

/** @type {Record<string, (event: any) => string>} */
const SENTENCES = {
  machine_slept: (event) => `The computer was asleep${forHowLong(event)}.`,
  agent_stalled: (event) => `The agent did not run${forHowLong(event)}: stopped, or starved by the computer.`,
  agent_restarted: () => "The agent came back and went on with the session.",
  clock_changed: ({ detail }) =>
    `The computer's clock was set ${lasting(Math.abs(detail.by_s ?? 0))} ${detail.by_s < 0 ? "back" : "forward"}.`,
  disk_short: ({ detail }) =>
    `The disk runs short: ${bytes(detail.free ?? 0)} are left, and ${LEVELS[detail.level] ?? words(String(detail.level))} is captured from now on.`,
  disk_recovered: ({ detail }) => `The disk has room again: ${bytes(detail.free ?? 0)}.`,
  record_missing: ({ stream, detail }) =>
    `${sealed(detail, stream)} ${(detail.count ?? 1) > 1 ? `and ${detail.count - 1} more are` : "is"} gone from the candidate's disk.`,
  record_damaged: ({ stream, detail }) =>
    `${sealed(detail, stream)} ${DAMAGES[detail.kind] ?? words(String(detail.kind))} on the candidate's disk.`,
};

/** The event as a sentence, or "" when its code says it well enough. @param {any} event */
export const sentence = (event) => SENTENCES[event.kind]?.({ ...event, detail: event.detail ?? {} }) ?? "";

/** Those of a session, each with its sentence. @param {any[]} events @returns {{at_s: number, until_s: number | null, kind: string, text: string}[]} */
export const incidents = (events) =>
  events
    .map((event) => ({ at_s: event.at_s, until_s: event.until_s ?? null, kind: event.kind, text: sentence(event) }))
    .filter(({ text }) => text);

/** @param {any} event */
const forHowLong = ({ at_s, until_s }) =>
  until_s === null || until_s === undefined ? "" : ` for ${lasting(Math.max(1, until_s - at_s))}`;

/** @param {any} detail @param {string} stream */
const sealed = ({ epoch, seq }, stream) => `Record ${epoch}/${seq} of ${streamName(stream)}`;
