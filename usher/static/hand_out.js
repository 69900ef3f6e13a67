// What is shown once is saved as a file at once, and again on request.
"use strict";

(() => {
  function save(button) {
    const text = document.querySelector(button.dataset.from).value;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    link.download = button.dataset.save;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  document.addEventListener("click", (event) => {
    const saving = event.target.closest("[data-save]");
    if (saving) save(saving);
  });
  document.querySelectorAll("[data-save-now]").forEach(save);
})();
