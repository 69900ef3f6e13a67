// Pages in the frame of an LMS that lead on by themselves: "LTI Client Side postMessages" 0.1 and "LTI OIDC Login with
// LTI Client Side postMessages" 0.1. The LMS keeps a value for us in one of its frames. It is told and believed only at
// the one origin that the page names. Whatever goes wrong, the way by a window of its own appears.
"use strict";

(() => {
  const PATIENCE = 3000; // milliseconds

  const find = (name) => document.querySelector(`[data-lti-${name}]`);

  // "_parent" is whoever shows us; any other name is a frame beside ours. Throws where there is none.
  function storageOf(target) {
    const shower = window.parent === window ? window.opener : window.parent;
    const frame = target === "_parent" ? shower : shower?.frames[target];
    if (!frame?.postMessage) throw new Error("no such frame");
    return frame;
  }

  // The answer to a message, from the same origin and with the same number. Rejected where none comes in time.
  function ask(told, message) {
    const id = crypto.getRandomValues(new Uint32Array(4)).join("-");
    return new Promise((resolve, reject) => {
      window.addEventListener("message", (event) => {
        const said = event.data;
        if (event.origin !== told.origin || said?.message_id !== id) return;
        if (said.subject !== `${message.subject}.response`) return;
        if (said.error) reject(new Error(String(said.error.code)));
        else resolve(said);
      });
      setTimeout(() => reject(new Error("no answer")), PATIENCE);
      storageOf(told.target).postMessage({ ...message, message_id: id }, told.origin);
    });
  }

  function giveUp(waiting) {
    waiting.hidden = true;
    const other = find("else");
    other.hidden = false;
    other.querySelector("a")?.focus();
  }

  function put(waiting) {
    const told = waiting.dataset;
    ask(told, { subject: "lti.put_data", key: told.key, value: told.value })
      .then(() => location.replace(told.next))
      .catch(() => giveUp(waiting));
  }

  function get(form) {
    ask(form.dataset, { subject: "lti.get_data", key: form.dataset.key })
      .then((said) => {
        if (typeof said.value !== "string" || !said.value) throw new Error("nothing kept");
        form.querySelector("[data-lti-value]").value = said.value;
        form.submit();
      })
      .catch(() => giveUp(form));
  }

  // What needs no script stands there at once: it is hidden only while the other way is tried.
  const other = find("else");
  if (other) other.hidden = true;
  const acts = { send: (form) => form.submit(), put, get };
  for (const [name, act] of Object.entries(acts)) {
    const found = find(name);
    if (found) act(found);
  }
})();
