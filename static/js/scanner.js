// Codes by camera, by a hand scanner that types, or by fingers: all three end in one input of one form.
// What our labels have; and what sellers print, which is looked for only where a parcel has a barcode of its own: an
// article's EAN beside our label would be read as a wrong parcel.
const OURS = ["qr_code", "code_128"];
const THEIRS = ["code_39", "code_93", "data_matrix", "ean_13", "ean_8", "itf", "upc_a", "upc_e"];
const EVERY_MS = 140;
const SAME_AGAIN_MS = 2500;
const WEDGE_GAP_MS = 60;
const WEDGE_LEAST = 4;

// The camera outlives the form it was opened in, so that ten parcels do not mean ten times of waiting for it.
let stream = null;
let last = { text: "", at: 0 };

async function eye(settings, formats) {
  if ("BarcodeDetector" in window) {
    const known = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
    if (formats.every((format) => known.includes(format))) {
      const detector = new window.BarcodeDetector({ formats });
      return async (video) => (await detector.detect(video))[0]?.rawValue;
    }
  }
  await new Promise((done, failed) => {
    if (window.ZXing) { done(); return; }
    const script = document.createElement("script");
    Object.assign(script, { src: settings.zxing, onload: done, onerror: failed });
    document.head.append(script);
  });
  const { ZXing } = window;
  const reader = new ZXing.MultiFormatReader();
  reader.setHints(new Map([
    [ZXing.DecodeHintType.POSSIBLE_FORMATS, formats.map((format) => ZXing.BarcodeFormat[format.toUpperCase()])],
    [ZXing.DecodeHintType.TRY_HARDER, true],
  ]));
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, 960 / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    try {
      const source = new ZXing.HTMLCanvasElementLuminanceSource(canvas);
      return reader.decodeWithState(new ZXing.BinaryBitmap(new ZXing.HybridBinarizer(source))).getText();
    } catch {
      return undefined; // The library throws when there is no code in the picture, which is most pictures.
    }
  };
}

function remember(on) {
  try { sessionStorage.setItem("rd-camera", on ? "on" : ""); } catch { /* asked again on the next page */ }
}

function wanted() {
  try { return sessionStorage.getItem("rd-camera") === "on"; } catch { return false; }
}

export function mount(element, { settings, words, say }) {
  const form = element.closest("form");
  const input = element.querySelector("[data-scan-input]");
  const method = element.querySelector("[data-scan-method]");
  const view = element.querySelector("[data-scan-view]");
  const video = view.querySelector("video");
  const button = element.querySelector("[data-scan-camera]");
  const note = element.querySelector("[data-scan-note]");
  let running = false;

  function take(read, how) {
    // GS1-128 parts its fields with a sign that nobody can print.
    const text = read.replace(/\p{Cc}/gu, "");
    input.value = text;
    method.value = how;
    note.textContent = words.read.replace("%s", text);
    say(note.textContent);
    navigator.vibrate?.(60);
    form.requestSubmit();
  }

  async function look() {
    const see = await eye(settings, "scanBarcodes" in element.dataset ? [...OURS, ...THEIRS] : OURS);
    while (running && element.isConnected) {
      if (video.readyState >= 2 && form.getAttribute("aria-busy") !== "true") {
        const text = await see(video).catch(() => undefined);
        const now = Date.now();
        if (text && (text !== last.text || now - last.at > SAME_AGAIN_MS)) {
          last = { text, at: now };
          view.classList.add("is-hit");
          setTimeout(() => view.classList.remove("is-hit"), 500);
          take(text, "camera");
        } else if (text) last.at = now;
      }
      await new Promise((done) => { setTimeout(done, EVERY_MS); });
    }
    // Another scanner on the next page takes the camera over; when there is none, it is switched off.
    setTimeout(() => {
      if (stream && !document.querySelector("[data-scan-view]:not([hidden])")) {
        for (const track of stream.getTracks()) track.stop();
        stream = null;
      }
    }, 1500);
  }

  async function open() {
    try {
      if (!stream?.active) {
        stream = await navigator.mediaDevices.getUserMedia({
          video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false,
        });
      }
      video.srcObject = stream;
      view.hidden = false;
      await video.play();
      running = true;
      remember(true);
      button.querySelector("span").textContent = words.cameraStop;
      look();
    } catch {
      view.hidden = true;
      remember(false);
      note.textContent = words.cameraOff;
      input.focus();
    }
  }

  function close() {
    running = false;
    view.hidden = true;
    remember(false);
    button.querySelector("span").textContent = words.cameraStart;
  }

  if (navigator.mediaDevices?.getUserMedia) {
    button.hidden = false;
    button.addEventListener("click", () => (running ? close() : open()));
    if (wanted()) open();
  }

  // A hand scanner is a keyboard that types faster than anybody and ends with Enter, wherever the focus is.
  let typed = "";
  let before = 0;
  let slow = true;
  const listen = (event) => {
    if (!element.isConnected) { document.removeEventListener("keydown", listen, true); return; }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const elsewhere = event.target !== input && event.target.matches?.("input, textarea, select, [contenteditable]");
    if (elsewhere) return;
    const gap = event.timeStamp - before;
    before = event.timeStamp;
    if (event.key === "Enter") {
      const fast = !slow && typed.length >= WEDGE_LEAST;
      if (fast) {
        event.preventDefault();
        event.stopPropagation();
        take(typed, "wedge");
      }
      typed = "";
      slow = true;
      return;
    }
    if (event.key.length !== 1) return;
    if (gap > WEDGE_GAP_MS) { typed = ""; slow = event.target === input && input.value !== ""; }
    typed += event.key;
  };
  document.addEventListener("keydown", listen, true);
  input.addEventListener("input", () => { method.value = "typed"; });
}
