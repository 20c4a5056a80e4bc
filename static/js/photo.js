// A preview of the photo, and a copy small enough for a phone's signal: JPEG, at most 1600 pixels a side.
const MOST = 1600;
const QUALITY = 0.82;

async function smaller(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, MOST / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", QUALITY); });
  return new File([blob], "photo.jpg", { type: "image/jpeg" });
}

export function mount(element, { words }) {
  const input = element.querySelector("input[type=file]");
  const preview = element.querySelector("[data-photo-preview]");
  const wrong = element.querySelector("[data-photo-error]");
  const form = element.closest("form");
  let work = null;
  let address = "";

  input.addEventListener("change", () => {
    const file = input.files[0];
    wrong.hidden = true;
    preview.hidden = true;
    URL.revokeObjectURL(address);
    if (!file) return;
    work = smaller(file).then((small) => {
      const box = new DataTransfer();
      box.items.add(small);
      input.files = box.files;
      address = URL.createObjectURL(small);
      preview.src = address;
      preview.hidden = false;
    }).catch(() => {
      wrong.textContent = words.photoTooOdd;
      wrong.hidden = false;
      input.value = "";
    }).finally(() => { work = null; });
  });

  form.addEventListener("submit", (event) => {
    if (!work) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    work.then(() => form.requestSubmit(submitter?.isConnected ? submitter : undefined));
  }, true);
}
