// @ts-check
/* The session's states and other codes in words, the same on every page. An unknown code of a newer peer is shown as it is. */

import { words } from "./dom.js";

/** @type {Record<string, string>} */
const STATES = {
  idle: "Not registered",
  registered: "Registered",
  checked: "Checked",
  awaiting_authorization: "Waiting for authorization",
  ready: "Ready to start",
  starting: "Starting",
  running: "Running",
  paused: "Paused",
  ending: "Ending",
  draining: "Delivering the last evidence",
  ended: "Ended",
};

/** @type {Record<string, string>} */
const CAPTURED = { screen: "Screen", webcam: "Camera", audio: "Microphone", events: "Events" };

/** @type {Record<string, string>} */
const COMMANDS = { pause: "Pause", resume: "Resume", end: "End" };

/** @param {string} state */
export const stateName = (state) => STATES[state] ?? words(state);

/** @param {string} stream */
export const streamName = (stream) => CAPTURED[stream] ?? words(stream);

/** @param {string} kind */
export const commandName = (kind) => COMMANDS[kind] ?? words(kind);
