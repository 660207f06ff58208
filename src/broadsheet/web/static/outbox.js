// What a reader does is sent with a name of its own, so that it counts once however often it is sent; what can't be
// sent now waits here, in order, until there is a connection.
"use strict";
const outbox = (() => {
  const KEY = "outbox";
  const MOST = 500;
  const reader = document.body.dataset.reader || "";

  function all() {
    try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch { return []; }
  }

  function put(waiting) {
    try { localStorage.setItem(KEY, JSON.stringify(waiting.slice(-MOST))); return true; } catch { return false; }
  }

  function post(event, once) {
    const form = new FormData();
    form.set("token", document.body.dataset.token);
    form.set("event", JSON.stringify(event));
    form.set("once", once);
    return fetch("/act", { method: "POST", body: form, headers: { Accept: "application/json" }, credentials: "same-origin" });
  }

  async function send(event) {
    const once = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
    let answer;
    try {
      answer = await post(event, once);
    } catch {
      if (event.kind === "undo") throw new Error(_("There is no connection. Undo it once there is."));
      if (!put([...all(), { reader, event, once }])) throw new Error(_("There is no connection, and this browser keeps nothing."));
      return { message: _("Kept here, and sent when there is a connection."), once };
    }
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error ? said.error.message : _("That did not work. Try again."));
    return said;
  }

  async function replay() {
    let sent = 0;
    for (const item of all().filter((kept) => kept.reader === reader)) {
      let answer;
      try { answer = await post(item.event, item.once); } catch { return sent; }
      if (answer.status === 403 || answer.status === 401 || answer.status >= 500) return sent; // a later page may
      put(all().filter((kept) => kept.once !== item.once)); // done, or it can never be
      if (answer.ok) sent += 1;
    }
    return sent;
  }

  return {
    send,
    keep: (event) => put([...all(), { reader, event, once: `${Date.now()}-${Math.random()}` }]),
    forget: (once) => put(all().filter((kept) => kept.once !== once)),
    waiting: () => all().filter((kept) => kept.reader === reader).length,
    replay: () => (navigator.locks ? navigator.locks.request(KEY, replay) : replay()), // one tab at a time
  };
})();
