// @ts-check
/* The whole session in one picture: what there is of each stream, where and why it is missing, and what happened. */

import { clock, duration, el, svg, words } from "./dom.js";
import { incidents } from "./incidents.js";
import { isSighting, lockdownSentence, lockedSpans } from "./lockdown-events.js";
import { commandName, flagName, streamName } from "./states.js";

const LABEL = 92;
const LANE = 16;
const STEP = 26;
const TICKS_S = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** How long the picture has to be, in seconds. @param {any} report */
export function length(report) {
  const { running_s, gaps, events, flags, started_ms, ended_ms } = report;
  const wall = started_ms !== null && ended_ms !== null ? (ended_ms - started_ms) / 1000 : 0;
  const ends = [
    ...gaps.map((/** @type {any} */ gap) => gap.end_s),
    ...flags.map((/** @type {any} */ flag) => flag.end_s),
  ];
  return Math.max(1, running_s, wall, ...ends, ...events.map((/** @type {any} */ event) => event.at_s));
}

/** The times in which the test was paused, as [from, to]. @param {any} report @returns {[number, number][]} */
export function pauses({ events, ...report }) {
  /** @type {[number, number][]} */
  const found = [];
  let since = -1;
  for (const { kind, at_s } of events) {
    if (kind === "paused" && since < 0) since = at_s;
    if (since >= 0 && (kind === "resumed" || kind === "session_ended")) {
      found.push([since, at_s]);
      since = -1;
    }
  }
  return since < 0 ? found : [...found, [since, length({ events, ...report })]];
}

/**
 * The picture; `seek` is called with the session time that was pressed.
 * @param {any} report
 * @param {number} width pixels
 * @param {(session: number) => void} seek
 */
export function draw(report, width, seek) {
  const total = length(report);
  const x = (/** @type {number} */ s) => LABEL + (Math.min(Math.max(0, s), total) / total) * (width - LABEL - 8);
  const lanes = [
    ...report.streams
      .filter((/** @type {any} */ { stream }) => !["events", "stills"].includes(stream))
      .map((/** @type {any} */ each) => streamLane(each, report, x, total)),
    lane(
      "Pauses",
      pauses(report).map(([from, to]) => bar("paused", x(from), x(to), `Paused ${duration(from)} to ${duration(to)}`)),
    ),
    ...lockdownLane(report, x, total),
    lane(
      "Incidents",
      incidents(report.events).map((each) => incidentMark(each, x)),
    ),
    lane(
      "Flags",
      report.flags.map((/** @type {any} */ each) => flagMark(each, x)),
    ),
    lane(
      "Commands",
      report.started_ms === null
        ? []
        : report.commands.map((/** @type {any} */ each) => commandMark(each, report.started_ms, x)),
    ),
  ];
  const height = lanes.length * STEP + 24;
  const placed = lanes.map((marks, i) => svg("g", { transform: `translate(0 ${i * STEP + 4})` }, ...marks));
  const head = svg("line", { class: "head", y1: 0, y2: height - 20, x1: x(0), x2: x(0) });
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(report, total) },
    ...ticks(total, height, x),
    ...placed,
    head,
  );
  picture.addEventListener("click", (/** @type {MouseEvent} */ { clientX }) => {
    const { left, width: shown } = picture.getBoundingClientRect();
    const at = ((clientX - left) * (width / shown) - LABEL) / (width - LABEL - 8);
    if (at >= 0) seek(at * total);
  });
  return { picture, move: (/** @type {number} */ s) => (head.setAttribute("x1", x(s)), head.setAttribute("x2", x(s))) };
}

/** What the marks mean. @param {any} report */
export function keys(report) {
  const withLockdown = hasLockdown(report);
  const kinds = {
    has: "evidence",
    gap: "gap",
    paused: "pause",
    incident: "incident",
    flag: "flag",
    command: "command",
    ...(withLockdown && { locked: "locked", sighting: "seen or stopped by the lockdown" }),
  };
  const sample = (/** @type {string} */ kind) =>
    svg("svg", { viewBox: "0 0 10 10" }, svg("rect", { class: kind, x: 0.5, y: 0.5, width: 9, height: 9, rx: 1.5 }));
  return el("ul", { class: "keys" }, ...Object.entries(kinds).map(([kind, name]) => el("li", {}, sample(kind), name)));
}

