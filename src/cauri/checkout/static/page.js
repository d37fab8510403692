// Follows a payment, counts down, and sends the customer back to the shop. Every page works without it.
(function () {
  "use strict";
  var main = document.querySelector("main");
  var token = (location.pathname.match(/payment\/(\w+)/) || [])[1];
  var gone = false;
  var here = location.pathname.replace(/(payment\/\w+).*/, "$1") + location.search;

  function remember(what) {
    try { sessionStorage.setItem(what + token, "1"); return true; } catch (e) { return false; }
  }
  function remembers(what) {
    try { return sessionStorage.getItem(what + token) === "1"; } catch (e) { return false; }
  }
  // Once a form is on its way nothing may call the browser back: leaving, too, is a change that is told here.
  function look() { if (!gone) location.replace(here); }
  function clock(seconds) {
    return Math.floor(seconds / 60) + ":" + ("0" + seconds % 60).slice(-2);
  }
  function countDown(seconds, show, over) {
    var end = Date.now() + seconds * 1000;
    var timer = setInterval(function () {
      var left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      show(left);
      if (left === 0) { clearInterval(timer); over(); }
    }, 500);
    return timer;
  }

  // A second press of the same button changes nothing: the first one is on its way.
  document.addEventListener("submit", function (event) {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    gone = true;
    setTimeout(function () { delete event.target.dataset.sent; }, 8000);
    if (event.target.dataset.form === "return") remember("returned");
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { gone = false; look(); }
  });

  function watch() {
    fetch(main.dataset.watch + "?wait=20&seen=" + main.dataset.seen, {cache: "no-store"})
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
      .then(function (state) {
        if (String(state.version) !== main.dataset.seen) look(); else watch();
      })
      .catch(function () { setTimeout(watch, 3000); });
  }

  function goBack(note, form) {
    var timer = countDown(5, function (left) {
      note.firstElementChild.textContent = note.dataset.soon.replace("{clock}", left);
    }, function () {
      // Where nothing can be remembered it could happen twice: then the button is there to press.
      if (!form.dataset.sent && remember("returned")) { gone = true; form.dataset.sent = "1"; form.submit(); }
    });
    note.hidden = false;
    note.firstElementChild.textContent = note.dataset.soon.replace("{clock}", 5);
    note.querySelector("button").onclick = function () { clearInterval(timer); note.hidden = true; };
  }

  var left = document.querySelector("[data-countdown]");
  if (left) {
    var words = left.textContent;
    countDown(+left.dataset.countdown, function (seconds) {
      left.textContent = words.replace(/\d+:\d\d/, clock(seconds));
    }, look);
  }
  if (main.dataset.watch) watch();
  // Only the tab that saw the payment under way goes back by itself, and only once; the server says whether the end is fresh.
  var note = document.querySelector("[data-soon]");
  if (note && remembers("seen") && !remembers("returned")) goBack(note, document.querySelector("[data-form=return]"));
  if (token && !/paid|refused|expired|trouble/.test(main.dataset.page)) remember("seen");
})();
