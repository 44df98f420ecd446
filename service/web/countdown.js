// @ts-check
/*
 * A time that runs out, second by second, between the agent's status events.
 *
 * It runs on the page's own steady clock from the moment at which the agent told how long is left: the wall clock may be set
 * meanwhile, and that of the service may differ. What comes later than it was said can only make the end look later, so of two
 * tellings of the same end the earlier one is kept; the display never goes back by a second because of a slow message.
 */

const LOOK_MS = 200; // so that each second is shown within a fifth of its time
const SAME_MS = 1500; // how far two tellings of the same end may lie apart

export class Countdown {
  /** @type {number | null} */ #ends = null;
  #timer = 0;

  /** @param {(seconds: number | null) => void} show is called with the seconds left when they change, and null when it is off */
  constructor(show) {
    this.show = show;
    /** @type {number | null} */ this.shown = null;
  }

  /** @param {number | null | undefined} seconds that are left now; null: nothing runs out */
  left(seconds) {
    if (seconds === null || seconds === undefined) return this.#off();
    const ends = performance.now() + seconds * 1000;
    const same = this.#ends !== null && Math.abs(ends - this.#ends) < SAME_MS;
    this.#ends = same ? Math.min(ends, /** @type {number} */ (this.#ends)) : ends;
    this.#timer ||= setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  #off() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#ends = null;
    this.#change(null);
  }

  #look() {
    if (this.#ends !== null) this.#change(Math.max(0, Math.ceil((this.#ends - performance.now()) / 1000)));
  }

  /** @param {number | null} seconds */
  #change(seconds) {
    if (seconds === this.shown) return;
    this.shown = seconds;
    this.show(seconds);
  }
}
