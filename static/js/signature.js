// A name written with a finger, kept as a small PNG in a hidden input.
export function mount(element) {
  const canvas = element.querySelector("canvas");
  const input = element.querySelector("input");
  const brush = canvas.getContext("2d");
  const scale = Math.min(2, devicePixelRatio || 1);
  let drawn = false;

  function blank() {
    const box = canvas.getBoundingClientRect();
    canvas.width = Math.max(1, Math.round(box.width * scale));
    canvas.height = Math.max(1, Math.round(box.height * scale));
    brush.setTransform(scale, 0, 0, scale, 0, 0);
    Object.assign(brush, { lineWidth: 2.4, lineCap: "round", lineJoin: "round", strokeStyle: "#10211f" });
    drawn = false;
    input.value = "";
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (!drawn) blank();
    canvas.setPointerCapture(event.pointerId);
    brush.beginPath();
    brush.moveTo(...at(event));
    brush.lineTo(...at(event).map((value) => value + 0.1));
    brush.stroke();
    drawn = true;
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    for (const point of event.getCoalescedEvents?.() ?? [event]) brush.lineTo(...at(point));
    brush.stroke();
  });
  canvas.addEventListener("pointerup", () => { if (drawn) input.value = canvas.toDataURL("image/png"); });
  element.querySelector("[data-sign-clear]").addEventListener("click", blank);
  blank();
}
