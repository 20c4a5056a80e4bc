// Leaflet maps from JSON in the page. Without tiles the drawn ground of the stylesheet shows through.
// Nothing from the data is ever read as HTML: names of people and streets go in as text.
let leaflet;

function load(settings) {
  leaflet ||= Promise.all([
    new Promise((done, failed) => {
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", href: settings.leafletCss, onload: done, onerror: failed });
      document.head.prepend(link);
    }),
    new Promise((done, failed) => {
      const script = document.createElement("script");
      Object.assign(script, { src: settings.leaflet, onload: done, onerror: failed });
      document.head.append(script);
    }),
  ]).then(() => window.L);
  return leaflet;
}

const ICONS = { mall: "bag", store: "store", driver: "car", home: "home", return: "return", done: "check", failed: "alert" };
const SIZES = { mall: 34, driver: 34 };
const LINES = {
  route: { color: "#0b63ce", weight: 4, opacity: 0.85 },
  done: { color: "#0c5130", weight: 4, opacity: 0.8 },
  c0: { color: "#0b4f9e", weight: 3, opacity: 0.8 },
  c1: { color: "#8f1212", weight: 3, opacity: 0.8 },
  c2: { color: "#0c5130", weight: 3, opacity: 0.8 },
  c3: { color: "#5b2a86", weight: 3, opacity: 0.8 },
  c4: { color: "#4f5a00", weight: 3, opacity: 0.8 },
  c5: { color: "#00606b", weight: 3, opacity: 0.8 },
  c6: { color: "#8a1a5c", weight: 3, opacity: 0.8 },
  c7: { color: "#3b4f4b", weight: 3, opacity: 0.8 },
  plain: { color: "#3b4f4b", weight: 2, opacity: 0.8, dashArray: "5 6" },
};
const TONES = { info: "#17478a", go: "#0c5130", warn: "#a86400", stop: "#8f1212" };

function ground(L, element, settings) {
  const box = document.createElement("div");
  element.replaceChildren(box);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(box, { zoomControl: true, zoomSnap: 0.5, zoomAnimation: !still, fadeAnimation: !still, scrollWheelZoom: false });
  map.attributionControl.setPrefix(false);
  // The page scrolls over a map until somebody has clicked into it.
  map.on("focus", () => map.scrollWheelZoom.enable());
  map.on("blur", () => map.scrollWheelZoom.disable());
  if (settings.tiles) {
    const tiles = L.tileLayer(settings.tiles, {
      maxZoom: 19,
      attribution: settings.tilesCredit,
      // The tile server wants to know which site asks; the page itself tells nobody.
      referrerPolicy: "strict-origin-when-cross-origin",
    }).addTo(map);
    let failed = 0;
    tiles.on("tileerror", () => { failed += 1; if (failed === 6) tiles.remove(); });
    tiles.on("tileload", () => { failed = -1000; });
  }
  new ResizeObserver(() => map.invalidateSize()).observe(element);
  return map;
}

function face(marker, settings) {
  const inner = document.createElement("div");
  if (marker.label) inner.textContent = marker.label;
  else if (ICONS[marker.kind]) {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    const use = document.createElementNS(ns, "use");
    use.setAttribute("href", `${settings.icons}#${ICONS[marker.kind]}`);
    svg.append(use);
    return svg;
  }
  return inner;
}

function card(item) {
  const box = document.createElement("div");
  const title = document.createElement(item.href ? "a" : "b");
  title.textContent = item.title;
  if (item.href) title.href = item.href;
  box.append(title);
  if (item.text) {
    const text = document.createElement("div");
    text.textContent = item.text;
    box.append(text);
  }
  return box;
}

// How near, in pixels, a door must be dropped to a block's way or doors to be meant for it.
const REACH = 48;

// The block whose doors or way are nearest to a point of the screen, other than the one it came from.
function nearest(map, point, data, from) {
  let best = { block: "", far: REACH };
  const look = (block, far) => {
    if (block && block !== from && data.blocks.includes(block) && far < best.far) best = { block, far };
  };
  const at = (place) => map.latLngToContainerPoint(place);
  for (const marker of data.markers) look(marker.block, at([marker.lat, marker.lng]).distanceTo(point));
  for (const line of data.lines) {
    const points = line.points.map(at);
    points.slice(1).forEach((end, n) => look(line.block, window.L.LineUtil.pointToSegmentDistance(point, points[n], end)));
  }
  return best.block;
}

