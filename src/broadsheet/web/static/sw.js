// Reading without a connection: files of the app, and the pages that were read or are kept for it, are given from here
// when the network can't. One reader's pages at a time: those of another, or of who logged out, go at once.
"use strict";

const STATIC = `static ${new URL(location.href).searchParams.get("v")}`;
const PAGES = "pages";
const PICTURES = "pictures";
const NOTES = "notes";
const MOST = { [PAGES]: 400, [PICTURES]: 300 };
const READABLE = /^\/(?:$|(?:latest|saved|following|corrections|away)$|(?:story|article|thread)\/[^/]+$)/;
const PATIENCE = 5000; // ms that a page is waited for where there is one to show instead
const FRESH = 6 * 3600 * 1000; // ms for which a kept page is not fetched again by itself
const ARTICLES = 4; // of a kept story, kept with it

addEventListener("install", (event) => {
  // What changes something goes past this worker: a last word sent by a page that is closed (how long it was read) was
  // lost where the worker had to be started for it first.
  if (event.addRoutes) event.addRoutes({ condition: { requestMethod: "POST" }, source: "network" });
  event.waitUntil((async () => {
    const cache = await caches.open(STATIC);
    await cache.add(new Request("/offline", { cache: "reload" }));
    await skipWaiting();
  })());
});

addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("static ") && name !== STATIC) await caches.delete(name);
    await clients.claim();
  })());
});

// --- what is remembered between two starts of this worker

async function noted(name) {
  const found = await (await caches.open(NOTES)).match(`/${name}`);
  return found ? found.text() : "";
}

async function note(name, value) {
  await (await caches.open(NOTES)).put(`/${name}`, new Response(value));
}

// --- pages

const address = (url) => new URL(url).origin + new URL(url).pathname; // what was just done is no other page

async function trim(name) {
  const cache = await caches.open(name);
  const held = await cache.keys();
  for (const old of held.slice(0, Math.max(0, held.length - MOST[name]))) await cache.delete(old);
}

async function remember(request, answer) {
  const kind = answer.headers.get("content-type") || "";
  if (!answer.ok || answer.redirected && !answer.url || !kind.startsWith("text/html")) return;
  const reader = answer.headers.get("x-reader") || "";
  if (reader !== await noted("reader")) {
    await caches.delete(PAGES);
    await caches.delete(PICTURES);
    await note("reader", reader);
  }
  const url = new URL(answer.url || request.url);
  if (!reader || !READABLE.test(url.pathname) || url.searchParams.has("after")) return;
  const secret = /no-store/.test(answer.headers.get("cache-control") || "");
  if (secret && await noted("installed") !== "yes") return; // a password is set: only a device that installed the app keeps pages
  const cache = await caches.open(PAGES);
  await cache.delete(address(url)); // so that the oldest is the one not read for longest
  await cache.put(address(url), answer);
  await trim(PAGES);
}

async function page(event) {
  const cache = await caches.open(PAGES);
  const kept = await cache.match(address(event.request.url));
  const asked = fetch(event.request).then((answer) => {
    event.waitUntil(remember(event.request, answer.clone()));
    return answer;
  });
  try {
    if (!kept) return await asked;
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, null));
    return await Promise.race([asked, late]) || kept;
  } catch (_) {
    return kept || (await (await caches.open(STATIC)).match("/offline")) || Response.error();
  }
}

async function file(request, name) {
  const cache = await caches.open(name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    if (MOST[name]) await trim(name);
  }
  return answer;
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request, STATIC));
  else if (url.pathname === "/image") event.respondWith(file(request, PICTURES));
});

// --- what a page asks for

async function keep(paths) {
  const cache = await caches.open(PAGES);
  for (const path of paths.slice(0, 200)) {
    const kept = await cache.match(location.origin + path);
    const age = kept ? Date.now() - Date.parse(kept.headers.get("date") || "") : Infinity;
    if (age < FRESH) continue;
    try {
      const request = new Request(path, { headers: { "X-Purpose": "keep" }, credentials: "same-origin" });
      const answer = await fetch(request);
      const words = path.startsWith("/story/") ? await answer.clone().text() : "";
      await remember(request, answer);
      const articles = new Set([...words.matchAll(/href="(\/article\/[\w-]+)/g)].map((found) => found[1]));
      if (articles.size) await keep([...articles].slice(0, ARTICLES));
    } catch (_) {
      return; // the connection is gone: what is kept is kept
    }
  }
}

let keeping = Promise.resolve();

addEventListener("message", (event) => {
  const { kind, paths } = event.data || {};
  if (kind === "installed") event.waitUntil(note("installed", "yes"));
  if (kind === "keep" && Array.isArray(paths)) {
    keeping = keeping.then(() => keep(paths.filter((path) => typeof path === "string" && READABLE.test(path))));
    event.waitUntil(keeping);
  }
});
