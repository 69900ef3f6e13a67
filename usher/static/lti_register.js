// LTI Dynamic Registration 1.0: the page tells the LMS that showed it that it can be closed. It says
// nothing else, so it may be heard by whoever framed the page: the LMS may live under another name than its keys.
"use strict";

(() => {
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-lti-close]")) return;
    const lms = window.opener || (window.parent === window ? null : window.parent);
    lms?.postMessage({ subject: "org.imsglobal.lti.close" }, "*");
  });
})();
