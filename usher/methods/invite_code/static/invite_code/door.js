// The class window and the wall: looks every two seconds who came (ten when nobody watches), counts down, and
// tells a screen reader at most once in five seconds. Without script the page is right when it is opened.
"use strict";

(() => {
  const LOOK = 2_000;
  const HIDDEN = 10_000;
  const QUIET = 5_000;
  const area = () => document.querySelector("[data-door]");
  let timer = 0;
  let spoken = -QUIET; // when something was last said
  let said = area()?.dataset.said; // up to which moment, by the server's clock
  let opened = performance.now(); // when the seconds left were counted

  function plan() {
    clearTimeout(timer);
    timer = setTimeout(look, document.hidden ? HIDDEN : LOOK);
  }

  function look() {
    // A list that is open would close under the hand.
    if (!area() || area().contains(document.activeElement) && document.activeElement.matches("select")) return plan();
    window.htmx.trigger(area(), "look");
  }

  function speak() {
    const news = area()?.dataset.news;
    const live = document.querySelector("[data-door-news]");
    if (!news || !live || performance.now() - spoken < QUIET) return;
    spoken = performance.now();
    said = area().dataset.said;
    live.textContent = news;
    area().dataset.news = "";
  }

  function count() {
    const words = document.querySelector("[data-left]");
    if (!words) return;
    const left = Math.max(0, Math.ceil(words.dataset.left - (performance.now() - opened) / 1000));
    const parts = [Math.floor(left / 60) % 60, left % 60].map((part) => String(part).padStart(2, "0"));
    const hours = Math.floor(left / 3600);
    words.textContent = words.dataset.words.replace("{time}", [...(hours ? [hours] : []), ...parts].join(":"));
    if (left === 0 && !words.over) { words.over = true; setTimeout(look, 500); }
  }

  // Whoever was lit before the swap is lit still, but arrives only once.
  const lit = () => [...document.querySelectorAll(".chair.new")];
  let known = new Set();
  document.addEventListener("htmx:beforeSwap", () => { known = new Set(lit().map((chair) => chair.title)); });
  document.addEventListener("htmx:afterSwap", () => {
    for (const chair of lit()) chair.classList.toggle("still", known.has(chair.title));
  });

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === area() && said) event.detail.parameters.said = said;
  });
  document.addEventListener("htmx:afterSwap", () => { opened = performance.now(); count(); speak(); });
  document.addEventListener("htmx:afterRequest", (event) => { // of the window that was there, or of what replaced it
    const lost = document.querySelector("[data-door-lost]");
    if (lost) lost.hidden = event.detail.successful === true;
    plan();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  setInterval(() => { count(); speak(); }, 1_000);
  count();
  plan();
})();
