// Doors of the plan that can be dragged onto another block, by mouse, pen or finger. Dropping only leads to the page that
// says what it would cost, as the link beside each door does; that link is the way for a keyboard.
function targetAt(x, y, own) {
  const found = document.elementFromPoint(x, y)?.closest("[data-drop]");
  return found && found !== own ? found : null;
}

// Near an edge of the window the page moves along, or a block below could not be reached.
function scrollAlong(y) {
  const edge = 70;
  if (y < edge) window.scrollBy(0, -14);
  else if (y > window.innerHeight - edge) window.scrollBy(0, 14);
}

function grip(item, words) {
  const handle = document.createElement("span");
  handle.className = "plan-grip";
  handle.title = words.drag;
  handle.setAttribute("aria-hidden", "true");
  handle.textContent = "⠿";
  item.prepend(handle);
  handle.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const own = item.closest("[data-drop]");
    const ghost = document.createElement("div");
    ghost.className = "plan-ghost";
    ghost.textContent = item.querySelector("b")?.textContent ?? "";
    document.body.append(ghost);
    let target = null;
    const follow = (move) => {
      ghost.style.transform = `translate(${move.clientX + 12}px, ${move.clientY + 12}px)`;
      target?.classList.remove("is-target");
      target = targetAt(move.clientX, move.clientY, own);
      target?.classList.add("is-target");
      scrollAlong(move.clientY);
    };
    const end = (dropped) => {
      handle.removeEventListener("pointermove", follow);
      target?.classList.remove("is-target");
      ghost.remove();
      if (dropped && target) window.location.assign(`${item.dataset.move}?to=${target.dataset.drop}`);
    };
    follow(event);
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("pointerup", () => end(true), { once: true });
    handle.addEventListener("pointercancel", () => end(false), { once: true });
  });
}

// A link to a block shows its doors, too.
function openNamed() {
  const { hash } = window.location;
  if (!hash.startsWith("#block-")) return;
  document.getElementById(hash.slice(1))?.querySelector(".plan-doors")?.setAttribute("open", "");
}

export function mount(element, { words }) {
  openNamed();
  window.addEventListener("hashchange", openNamed);
  for (const item of element.querySelectorAll("[data-move]")) grip(item, words);
}
