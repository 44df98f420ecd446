// @ts-check
/*
 * The wall's small pictures: only those in sight are loaded, a few at a time, the one that was not looked at for longest first, and
 * only when its stream has a newer record than is shown. So fifty candidates cost no more than a screenful.
 */

const LOOK_MS = 200;
const AT_ONCE = 2;
const AGAIN_MS = 4000;
const GIVEN_UP_MS = 15_000;

/** @typedef {{address: () => {place: string, url: string} | null, loadedMs: number, place: string, inSight: boolean}} Glimpse */

export class Glances {
  /** @type {Map<HTMLImageElement, Glimpse>} */ #glimpses = new Map();
  /** @type {Map<HTMLImageElement, number>} */ #loading = new Map();
  #timer = 0;
  #sight = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      const glimpse = this.#glimpses.get(/** @type {HTMLImageElement} */ (target));
      if (glimpse) glimpse.inSight = isIntersecting;
    }
  });

  /**
   * Keep an image fresh.
   * @param {HTMLImageElement} image
   * @param {() => {place: string, url: string} | null} address the newest record's place, and its picture
   * @returns {() => void} ends it
   */
  watch(image, address) {
    this.#glimpses.set(image, { address, loadedMs: -AGAIN_MS, place: "", inSight: false });
    const done = () => this.#loading.delete(image);
    image.addEventListener("load", done);
    image.addEventListener("error", done);
    this.#sight.observe(image);
    this.#timer ||= setInterval(() => this.#look(performance.now()), LOOK_MS);
    return () => {
      this.#sight.unobserve(image);
      this.#glimpses.delete(image);
      this.#loading.delete(image);
      if (this.#glimpses.size) return;
      clearInterval(this.#timer);
      this.#timer = 0;
    };
  }

  /** @param {number} now */
  #look(now) {
    if (document.hidden) return;
    for (const [image, since] of this.#loading) if (now - since > GIVEN_UP_MS) this.#loading.delete(image);
    const due = [...this.#glimpses]
      .filter(([image, { inSight, loadedMs }]) => inSight && now - loadedMs >= AGAIN_MS && !this.#loading.has(image))
      .sort(([, a], [, b]) => a.loadedMs - b.loadedMs);
    for (const [image, glimpse] of due) {
      if (this.#loading.size >= AT_ONCE) return;
      this.#load(image, glimpse, now);
    }
  }

  /** @param {HTMLImageElement} image @param {Glimpse} glimpse @param {number} now */
  #load(image, glimpse, now) {
    const address = glimpse.address();
    if (!address || address.place === glimpse.place) return;
    Object.assign(glimpse, { place: address.place, loadedMs: now });
    this.#loading.set(image, now);
    image.src = address.url; // the old picture stays until the new one is there
    image.dataset.place = address.place;
  }
}
