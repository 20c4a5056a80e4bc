// Keeps the driver's pages for the road: the shell at install, each page as it was last seen.
// Pages come from the network first and from the copy when there is none; hashed files from the copy first.
const SETTINGS = {{ settings|safe }};
const SHELL = `rd-shell-${SETTINGS.version}`;
const PAGES = "rd-pages";
const NETWORK_MS = 6000;
const MOST_PAGES = 60;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(SHELL);
    await cache.addAll([...SETTINGS.shell, SETTINGS.offline]);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name !== SHELL && name !== PAGES) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data.type === "forget") event.waitUntil(Promise.all([caches.delete(PAGES), unsubscribe()]));
  if (event.data.type === "keep") {
    event.waitUntil(Promise.allSettled(event.data.urls.map(async (url) => store(url, await fetch(url)))));
  }
});

// Who signs out on a phone is told no more on it; the server learns it from the push service.
async function unsubscribe() {
  await (await self.registration.pushManager?.getSubscription())?.unsubscribe();
}

self.addEventListener("push", (event) => {
  let told;
  try { told = event.data.json(); } catch { told = {}; }
  event.waitUntil(self.registration.showNotification(told.title || "Retail Delivery", {
    body: told.body || "",
    lang: told.lang || "",
    tag: told.tag || "",
    // The same block again is news again, in place of the old one.
    renotify: Boolean(told.tag),
    timestamp: Date.parse(told.at) || Date.now(),
    icon: SETTINGS.icon,
    badge: SETTINGS.icon,
    data: { url: told.url },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data?.url || "/drive/", location.origin);
  if (url.origin === location.origin) event.waitUntil(show(url.href));
});

// A window that shows the page already, else one of the portal's, else a new one.
async function show(url) {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = open.find((one) => one.url === url);
  if (there) return there.focus();
  const near = open.find((one) => new URL(one.url).pathname.startsWith("/drive/"));
  const gone = near && await near.navigate(url).catch(() => null);
  return gone ? gone.focus() : self.clients.openWindow(url);
}

async function store(url, response) {
  // A redirected answer is a sign-in page or another page's address: kept under this one it would mislead.
  if (!response.ok || response.redirected || !response.headers.get("Content-Type")?.includes("text/html")) return;
  const cache = await caches.open(PAGES);
  const headers = new Headers(response.headers);
  headers.set("X-Kept-At", new Date().toISOString());
  await cache.put(url, new Response(await response.text(), { headers }));
  const all = await cache.keys();
  for (const old of all.slice(0, Math.max(0, all.length - MOST_PAGES))) await cache.delete(old);
}

// The page says itself that it is an old one: the frame carries when it was seen.
async function asLastSeen(response) {
  const html = await response.text();
  const at = response.headers.get("X-Kept-At");
  return new Response(html.replace("<html ", `<html data-kept="${at}" `), { headers: response.headers });
}

async function page(request) {
  const kept = await (await caches.open(PAGES)).match(request.url);
  const network = fetch(request).then((response) => {
    if (response.type === "basic") store(request.url, response.clone());
    return response;
  });
  network.catch(() => { /* answered for below, also when it fails after the copy was shown */ });
  const patience = new Promise((done) => { setTimeout(done, NETWORK_MS); });
  try {
    const response = await (kept ? Promise.race([network, patience]) : network);
    return response || asLastSeen(kept);
  } catch {
    return kept ? asLastSeen(kept) : caches.match(SETTINGS.offline);
  }
}

async function file(request) {
  const kept = await caches.match(request);
  if (kept && SETTINGS.hashed) return kept;
  const response = await fetch(request).catch(() => kept || Response.error());
  if (response.ok) (await caches.open(SHELL)).put(request, response.clone());
  return response;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  const hashed = SETTINGS.hashed && url.pathname.startsWith(SETTINGS.statics);
  if (hashed || SETTINGS.shell.includes(url.pathname)) event.respondWith(file(request));
  else if (request.mode === "navigate" && url.pathname.startsWith("/drive/")) event.respondWith(page(request));
});
