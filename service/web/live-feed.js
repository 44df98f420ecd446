// @ts-check
/*
 * One stream, live, in one element: the segments as they come, in a SourceBuffer.
 *
 * The element's time is the session clock (it is in the segments), so a new epoch needs no new element: its init is appended, by
 * changeType where codec or size changed, and the hole between is jumped over. What cannot be played on (a decoder that failed, a
 * buffer that was taken away) begins again with the last init and the next segment.
 */

import { Pace, skew } from "./live-pace.js";

const LOOK_MS = 250;
const FARTHEST_S = 6; // behind the edge; beyond it nothing is made up for by speed
const KEPT_S = 12;
const TRIM_FROM_S = 30;
const QUEUED = 12;
const STUCK_MS = 1500;
const STALE_MS = 7000;
const SEAM_S = 0.1; // segments of variable rate touch within this
const IN_STEP_S = 0.3;

/**
 * The header of a frame, contract.console.LiveHeader.
 * @typedef {{session_id: string, stream: string, kind: "init" | "media", epoch: number, seq: number, codec: string,
 *   start_us: number, duration_us: number, wall_us: number}} Header
 * @typedef {{behind: number | null, stale: boolean, playable: boolean}} Shown seconds behind live; nothing comes; no codec for it
 */

export class Feed {
  #pace = new Pace();
  /** @type {{header: Header, bytes: ArrayBuffer}[]} */ #queue = [];
  /** @type {{header: Header, bytes: ArrayBuffer} | null} */ #init = null;
  /** @type {Header | null} */ #newest = null;
  #seen = new Set();
  #epoch = -1; // whose init is in the buffer
  #type = "";
  /** @type {MediaSource | null} */ #source = null;
  /** @type {SourceBuffer | null} */ #buffer = null;
  #cameMs = 0;
  #stuckMs = 0;
  #least = Infinity;
  #playable = true;
  #timer = 0;

  /**
   * @param {HTMLMediaElement} element
   * @param {() => number} now the service's clock, milliseconds since 1970
   * @param {(shown: Shown) => void} show is called some times a second
   */
  constructor(element, now, show) {
    this.element = element;
    this.now = now;
    this.show = show;
    /** Another feed that this one keeps in step with. @type {Feed | null} */
    this.leader = null;
    element.addEventListener("error", this.#failed);
    document.addEventListener("visibilitychange", this.#look);
    this.#timer = setInterval(this.#look, LOOK_MS);
    this.#open();
  }

  close() {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
    this.element.removeEventListener("error", this.#failed);
    this.#shut();
    this.element.removeAttribute("src");
    this.element.load();
  }

  /** @param {Header} header @param {ArrayBuffer} bytes */
  take(header, bytes) {
    const place = `${header.epoch}/${header.seq}`;
    if (this.#seen.has(place)) return; // a new connection begins with what the old one ended with
    if (this.#newest && header.epoch < this.#newest.epoch) return;
    this.#seen.add(place);
    if (header.kind === "init") this.#init = { header, bytes };
    this.#queue.push({ header, bytes });
    if (this.#queue.length > QUEUED) this.#drop();
    if (header.kind === "media") this.#count(header);
    this.#pump();
  }

  /** Whether it is shown now, and goes on. */
  get playing() {
    return !this.element.paused && this.element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  get #edge() {
    const { buffered } = this.element;
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  }

  /** @param {Header} header */
  #count(header) {
    this.#cameMs = performance.now();
    this.#least = Math.min(this.#least, (this.now() - header.wall_us / 1000) / 1000);
    const goesOn = this.#newest?.epoch === header.epoch && header.seq === this.#newest.seq + 1;
    if (!this.#newest || header.epoch > this.#newest.epoch || header.seq > this.#newest.seq) this.#newest = header;
    if (!goesOn || this.element.paused || this.element.seeking) return;
    const skip = this.#pace.came(Math.max(0, this.#edge - this.element.currentTime));
    if (skip && !this.leader) this.element.currentTime += skip;
  }

  /** What has to wait for long is old: the oldest segment goes, never an init. */
  #drop() {
    this.#queue.splice(
      this.#queue.findIndex(({ header }) => header.kind === "media"),
      1,
    );
  }

  #open() {
    const source = (this.#source = new MediaSource());
    this.element.src = URL.createObjectURL(source);
    source.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(this.element.src);
        this.#pump();
      },
      { once: true },
    );
  }

  #shut() {
    this.#source = this.#buffer = null;
    this.#epoch = -1;
    this.#pace.moved();
  }

  #failed = () => {
    this.#shut();
    this.#queue = this.#init ? [this.#init] : [];
    this.#open();
  };

