/** Types of authorization.js, the authorization desk for exam pages. */

import type { SecureProctor } from "./secureproctor.js";

export interface Outcome {
  /** `off`: authorization is not asked for. `ended`: the session ended before a decision. */
  decision: "authorized" | "off" | "rejected" | "ended";
  /** The proctor's words. */
  text: string;
}

export interface DeskOptions {
  /** Takes the desk away when it is aborted; a promise that still waits is rejected. */
  signal?: AbortSignal;
  /** The address of another stylesheet, "" for none. */
  style?: string;
}

/** Show the desk in an element; call it once `init` is done. Resolves when Start is possible, or when it is sure that it will not be. */
export declare function showAuthorization(
  proctor: SecureProctor,
  element: HTMLElement,
  options?: DeskOptions,
): Promise<Outcome>;
