// A driver's actions survive a lost signal: what cannot be sent is kept in the phone, in order, and sent later with
// the id and the time it had when it happened. The server treats a repeat as the same action.
const SEND_MS = 15000;
const AGAIN_MS = 15000;
const MOST_TRIES = 8;

const stored = new Promise((done, failed) => {
  const opening = indexedDB.open("rd-queue", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("actions", { keyPath: "id", autoIncrement: true });
  opening.onsuccess = () => done(opening.result);
  opening.onerror = () => failed(opening.error);
});

async function actions(mode, use) {
  const database = await stored;
  return new Promise((done, failed) => {
    const work = database.transaction("actions", mode);
    const request = use(work.objectStore("actions"));
    work.oncomplete = () => done(request.result);
    work.onabort = () => failed(work.error);
  });
}

const user = () => document.body.dataset.user || "";
const mine = async () => (await actions("readonly", (store) => store.getAll())).filter((one) => one.user === user());
const keep = (action) => actions("readwrite", (store) => store.put(action));
const forget = (id) => actions("readwrite", (store) => store.delete(id));

let tools;
let bar;

function post(action) {
  const body = new FormData();
  for (const [name, value] of action.fields) body.append(name, name === "csrfmiddlewaretoken" ? tools.csrf() : value);
  return fetch(action.url, {
    method: "POST",
    body,
    headers: { "X-CSRFToken": tools.csrf(), Accept: "text/html" },
    signal: AbortSignal.timeout(SEND_MS),
  });
}

const signedOut = (response) => new URL(response.url).pathname.startsWith("/accounts/");
const later = (response) => response.status === 429 || response.status >= 500;

function reason(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const said = page.querySelector("[role=alert] p, [role=alert], .field-error, h1");
  return said?.textContent.trim().replace(/\s+/g, " ").slice(0, 200) || "";
}

async function show(note = "") {
  const all = await mine().catch(() => []);
  const refused = all.filter((one) => one.refused);
  const waiting = all.length - refused.length;
  const seen = document.documentElement.dataset.kept;
  if (!all.length && !note && !seen) { bar.replaceChildren(); bar.hidden = true; return; }
  const text = document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  bar.classList.toggle("is-stop", refused.length > 0);
  if (refused.length) {
    text.textContent = tools.words.refused.replace("%s", `${refused[0].label}: ${refused[0].refused}`);
    button.textContent = tools.words.dismiss;
    button.onclick = async () => { await forget(refused[0].id); show(); };
  } else if (!all.length && !note) {
    const time = new Date(seen).toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
    text.textContent = tools.words.lastSeen.replace("%s", time);
    button.textContent = tools.words.reload;
    button.onclick = () => location.reload();
  } else {
    const many = waiting === 1 ? tools.words.waitingOne : tools.words.waiting.replace("%s", waiting);
    text.textContent = note || many;
    button.textContent = tools.words.sendNow;
    button.onclick = () => flush();
  }
  bar.replaceChildren(text, button);
  bar.hidden = false;
}

async function drain() {
  let sent = 0;
  for (const action of (await mine()).filter((one) => !one.refused)) {
    let response;
    try { response = await post(action); } catch { break; }
    if (signedOut(response)) { await show(tools.words.signIn); return sent; }
    if (later(response)) {
      action.tries = (action.tries || 0) + 1;
      if (action.tries >= MOST_TRIES && response.status === 500) action.refused = `${response.status}`;
      await keep(action);
      break;
    }
    if (response.ok) { await forget(action.id); sent += 1; }
    else { action.refused = reason(await response.text()) || `${response.status}`; await keep(action); }
  }
  await show();
  return sent;
}

// What somebody has begun to fill in is not swept away by a fresh page.
const begun = () => [...document.querySelectorAll("main :is(input, textarea):not([type=hidden], [type=radio], [type=checkbox])")]
  .some((field) => field.value !== field.defaultValue);

// One tab at a time sends, or an action would be sent by two.
async function flush() {
  if (!navigator.onLine || !user()) { await show(); return; }
  const before = (await mine()).filter((one) => !one.refused).length;
  if (!before) { await show(); return; }
  const run = () => drain();
  const sent = navigator.locks
    ? await navigator.locks.request("rd-queue", { ifAvailable: true }, (lock) => (lock ? run() : 0))
    : await run();
  const rest = (await mine()).filter((one) => !one.refused).length;
  if (sent && !rest && !begun()) {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (response?.ok) tools.swap(await response.text(), response.url);
  }
}

async function put(action, form) {
  await keep(action);
  form.removeAttribute("aria-busy");
  const note = document.createElement("p");
  note.className = "notice is-warn";
  note.setAttribute("role", "status");
  note.textContent = `${action.label}: ${tools.words.kept}`;
  form.querySelector(":scope > .notice.is-warn")?.remove();
  form.append(note);
  tools.say(note.textContent);
  navigator.vibrate?.([40, 60, 40]);
  const event = form.querySelector("[name=client_event_id]");
  if (event) event.value = crypto.randomUUID?.() || `${Date.now()}-${Math.random()}`;
  const happened = form.querySelector("[data-device-at]");
  if (happened) happened.value = "";
  const scanned = form.querySelector("[data-scan-input]");
  if (scanned) { scanned.value = ""; scanned.focus(); }
  await show();
}

async function send(form, submitter) {
  form.setAttribute("aria-busy", "true");
  const action = {
    url: submitter?.formAction && submitter.hasAttribute("formaction") ? submitter.formAction : form.action,
    label: form.dataset.offline,
    user: user(),
    at: Date.now(),
    fields: [...new FormData(form, submitter)],
  };
  const queued = (await mine()).some((one) => !one.refused);
  if (queued || !navigator.onLine) {
    await put(action, form);
    if (queued) flush();
    return;
  }
  let response;
  try { response = await post(action); } catch { await put(action, form); return; }
  if (signedOut(response)) { await keep(action); location.assign(response.url); return; }
  if (response.status === 429 || response.status > 500) { await put(action, form); return; }
  // An answer that did not redirect belongs to the page it was sent from, not to the address of the action.
  tools.swap(await response.text(), response.redirected ? response.url : location.href);
}

export function mount(element, given) {
  tools = given;
  bar = document.createElement("div");
  bar.className = "queuebar";
  bar.hidden = true;
  bar.setAttribute("role", "status");
  document.querySelector("main").before(bar);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-offline]")) return;
    event.preventDefault();
    const failed = () => { form.removeAttribute("aria-busy"); form.removeAttribute("data-offline"); form.requestSubmit(); };
    send(form, event.submitter || undefined).catch(failed);
  });
  addEventListener("online", () => flush());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  setInterval(() => flush(), AGAIN_MS);
  flush();
}
