// @ts-check
/*
 * NEVER SHIP A PRIVATE KEY IN A PAGE. This exists for the demo page alone, where the person who types the key is its owner. In an
 * exam, the exam's own server signs, and its page passes the signed request on to `proctor.init(...)`.
 *
 * Load it after secureproctor.js; it adds `SecureProctor.signing`. Both schemes of contract/signing.py, by WebCrypto.
 */
(() => {
  "use strict";

  const PBKDF2_ITERATIONS = 1001;
  const PBKDF2_BYTES = 25;

  /** @param {string} text */
  const utf8 = (text) => new TextEncoder().encode(text);

  /** WebCrypto exists on https and loopback pages only. */
  function crypto() {
    if (globalThis.crypto?.subtle) return globalThis.crypto.subtle;
    throw new globalThis.SecureProctorError({
      code: "webcrypto_missing",
      message: "The browser signs on https and on loopback addresses only.",
      remedy: "Open this page by https, or at 127.0.0.1.",
    });
  }

  /**
   * The values in the order of their names, joined by newlines; `asgn` is never signed.
   * @param {Record<string, string>} parameters
   */
  function joinedValues(parameters) {
    const names = Object.keys(parameters).filter((name) => name !== "asgn");
    return names
      .sort()
      .map((name) => parameters[name])
      .join("\n");
  }

  /**
   * The `Authorization` of a body: 50 upper-case hexadecimal digits.
   * @param {string} privateKey
   * @param {string} bodyText the exact text that is sent
   */
  async function signBody(privateKey, bodyText) {
    const key = await crypto().importKey("raw", utf8(bodyText), "PBKDF2", false, ["deriveBits"]);
    const algorithm = { name: "PBKDF2", hash: "SHA-1", salt: utf8(privateKey), iterations: PBKDF2_ITERATIONS };
    const bits = await crypto().deriveBits(algorithm, key, PBKDF2_BYTES * 8);
    return Array.from(new Uint8Array(bits), (byte) => byte.toString(16).padStart(2, "0"))
      .join("")
      .toUpperCase();
  }

  /**
   * The `asgn` of a request: base64 text of 44 characters.
   * @param {string} privateKey
   * @param {string} method
   * @param {string} endpoint the address without its query
   * @param {Record<string, string>} parameters with `ak` and `ts`, and `rd` for a JSON body
   */
  async function signParameters(privateKey, method, endpoint, parameters) {
    const text = `${method.toUpperCase()}${endpoint}\n${joinedValues(parameters)}`;
    const key = await crypto().importKey("raw", utf8(privateKey), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const signature = new Uint8Array(await crypto().sign("HMAC", key, utf8(text)));
    return btoa(String.fromCharCode(...signature));
  }

  const nowSeconds = () => String(Math.floor(Date.now() / 1000));

  /**
   * Init's signed request, by either scheme.
   * @param {{scheme: "body" | "parameters", publicKey: string, privateKey: string, endpoint: string, body: string}} request
   */
  async function signRequest({ scheme, publicKey, privateKey, endpoint, body }) {
    if (scheme === "body") return { body, authorization: await signBody(privateKey, body), query: {} };
    const query = { ak: publicKey, ts: nowSeconds() };
    const asgn = await signParameters(privateKey, "POST", endpoint, { ...query, rd: body });
    return { body, authorization: "", query: { ...query, asgn } };
  }

  /**
   * Report's signed query, by either scheme.
   * @param {{scheme: "body" | "parameters", publicKey: string, privateKey: string, endpoint: string,
   *          parameters: Record<string, string>}} query
   */
  async function signQuery({ scheme, publicKey, privateKey, endpoint, parameters }) {
    if (scheme === "body")
      return { query: parameters, authorization: await signBody(privateKey, joinedValues(parameters)) };
    const query = { ...parameters, ak: publicKey, ts: nowSeconds() };
    return { query: { ...query, asgn: await signParameters(privateKey, "GET", endpoint, query) }, authorization: "" };
  }

  globalThis.SecureProctor.signing = Object.freeze({ signBody, signParameters, signRequest, signQuery });
})();
