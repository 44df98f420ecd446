// @ts-check
/* A picture in full size over the page; the arrow keys go to the others of its kind, Escape closes it. */

import { Component, createRef, html } from "./console-html.js";

export class Enlarged extends Component {
  dialog = createRef();
  at = this.props.at;

  componentDidMount() {
    this.dialog.current.showModal();
  }

  /** @param {KeyboardEvent} event */
  key = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    this.at = (this.at + step + this.props.list.length) % this.props.list.length;
    this.forceUpdate();
  };

  render() {
    const picture = this.props.list[this.at];
    return html`<dialog
      id="enlarged"
      ref=${this.dialog}
      aria-label=${picture.caption}
      onkeydown=${this.key}
      onclose=${this.props.closed}
      onclick=${(/** @type {any} */ event) => event.target === this.dialog.current && this.dialog.current.close()}
    >
      <figure>
        <img src=${picture.src} alt=${picture.alt} />
        <figcaption aria-live="polite">
          ${picture.caption}${this.props.list.length > 1 ? ` · ${this.at + 1} of ${this.props.list.length}` : ""}
        </figcaption>
      </figure>
      <form method="dialog"><button>Close</button></form>
    </dialog>`;
  }
}
