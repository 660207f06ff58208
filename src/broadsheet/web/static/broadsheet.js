// Makes what already works without a script quicker: state changes without a reload, dwell, the keyboard.
// No HTML is ever made from text here: pieces of pages come as parsed documents, words as text nodes.
"use strict";
(() => {
  const toast = document.getElementById("toast");
  const panel = document.getElementById("panel");
  const keys = document.getElementById("keys");
  const list = document.getElementById("stories");
  const token = document.body.dataset.token;
  let hideToast = 0;
  let undoLast = null;

  function say(words, undo) {
    toast.replaceChildren();
    const line = document.createElement("p");
    line.textContent = words;
    toast.append(line);
    undoLast = undo || null;
    if (undo) {
      const box = document.createElement("span");
      box.className = "act";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = _("Undo");
      button.addEventListener("click", undo);
      box.append(button);
      toast.append(box);
    }
    toast.hidden = false;
    clearTimeout(hideToast);
    hideToast = setTimeout(() => { toast.hidden = true; }, 9000);
  }

  function form(event) {
    const data = new FormData();
    data.set("token", token);
    data.set("event", JSON.stringify(event));
    return data;
  }

  function eventOf(target, button) {
    // the event as the form carries it, with what its own fields add, as the server reads it
    const event = JSON.parse((button.name === "event" ? button : target.elements.event).value);
    if (button.name === "kind" || button.name === "until") event[button.name] = button.value;
    for (const name of ["follow", "mute"]) {
      const value = target.elements[`${name}_value`];
      if (value && value.value) event[name] = { kind: target.elements[`${name}_kind`].value, value: value.value, label: value.value };
    }
    if (target.elements.until && target.elements.until.value) event.until = target.elements.until.value;
    if (target.elements.weight_value && event.weight) event.weight = [event.weight[0], Number(target.elements.weight_value.value)];
    return event;
  }

  const tell = (name, detail) => dispatchEvent(new CustomEvent(`broadsheet-${name}`, { detail }));

  function fetchPage(address, then, otherwise) {
    // a parsed document, not HTML text: nothing in it runs
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => (request.status === 200 && request.response ? then(request.response) : location.assign(address));
    request.onerror = () => { if (otherwise) otherwise(); say(_("The server did not answer. Try again in a moment.")); };
    request.send();
  }

  // where something will stand, until it is there: its outline, and nothing that turns
  function outline(many) {
    return Array.from({ length: many }, () => {
      const box = document.createElement("div");
      box.className = "card outline";
      box.setAttribute("aria-hidden", "true");
      for (const width of ["w3", "w9", "w7", "w5"]) box.append(Object.assign(document.createElement("i"), { className: width }));
      return box;
    });
  }

  function setSaved(button, on) {
    button.value = on ? "unsaved" : "saved";
    button.textContent = on ? _("Saved") : _("Save");
    button.setAttribute("aria-pressed", String(on));
  }

  // the page's address without what it says of what was just done
  function asBefore() {
    const url = new URL(location.href);
    for (const name of ["did", "event", "change", "source", "number", "was"]) url.searchParams.delete(name);
    return url.href;
  }

  function reload() {
    location.replace(asBefore().split("#")[0]);
  }

  document.addEventListener("submit", async (submit) => {
    const target = submit.target;
    if (!(target instanceof HTMLFormElement) || target.dataset.act === undefined) return;
    const button = submit.submitter || target.querySelector("button");
    const then = button.dataset.then || "";
    const inPanel = panel.contains(target);
    if (then === "reload" && !inPanel && navigator.onLine) return; // the page itself changes: the plain way shows it
    submit.preventDefault();
    button.disabled = true;
    try {
      const event = eventOf(target, button);
      const said = await outbox.send(event);
      tell(said.once ? "kept" : "did", { kind: event.kind, story: event.story, message: said.message });
      const card = target.closest(".card");
      let back = () => {};
      if (then === "toggle-save") {
        const on = event.kind === "saved";
        setSaved(button, on);
        back = () => setSaved(button, !on);
      } else if (then === "fold" && card) {
        const next = neighbour(card, 1);
        card.dataset.folded = said.message;
        card.classList.add("folded");
        back = () => card.classList.remove("folded");
        if (card.classList.contains("at") && next) go(next);
      } else if (inPanel) {
        panel.close();
        back = reload;
      }
      say(said.message, async () => {
        try {
          if (said.once) { outbox.forget(said.once); tell("kept"); } else await outbox.send({ kind: "undo", target: said.event });
          back();
          tell("did", { kind: "undo", story: event.story });
          say(_("Undone."));
        } catch (error) { say(error.message); }
      });
    } catch (error) {
      say(error.message);
    } finally {
      button.disabled = false;
    }
  });

  document.addEventListener("click", (click) => {
    const link = click.target instanceof Element ? click.target.closest("a") : null;
    if (link && (click.metaKey || click.ctrlKey || click.shiftKey)) return;
    if (link && link.dataset.panel !== undefined) {
      click.preventDefault();
      why(link.href);
    } else if (link && link.dataset.keys !== undefined) {
      click.preventDefault();
      keys.showModal();
    } else if (link && link.dataset.more !== undefined) {
      click.preventDefault();
      const address = link.getAttribute("href");
      history.replaceState({ more: [...((history.state && history.state.more) || []), address] }, "");
      more(address);
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(click.target)) menu.open = false;
  });

  function why(address) {
    const body = panel.querySelector(".panel-body");
    body.replaceChildren(...outline(1));
    panel.showModal();
    fetchPage(address, (page) => {
      const reasons = page.getElementById("why");
      if (!reasons) { location.assign(address); return; }
      for (const field of reasons.querySelectorAll('input[name="next"]')) field.value = location.pathname;
      body.replaceChildren(document.importNode(reasons, true));
    }, () => panel.close());
  }

  // further pages are put below; whoever comes back by the browser's button finds them there, and where they were
  function more(address, then) {
    const waiting = outline(2);
    list.append(...waiting);
    list.setAttribute("aria-busy", "true");
    const done = () => { for (const box of waiting) box.remove(); list.removeAttribute("aria-busy"); };
    fetchPage(address, (page) => {
      done();
      const fresh = [...page.querySelectorAll("#stories > *")].filter((card) => !document.getElementById(card.id));
      list.append(...fresh.map((card) => document.importNode(card, true)));
      const tail = page.querySelector("[data-tail]");
      if (tail) document.querySelector("[data-tail]").replaceWith(document.importNode(tail, true));
      if (then) then(); else say(ngettext("{n} more story.", "{n} more stories.", fresh.length));
    }, done);
  }

  const kept = history.state && history.state.more;
  const [arrival] = performance.getEntriesByType("navigation");
  if (kept && list && arrival && arrival.type !== "navigate") {
    history.scrollRestoration = "manual";
    const onward = (at) => {
      if (at < kept.length) { more(kept[at], () => onward(at + 1)); return; }
      const card = history.state.card && document.getElementById(history.state.card);
      scrollTo(0, card ? scrollY + card.getBoundingClientRect().top - history.state.top : history.state.y);
    };
    onward(0);
  }
  addEventListener("pagehide", () => {
    if (!history.state || !history.state.more) return;
    const seen = [...list.children].find((card) => card.id && card.getBoundingClientRect().bottom > 0);
    history.replaceState({ ...history.state, y: scrollY, card: seen && seen.id, top: seen && seen.getBoundingClientRect().top }, "");
  });

  for (const dialog of [panel, keys]) {
    dialog.addEventListener("click", (click) => { if (click.target === dialog) dialog.close(); });
  }

  // --- the keyboard
  const rows = () => [...document.querySelectorAll(".card:not(.folded), [data-row]")];
  const current = () => document.querySelector(".card.at, [data-row].at");

  function neighbour(from, step) {
    const all = rows();
    const at = from ? all.indexOf(from) : -1;
    return all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
  }

  function go(row) {
    const before = current();
    if (before) before.classList.remove("at");
    row.classList.add("at");
    row.focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    row.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  function press(kinds) {
    const scope = current() || document.querySelector("article.story");
    if (!scope) return;
    const button = [...scope.querySelectorAll(".actions button")].find((one) => kinds.includes(one.value));
    if (button) button.click();
  }

  document.addEventListener("keydown", (key) => {
    if (key.ctrlKey || key.metaKey || key.altKey || panel.open || (keys.open && key.key !== "?")) return;
    if (key.target instanceof Element && key.target.closest("input, select, textarea, [contenteditable]")) return;
    const does = {
      j: () => { const next = neighbour(current(), 1); if (next) go(next); },
      k: () => { const next = neighbour(current(), -1); if (next) go(next); },
      o: () => { const link = current() && current().querySelector(".headline a"); if (link) link.click(); },
      s: () => press(["saved", "unsaved"]),
      x: () => press(["hidden"]),
      "+": () => press(["more"]),
      "-": () => press(["less"]),
      w: () => { const link = (current() || document).querySelector("a[data-panel]"); if (link) link.click(); },
      u: () => { const plain = toast.querySelector("form"); if (undoLast) undoLast(); else if (plain && !toast.hidden) plain.requestSubmit(); },
      "/": () => { const box = document.getElementById("q"); if (box) box.focus(); else location.assign("/search"); },
      "?": () => (keys.open ? keys.close() : keys.showModal()),
    }[key.key];
    if (does) { key.preventDefault(); does(); }
  });

  // --- tuning: what a slider would do is shown while it moves; the page's own preview, asked for again
  const sliders = document.querySelector("form[data-live]");
  if (sliders) {
    const ask = sliders.querySelector(".no-live");
    if (ask) ask.hidden = true;
    let waiting = 0;
    let asked = 0;
    const preview = () => {
      const address = `${sliders.getAttribute("action")}?${new URLSearchParams(new FormData(sliders))}`;
      const mine = ++asked;
      document.getElementById("preview").classList.add("waiting");
      fetchPage(address, (page) => {
        const fresh = page.getElementById("preview");
        if (mine !== asked || !fresh) return; // an answer that was overtaken
        document.getElementById("preview").replaceWith(document.importNode(fresh, true));
        const chips = page.querySelector(".presets");
        if (chips) sliders.querySelector(".presets").replaceWith(document.importNode(chips, true));
        const told = fresh.querySelector(".take p") || fresh.querySelector("h2");
        document.getElementById("would-be").textContent = told ? told.textContent : "";
        history.replaceState(null, "", address);
      });
    };
    sliders.addEventListener("input", (moved) => {
      const shown = moved.target.closest(".slider");
      if (shown) shown.querySelector("output").textContent = Number(moved.target.value).toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
      clearTimeout(waiting);
      waiting = setTimeout(preview, 90);
    });
    sliders.addEventListener("submit", (submit) => { submit.preventDefault(); preview(); });
  }

  // --- how long something was read: time in view, not time in a forgotten tab
  const read = document.querySelector("[data-dwell]");
  if (read && (read.dataset.dwell || read.dataset.article)) {
    let since = document.visibilityState === "visible" ? performance.now() : 0;
    let seconds = 0;
    let active = performance.now();
    const IDLE = 60000; // nothing moved for a minute: nobody reads
    const settle = () => { if (since) { seconds += Math.max(0, Math.min(performance.now(), active + IDLE) - since) / 1000; since = 0; } };
    for (const kind of ["scroll", "pointermove", "keydown", "touchmove"]) {
      addEventListener(kind, () => {
        const now = performance.now();
        if (since && now > active + IDLE) { settle(); since = now; }
        active = now;
      }, { passive: true });
    }
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") { since = active = performance.now(); return; }
      settle();
      if (seconds < 2) return;
      const event = { kind: "dwelled", seconds: Math.round(seconds * 10) / 10 };
      if (read.dataset.dwell) event.story = read.dataset.dwell;
      if (read.dataset.article) event.article = read.dataset.article;
      if (navigator.onLine) navigator.sendBeacon("/act", form(event)); else outbox.keep(event);
      seconds = 0;
    });
  }

  // --- light and dark: the button names the other one, whatever the system says
  const theme = document.querySelector("[data-theme-form] button");
  if (theme && !document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches) theme.value = "light";

  // --- what was done in another tab
  addEventListener("broadsheet-elsewhere", ({ detail }) => {
    const card = detail.story && document.getElementById(`s-${detail.story}`);
    if (detail.kind === "undo" && card) { card.classList.remove("folded"); return; }
    if (!card) return;
    if (detail.kind === "hidden" || detail.kind === "less") { card.dataset.folded = detail.message; card.classList.add("folded"); }
    if (detail.kind === "opened") card.classList.add("seen");
    if (detail.kind === "saved" || detail.kind === "unsaved") {
      const button = card.querySelector("button.save");
      if (button) setSaved(button, detail.kind === "saved");
    }
  });
  addEventListener("broadsheet-say", ({ detail }) => say(detail));

  if (!toast.hidden) {
    hideToast = setTimeout(() => { toast.hidden = true; }, 9000);
    history.replaceState(history.state, "", asBefore());
  }
})();
