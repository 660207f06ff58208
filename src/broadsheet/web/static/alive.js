// What a page does while it is open: it tells of new stories without moving what is being read, follows what is done in
// other tabs, and says when there is no connection.
"use strict";
(() => {
  const { reader, made, worker } = document.body.dataset;
  const list = document.getElementById("stories");
  if (!reader) return;

  // --- new stories: a line that says so; the page stays as it is until it is asked for
  const came = document.getElementById("news-came");
  let stream = null;
  function listen() {
    if (stream || !list || list.dataset.edition === undefined || document.visibilityState !== "visible") return;
    stream = new EventSource(`/live?since=${encodeURIComponent(list.dataset.edition)}`);
    stream.addEventListener("stories", (event) => {
      const count = Number(event.data);
      came.hidden = !count;
      came.firstElementChild.textContent = ngettext("{n} new story", "{n} new stories", count);
    });
  }
  function rest() { if (stream) { stream.close(); stream = null; } } // a browser has few connections for all its tabs
  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? listen() : rest()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);

  // --- no connection: say so, and how old the page is
  const notice = document.getElementById("offline");
  const clock = new Intl.DateTimeFormat(language, { weekday: "long", hour: "2-digit", minute: "2-digit" });
  function connection() {
    notice.hidden = navigator.onLine;
    const waiting = outbox.waiting();
    const words = [_("No connection: this page is as it was on {when}.", { when: clock.format(new Date(made)) })];
    if (waiting) words.push(ngettext("One thing that you did waits to be sent.", "{n} things that you did wait to be sent.", waiting));
    notice.textContent = words.join(" ");
  }
  async function reconnected() {
    connection();
    if (!navigator.onLine || !outbox.waiting()) return;
    const sent = await outbox.replay();
    if (sent) dispatchEvent(new CustomEvent("broadsheet-say", { detail: ngettext("What you did without a connection was sent.", "{n} things that you did without a connection were sent.", sent) }));
  }
  addEventListener("online", reconnected);
  addEventListener("offline", connection);
  addEventListener("broadsheet-kept", connection);
  reconnected();

  const read = document.querySelector("[data-dwell]");
  if (!navigator.onLine && read && read.dataset.dwell) {
    const event = { kind: "opened", story: read.dataset.dwell };
    if (read.dataset.article) event.article = read.dataset.article;
    outbox.keep(event);
    connection();
  }

  // --- other tabs
  if (typeof BroadcastChannel !== "undefined") {
    const tabs = new BroadcastChannel(`reader ${reader}`);
    addEventListener("broadsheet-did", (event) => tabs.postMessage(event.detail));
    tabs.addEventListener("message", (message) => dispatchEvent(new CustomEvent("broadsheet-elsewhere", { detail: message.data })));
    if (read && read.dataset.dwell) tabs.postMessage({ kind: "opened", story: read.dataset.dwell });
  }

  // --- reading without a connection
  if (!("serviceWorker" in navigator)) return;
  const policy = typeof trustedTypes === "undefined" ? null : trustedTypes.createPolicy("broadsheet", {
    createScriptURL: (address) => {
      if (!address.startsWith("/sw.js?v=")) throw new TypeError("not ours");
      return address;
    },
  });
  const address = `/sw.js?v=${encodeURIComponent(worker)}`;
  navigator.serviceWorker.register(policy ? policy.createScriptURL(address) : address).catch(() => {});
  navigator.serviceWorker.ready.then((registration) => {
    const ask = (message) => registration.active.postMessage(message);
    if (matchMedia("(display-mode: standalone)").matches) ask({ kind: "installed" });
    const links = [...document.querySelectorAll("[data-story] .headline a")].map((link) => new URL(link.href).pathname);
    const saved = location.pathname === "/saved";
    const frugal = navigator.connection && navigator.connection.saveData;
    if (links.length && navigator.onLine && (saved || !frugal)) {
      const later = window.requestIdleCallback || ((run) => setTimeout(run, 2000));
      later(() => ask({ kind: "keep", paths: ["/", "/saved", ...links.slice(0, saved ? 100 : 20)] }));
    }
  });
})();