  #pump = () => {
    if (this.#source?.readyState !== "open" || this.#buffer?.updating) return;
    const next = this.#queue.shift();
    if (!next) return;
    try {
      if (next.header.kind === "init") this.#begin(next.header);
      if (next.header.epoch === this.#epoch) this.#buffer?.appendBuffer(next.bytes);
      else this.#pump();
    } catch (error) {
      this.#refused(/** @type {DOMException} */ (error), next);
    }
  };

  /** @param {Header} header */
  #begin({ stream, codec, epoch }) {
    const type = `${stream === "audio" ? "audio" : "video"}/mp4; codecs="${codec}"`;
    this.#playable = MediaSource.isTypeSupported(type);
    if (!this.#playable) return;
    if (!this.#buffer) {
      this.#buffer = /** @type {MediaSource} */ (this.#source).addSourceBuffer(type);
      this.#buffer.addEventListener("updateend", this.#appended);
    } else if (type !== this.#type) this.#buffer.changeType(type);
    this.#type = type;
    this.#epoch = epoch;
  }

  /** A full buffer is emptied, and what did not fit goes in afterwards; anything else needs a fresh start. */
  #refused(/** @type {DOMException} */ error, /** @type {{header: Header, bytes: ArrayBuffer}} */ entry) {
    if (error.name !== "QuotaExceededError" || !this.#buffer) return this.#failed();
    this.#queue.unshift(entry);
    this.#buffer.remove(0, Math.max(0.1, this.#edge - KEPT_S / 2));
  }

  #appended = () => {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating) return;
    const { buffered } = buffer;
    if (buffered.length && this.#edge - buffered.start(0) > TRIM_FROM_S) buffer.remove(0, this.#edge - KEPT_S);
    else this.#pump();
    if (this.element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.#look();
  };

  #look = () => {
    if (this.element.buffered.length) {
      this.#keepUp();
      if (this.element.paused && !this.#ahead()) this.element.play().catch(() => {}); // refused without a press; tried again
    }
    this.show({ behind: this.#behind(), stale: this.#stale(), playable: this.#playable });
  };

  #keepUp() {
    const { element } = this;
    const at = element.currentTime;
    if (element.seeking) return;
    if (this.leader?.playing) return this.#follow(this.leader, at);
    element.playbackRate = this.#pace.rate;
    const { buffered } = element;
    const within = rangeAt(buffered, at);
    const left = within < 0 ? 0 : buffered.end(within) - at;
    if (within < 0 || this.#edge - at > FARTHEST_S) this.#toEdge();
    else if (left < SEAM_S && within < buffered.length - 1) this.#toEdge();
    else this.#unstick(at, left);
  }

  /** Where a picture is played that has just begun: the newest segment, less the margin. */
  #toEdge() {
    const { buffered } = this.element;
    const length = (this.#newest?.duration_us ?? 0) / 1e6;
    const start = buffered.start(buffered.length - 1);
    this.#pace.moved();
    this.element.currentTime = Math.max(start, this.#edge - length - this.#pace.margin) + 0.001;
  }

  /** @param {Feed} leader @param {number} at */
  #follow(leader, at) {
    const apart = leader.element.currentTime - at;
    const there = rangeAt(this.element.buffered, leader.element.currentTime) >= 0;
    if (Math.abs(apart) > IN_STEP_S && there) this.element.currentTime = leader.element.currentTime;
    else if (this.#ahead()) this.element.pause();
    else if (rangeAt(this.element.buffered, at) < 0) this.#toEdge();
    this.element.playbackRate = leader.element.playbackRate + Math.max(-0.05, Math.min(0.05, apart / 2));
  }

  /** It began later than its leader is, and waits for it. */
  #ahead() {
    const { leader, element } = this;
    return leader?.playing === true && element.currentTime - leader.element.currentTime > IN_STEP_S;
  }

  /** A decoder may stand still before a full buffer. @param {number} at @param {number} left */
  #unstick(at, left) {
    if (left < 0.5 || this.element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) this.#stuckMs = 0;
    else if (!this.#stuckMs) this.#stuckMs = performance.now();
    else if (performance.now() - this.#stuckMs > STUCK_MS) {
      this.#stuckMs = 0;
      this.element.currentTime = at + 0.05;
    }
  }

  #stale() {
    return this.#newest !== null && performance.now() - this.#cameMs > STALE_MS;
  }

  /** Seconds from the sealing of what is shown to now, by the service's clock. */
  #behind() {
    if (!this.#newest || this.element.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
    const { start_us, duration_us, wall_us } = this.#newest;
    const shownUs = wall_us - (start_us + duration_us - this.element.currentTime * 1e6);
    return Math.max(0, this.now() / 1000 - shownUs / 1e6 - skew(this.#least));
  }
}

/** Which range a time lies in, or -1. @param {TimeRanges} ranges @param {number} at */
function rangeAt(ranges, at) {
  for (let i = 0; i < ranges.length; i++) if (ranges.start(i) - SEAM_S <= at && at <= ranges.end(i) + SEAM_S) return i;
  return -1;
}
