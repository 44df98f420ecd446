// @ts-check
/* The single pictures of a session, the newest first. */

import { html } from "./console-html.js";
import { clock } from "./dom.js";
import { stillName } from "./states.js";
import { hintWords, pictureAt } from "./stills.js";

/** @param {{stills: any[], enlarge: (list: any[], at: number) => void}} props */
export function Stills({ stills, enlarge }) {
  const pictures = [...stills].reverse().map(({ of, at_ms, url, hints, width, height }) => ({
    key: `${of}-${at_ms}`,
    of,
    src: pictureAt(url),
    alt: `${stillName(of)} at ${clock(at_ms)}`,
    caption: [`${stillName(of)}, ${clock(at_ms)}`, `${width}×${height}`, ...hintWords(hints)].join(" · "),
  }));
  if (!pictures.length) return null;
  return html`<section class="card" aria-labelledby="stillsTitle">
    <h3 id="stillsTitle">Pictures</h3>
    <ul class="stills" data-part="stills">
      ${pictures.map(
        ({ key, of, src, alt, caption }, i) =>
          html`<li key=${key}>
            <button
              type="button"
              class="picture"
              aria-label=${`Enlarge: ${caption}`}
              onclick=${() => enlarge(pictures, i)}
            >
              <img data-of=${of} src=${src} alt=${alt} loading="lazy" />
            </button>
            <span class="hint">${alt.replace(" at ", ", ")}</span>
          </li>`,
      )}
    </ul>
  </section>`;
}
