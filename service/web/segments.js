// @ts-check
/*
 * Where a session time lies in a playlist, and back.
 *
 * A playlist's media time counts from its own first segment and closes up over gaps; the session clock does neither. The
 * playlist says both: a segment's place in it, and by EXT-X-PROGRAM-DATE-TIME the session's start plus the session time.
 */

/**
 * A segment on both clocks, in seconds.
 * @typedef {{media: number, session: number, duration: number}} Place
 */

/** Playlists round times to milliseconds; holes shorter than this between two segments are not gaps. */
export const SEAM_S = 0.15;

/**
 * Places from hls.js's fragments; fragments without a date lie where they play. What has not arrived has no place.
 * @param {{start: number, duration: number, programDateTime: number | null, gap?: boolean}[]} fragments
 * @param {number} startedMs
 * @returns {Place[]}
 */
export function placesOf(fragments, startedMs) {
  return fragments.filter(({ gap }) => !gap).map(({ start, duration, programDateTime }) => ({
    media: start,
    session: programDateTime === null ? start : (programDateTime - startedMs) / 1000,
    duration,
  }));
}

/**
 * Places from the text of a media playlist, for browsers that play HLS by themselves.
 * @param {string} text
 * @param {number} startedMs
 * @returns {Place[]}
 */
export function placesIn(text, startedMs) {
  /** @type {Place[]} */
  const places = [];
  let media = 0;
  let session = 0;
  let gap = false;
  for (const line of text.split(/\r?\n/)) {
    const date = line.match(/^#EXT-X-PROGRAM-DATE-TIME:(.+)/);
    const length = line.match(/^#EXTINF:([\d.]+)/);
    if (date) session = (Date.parse(date[1]) - startedMs) / 1000;
    gap ||= line === "#EXT-X-GAP";
    if (!length) continue;
    if (!gap) places.push({ media, session, duration: Number(length[1]) });
    gap = false;
    media += Number(length[1]);
    session += Number(length[1]);
  }
  return places;
}

/**
 * The media time at which a session time plays, or null where there is no evidence.
 * @param {Place[]} places in order
 * @param {number} session
 */
export function mediaTime(places, session) {
  const last = places.findLast((place) => place.session <= session + 0.0005);
  if (!last) return null;
  const into = session - last.session;
  return into < last.duration + SEAM_S ? last.media + Math.min(Math.max(0, into), last.duration) : null;
}

/** The first and the last session time of the places, or null without any. @param {Place[]} places */
export function extent(places) {
  const last = places.at(-1);
  return last ? { from: places[0].session, to: last.session + last.duration } : null;
}