// Dropped beside another block, a door leads to the page that says what moving it would cost; else it goes back.
function movable(made, marker, map, data) {
  const home = made.getLatLng();
  made.on("dragend", () => {
    const block = nearest(map, map.latLngToContainerPoint(made.getLatLng()), data, marker.block);
    if (block) window.location.assign(`${marker.move}?to=${block}`);
    else made.setLatLng(home);
  });
}

function placed(L, marker, settings) {
  const size = SIZES[marker.kind] || (marker.label || ICONS[marker.kind] ? 28 : 16);
  const icon = L.divIcon({
    className: `mapmark is-${marker.kind || "stop"} tone-${marker.tone || "none"}${marker.move ? " is-movable" : ""}`,
    html: face(marker, settings),
    iconSize: [size, size],
  });
  const told = Boolean(marker.title);
  const options = { icon, title: marker.title || "", keyboard: told, interactive: told, draggable: Boolean(marker.move) };
  const made = L.marker([marker.lat, marker.lng], options);
  made.on("add", () => {
    if (told) made.getElement()?.setAttribute("aria-label", [marker.title, marker.text].filter(Boolean).join(", "));
    else made.getElement()?.setAttribute("aria-hidden", "true");
  });
  if (told) made.bindPopup(card(marker));
  return made;
}

// Only a new position glides; a marker must not lag behind the ground while somebody zooms.
function glide(made, to) {
  const element = made.getElement();
  if (!element || made.getLatLng().equals(to)) return;
  element.classList.add("is-gliding");
  made.setLatLng(to);
  setTimeout(() => element.classList.remove("is-gliding"), 1000);
}

function draw(L, state, data, settings) {
  const { map, layer, known } = state;
  layer.clearLayers();
  const bounds = [];
  for (const circle of data.circles || []) {
    const color = TONES[circle.tone] || TONES.info;
    L.circle([circle.lat, circle.lng], {
      radius: circle.radius_m, color, weight: 2, fillOpacity: 0.1, interactive: false,
    }).addTo(layer);
    bounds.push([circle.lat, circle.lng]);
  }
  for (const line of data.lines || []) {
    // The class lets a stylesheet choose another colour for the dark.
    const look = { ...(LINES[line.tone] || LINES.route), className: `way-${line.tone}`, interactive: false };
    L.polyline(line.points, look).addTo(layer);
    bounds.push(...line.points);
  }
  const seen = new Set();
  for (const marker of data.markers || []) {
    bounds.push([marker.lat, marker.lng]);
    const old = marker.id && known.get(marker.id);
    const looks = JSON.stringify({ ...marker, lat: 0, lng: 0 });
    if (old && old.looks === looks) {
      glide(old.made, [marker.lat, marker.lng]);
      seen.add(marker.id);
      continue;
    }
    old?.made.remove();
    const made = placed(L, marker, settings);
    if (marker.move) movable(made, marker, map, data);
    if (marker.id) {
      known.set(marker.id, { made: made.addTo(map), looks });
      seen.add(marker.id);
    } else made.addTo(layer);
  }
  for (const [id, { made }] of known) {
    if (!seen.has(id)) { made.remove(); known.delete(id); }
  }
  if (!state.framed) {
    if (data.center) map.setView(data.center, data.zoom || 13);
    if ((data.fit ?? !data.center) && bounds.length) map.fitBounds(bounds, { padding: [34, 34], maxZoom: 16 });
    else if (!data.center) map.setView([39, -98], 4);
    state.framed = Boolean(bounds.length || data.center);
  }
}

