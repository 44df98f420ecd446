// @ts-check
/* The authorization desk: photo, ID card and reference side by side, and the proctor's decision. */

import { html } from "./console-html.js";
import { DECISIONS, Ordering, RESUBMISSIONS } from "./console-orders.js";
import { clock } from "./dom.js";
import { stepName, stillName } from "./states.js";
import { hintWords, pictureAt } from "./stills.js";

export class Desk extends Ordering {
  title = "desk";

  render() {
    const { deciding, identity, snapshot } = this.props;
    const content = html`${this.#pictures()} ${this.#course()}
    ${deciding ? this.#decision() : identity.text && html`<p>“${identity.text}”</p>`}`;
    if (deciding)
      return html`<section class="card desk" data-part="desk" aria-labelledby="deskTitle">
        <h3 id="deskTitle">
          Authorization
          <span class="mark" data-mark=${snapshot.authorization_step === "submitted" ? "warned" : ""}
            >${stepName(snapshot.authorization_step)}</span
          >
        </h3>
        ${content} ${this.asking && this.question()}
      </section>`;
    return html`<details class="card desk" data-part="desk">
      <summary>
        <h3>Identity</h3>
        <span class="mark" data-mark=${snapshot.authorization_step === "rejected" ? "refused" : "acknowledged"}
          >${stepName(snapshot.authorization_step)}</span
        >
        ${identity.decided_by && html`<span class="hint">by ${identity.decided_by}, ${clock(identity.decided_ms)}</span>`}
      </summary>
      ${content}
    </details>`;
  }

  #pictures() {
    const { identity, settings, enlarge } = this.props;
    const shown = ["photo", "id_card", "reference"]
      .map((of) => ({ of, ...this.#picture(of, identity, settings) }))
      .filter(({ left }) => !left);
    if (!shown.length) return html`<p class="hint">No pictures are taken: photo and ID card were left out at Init.</p>`;
    const large = shown.filter(({ src }) => src);
    return html`<div class="trio">
      ${shown.map(
        ({ of, src, alt, caption, hints, none }) =>
          html`<figure key=${of}>
            ${
              src
                ? html`<button
                    type="button"
                    class="picture"
                    aria-label=${`Enlarge: ${caption}`}
                    onclick=${() =>
                      enlarge(
                        large,
                        large.findIndex((each) => each.of === of),
                      )}
                  >
                    <img data-still=${of} src=${src} alt=${alt} />
                  </button>`
                : html`<div class="picture none">${none}</div>`
            }
            <figcaption>
              ${caption} ${hints?.length > 0 && html`<span class="warned">${hintWords(hints).join(" · ")}</span>`}
            </figcaption>
          </figure>`,
      )}
    </div>`;
  }

  /** @param {string} of @param {any} identity @param {any} settings @returns {any} */
  #picture(of, identity, settings) {
    const name = stillName(of);
    if (of === "reference") {
      const { reference, reference_error } = identity;
      if (!reference && !reference_error && !settings.candidatePhotoUrl) return { left: true };
      const caption = "Reference, of the exam";
      return {
        caption,
        alt: caption,
        src: reference && pictureAt(reference),
        none: reference_error || "Being fetched",
      };
    }
    if (settings.skipIdAndPhoto || (of === "id_card" && settings.skipId)) return { left: true };
    const still = identity[of];
    if (!still) return { caption: name, none: "Not taken yet" };
    const asked = (identity.wanted ?? []).includes(of) ? ", asked for again" : "";
    return {
      caption: `${name}, ${clock(still.at_ms)}${asked}`,
      alt: `${name} of the candidate`,
      src: pictureAt(still.url),
      hints: still.hints,
    };
  }

  #course() {
    const { consent_ms, submitted_ms } = this.props.identity;
    const steps = [
      [consent_ms, "agreed to be proctored"],
      [submitted_ms, "handed in"],
    ].filter(([at]) => at);
    return (
      steps.length > 0 &&
      html`<p class="hint">${steps.map(([at, said]) => `${clock(Number(at))} ${said}`).join(" · ")}</p>`
    );
  }

  #decision() {
    return html`<div class="decision">
      ${this.words("Reason, or words for the candidate")}
      <div class="row">
        ${this.group("Decision", DECISIONS)}
        <div class="again"><span class="hint">Ask again for</span> ${this.group("Ask again for", RESUBMISSIONS)}</div>
      </div>
    </div>`;
  }
}
