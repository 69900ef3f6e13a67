// What the pages do beyond HTML. Each part is found by its data- attribute, and each page works without it.
"use strict";

const each = (selector, act, within = document) => within.querySelectorAll(selector).forEach(act);

// A password can be read before it is sent. The button is a word, hidden where there is no script.
function prepareReveals(within) {
  each("[data-reveal]", (button) => { button.hidden = false; }, within);
}

function reveal(button) {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  const word = button.textContent;
  button.textContent = button.dataset.shown;
  button.dataset.shown = word;
}

function hidePasswords(form) {
  each("[data-reveal]", (button) => {
    if (document.getElementById(button.dataset.reveal)?.type === "text") reveal(button);
  }, form);
}

// A long list of choices: what is typed beside it picks the first that holds all the words.
function findChoice(search) {
  const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const choices = [...document.getElementById(search.dataset.finds).options];
  const found = words.length && choices.find((one) => words.every((word) => one.text.toLocaleLowerCase().includes(word)));
  if (found) found.selected = true;
}

// Rows picked in a table: the bar above it says how many.
function countPicked(form) {
  const boxes = [...form.querySelectorAll("[data-pick]")].filter((box) => !box.closest("[hidden]"));
  const picked = boxes.filter((box) => box.checked).length;
  each("[data-bulk-count]", (words) => {
    const text = picked === 1 ? words.dataset.one : words.dataset.other;
    words.textContent = text.replace("{n}", picked.toLocaleString(document.documentElement.lang));
  }, form);
  each("[data-pick-all]", (all) => {
    all.checked = picked > 0 && picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  }, form);
}

function pickAll(all) {
  const form = all.closest("form");
  each("[data-pick]", (box) => { if (!box.closest("[hidden]")) box.checked = all.checked; }, form);
  countPicked(form);
}

// Tallies and chips that filter the rows of one table. Nothing pressed: the first of each kind.
function filterRows(group) {
  const table = document.querySelector(group.dataset.filters);
  if (!table) return;
  const pressed = group.querySelector('[data-filter][aria-pressed="true"]')?.dataset.filter;
  const sample = table.querySelector("[data-first]") !== null;
  each("[data-kind]", (row) => {
    row.hidden = pressed ? row.dataset.kind !== pressed : sample && !("first" in row.dataset);
  }, table);
}

function pressFilter(button) {
  const group = button.closest("[data-filters]");
  if (!group) return;
  const press = button.getAttribute("aria-pressed") !== "true";
  each("[data-filter]", (other) => other.setAttribute("aria-pressed", String(press && other === button)), group);
  filterRows(group);
}

// Copying: the word on the button says that it is done.
async function copy(button) {
  const from = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const text = from ? (from.dataset.text ?? from.innerText) : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (!copyByHand(text)) return;
  }
  const label = button.querySelector("span") ?? button;
  const word = button.dataset.word ??= label.textContent;
  label.textContent = button.dataset.copied;
  label.setAttribute("role", "status");
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { label.textContent = word; }, 2500);
}

function copyByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// A file dropped or chosen: its name and size take the place of the invitation.
function showFile(input) {
  const zone = input.closest("[data-drop]");
  const file = input.files[0];
  const name = zone.querySelector("[data-drop-name]");
  const size = zone.querySelector("[data-drop-size]");
  zone.empty ??= [name.textContent, size.textContent];
  zone.classList.toggle("full", Boolean(file));
  name.textContent = file ? file.name : zone.empty[0];
  size.textContent = file ? readable(file.size) : zone.empty[1];
}

function readable(bytes) {
  const [amount, unit] = bytes < 1e3 ? [bytes, "byte"] : bytes < 1e6 ? [bytes / 1e3, "kilobyte"] : [bytes / 1e6, "megabyte"];
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: amount < 10 ? 1 : 0 }).format(amount);
}

function prepareDrop(zone) {
  if (zone.ready) return;
  zone.ready = true;
  const input = zone.querySelector("input[type=file]");
  input.addEventListener("change", () => showFile(input));
  if (input.files.length) showFile(input);
  for (const [event, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
    zone.addEventListener(event, () => zone.classList.toggle("over", over));
  }
}

// Busy: the label stays readable, a second press does nothing.
function beBusy(event) {
  const button = event.submitter;
  if (!button?.dataset.busy) return;
  if (button.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  button.dataset.rest = button.innerHTML;
  button.setAttribute("aria-busy", "true");
  button.textContent = button.dataset.busy;
}

function beReady() {
  each('[aria-busy="true"][data-rest]', (button) => {
    button.removeAttribute("aria-busy");
    button.innerHTML = button.dataset.rest;
  });
}

// Drawers and dialogs. Esc is the browser's; we only say where closing leads.
let beside = ""; // the address of the list that a drawer is opened from

function openDrawer(drawer) {
  if (drawer.matches(":modal")) return;
  drawer.byHtmx = drawer.parentElement?.id === "drawer";
  if (drawer.byHtmx && beside) drawer.dataset.back = beside; // with the filters it has
  drawer.removeAttribute("open");
  drawer.showModal();
  drawer.addEventListener("close", () => leaveDrawer(drawer));
}

function leaveDrawer(drawer) {
  if (!drawer.byHtmx) { location.assign(drawer.dataset.back); return; }
  history.pushState({}, "", drawer.dataset.back);
  drawer.remove();
}

function isBeside(event) {
  const box = event.target.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right;
}

function closeMenus(except) {
  each("[data-menu][open]", (menu) => { if (!menu.contains(except)) menu.open = false; });
}

function onEscape() {
  const menu = document.querySelector("[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

const CLICKS = [
  ["[data-reveal]", (target) => reveal(target)],
  ["[data-filter]", (target) => pressFilter(target)],
  ["[data-copy], [data-copy-from]", (target) => copy(target)],
  ["[data-opens]", (target, event) => { document.getElementById(target.dataset.opens)?.showModal(); event.preventDefault(); }],
  ["[data-close]", (target, event) => { const box = target.closest("dialog"); if (box?.matches(":modal")) { box.close(); event.preventDefault(); } }],
  ["[data-print]", () => window.print()],
];

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  for (const [selector, act] of CLICKS) {
    const target = event.target.closest(selector);
    if (target) act(target, event);
  }
  // A click on the ground beside a drawer closes it; a dialog wants an answer.
  if (event.target.matches("dialog.drawer:modal") && isBeside(event)) event.target.close();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) pickAll(event.target);
  else if (event.target.matches("[data-pick]")) countPicked(event.target.form);
  else if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
document.addEventListener("input", (event) => { if (event.target.matches("[data-finds]")) findChoice(event.target); });
document.addEventListener("submit", (event) => { hidePasswords(event.target); beBusy(event); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") onEscape(); });
window.addEventListener("pageshow", beReady);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id === "drawer") beside = location.pathname + location.search;
});

function prepare(within) {
  prepareReveals(within);
  each("[data-finds]", (search) => { search.hidden = false; }, within);
  each("[data-drop]", prepareDrop, within);
  each("[data-filters]", filterRows, within);
  each("dialog[data-drawer]", openDrawer, within);
  each("[data-pick-all]", (all) => countPicked(all.closest("form")), within);
}

prepare(document);
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) prepare(event.target.parentElement ?? document); });
