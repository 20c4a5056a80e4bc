// What every page shares. Parts that only some pages need are loaded when their markup is there:
// data-feature="map" loads map.js and hands it the element, after a swap by htmx just as at the first load.
const settings = JSON.parse(document.getElementById("rd-settings").textContent);
const { words } = settings;
const { htmx } = window;
const mounted = new WeakSet();

export const say = (text) => {
  const region = document.getElementById("say");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 60);
};

export const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

// -- Features

async function mount(root) {
  const found = [...root.querySelectorAll("[data-feature]")];
  if (root.matches?.("[data-feature]")) found.push(root);
  for (const element of found) {
    if (mounted.has(element)) continue;
    mounted.add(element);
    const address = settings.modules[element.dataset.feature];
    const module = await import(address);
    module.mount(element, { settings, words, say, csrf, swap });
  }
}

// Put another answer's content in place of this one's, as a navigation would, but without losing the scripts.
function swap(html, url) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const next = page.querySelector("main");
  if (!next) { location.assign(url); return; }
  document.title = page.title;
  document.querySelector("main").replaceChildren(...next.childNodes);
  const tabs = page.querySelector(".tabbar");
  if (tabs) document.querySelector(".tabbar")?.replaceWith(tabs);
  if (url !== location.href) history.pushState({ rd: true }, "", url);
  const main = document.querySelector("main");
  htmx.process(main);
  mount(main);
  scrollTo(0, 0);
  (main.querySelector("[data-errors], [role=alert], [autofocus]") || main).focus({ preventScroll: true });
}

addEventListener("popstate", (event) => { if (event.state?.rd || event.state === null) location.reload(); });

// -- Light and dark

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("rd-theme", root.dataset.theme); } catch { /* only for this page then */ }
}

// -- Clicks

document.addEventListener("click", async (event) => {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-theme-toggle]")) toggleTheme();

  const opener = hit("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog?.showModal) { event.preventDefault(); dialog.showModal(); }
  if (hit("[data-close]")) hit("dialog")?.close();

  hit("[data-dismiss]")?.closest(".notice")?.remove();

  const copy = hit("[data-copy]");
  if (copy) {
    await navigator.clipboard?.writeText(copy.dataset.copy);
    say(words.copied);
    copy.dataset.done = "";
    setTimeout(() => delete copy.dataset.done, 1500);
  }
  if (hit("[data-print]")) print();

  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

// -- Forms: ask first, fill in when it happened, never send twice

const asked = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !asked.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, event.submitter);
    return;
  }
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  const happened = form.querySelector("[data-device-at]");
  if (happened && !happened.value) happened.value = new Date().toISOString();
}, true);

document.addEventListener("submit", (event) => {
  const form = event.target;
  asked.delete(form);
  const leaves = !event.defaultPrevented && !form.target && form.method !== "dialog" && form.method !== "get";
  if (leaves) form.setAttribute("aria-busy", "true");
  if (form.matches("[data-sign-out]")) navigator.serviceWorker?.controller?.postMessage({ type: "forget" });
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
});

function ask(form, submitter) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("h2").textContent = form.dataset.confirm;
  const yes = dialog.querySelector("[data-confirmed]");
  yes.textContent = form.dataset.confirmYes || words.yes;
  yes.onclick = () => {
    dialog.close();
    asked.add(form);
    form.requestSubmit(submitter?.form === form ? submitter : undefined);
  };
  dialog.showModal();
}

// -- Live regions: conditional, quiet in a hidden tab, honest when the server does not answer

const etags = new Map();
const heard = new Map();

const polled = (event) => (event.detail.elt?.matches?.("[data-poll]") ? event.detail.elt : null);
const key = (element) => element.getAttribute("hx-get");

