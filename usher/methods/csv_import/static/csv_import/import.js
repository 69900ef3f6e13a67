// The import page: the browser keeps the file and sends it twice, to check and to import; the list comes back
// as a file. Without script the same forms work, one page after the other.
"use strict";

(() => {
  let file = null; // the chosen file, as long as this page is open
  let list = null; // userlist.csv, likewise

  const area = () => document.getElementById("import");
  const part = (id) => document.getElementById(id).content.cloneNode(true);
  const show = (node) => { area().replaceChildren(node); window.scrollTo(0, 0); };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-import-form]");
    if (!form || !window.fetch) return;
    const data = new FormData(form);
    const chosen = form.querySelector("input[type=file]")?.files[0];
    file = chosen || file;
    if (!file) return;
    event.preventDefault();
    data.set("file", file, file.name);
    if (event.submitter?.hasAttribute("data-import-all")) return savePreview(form, data);
    if (event.submitter?.hasAttribute("data-import-write")) return write(form, data);
    return check(form, data, event.submitter);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-import-save]")) save(list, "userlist.csv");
  });

  // The refusal of a file is a page too: whatever comes back takes the place of this one.
  function replaceBy(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = page.getElementById("import");
    if (!fresh) return false;
    fresh.querySelectorAll("noscript").forEach((node) => node.remove()); // the parser takes them for content
    area().replaceWith(document.adoptNode(fresh));
    area().dispatchEvent(new CustomEvent("htmx:load", { bubbles: true })); // as usher.js expects of new content
    window.scrollTo(0, 0);
    area().querySelector("h2, .note")?.focus?.();
    return true;
  }

  async function check(form, data, button) {
    button?.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data });
      if (!replaceBy(await answer.text())) window.location.reload();
    } catch {
      broken();
    } finally {
      button?.removeAttribute("aria-busy");
    }
  }

  async function savePreview(form, data) {
    data.set("as", "csv");
    const answer = await fetch(form.action.replace(/import$/, "check"), { method: "POST", body: data });
    if (answer.ok) save(await answer.blob(), "preview.csv");
  }

  async function write(form, data) {
    const identity = area().dataset.identity;
    const address = form.action;
    show(part("import-progress"));
    const begun = Date.now();
    const watch = setInterval(() => look(address, identity, begun), 700);
    try {
      const answer = await fetch(address, { method: "POST", body: data });
      const kind = answer.headers.get("Content-Type") || "";
      if (!kind.startsWith("text/csv")) {
        if (!replaceBy(await answer.text())) broken();
        return;
      }
      list = await answer.blob();
      save(list, "userlist.csv");
      await handOut(address.replace(/import$/, answer.headers.get("X-Usher-Import")));
    } catch {
      broken();
    } finally {
      clearInterval(watch);
    }
  }

  async function look(address, identity, begun) {
    const answer = await fetch(address.replace(/import$/, `progress/${identity}`));
    const { rows, done } = answer.ok ? await answer.json() : { rows: 0, done: 0 };
    const count = document.querySelector("[data-import-count]");
    if (!rows || !done || !count) return;
    const number = (n) => n.toLocaleString(document.documentElement.lang);
    count.textContent = count.dataset.text.replace("{done}", number(done)).replace("{rows}", number(rows));
    document.querySelector("[data-import-bar]").value = (100 * done) / rows;
    const left = document.querySelector("[data-import-left]");
    const seconds = Math.round(((Date.now() - begun) / done) * (rows - done) / 1000);
    left.textContent = seconds > 1 ? left.dataset.text.replace("{seconds}", number(seconds)) : "";
  }

  async function handOut(address) {
    const rows = parse(await list.text());
    const result = rows[0].indexOf("result");
    const isNew = rows.some((row) => row[result] === "created" || row[result] === "joined");
    const answer = await fetch(isNew ? address : `${address}?again=1`);
    if (!answer.ok || !replaceBy(await answer.text())) return;
    document.querySelectorAll("[data-import-saved], [data-import-download]").forEach((n) => { n.hidden = false; });
    showRefused(rows);
    history.replaceState(null, "", address);
  }

  function broken() {
    area().prepend(part("import-broken"));
    document.querySelector("[data-import-bar]")?.closest(".stack")?.remove();
  }

  function save(blob, name) {
    if (!blob) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", blob], { type: "text/csv" })); // spreadsheets want the mark
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  // The refused rows of the list just received, with the very words it holds.
  function showRefused(rows) {
    const [head, ...people] = rows;
    const at = (name) => head.indexOf(name);
    const refused = people.filter((row) => row[at("result")] === "refused").slice(0, 1000);
    const sheet = document.querySelector("[data-import-refused]");
    if (!refused.length || !sheet) return;
    const body = sheet.querySelector("tbody");
    for (const row of refused) {
      const line = part("import-row");
      line.querySelector("[data-cell=line]").textContent = row[at("line")];
      // The list guards what a spreadsheet would take for a formula; here it is text.
      line.querySelector("[data-cell=name]").textContent = (row[at("username")] || row[at("email")] || "–").replace(/^'(?=[=+\-@])/, "");
      line.querySelector("[data-cell=email]").textContent = row[at("email")];
      line.querySelector("[data-cell=reason]").replaceChildren(...sentences(row[at("reason")]));
      body.append(line);
    }
    sheet.hidden = false;
    document.querySelector("[data-import-reasons]")?.remove();
  }

  // One paragraph for each reason; the codes between them are for programs.
  function sentences(text) {
    return text.split(/(?:^'?| )[a-z]+(?:_[a-z]+)+: /).filter(Boolean).map((words) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = words;
      return paragraph;
    });
  }

  function parse(text) {
    const rows = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
      rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      if (end === "") break;
      if (end !== ",") rows.push([]);
    }
    return rows.filter((row) => row.length > 1);
  }
})();
