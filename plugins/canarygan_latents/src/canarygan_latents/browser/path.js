// A path through the space: its points, the sounds along it, and what can be saved of it.

/** Latents from point to point, `steps` from one to the next, in equal steps of float32. */
function walk(points, steps) {
  if (!points.length) return [];
  const way = [points[0]];
  for (let i = 1; i < points.length; i++) {
    for (let n = 1; n <= steps; n++) way.push(points[i].map((value, axis) => points[i - 1][axis] + ((value - points[i - 1][axis]) * n) / steps));
  }
  return way.map((z) => [...Float32Array.from(z)]);
}

/** Sounds one after another, with `gap` samples of silence between two. */
function join(sounds, gap) {
  const length = sounds.reduce((sum, { samples }) => sum + samples.length, 0) + gap * Math.max(0, sounds.length - 1);
  const wave = new Float32Array(length);
  let at = 0;
  const spans = sounds.map(({ samples }) => {
    wave.set(samples, at);
    const span = [at, at + samples.length];
    at = span[1] + gap;
    return span;
  });
  return { wave, spans };
}

/** A WAV file of one channel in 16 bits. */
function encodeWave(samples, rate) {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at, word) => [...word].forEach((letter, i) => bytes.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, 2 * rate, 4], [32, 2, 2], [34, 16, 2]].forEach(([at, value, size]) => (size === 4 ? bytes.setUint32(at, value, true) : bytes.setUint16(at, value, true)));
  text(36, "data");
  bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => bytes.setInt16(44 + 2 * i, Math.max(-32768, Math.min(32767, Math.round(32768 * value))), true));
  return bytes.buffer;
}

/** The shortest decimal number that float32 reads back as the same. */
function exact(value) {
  for (let digits = 1; digits < 10; digits++) {
    if (Math.fround(Number(value.toPrecision(digits))) === Math.fround(value)) return String(Number(value.toPrecision(digits)));
  }
  return String(value);
}

/** A text as a cell of CSV, by the rules of `canarygan_core.runs.tables`: no spreadsheet runs it, and it is read back as it was. */
function encodeCell(text) {
  const defused = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
}

