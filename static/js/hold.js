// A place in a slot is held while its form is open: whoever leaves the page without posting gives it back at once.
export function mount(element) {
  const form = element.closest("form");
  if (!form) return;
  let posting = false;
  form.addEventListener("submit", () => { posting = true; });
  addEventListener("pageshow", () => { posting = false; });
  addEventListener("pagehide", () => {
    const held = element.isConnected && element.querySelector("input[name=slot_hold]");
    if (!held || posting) return;
    const told = new FormData();
    for (const name of ["csrfmiddlewaretoken", "store", "slot_hold"]) told.set(name, form.elements[name].value);
    told.set("release_slot", "1");
    navigator.sendBeacon(element.dataset.url, told);
  });
}