async function picture(element, { settings }) {
  const L = await load(settings);
  const map = ground(L, element, settings);
  const state = { map, layer: L.layerGroup().addTo(map), known: new Map(), framed: false };
  let text = "";
  const read = () => {
    const source = document.getElementById(element.dataset.source)?.textContent;
    if (source && source !== text) { text = source; draw(L, state, JSON.parse(text), settings); }
  };
  read();
  // The element is preserved when the page round it is swapped; only its data is new.
  document.addEventListener("htmx:afterSettle", read);
  if (element.dataset.url) follow(element, (data) => draw(L, state, data, settings));
}

function follow(element, show) {
  let etag;
  const ask = async () => {
    if (!element.isConnected) { clearInterval(timer); return; }
    if (document.hidden) return;
    try {
      const response = await fetch(element.dataset.url, {
        headers: { Accept: "application/json", ...(etag && { "If-None-Match": etag }) },
      });
      if (response.status === 200) { etag = response.headers.get("ETag"); show(await response.json()); }
    } catch { /* the next round asks again; the note of the live region says how old things are */ }
  };
  const timer = setInterval(ask, Number(element.dataset.every) * 1000);
  ask();
}

// A pin that fills two number inputs: by click, by drag, by arrow keys.
async function pin(field, { settings, words }) {
  const element = field.querySelector(".map");
  const [lat, lng] = [field.dataset.lat, field.dataset.lng].map((id) => document.getElementById(id));
  const note = field.querySelector("[data-pin-note]");
  const L = await load(settings);
  element.hidden = false;
  const map = ground(L, element, settings);
  map.keyboard.disable();
  const number = (text) => (text?.trim() && Number.isFinite(Number(text)) ? Number(text) : null);
  const center = field.dataset.center.split(",").map(number);
  const given = [number(lat.value), number(lng.value)];
  const has = given.every((value) => value !== null);
  const start = has ? given : center.every((value) => value !== null) ? center : [39, -98];
  map.setView(start, has ? 17 : center[0] === null ? 4 : 12);
  let marker;
  const places = Number(field.dataset.places ?? 6);
  const [here, clear] = ["here", "clear"].map((what) => field.querySelector(`[data-pin-${what}]`));
  const set = (point, pan = false) => {
    lat.value = point.lat.toFixed(places);
    lng.value = point.lng.toFixed(places);
    if (!marker) {
      const icon = L.divIcon({ className: "mapmark is-home", html: face({ kind: "home" }, settings), iconSize: [34, 34] });
      marker = L.marker(point, { icon, draggable: true, keyboard: false }).addTo(map);
      marker.on("drag", () => set(marker.getLatLng()));
    }
    marker.setLatLng(point);
    if (pan) map.panInside(point, { padding: [40, 40] });
    note.textContent = words.pinAt.replace("%s", `${lat.value}, ${lng.value}`);
    if (clear) clear.hidden = false;
    lat.dispatchEvent(new Event("change", { bubbles: true }));
  };
  if (has) set(L.latLng(given));
  map.on("click", (event) => set(event.latlng));
  if (here && navigator.geolocation) {
    here.hidden = false;
    here.addEventListener("click", () => navigator.geolocation.getCurrentPosition(
      ({ coords }) => { map.setView([coords.latitude, coords.longitude], 15); set(L.latLng(coords.latitude, coords.longitude)); },
      () => { note.textContent = words.notSharing; },
      { timeout: 8000, maximumAge: 60000 },
    ));
  }
  clear?.addEventListener("click", () => {
    marker?.remove();
    marker = undefined;
    lat.value = lng.value = note.textContent = "";
    clear.hidden = true;
  });
  const MOVES = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  element.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const from = map.latLngToContainerPoint(marker ? marker.getLatLng() : map.getCenter());
    const step = event.shiftKey ? 40 : 6;
    set(map.containerPointToLatLng(from.add([move[0] * step, move[1] * step])), true);
  });
  const wrong = field.querySelector(".field-error");
  const row = field.querySelector(".field-row");
  if (!wrong) row.classList.add("sr-only");
  for (const input of [lat, lng]) input.addEventListener("focus", () => row.classList.remove("sr-only"));
}

// A map far down a page costs a phone nothing until somebody scrolls towards it.
export function mount(element, tools) {
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    if ("pin" in element.dataset) pin(element, tools);
    else picture(element, tools);
  }, { rootMargin: "200px" });
  watch.observe(element);
}