function remember(root) {
  for (const element of root.querySelectorAll("[data-poll]")) {
    if (element.dataset.etag && !etags.has(key(element))) etags.set(key(element), element.dataset.etag);
    if (!heard.has(key(element))) heard.set(key(element), Date.now());
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  const element = polled(event);
  const etag = element && etags.get(key(element));
  if (etag) event.detail.headers["If-None-Match"] = etag;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const element = polled(event);
  if (!element) return;
  const busy = element.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  if (document.hidden || busy || element.querySelector("dialog[open]")) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const element = polled(event);
  if (!element) return;
  const { xhr } = event.detail;
  if (xhr.status === 200 || xhr.status === 304) heard.set(key(element), Date.now());
  if (xhr.status !== 200) return;
  const etag = xhr.getResponseHeader("ETag");
  if (etag) etags.set(key(element), etag);
  if (new URL(xhr.responseURL).pathname.startsWith("/accounts/")) location.reload();
  if (!event.detail.serverResponse.includes(`id="${element.id}"`)) event.detail.shouldSwap = false;
  else event.detail.selectOverride = `#${CSS.escape(element.id)}`;
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-poll]")) htmx.trigger(element, "rd:refresh");
});

document.addEventListener("htmx:sendError", (event) => { if (!polled(event)) say(words.failed); });
document.addEventListener("htmx:responseError", (event) => { if (!polled(event)) say(words.failed); });

// -- Times that stay true

function relative(seconds) {
  const size = Math.abs(seconds);
  if (size < 60) return seconds < 0 ? words.now : words.soon;
  const [count, unit] = size < 90 * 60
    ? [Math.trunc(size / 60), words.minutes]
    : size < 36 * 3600
      ? [Math.round(size / 3600), words.hours]
      : [Math.round(size / 86400), words.days];
  return (seconds < 0 ? words.ago : words.in).replace("%s", unit.replace("%s", count));
}

function left(seconds) {
  const all = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.trunc(all / 3600), Math.trunc((all % 3600) / 60), all % 60];
  const two = (n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-ago]")) {
    put(time, relative((Date.parse(time.dateTime) - now) / 1000));
  }
  for (const time of document.querySelectorAll("time[data-countdown]")) {
    const rest = Date.parse(time.dateTime) - now;
    put(time, left(rest / 1000));
    // What runs out before one's eyes is another thing afterwards, though nothing was written by anybody.
    if (rest > 0) time.dataset.ran = "";
    else if ("ran" in time.dataset) {
      delete time.dataset.ran;
      const region = time.closest("[data-poll]");
      if (region) {
        etags.delete(key(region));
        htmx.trigger(region, "rd:refresh");
      }
    }
  }
  for (const note of document.querySelectorAll("[data-poll-note]")) {
    const region = note.closest("[data-poll]");
    if (!region) continue;
    const age = Math.round((now - (heard.get(key(region)) || now)) / 1000);
    const late = age > Number(region.dataset.poll) * 3 + 5;
    put(note, (late ? words.notLive : words.updated).replace("%s", `${age} s`));
    note.classList.toggle("is-late", late);
  }
}

// -- Keep pages for the road

function keep(root) {
  const urls = [...root.querySelectorAll("a[data-keep]")].map((link) => link.href);
  if (urls.length) navigator.serviceWorker?.ready.then(({ active }) => active.postMessage({ type: "keep", urls }));
}

function start(root) {
  remember(root);
  mount(root);
  keep(root);
  tick();
}

// The number beside a slider moves with it.
document.addEventListener("input", (event) => {
  if (event.target.type !== "range") return;
  const shown = document.querySelector(`output[for="${event.target.id}"]`);
  if (shown) shown.value = event.target.value;
});

document.addEventListener("htmx:load", (event) => start(event.detail.elt));
start(document.body);
setInterval(tick, 1000);
for (const here of document.querySelectorAll(".nav [aria-current], .tabs [aria-current]")) {
  const strip = here.parentElement;
  strip.scrollLeft = here.offsetLeft - strip.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
}
document.querySelector("[data-errors]")?.focus();
if (document.documentElement.dataset.door === "drive") {
  navigator.serviceWorker?.register("/sw.js").catch(() => { /* no worker, no pages for the road */ });
}
