// @ts-check
/*
 * The report of one session (contract/report.py), also while it still runs: then it is read again every few seconds.
 *
 * Element ids, stable for automation:
 *   #fresh #json #reportError · #who #facts · #verdict (data-band, data-score) · #timeline #coverage
 *   #integrity (data-findings: how many accuse somebody), when evidence was damaged: #integritySummary #tampering
 *     [data-kind][data-stream]
 *   #player #play #time (data-seconds) #seek #total #speed #volume, the elements #screen #webcam #audio
 *   #identity (data-step) #identitySummary #identityPictures · #pictures #stills; in both figure[data-still=<of>]
 *   #lockdown (data-phase), when there was one: #lockdownFacts [data-fact], #browser (data-proof), #rules with rows
 *     [data-rule][data-standing][data-required][data-overridden][data-sightings]
 *   #flags #commands #chat #chains (data-verified) #settings #events; [data-seek=<seconds>] buttons
 *   body has data-loaded once the report is shown
 */

import { byId, clock, duration, words } from "./dom.js";
import { Player, Track } from "./player.js";
import { showTables } from "./report-tables.js";
import { draw, keys, length } from "./timeline.js";

const AGAIN_MS = 10_000;
const PLAYABLE = ["screen", "webcam", "audio"];

const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1) ?? "");
const access = new URLSearchParams(location.search).get("access") ?? "";
const source = new URL(`v1/sessions/${encodeURIComponent(id)}/report`, document.baseURI);
source.searchParams.set("access", access);

const player = new Player(showPlace);
/** @type {any} */
let report = null;
/** @type {{picture: SVGElement, move: (session: number) => void} | null} */
let timeline = null;

byId("json").href = source.href;
byId("play").addEventListener("click", () => player.play(!player.playing));
byId("seek").addEventListener("input", () => player.seek(Number(byId("seek").value)));
byId("speed").addEventListener("change", () => (player.rate = Number(byId("speed").value)));
byId("volume").addEventListener("input", () => (byId("audio").volume = Number(byId("volume").value)));
new ResizeObserver(drawTimeline).observe(byId("timeline"));
window.addEventListener("beforeprint", () =>
  document.querySelectorAll("details").forEach((each) => (each.open = true)),
);
load();

async function load() {
  const answer = await read();
  if (!answer) showError("The service does not answer; this page tries again.");
  else if (answer.error) return showError(`${answer.error.message} ${answer.error.remedy ?? ""}`);
  else show(answer);
  if (report?.state !== "ended") setTimeout(load, AGAIN_MS);
}

/** The report, the service's refusal, or null when nothing that could be read came back. */
async function read() {
  try {
    return await (await fetch(source)).json();
  } catch {
    return null;
  }
}

/** @param {string} sentence */
function showError(sentence) {
  byId("reportError").textContent = sentence;
  byId("reportError").hidden = false;
}

/** @param {any} fresh */
function show(fresh) {
  report = fresh;
  byId("reportError").hidden = true;
  byId("report").hidden = false;
  byId("fresh").textContent = report.state === "ended" ? "" : `The session is not over; as of ${clock(Date.now())}.`;
  showTables(report, seek);
  openPlayer();
  drawTimeline();
  document.body.dataset.loaded = "true";
}

function openPlayer() {
  player.total = length(report);
  byId("seek").max = player.total;
  byId("total").textContent = duration(player.total);
  const playable = report.streams.filter(
    (/** @type {any} */ { stream, playlist }) => playlist && PLAYABLE.includes(stream),
  );
  byId("noPlayer").hidden = playable.length > 0;
  if (!playable.length || report.started_ms === null) return;
  byId("player").hidden = false;
  const known = player.tracks.map(({ element }) => element.id);
  for (const { stream, playlist } of playable) if (!known.includes(stream)) player.add(track(stream, playlist));
}

/** @param {string} stream @param {string} playlist */
function track(stream, playlist) {
  const url = new URL(playlist, source);
  if (!url.searchParams.has("access")) url.searchParams.set("access", access);
  return new Track(byId(stream), byId(`${stream}Cover`), url.href, report.started_ms);
}

/** Go to a place of the session, and bring the player into sight. @param {number} session */
function seek(session) {
  player.seek(session);
  byId("recordingTitle").scrollIntoView({ block: "start" });
}

/** @param {Player} state */
function showPlace({ session, playing }) {
  byId("time").textContent = duration(session);
  byId("time").dataset.seconds = session.toFixed(2);
  byId("seek").value = session;
  byId("seek").setAttribute("aria-valuetext", duration(session));
  byId("play").textContent = playing ? "Pause" : "Play";
  timeline?.move(session);
  for (const stream of ["screen", "webcam"]) byId(`${stream}Cover`).textContent = whyNothing(stream, session);
}

/** @param {string} stream @param {number} session */
function whyNothing(stream, session) {
  if (player.tracks.some(({ element, failed }) => element.id === stream && failed))
    return "The recording of this stream does not play.";
  const gap = report.gaps.find(
    (/** @type {any} */ each) => each.stream === stream && each.start_s <= session && session < each.end_s,
  );
  return gap ? `No picture: ${words(gap.cause)}` : "No picture here";
}

function drawTimeline() {
  const width = byId("timeline").clientWidth;
  if (!report || !width) return;
  timeline = draw(report, Math.max(320, width), (session) => player.seek(session));
  byId("timeline").replaceChildren(timeline.picture, keys(report));
  timeline.move(player.session);
}
