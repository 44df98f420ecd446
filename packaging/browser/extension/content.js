// @ts-check
/*
 * The page's side of the bridge. It answers a page that asks whether the extension is there, and carries frames:
 *
 *     page → {source: "secureproctor-page", hello: 1}          ← {source: "secureproctor-extension", hello: 1, version}
 *     page → {source: "secureproctor-page", frame}             ← {source: "secureproctor-extension", frame}
 *                                                              ← {source: "secureproctor-extension", closed: {code, …}}
 *
 * A page that never asks is left alone: nothing is started for it, and it is told nothing. The connection is opened with the
 * page's first frame, and again with the first one after `closed`. It closes by itself when the page goes.
 */
(() => {
  "use strict";

  const api = globalThis.browser ?? globalThis.chrome;
  const { version } = api.runtime.getManifest();
  let port = null;

  // the window's own messages only: other windows and frames can post here, too
  window.addEventListener("message", ({ source, origin, data }) => {
    if (source !== window || origin !== location.origin || data?.source !== "secureproctor-page") return;
    if (data.hello === 1) say({ hello: 1, version });
    else if (typeof data.frame === "object" && data.frame !== null) carry(data.frame);
  });

  function carry(frame) {
    try {
      port ??= connected();
      port.postMessage({ frame });
    } catch (error) {
      // an extension that was updated or removed leaves this script behind, without its other half
      port = null;
      say({
        closed: {
          code: "extension_gone",
          message: `The SecureProctor extension does not answer: ${error.message}`,
          remedy: "Load the page again.",
        },
      });
    }
  }

  function connected() {
    const opened = api.runtime.connect({ name: "secureproctor" });
    opened.onMessage.addListener((message) => {
      if (message.closed && port === opened) port = null;
      say(message);
    });
    opened.onDisconnect.addListener(() => {
      if (port !== opened) return;
      port = null;
      say({
        closed: {
          code: "extension_gone",
          message: "The SecureProctor extension ended the connection.",
          remedy: "Nothing is to be done: the page connects again.",
        },
      });
    });
    return opened;
  }

  function say(message) {
    window.postMessage({ source: "secureproctor-extension", ...message }, location.origin);
  }
})();
