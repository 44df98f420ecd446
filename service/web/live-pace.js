// @ts-check
/*
 * How near to the live edge a picture can be played.
 *
 * A segment comes whole, so at the moment at which one comes, what is left to play of those before it (the slack) is pure delay:
 * it is there only to outlive a late one. The pace keeps the least slack of the last segments at a small margin: too much of it is
 * played off by a slightly higher speed, or skipped when it is a lot; after a stall the margin grows, and shrinks again slowly.
 */

const LOOKED_AT = 4; // segments
const MARGIN_S = 0.25;
const WIDEST_S = 1.5;
const GROWTH_S = 0.2;
const SHRINKAGE_S = 0.02;
const STALL_S = 0.03;
const SKIP_S = 0.7;
const FASTEST = 1.12;
const SLOWEST = 0.96;

export class Pace {
  margin = MARGIN_S;
  rate = 1;
  /** @type {number[]} */ #slacks = [];

  /**
   * A segment came that goes on from the one before.
   * @param {number} slack seconds that were left to play
   * @returns {number} seconds to skip now, or 0
   */
  came(slack) {
    const stalled = slack < STALL_S;
    this.margin = stalled ? Math.min(WIDEST_S, this.margin + GROWTH_S) : Math.max(MARGIN_S, this.margin - SHRINKAGE_S);
    this.#slacks = [...this.#slacks, slack].slice(-LOOKED_AT);
    const excess = Math.min(...this.#slacks) - this.margin;
    const skip = excess > SKIP_S ? excess : 0;
    this.#slacks = this.#slacks.map((each) => each - skip);
    this.rate = Math.min(FASTEST, Math.max(SLOWEST, 1 + (excess - skip) / 5));
    return skip;
  }

  /** The picture was put elsewhere: what was seen of it is no measure any more. */
  moved() {
    this.#slacks = [];
    this.rate = 1;
  }
}

/**
 * How far the candidate's clock is from the service's, where that is beyond doubt: a segment cannot come before it was sealed,
 * and one that is sent live comes within seconds. Otherwise both are taken for equal, and the way of the segment counts as delay.
 * @param {number} least seconds from the sealing to the arrival, the least that was seen
 */
export const skew = (least) => (least < 0 || least > 15 ? least : 0);
