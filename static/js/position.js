// Where the phone is: once, for a form that needs it, or again and again while a driver is on a block.
const WAIT_MS = 8000;

const ask = (maximumAge) => new Promise((done) => {
  if (!navigator.geolocation) { done(null); return; }
  const timer = setTimeout(() => done(null), WAIT_MS + 500);
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => { clearTimeout(timer); done(coords); },
    () => { clearTimeout(timer); done(null); },
    { enableHighAccuracy: true, timeout: WAIT_MS, maximumAge },
  );
});

function once(element) {
  const form = element.closest("form");
  const input = (name) => element.querySelector(`[name=${name}]`);
  let settled = false;
  form.addEventListener("submit", (event) => {
    if (settled) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    form.setAttribute("data-looking", "");
    ask(15000).then((coords) => {
      settled = true;
      form.removeAttribute("data-looking");
      if (coords) {
        input("lat").value = coords.latitude.toFixed(6);
        input("lng").value = coords.longitude.toFixed(6);
        input("accuracy_m").value = Math.round(coords.accuracy);
      }
      form.requestSubmit(submitter?.isConnected ? submitter : undefined);
      // A second try, after a refusal shown in the same page, looks again.
      setTimeout(() => { settled = false; }, 1000);
    });
  }, true);
}

function share(element, { words, csrf }) {
  const note = element.querySelector("[data-share-note]");
  let newest = null;
  let sent = 0;
  if (!navigator.geolocation) { note.textContent = words.notSharing; return; }
  const watch = navigator.geolocation.watchPosition(
    (position) => { newest = position; note.textContent = words.sharing; post(); },
    () => { note.textContent = words.notSharing; },
    { enableHighAccuracy: true, maximumAge: 5000 },
  );
  const every = Number(element.dataset.every) * 1000;

  async function post() {
    if (!element.isConnected) {
      navigator.geolocation.clearWatch(watch);
      clearInterval(timer);
      return;
    }
    if (!newest || Date.now() - sent < every || !navigator.onLine) return;
    sent = Date.now();
    const { coords, timestamp } = newest;
    newest = null;
    const body = new URLSearchParams({
      lat: coords.latitude.toFixed(6),
      lng: coords.longitude.toFixed(6),
      accuracy_m: Math.round(coords.accuracy),
      device_at: new Date(timestamp).toISOString(),
    });
    const headers = { "X-CSRFToken": csrf() };
    try {
      await fetch(element.dataset.share, { method: "POST", body, headers, redirect: "manual", keepalive: true });
    } catch { /* an old position is worth nothing; the next one is sent when there is signal */ }
  }
  const timer = setInterval(post, every);
}

export function mount(element, tools) {
  if ("here" in element.dataset) once(element);
  else share(element, tools);
}