/** @param {string} name @param {Node[]} marks */
const lane = (name, marks) => [svg("text", { x: 0, y: LANE - 4 }, name), ...marks];

/** @param {string} kind @param {number} from @param {number} to @param {string} title */
function bar(kind, from, to, title) {
  return svg(
    "rect",
    { class: kind, x: from, y: 0, width: Math.max(2, to - from), height: LANE, rx: 2 },
    svg("title", {}, title),
  );
}

/** @param {any} each @param {any} report @param {(s: number) => number} x @param {number} total */
function streamLane({ stream, segments, coverage_pct }, { gaps }, x, total) {
  const own = gaps.filter((/** @type {any} */ gap) => gap.stream === stream);
  const whole = bar(
    segments ? "has" : "none",
    x(0),
    x(total),
    segments ? `${streamName(stream)}: ${coverage_pct.toFixed(1)} % covered` : "No evidence",
  );
  const holes = own.map((/** @type {any} */ { start_s, end_s, cause }) =>
    bar("gap", x(start_s), x(end_s), `No evidence ${duration(start_s)} to ${duration(end_s)}: ${words(cause)}`),
  );
  return lane(streamName(stream), [whole, ...holes]);
}

/** @param {any} report */
const hasLockdown = ({ lockdown }) => (lockdown?.phase ?? "off") !== "off";

/** When the computer was locked, and what the lockdown saw or stopped. @param {any} report @param {(s: number) => number} x @param {number} total */
function lockdownLane(report, x, total) {
  if (!hasLockdown(report)) return [];
  const { events } = report;
  const spans = lockedSpans(events, total).map(([from, to]) =>
    bar("locked", x(from), x(to), `Locked ${duration(from)} to ${duration(to)}`),
  );
  const seen = events.filter((/** @type {any} */ { kind }) => isSighting(kind));
  const marks = seen.map((/** @type {any} */ event) =>
    bar("sighting", x(event.at_s), x(event.until_s ?? event.at_s), `${duration(event.at_s)}: ${lockdownSentence(event)}`),
  );
  return [lane("Lockdown", [...spans, ...marks])];
}

/** @param {any} each @param {(s: number) => number} x */
function incidentMark({ at_s, until_s, text }, x) {
  const until = until_s === null ? "" : ` to ${duration(until_s)}`;
  return bar("incident", x(at_s), x(until_s ?? at_s), `${duration(at_s)}${until}: ${text}`);
}

/** @param {any} each @param {(s: number) => number} x */
function flagMark({ flag, start_s, end_s, confidence }, x) {
  return bar(
    "flag",
    x(start_s),
    x(end_s),
    `${flagName(flag)} ${duration(start_s)} to ${duration(end_s)}, confidence ${Math.round(confidence * 100)} %`,
  );
}

/** @param {any} each @param {number} startedMs @param {(s: number) => number} x */
function commandMark({ kind, status, issued_ms, applied_ms }, startedMs, x) {
  const at = x(((applied_ms ?? issued_ms) - startedMs) / 1000);
  const shape = svg("path", { class: "command", d: `M${at - 5} 1h10l-5 ${LANE - 2}z` });
  shape.append(svg("title", {}, `${commandName(kind)} at ${clock(applied_ms ?? issued_ms)}: ${words(status)}`));
  return shape;
}

/** @param {number} total @param {number} height @param {(s: number) => number} x */
function ticks(total, height, x) {
  const step = TICKS_S.find((each) => total / each <= 8) ?? 14400;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, i) => i * step).map((s) =>
    svg(
      "g",
      {},
      svg("line", { class: "tick", x1: x(s), x2: x(s), y1: 0, y2: height - 18 }),
      svg("text", { x: x(s), y: height - 4, "text-anchor": s ? "middle" : "start" }, duration(s)),
    ),
  );
}

/** @param {any} report @param {number} total */
function summary({ streams, gaps, events, flags, commands }, total) {
  const covered = streams
    .map((/** @type {any} */ { stream, coverage_pct }) => `${streamName(stream)} ${coverage_pct.toFixed(1)} %`)
    .join(", ");
  const counted = `${gaps.length} gaps, ${incidents(events).length} incidents, ${flags.length} flags, ${commands.length} commands`;
  return `${duration(total)} of session. Covered: ${covered}. ${counted}; the tables below hold the same.`;
}
