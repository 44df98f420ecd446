// @ts-check
/*
 * What a screen reader is told without being asked: that a candidate waits for a decision, wrote, or lost the connection. What
 * comes within some seconds is one sentence, so that fifty candidates do not chatter.
 */

import { nameOf, OVER, UNDER_WAY } from "./console-order.js";

const GATHERED_MS = 4000;
const NAMED = 2;

/** @type {{of: (snapshot: any) => unknown, said: string}[]} */
const NEWS = [
  { of: ({ authorization_step }) => authorization_step === "submitted", said: "waits for your decision" },
  { of: ({ stopping, state }) => stopping && !OVER.includes(state), said: "cannot start because of the lockdown" },
  { of: ({ unread }) => unread, said: "wrote a message" },
  { of: ({ link, state }) => link === "offline" && UNDER_WAY.includes(state), said: "lost the connection" },
];

/** @param {import("./console-state.js").State} state @param {HTMLElement} place */
export function announcing(state, place) {
  /** @type {Map<string, boolean[]>} */
  const before = new Map();
  /** @type {Map<string, Set<string>>} what happened → to whom */
  const news = new Map();
  let timer = 0;
  const follow = () => {
    for (const [id, snapshot] of state.sessions) {
      if (before.has(id)) continue;
      before.set(
        id,
        NEWS.map(({ of }) => Boolean(of(snapshot))),
      );
      state.on(`session:${id}`, () => compare(id));
    }
  };
  /** @param {string} id */
  const compare = (id) => {
    const snapshot = state.sessions.get(id);
    if (!snapshot) return;
    const now = NEWS.map(({ of }) => Boolean(of(snapshot)));
    NEWS.forEach(({ said }, i) => {
      if (now[i] && !before.get(id)?.[i]) news.set(said, (news.get(said) ?? new Set()).add(nameOf(snapshot)));
    });
    before.set(id, now);
    if (news.size) timer ||= setTimeout(tell, GATHERED_MS);
  };
  const tell = () => {
    timer = 0;
    place.textContent = [...news].map(([said, names]) => `${listed([...names])}: ${said}.`).join(" ");
    news.clear();
  };
  state.on("list", follow);
}

/** @param {string[]} names */
const listed = (names) => (names.length > NAMED ? `${names.length} candidates` : names.join(" and "));
