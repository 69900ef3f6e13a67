// Passkeys: a form with data-passkey asks the browser for one, puts its answer into the field "credential", and goes.
// What the browser is asked stands in data-options as JSON, with binary values in base64url (WebAuthn Level 3).
"use strict";

(() => {
  const forms = document.querySelectorAll("form[data-passkey]");
  const able = Boolean(window.PublicKeyCredential && navigator.credentials);
  document.querySelectorAll("[data-passkey-none]").forEach((words) => { words.hidden = able; });
  if (!able) return;

  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  }

  function text(buffer) {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function described(list) {
    return list.map((one) => ({ ...one, id: bytes(one.id), transports: one.transports.length ? one.transports : undefined }));
  }

  function create(options) {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    };
    return navigator.credentials.create({ publicKey });
  }

  function get(options) {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: described(options.allowCredentials),
    };
    return navigator.credentials.get({ publicKey });
  }

  // The parts of the answer that are bytes become base64url, as in RegistrationResponseJSON.
  function answer(credential) {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  }

  async function ask(form) {
    const failed = form.querySelector("[data-passkey-failed]");
    const ceremony = form.dataset.passkey === "create" ? create : get;
    failed.hidden = true;
    try {
      form.elements.credential.value = answer(await ceremony(JSON.parse(form.dataset.options)));
    } catch {
      failed.hidden = false;
      return;
    }
    form.requestSubmit();
  }

  forms.forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      ask(form);
    });
  });
  // Back from the next page: what was answered then is used up.
  window.addEventListener("pageshow", () => forms.forEach((form) => { form.elements.credential.value = ""; }));
})();