/** Latents with the samples at which each of them sounds, from the first to the one after the last. */
function encodeTable(sounds, spans, labels) {
  const head = ["step", "start", "end", "label", ...sounds[0].z.map((_, i) => `z${i + 1}`)];
  const rows = sounds.map(({ z }, i) => [i + 1, ...spans[i], encodeCell(labels[i] ?? ""), ...z.map(exact)]);
  return [head, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

/** Latents as a file of numpy (n, d), float32, which `canarygan generate -z` reads. */
function encodeLatents(sounds) {
  const dim = sounds[0].z.length;
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sounds.length}, ${dim}), }`;
  const head = about.padEnd(128 - 10 - 1) + "\n";
  const bytes = new DataView(new ArrayBuffer(128 + 4 * sounds.length * dim));
  [...`\x93NUMPY\x01\x00`].forEach((letter, i) => bytes.setUint8(i, letter.charCodeAt(0)));
  bytes.setUint16(8, head.length, true);
  [...head].forEach((letter, i) => bytes.setUint8(10 + i, letter.charCodeAt(0)));
  sounds.flatMap(({ z }) => z).forEach((value, i) => bytes.setFloat32(128 + 4 * i, value, true));
  return bytes.buffer;
}

function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const count = (number, name) => `${format(number)} ${name}${number === 1 ? "" : "s"}`;

/** The panel of the path: its points, its steps, what it sounds like, and its files. */
function pathPanel(parent, app) {
  const { rate, stem } = app.content.model;
  const settings = { steps: 4, gap: 50 };
  let made = null;
  const list = put(parent, "ol", { class: "points", "aria-label": "Points of the path" });
  const tools = put(parent, "div", { class: "bar-of-tools", role: "group", "aria-label": "The path's sounds" });
  const number = (name, key, unit, least, most) => {
    const label = put(tools, "label", { class: "small" }, `${name} `);
    const input = put(label, "input", { type: "number", min: least, max: most, value: settings[key] });
    label.append(` ${unit}`);
    input.addEventListener("change", () => {
      const value = Number(input.value);
      settings[key] = Math.min(most, Math.max(least, Number.isFinite(value) ? Math.round(value) : settings[key]));
      input.value = settings[key];
      change();
    });
  };
  number("Steps from point to point", "steps", "", 1, 100);
  number("Silence between steps", "gap", "ms", 0, 2000);
  const button = (text, act) => {
    const node = put(tools, "button", { type: "button" }, text);
    node.addEventListener("click", act);
    return node;
  };
  const buttons = [
    button("▶ Play the path", play),
    button("Save WAV", async () => save(`${stem}-path.wav`, "audio/wav", encodeWave((await make()).wave, rate))),
    button("Save latents (CSV)", async () => { const { sounds, spans } = await make(); save(`${stem}-path.csv`, "text/csv", encodeTable(sounds, spans, sounds.map((one) => one.label ?? app.labelAt(one.z)))); }),
    button("Save latents (npy)", async () => save(`${stem}-path.npy`, "application/octet-stream", encodeLatents((await make()).sounds))),
    button("Clear", () => edit(() => { app.path.length = 0; }, 0)),
  ];
  const about = put(parent, "p", { class: "soft small", role: "status" });
  const picture = putSpectrogram(parent, { class: "whole" });
  const shows = (is) => { picture.canvas.parentElement.hidden = !is; };

  /** The sounds of all steps and how they follow one another, made once for a path and its settings. */
  function make() {
    made ??= (async () => {
      const sounds = [];
      let since = performance.now();
      for (const z of walk(app.path, settings.steps)) {
        sounds.push(await (app.source.full ?? app.source.sound)(z, app.view));
        if (performance.now() - since < 30) continue;
        await new Promise((done) => setTimeout(done)); // so that the page answers while many sounds are made
        since = performance.now();
      }
      return { sounds, ...join(sounds, Math.round((settings.gap / 1000) * rate)) };
    })().catch((error) => {
      made = null;
      app.fail(error);
      throw error;
    });
    return made;
  }
  async function play() {
    const { sounds, wave, spans } = await make();
    const start = performance.now();
    app.play(wave, () => {});
    const follow = () => {
      if (app.sounding !== wave) return;
      const at = ((performance.now() - start) / 1000) * rate;
      const now = sounds[Math.max(0, spans.findLastIndex(([from]) => from <= at))];
      if (now !== app.shown) {
        app.cursor = now.z;
        app.show(now, false);
        app.repaint();
      }
      requestAnimationFrame(follow);
    };
    follow();
  }
  /** Change the path and keep the focus in the list: on the point of this number, or the last one. */
  function edit(act, next) {
    act();
    change();
    const points = list.children;
    (points[Math.min(next, points.length - 1)]?.querySelector("button") ?? tools.querySelector("input")).focus();
  }
  function change() {
    made = null;
    list.replaceChildren();
    app.path.forEach((z, i) => {
      const item = put(list, "li");
      const label = app.labelAt(z);
      const name = `${label ? `${label} ` : ""}${app.format(z)}`;
      put(item, "button", { type: "button", "aria-label": `Play point ${i + 1}, ${name}` }, `▶ ${name}`).addEventListener("click", () => app.choose(z, false));
      put(item, "button", { type: "button", "aria-label": `Move point ${i + 1} forward`, disabled: i === 0 }, "↑").addEventListener("click", () => edit(() => app.path.splice(i - 1, 2, app.path[i], app.path[i - 1]), i - 1));
      put(item, "button", { type: "button", "aria-label": `Remove point ${i + 1}` }, "×").addEventListener("click", () => edit(() => app.path.splice(i, 1), i));
    });
    const steps = walk(app.path, settings.steps).length;
    const gap = Math.round((settings.gap / 1000) * rate);
    const length = steps * app.content.model.samples + Math.max(0, steps - 1) * gap;
    for (const one of buttons) one.disabled = !app.path.length;
    about.textContent = app.path.length
      ? `${count(app.path.length, "point")}, ${count(steps, "sound")} of ${format(app.content.model.samples)} samples with ${format(gap)} samples of silence between two: ${format(length / rate)} s.`
      : "No points yet: choose Add to path and click in the space, or press a at the cursor.";
    shows(false);
    app.repaint();
    clearTimeout(change.later);
    if (app.path.length > 1) change.later = setTimeout(async () => {
      const { wave } = await make();
      shows(true);
      picture.show(wave, rate, "of the whole path");
    }, 300);
  }
  change();
  return { change, make, settings };
}
