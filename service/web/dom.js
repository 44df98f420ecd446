// @ts-check
/* What all pages need to put text on the screen. Text is always set as text: nothing from outside becomes markup. */

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * An element: `el("button", {type: "button", onclick: fn}, "Send")`. An attribute that is null or false is left out.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Record<string, any>} attributes
 * @param {...(Node | string | null | undefined)} children
 * @returns {any}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/**
 * @param {Element} element
 * @param {Record<string, any>} attributes
 * @param {(Node | string | null | undefined)[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");

/** Seconds as 4:05 or 1:04:05. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A length of time in words: 6 h 12 min, 2 min 50 s, 40 s. @param {number} seconds */
export function lasting(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const parts = h ? [`${h} h`, m && `${m} min`] : m ? [`${m} min`, s && `${s} s`] : [`${s} s`];
  return parts.filter(Boolean).join(" ");
}

/** Wall time of the day, in the reader's zone. @param {number | null | undefined} ms */
export function clock(ms) {
  return ms === null || ms === undefined ? "–" : new Date(ms).toLocaleTimeString([], { hourCycle: "h23" });
}

/** @param {number | null | undefined} ms */
export function dateTime(ms) {
  return ms === null || ms === undefined ? "–" : new Date(ms).toLocaleString([], { hourCycle: "h23" });
}

/** @param {number} count */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; count >= 1000 && unit < units.length - 1; unit++) count /= 1000;
  return `${count.toFixed(unit ? 1 : 0)} ${units[unit]}`;
}

/**
 * A table with a caption for screen readers and cells that say their column on a narrow screen.
 * @param {string} caption
 * @param {string[]} columns
 * @param {(Node | string)[][]} rows
 * @param {string} id
 */
export function table(caption, columns, rows, id = "") {
  const head = el("tr", {}, ...columns.map((column) => el("th", { scope: "col" }, column)));
  const body = rows.map((cells) =>
    el("tr", {}, ...cells.map((cell, i) => el("td", { "data-label": columns[i] }, cell))),
  );
  return el("table", { id: id || null }, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body));
}

/** Words for a code: `could_not_check` → "could not check". @param {string} code */
export const words = (code) => code.replaceAll("_", " ");
