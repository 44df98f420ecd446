// @ts-check
/*
 * Three streams, one session clock.
 *
 * The clock runs by itself while all streams that have evidence at its time can play; each element is kept at the clock, by a
 * slightly different speed for small differences and by a seek for large ones. Where a stream has a gap, its element rests under
 * a cover while the others go on: that is why there is no master element.
 */

import Hls from "./vendor/hls/hls.light.min.mjs";
import { extent, mediaTime, placesIn, placesOf } from "./segments.js";

const TICK_MS = 100;
const JUMP_S = 0.35;
const DRIFT_S = 0.04;
const NUDGE = 0.05;
/** A stream that cannot play for so long is left behind until it can. */
const PATIENCE_MS = 6000;
/** The last frame of a segment may end before the segment does. */
const EDGE_S = 0.5;

/** One element, its playlist, and where its segments lie. */
export class Track {
  /** @type {import("./segments.js").Place[]} */ places = [];
  failed = false;
  #waitingSince = 0;
  #restarted = false;
  /** @type {any} */ #hls = null;

  /**
   * @param {HTMLMediaElement} element
   * @param {HTMLElement | null} cover
   * @param {string} url
   * @param {number} startedMs wall time of the session's start
   */
  constructor(element, cover, url, startedMs) {
    this.element = element;
    this.cover = cover;
    this.url = url;
    this.startedMs = startedMs;
    if (Hls.isSupported()) this.#attach();
    else this.#attachNative();
  }

  close() {
    this.#hls?.destroy();
    this.element.removeAttribute("src");
  }

  #attach() {
    // the segments are fragmented MP4 already: nothing is left for a worker to do
    const hls = (this.#hls = new Hls({
      enableWorker: false,
      startPosition: 0,
      maxBufferLength: 20,
      backBufferLength: 30,
    }));
    const remember = (/** @type {string} */ _, /** @type {any} */ { details }) => {
      this.places = placesOf(details.fragments, this.startedMs);
    };
    hls.on(Hls.Events.LEVEL_UPDATED, remember);
    hls.on(Hls.Events.LEVEL_PTS_UPDATED, remember); // a loaded segment may lie a little beside where the playlist said
    hls.on(Hls.Events.ERROR, (/** @type {string} */ _, /** @type {any} */ error) => this.#fault(error));
    hls.loadSource(this.url);
    hls.attachMedia(this.element);
  }

  /** A decoder that stumbled gets one fresh start. @param {any} error */
  #fault({ fatal, type }) {
    if (!fatal) return;
    if (type !== Hls.ErrorTypes.MEDIA_ERROR || this.#restarted) this.failed = true;
    else this.#hls.recoverMediaError();
    this.#restarted = true;
  }

  async #attachNative() {
    this.element.src = this.url;
    try {
      const answer = await fetch(this.url);
      this.places = placesIn(await answer.text(), this.startedMs);
    } catch {
      this.failed = true;
    }
  }

  /** Whether the clock must wait for this stream. @param {number} session @param {number} now milliseconds */
  holds(session, now) {
    const target = this.failed ? null : mediaTime(this.places, session);
    const ahead = target !== null && mediaTime(this.places, session + EDGE_S) !== null;
    const starved = ahead && (this.element.seeking || this.element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
    if (!starved) this.#waitingSince = 0;
    else this.#waitingSince ||= now;
    return starved && now - this.#waitingSince < PATIENCE_MS;
  }

  /** Bring the element to the clock. @param {number} session @param {boolean} playing @param {number} rate */
  follow(session, playing, rate) {
    const { element } = this;
    const target = this.failed ? null : mediaTime(this.places, session);
    if (this.cover) this.cover.hidden = target !== null;
    if (target === null) return element.pause();
    const behind = target - element.currentTime;
    if (Math.abs(behind) > JUMP_S * Math.max(1, rate) || (!playing && Math.abs(behind) > DRIFT_S)) {
      if (!element.seeking) element.currentTime = target;
    }
    element.playbackRate = rate * (Math.abs(behind) > DRIFT_S ? 1 + Math.sign(behind) * NUDGE : 1);
    if (!playing) element.pause();
    else if (element.paused) element.play().catch(() => {}); // refused without a press of a button; the next tick tries again
  }
}

/** The session clock over tracks. `changed` is called whenever its time or state changed. */
export class Player {
  /** @type {Track[]} */ tracks = [];
  playing = false;
  rate = 1;
  session = 0;
  #last = 0;
  #timer = 0;
  #placed = false;

  /** @param {(player: Player) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.total = 0;
  }

  /** The first track starts the clock's ticking. @param {Track} track */
  add(track) {
    this.tracks.push(track);
    this.#timer ||= setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  close() {
    clearInterval(this.#timer);
    for (const track of this.tracks) track.close();
  }

  /** From here to there is evidence of any stream. */
  get extent() {
    const all = this.tracks.map(({ places }) => extent(places)).filter((each) => each !== null);
    return all.length
      ? { from: Math.min(...all.map(({ from }) => from)), to: Math.max(...all.map(({ to }) => to)) }
      : { from: 0, to: 0 };
  }

  /** @param {boolean} playing */
  play(playing) {
    if (playing && this.session >= this.#end) this.session = this.extent.from;
    this.playing = playing;
    this.#tick(performance.now());
  }

  /** @param {number} session seconds */
  seek(session) {
    this.session = Math.min(Math.max(0, session), this.#end);
    this.#placed = true;
    this.#tick(performance.now());
  }

  /** Begin at the first picture, not in the dark before it. */
  #place() {
    const pictures = this.tracks.filter(({ cover, places }) => cover && places.length);
    this.seek(pictures.length ? Math.min(...pictures.map(({ places }) => places[0].session)) : this.extent.from);
  }

  get #end() {
    return Math.max(this.total, this.extent.to);
  }

  /** @param {number} now */
  #tick(now) {
    if (!this.#placed && this.tracks.every(({ places, failed }) => failed || places.length)) this.#place();
    const held = this.tracks.map((track) => track.holds(this.session, now)).some(Boolean);
    if (this.playing && !held)
      this.session = Math.min(this.#end, this.session + ((now - this.#last) / 1000) * this.rate);
    this.#last = now;
    if (this.session >= this.#end) this.playing = false;
    for (const track of this.tracks) track.follow(this.session, this.playing && !held, this.rate);
    this.changed(this);
  }
}
