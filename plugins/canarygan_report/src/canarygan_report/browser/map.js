// The map: points to see, to step through, and to hear.

const PINS = 5;
const REACH = 16;

function soundMap(parent, data) {
  const count = data.x.length;
  const samples = new Map();
  const state = { playing: null, shown: null, pinned: [], played: 0, hidden: new Set(), colour: "label" };
  const view = { zoom: 1, x: 0, y: 0 };
  const extent = extentOf(data);
  const tools = put(parent, "div", { class: "bar-of-tools", role: "group", "aria-label": "Map" });
  const layout = put(parent, "div", { class: "map" });
  const stage = put(layout, "div", { class: "stage" });
  const canvas = put(stage, "canvas", {
    tabindex: 0, role: "application", "aria-describedby": "map-help",
    "aria-label": `Map of ${count} sounds. Arrow keys step from point to point, Enter or Space plays, plus and minus zoom.`,
  });
  const legend = put(stage, "div", { class: "legend", role: "group", "aria-label": "Classes shown" });
  const panel = put(layout, "div", { class: "panel" });
  const announcement = put(panel, "div", { class: "aloud", role: "status", "aria-live": "polite" });
  const current = put(panel, "div");
  const pins = put(panel, "div", { class: "panel" });

  const soundOf = (i) => {
    if (!samples.has(i)) samples.set(i, data.sound[i] ? samplesOf(data.sound[i]) : new Float32Array(0));
    return samples.get(i);
  };
  const rateOf = (i) => (data.real[i] ? data.rates.real : data.rates.generated);
  const sideOf = (i) => (data.real[i] ? "real" : "generated");
  const clusterOf = (i) => (data.cluster[i] === null ? "no cluster" : data.cluster[i] < 0 ? "outside clusters" : `cluster ${data.cluster[i]}`);
  const nameOf = (i) => `${sideOf(i)}, ${data.labels[data.label[i]]}`;

  const groupings = {
    label: { name: "class", of: (i) => data.labels[data.label[i]], shape: (name) => (name === "X" || name === "?" ? 0 : data.labels.indexOf(name) % SHAPES.length), colour: (name) => (name === "X" || name === "?" ? grey() : classColour(data.labels.indexOf(name), data.labels.length)) },
    side: { name: "real or generated", of: sideOf, shape: () => 0, colour: (name) => getComputedStyle(document.documentElement).getPropertyValue(name === "real" ? "--real" : "--made") },
  };
  if (data.cluster.some((one) => one !== null)) {
    const names = [...new Set(data.cluster)].filter((one) => one !== null && one >= 0).sort((a, b) => a - b).map((one) => `cluster ${one}`);
    groupings.cluster = { name: "cluster", of: clusterOf, shape: (name) => Math.max(0, names.indexOf(name)) % SHAPES.length, colour: (name) => (names.includes(name) ? classColour(names.indexOf(name), names.length) : grey()) };
  }
  const isVisible = (i) => !state.hidden.has(`side:${sideOf(i)}`) && !state.hidden.has(`${state.colour}:${groupings[state.colour].of(i)}`);
  const scale = () => Math.min(canvas.clientWidth / extent.width, canvas.clientHeight / extent.height) * 0.94 * view.zoom;
  const place = (i) => [
    canvas.clientWidth / 2 + (data.x[i] - extent.x - view.x) * scale(),
    canvas.clientHeight / 2 - (data.y[i] - extent.y - view.y) * scale(),
  ];

  let waiting = false;
  function draw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawNow(); });
  }
  function drawNow() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const { of, colour, shape } = groupings[state.colour];
    const colours = new Map();
    const places = new Map();
    const size = Math.min(6, 2.6 * Math.sqrt(view.zoom) + (count < 400 ? 1.4 : 0));
    for (let i = 0; i < count; i++) {
      if (!isVisible(i)) continue;
      const group = of(i);
      if (!colours.has(group)) colours.set(group, colour(group));
      const [x, y] = place(i);
      if (!places.has(group)) places.set(group, []);
      places.get(group).push([x, y]);
      outline(pen, shape(group), x, y, data.real[i] ? size + 0.8 : size);
      pen.globalAlpha = data.real[i] ? 0.75 : 0.8;
      if (data.real[i]) {
        pen.strokeStyle = colours.get(group);
        pen.lineWidth = 1.3;
        pen.stroke();
      } else {
        pen.fillStyle = colours.get(group);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
    if (state.colour !== "side") {
      pen.font = "600 12px system-ui, sans-serif";
      pen.textAlign = "center";
      pen.lineWidth = 3;
      for (const [group, points] of places) {
        const [x, y] = [0, 1].map((axis) => points.map((point) => point[axis]).sort((a, b) => a - b)[points.length >> 1]);
        pen.strokeStyle = dark() ? "#14161a" : "#fbfaf7";
        pen.strokeText(group, x, y + 4);
        pen.fillStyle = dark() ? "#e7e6e1" : "#1d2129";
        pen.fillText(group, x, y + 4);
      }
    }
    for (const i of [...state.pinned, state.shown]) {
      if (i === null) continue;
      const [x, y] = place(i);
      pen.beginPath();
      pen.arc(x, y, i === state.shown ? 10 : 8, 0, 2 * Math.PI);
      pen.lineWidth = i === state.playing ? 4 : 2;
      pen.strokeStyle = i === state.playing ? (dark() ? "#f0c24b" : "#d99a00") : dark() ? "#fff" : "#1d2129";
      pen.stroke();
    }
  }

  function card(i, pinned) {
    const node = element("div", { class: `sound${pinned ? " pinned" : ""}${i === state.playing ? " sounding" : ""}`, "data-point": i });
    const { of, colour } = groupings[state.colour];
    const head = put(node, "div", { class: "head" }, element("i", { style: `background: ${colour(of(i))}` }), element("b", {}, nameOf(i)));
    const playing = put(head, "button", { type: "button", "aria-label": `Play ${nameOf(i)}, ${data.name[i]}` }, "▶");
    playing.addEventListener("click", () => play(i));
    if (pinned) {
      put(head, "button", { type: "button", "aria-label": `Unpin ${nameOf(i)}` }, "×").addEventListener("click", () => {
        state.pinned = state.pinned.filter((one) => one !== i);
        showPins();
      });
    }
    const sound = soundOf(i);
    const seconds = sound.length / (rateOf(i) || 1);
    if (sound.length) {
      const picture = put(node, "canvas", { role: "img", "aria-label": `Spectrogram of ${nameOf(i)}: ${format(seconds)} s, 0 to ${format(rateOf(i) / 2000)} kHz` });
      paintSpectrogram(picture, sound);
    }
    const about = sound.length
      ? `${data.name[i]} · ${Math.round(1000 * seconds)} ms · to ${format(rateOf(i) / 2000)} kHz · peak ${format(data.level[i])} dB`
      : `${data.name[i]} · ${data.sound[i] === null ? "its sound is not in this page: give the clips with -d" : "silent"}`;
    put(node, "div", { class: "foot" }, `${about}${data.cluster[i] === null ? "" : ` · ${clusterOf(i)}`}`);
    return node;
  }

  function show(i) {
    state.shown = i;
    announcement.textContent = i === null ? "" : `${nameOf(i)}, ${data.name[i]}`;
    if (i === null) {
      current.replaceChildren(element("div", { class: "sound" }, element("div", { class: "foot" }, "Point at a sound to see it, click to hear it.")));
    } else {
      current.replaceChildren(card(i, false));
    }
    draw();
  }
  function showPins() {
    pins.replaceChildren();
    if (state.pinned.length) put(pins, "p", { class: "heading" }, "Heard, the last first");
    for (const i of state.pinned) pins.append(card(i, true));
    draw();
  }
  function markPlaying() {
    for (const one of panel.querySelectorAll(".sound")) one.classList.toggle("sounding", state.playing !== null && one.dataset.point === String(state.playing));
    draw();
  }
  function play(i) {
    state.pinned = [i, ...state.pinned.filter((one) => one !== i)].slice(0, PINS);
    showPins();
    const sound = soundOf(i);
    if (!sound.length) return;
    player.play(sound, rateOf(i), () => {
      if (state.playing === i) state.playing = null;
      markPlaying();
    });
    state.playing = i;
    state.played += 1;
    markPlaying();
  }

  function nearest(x, y) {
    let [best, least] = [null, REACH ** 2];
    for (let i = 0; i < count; i++) {
      if (!isVisible(i)) continue;
      const [px, py] = place(i);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }
  /** The next point in a direction, within 45 degrees of it; the one nearest the middle where none is shown. */
  function step(dx, dy) {
    const from = state.shown === null || !isVisible(state.shown) ? null : place(state.shown);
    let [best, least] = [null, Infinity];
    for (let i = 0; i < count; i++) {
      if (!isVisible(i) || i === state.shown) continue;
      const [px, py] = place(i);
      const [x, y] = from ? [px - from[0], py - from[1]] : [px - canvas.clientWidth / 2, py - canvas.clientHeight / 2];
      const ahead = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      if (from && (ahead <= 0 || aside > ahead)) continue;
      const far = from ? ahead + 2 * aside : Math.hypot(x, y);
      if (far < least) [best, least] = [i, far];
    }
    if (best === null) return;
    show(best);
    const [x, y] = place(best);
    if (x < 0 || y < 0 || x > canvas.clientWidth || y > canvas.clientHeight) {
      [view.x, view.y] = [data.x[best] - extent.x, data.y[best] - extent.y];
    }
  }
  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const before = scale();
    view.zoom = Math.min(200, Math.max(0.5, view.zoom * factor));
    const moved = 1 / before - 1 / scale();
    view.x += (x - canvas.clientWidth / 2) * moved;
    view.y -= (y - canvas.clientHeight / 2) * moved;
    draw();
  }
  function reset() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    draw();
  }

  let drag = null;
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [event.clientX - frame.left - canvas.clientLeft, event.clientY - frame.top - canvas.clientTop];
  };
  canvas.addEventListener("pointerdown", (event) => {
    drag = { start: at(event), last: at(event), moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!drag) {
      const near = nearest(x, y);
      if (near !== null && near !== state.shown) show(near);
      return;
    }
    drag.moved ||= Math.hypot(x - drag.start[0], y - drag.start[1]) > 4;
    if (drag.moved) {
      view.x -= (x - drag.last[0]) / scale();
      view.y += (y - drag.last[1]) / scale();
      draw();
    }
    drag.last = [x, y];
  });
  canvas.addEventListener("pointerup", (event) => {
    const near = drag && !drag.moved ? nearest(...at(event)) : null;
    drag = null;
    if (near === null) return;
    show(near);
    play(near);
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...at(event));
  }, { passive: false });
  const keys = {
    ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, -1), ArrowDown: () => step(0, 1),
    Enter: () => (state.shown === null ? undefined : play(state.shown)), "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: reset,
  };
  keys[" "] = keys.Enter;
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  function showLegend() {
    const { of, colour, shape } = groupings[state.colour];
    const sizes = new Map();
    for (let i = 0; i < count; i++) sizes.set(of(i), (sizes.get(of(i)) || 0) + 1);
    const names = [...sizes.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    legend.replaceChildren();
    for (const name of names) {
      const key = `${state.colour}:${name}`;
      const button = put(legend, "button", { type: "button", "aria-pressed": !state.hidden.has(key), title: `Show or hide ${name}` });
      put(button, "i", { class: "shape", "data-shape": SHAPES[shape(name)], style: `color: ${colour(name)}` });
      put(button, "span", {}, name);
      put(button, "small", { class: "soft" }, format(sizes.get(name)));
      button.addEventListener("click", () => {
        state.hidden.has(key) ? state.hidden.delete(key) : state.hidden.add(key);
        button.setAttribute("aria-pressed", !state.hidden.has(key));
        draw();
      });
    }
  }
  const chooser = put(put(tools, "label", { class: "small" }, "Colour by "), "select", { "aria-label": "Colour by" });
  for (const [key, { name }] of Object.entries(groupings)) put(chooser, "option", { value: key }, name);
  chooser.addEventListener("change", () => {
    state.colour = chooser.value;
    repaint();
  });
  for (const [side, shape] of [["real", "○"], ["generated", "●"]]) {
    if (!(side in data.totals)) continue;
    const button = put(tools, "button", { type: "button", "aria-pressed": true }, `${shape} ${side}`);
    button.addEventListener("click", () => {
      const key = `side:${side}`;
      state.hidden.has(key) ? state.hidden.delete(key) : state.hidden.add(key);
      button.setAttribute("aria-pressed", !state.hidden.has(key));
      draw();
    });
  }
  for (const [text, name, act] of [["+", "Zoom in", () => zoom(1.4)], ["−", "Zoom out", () => zoom(1 / 1.4)], ["All", "Show the whole map", reset], ["Stop", "Stop the sound", () => player.stop()]]) {
    put(tools, "button", { type: "button", "aria-label": name }, text).addEventListener("click", act);
  }
  put(tools, "span", { class: "soft small", id: "map-help" }, "Click to hear; drag to move; wheel to zoom once clicked; arrows and Enter from the keyboard.");

  function repaint() {
    showLegend();
    show(state.shown);
    showPins();
  }
  new ResizeObserver(draw).observe(canvas);
  repaint();
  return {
    repaint,
    state: {
      get playing() { return state.playing; },
      get shown() { return state.shown; },
      get pinned() { return [...state.pinned]; },
      get played() { return state.played; },
      get points() { return Array.from({ length: count }, (_, i) => ({ place: place(i), real: Boolean(data.real[i]), label: data.labels[data.label[i]], seen: isVisible(i) })); },
    },
  };
}

/** The middle and the size of the points, with room for what has no extent. */
function extentOf(data) {
  const edges = (values) => values.reduce(([low, high], one) => [Math.min(low, one), Math.max(high, one)], [Infinity, -Infinity]);
  const [[left, right], [low, high]] = [edges(data.x), edges(data.y)];
  return { x: (left + right) / 2, y: (low + high) / 2, width: right - left || 1, height: high - low || 1 };
}
