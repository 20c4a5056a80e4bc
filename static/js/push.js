// Notices on this phone: says where it stands, and switches it on and off. The paragraphs for each state are in the
// page; this shows the one that holds.
const bytes = (key) => Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const same = (one, other) => one && other.length === one.byteLength && new Uint8Array(one).every((b, n) => b === other[n]);

export async function mount(element, { csrf, say }) {
  const { key, address } = element.dataset;
  const on = element.querySelector("[data-push-on]");
  const off = element.querySelector("[data-push-off]");

  function show(state, detail = "") {
    element.dataset.state = state;
    for (const part of element.querySelectorAll("[data-push-when]")) {
      part.hidden = !part.dataset.pushWhen.split(" ").includes(state);
    }
    if (detail) say(detail);
  }

  const said = () => element.querySelector("p[data-push-when]:not([hidden])")?.textContent.trim();

  function send(method, url, body) {
    return fetch(url, {
      method,
      headers: { "X-CSRFToken": csrf(), ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
  }

  async function keep(subscription) {
    const { endpoint, keys } = subscription.toJSON();
    const response = await send("PUT", address, { endpoint, keys });
    if (!response.ok) throw new Error(`${response.status}`);
  }

  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    show("unsupported");
    return;
  }
  const registration = await navigator.serviceWorker.ready;

  async function look() {
    if (Notification.permission === "denied") { show("denied"); return; }
    const subscription = await registration.pushManager.getSubscription();
    if (subscription && !same(subscription.options.applicationServerKey, bytes(key))) {
      // Made with a key that this server no longer has: nothing can reach it.
      await subscription.unsubscribe();
      show("off");
      return;
    }
    // Said again at every look: the server may have dropped it, or another driver used this phone meanwhile.
    if (subscription) await keep(subscription);
    show(subscription ? "on" : "off");
  }

  async function act(button, work) {
    button.disabled = true;
    try { await work(); } catch { show(Notification.permission === "denied" ? "denied" : "failed"); }
    button.disabled = false;
    say(said() || "");
  }

  on.addEventListener("click", () => act(on, async () => {
    if (await Notification.requestPermission() !== "granted") {
      show(Notification.permission === "denied" ? "denied" : "off");
      return;
    }
    const options = { userVisibleOnly: true, applicationServerKey: bytes(key) };
    await keep(await registration.pushManager.subscribe(options));
    show("on");
  }));

  off.addEventListener("click", () => act(off, async () => {
    const subscription = await registration.pushManager.getSubscription();
    if (subscription) {
      const response = await send("DELETE", `${address}?endpoint=${encodeURIComponent(subscription.endpoint)}`);
      if (!response.ok) throw new Error(`${response.status}`);
      await subscription.unsubscribe();
    }
    show("off");
  }));

  await look().catch(() => show("failed"));
}
