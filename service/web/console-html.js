// @ts-check
/*
 * Preact and htm as the console's files use them, and a component that follows the console's state.
 *
 * Components that keep something are classes: Preact's hooks would need an import map, which the pages' policy forbids.
 */

import htm from "./vendor/htm/htm.mjs";
import { Component, h, render } from "./vendor/preact/preact.mjs";

export const html = htm.bind(h);
export { Component, render };

/** A place for an element that a template makes. @returns {{current: any}} */
export const createRef = () => ({ current: null });

/** Renders again when one of its topics is told of. */
export class Following extends Component {
  /** @type {(() => void)[]} */ offs = [];

  /** @returns {string[]} */
  topics() {
    return [];
  }

  componentDidMount() {
    const { state } = this.props.console;
    this.offs = this.topics().map((topic) => state.on(topic, () => this.forceUpdate()));
  }

  componentWillUnmount() {
    for (const off of this.offs) off();
  }
}
