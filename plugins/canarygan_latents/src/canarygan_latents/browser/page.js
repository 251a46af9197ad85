// The page: its sections, from the content that stands in it.

const NO_CLASS = "X, none of the classes";
const CLOSE = 1e-3; // of full scale: nobody hears it
const content = JSON.parse(document.getElementById("content").textContent);

function header() {
  const top = document.getElementById("top");
  themeButton(put(top, "div", { class: "top" }, element("h1", {}, content.title)));
  const fact = factList(top);
  const { model, box, decoders, views } = content;
  fact("Checkpoint", `version ${model.version}`, `epoch ${format(model.epoch)}`, `update ${format(model.step)}`);
  const range = new Set(box.low.map((low, i) => `${format(low)} to ${format(box.high[i])}`));
  fact("Latents", `${model.dim} ${model.dim === 1 ? "coordinate" : "coordinates"}`, range.size === 1 ? `each ${[...range][0]}` : "each within what training drew");
  fact("A sound", `${format(model.samples / model.rate)} s`, `${format(model.samples)} samples`, `${format(model.rate / 1000)} kHz`);
  fact("Sounds listened to", views.reduce((sum, view) => sum + view.side ** view.axes.length, content.sample.whole ? 0 : content.sample.count));
  fact("Decoders", decoders.length ? decoders.join(", ") : "none", decoders.length ? "" : "give some with -y to see classes");
}

function choice(parent, name, entries, act) {
  const select = put(put(parent, "label", { class: "small" }, `${name} `), "select", { "aria-label": name });
  for (const [value, text] of entries) put(select, "option", { value }, text);
  select.addEventListener("change", () => act(select.value));
  return select;
}

function toolbar(parent, app) {
  const tools = put(parent, "div", { class: "bar-of-tools", role: "group", "aria-label": "What is shown" });
  const names = (axes) => axes.map((axis) => `z${axis + 1}`).join(", ");
  if (app.space.grids.length > 1) choice(tools, "Axes", app.space.grids.map((grid, i) => [i, names(grid.axes)]), (value) => app.setView(Number(value)));
  const colours = [...(app.content.classes.length ? [["class", "class"]] : []), ...Object.entries(app.content.measures).map(([name, unit]) => [name, `${name} (${unit})`])];
  choice(tools, "Colour by", colours, (value) => { app.colour = value; for (const tell of app.changed) tell(); app.repaint(); });
  const adding = put(tools, "button", { type: "button", "aria-pressed": false }, "Add to path");
  adding.addEventListener("click", () => { app.adding = !app.adding; adding.setAttribute("aria-pressed", app.adding); });
  put(tools, "button", { type: "button" }, "Stop").addEventListener("click", app.stop);
}

/** How the cube looks, and what turns it without a drag. */
function cubeTools(parent, app, cube) {
  const row = put(parent, "div", { class: "slicer", role: "group", "aria-label": "Cube" });
  choice(row, "Cube", [["block", "cut open"], ["cloud", "as points"]], (value) => { app.cubeStyle = value; app.repaint(); });
  for (const [text, name, yaw, pitch] of [["←", "Turn left", -TURN, 0], ["→", "Turn right", TURN, 0], ["↑", "Tilt up", 0, -TURN], ["↓", "Tilt down", 0, TURN]]) {
    put(row, "button", { type: "button", "aria-label": name }, text).addEventListener("click", () => cube.turn(yaw, pitch));
  }
}

/** The axis that is cut across and the place of the cut. */
function slicer(parent, app) {
  const row = put(parent, "div", { class: "slicer" });
  const axis = choice(row, "Slice across", [], (value) => {
    app.axis = Number(value);
    app.slice = app.cursor ? app.space.cellOf(app.grid, app.cursor)[app.axis] : Math.floor(app.grid.side / 2);
    for (const tell of app.changed) tell();
    app.repaint();
  });
  const slider = put(row, "input", { type: "range", min: 0, step: 1 });
  const value = put(row, "output", { class: "small" });
  slider.addEventListener("input", () => app.moveSlice(Number(slider.value) - app.slice));
  const tell = () => {
    row.hidden = app.grid.dims < 3;
    if (row.hidden) return;
    const names = app.grid.axes.map((one) => `z${one + 1}`);
    if ([...axis.options].map((one) => one.textContent).join() !== names.join()) axis.replaceChildren(...names.map((name, i) => element("option", { value: i }, name)));
    axis.value = app.axis;
    slider.max = app.grid.side - 1;
    slider.value = app.slice;
    const text = `${names[app.axis]} = ${format(app.space.middle(app.slice, app.grid.axes[app.axis], app.grid.side))}`;
    slider.setAttribute("aria-label", `Place of the slice, ${names[app.axis]}`);
    slider.setAttribute("aria-valuetext", text);
    value.textContent = text;
  };
  app.changed.push(tell);
}

/** The sound at the cursor: what it is, its spectrogram, and how it was made. */
function soundCard(parent, app) {
  const aloud = put(parent, "div", { class: "aloud", role: "status", "aria-live": "polite" });
  const card = put(parent, "div", { class: "sound" });
  const head = put(card, "div", { class: "head" });
  const mark = put(head, "i", { class: "shape" });
  const name = put(head, "b", {}, "Point at the space to see a sound");
  const play = put(head, "button", { type: "button", "aria-label": "Play the sound at the cursor", disabled: true }, "▶");
  play.addEventListener("click", () => app.choose(app.cursor ?? app.content.box.at, false));
  const picture = putSpectrogram(card);
  const foot = put(card, "div", { class: "foot" }, "Click or tap to hear it.");
  const { model } = app.content;
  const latency = put(parent, "p", { class: "soft small latency" });

  function describe(sound) {
    const cell = app.cellAt(sound.z);
    const label = sound.label ?? (cell && app.space.labelOf(...cell));
    const [own, ofCell] = [[app.format(sound.z), tellPeak(sound.samples)], []];
    if (label !== null) {
      const [posterior, agreement] = ["posterior", "agreement"].map((name) => sound[name] ?? cell[0][name][cell[1]] / 255);
      const all = app.content.decoders.length;
      const those = `${Math.round(agreement * all)} of ${all} ${all === 1 ? "decoder" : "decoders"}`;
      (sound.label ? own : ofCell).push(...(label === X ? [`${those} rejected it${agreement > 0.5 ? "" : ", the others did not agree or were unsure"}`] : [`posterior ${posterior.toFixed(2)}`, `${those} gave it`]));
    }
    if (cell) {
      for (const [measure, unit] of Object.entries(app.content.measures)) {
        const value = cell[0].measures[measure][cell[1]];
        ofCell.push(Number.isFinite(value) ? `${measure} ${format(Math.round(value))} ${unit}` : `no ${measure}`);
      }
    }
    return { label, own: own.join(" · "), ofCell: ofCell.join(" · ") };
  }
  /** Show a sound; it is told to those who do not see it, unless it is one of many that follow each other. */
  app.show = (sound, isTold = true) => {
    app.shown = sound;
    const { label, own, ofCell } = describe(sound);
    const title = label === null ? app.format(sound.z) : label === X ? NO_CLASS : label;
    name.textContent = title;
    mark.dataset.shape = label && label !== X ? shapeOf(app.space, label) : "";
    mark.style.color = label ? colourOf(app.space, label) : "";
    foot.replaceChildren(own, ...(ofCell ? [element("br"), element("b", {}, "Middle of its cell: "), ofCell] : []));
    if (isTold) aloud.textContent = `${title}, ${own}`;
    play.disabled = false;
    picture.show(sound.samples, model.rate, `at ${app.format(sound.z)}`);
    const ways = { network: "Made in this page by the generator", grid: "The nearest sound that is kept in this page", server: "Made by the generator behind this page" };
    latency.textContent = `${ways[app.source.name]}, ${sound.milliseconds.toFixed(1)} ms${sound.generator ? `, of which ${sound.generator.toFixed(1)} ms in the generator` : ""}.${sound.warning ? ` ${sound.warning}` : ""}`;
  };
  app.fail = (error) => {
    aloud.textContent = foot.textContent = `No sound: ${error.message}`;
  };
  app.changed.push(() => card.classList.toggle("sounding", app.playing));
  repaints.push(() => app.shown && app.show(app.shown));
}

function legend(parent, app) {
  const node = put(parent, "div", { class: "legend", role: "group", "aria-label": "Classes shown" });
  const fill = () => {
    node.replaceChildren();
    if (app.colour !== "class") {
      const [low, high] = rangeOf(app.grid.measures[app.colour]);
      const unit = app.content.measures[app.colour];
      const scale = put(node, "span", { class: "scale small" }, `${app.colour}: at most ${format(Math.round(low))} ${unit} `);
      const stops = Array.from({ length: 11 }, (_, i) => tintOf(i / 10));
      put(scale, "i", { style: `background: linear-gradient(to right, ${stops})` });
      scale.append(` at least ${format(Math.round(high))} ${unit}. Hatched: it has none.`);
      return;
    }
    const counts = new Array(app.content.classes.length).fill(0);
    for (const one of app.grid.label) counts[one] += 1;
    app.content.classes.forEach((label, i) => {
      const button = put(node, "button", { type: "button", "aria-pressed": !app.hidden.has(label), title: `Show or hide ${label}` });
      put(button, "i", { class: "shape", "data-shape": label === X ? "▨" : shapeOf(app.space, label), style: `color: ${colourOf(app.space, label)}` });
      put(button, "span", {}, label === X ? NO_CLASS : label);
      put(button, "small", { class: "soft" }, `${((100 * counts[i]) / app.grid.label.length).toFixed(1)} %`);
      button.addEventListener("click", () => {
        app.hidden.has(label) ? app.hidden.delete(label) : app.hidden.add(label);
        button.setAttribute("aria-pressed", !app.hidden.has(label));
        app.repaint();
      });
    });
  };
  app.changed.push(() => { if (fill.of !== `${app.colour} ${app.view}`) { fill.of = `${app.colour} ${app.view}`; fill(); } });
  repaints.push(fill);
}

function spaceSection(parent, app) {
  const kept = app.content.sounds;
  if (kept) put(parent, "p", { class: "notice" }, `The generator is not in this page: ${kept.why}. The nearest of ${kept.views[0].side} sounds along each axis is played instead, in 8-bit mu-law.`);
  const apart = app.content.network?.parity ?? 0;
  if (apart > CLOSE) put(parent, "p", { class: "notice" }, `The generator rounds to bfloat16, as in its training. Where a rounding falls to the other side in this page, a sound is not that of canarygan generate: of those compared, the furthest lay ${format(Number(apart.toPrecision(2)))} of full scale away.`);
  toolbar(parent, app);
  const layout = put(parent, "div", { class: "space" });
  const solid = put(layout, "div", { class: "solid" });
  const cube = cubeView(solid, app);
  cubeTools(solid, app, cube);
  const flat = put(layout, "div", { class: "flat" });
  const slice = sliceView(flat, app);
  slicer(flat, app);
  const panel = put(layout, "div", { class: "panel" });
  soundCard(panel, app);
  legend(parent, app);
  const sure = " Colours are as strong as the posterior is high; X is hatched: most decoders reject the sound, or they do not agree.";
  const help = put(parent, "p", { class: "soft small", id: "space-help" });
  app.changed.push(() => {
    const others = app.content.box.at.map((value, axis) => [axis, value]).filter(([axis]) => !app.grid.axes.includes(axis));
    const fixed = others.length ? ` Fixed: ${others.map(([axis, value]) => `z${axis + 1} = ${format(value)}`).join(", ")}.` : "";
    const shares = app.colour === "class" && !app.content.sample.whole ? " Shares beside the names are of the cells of this view." : "";
    help.textContent = `Point to see a sound, click or tap to hear it. ${tellKeys(app.grid.dims)}${app.colour === "class" ? sure : ""}${shares}${fixed} ${app.source.full || !app.content.classes.length ? "Measures" : "Labels and measures"} were found at the middle of each cell.`;
  });
  app.painters.push(() => { solid.hidden = app.grid.dims < 3; flat.classList.toggle("line", app.grid.dims === 1); layout.classList.toggle("two", app.grid.dims < 3); });
  app.painters.push(slice.draw, cube.draw);
  repaints.push(app.repaint);
  return { slice, cube };
}

followTheme();
header();
const app = makeApp(content);
const views = spaceSection(addSection("space", "The space"), app);
app.paths = pathPanel(addSection("path", "A path"), app);
app.setView(0);
if (content.shares) sharesSection(addSection("shares", "Classes"), content);
acousticsSection(addSection("acoustics", "What does each coordinate do?"), content);
put(addSection("again", "Make it again"), "code", { class: "command" }, content.command);
put(document.querySelector("footer"), "span", {}, `Made ${date(content.made)} by canarygan-latents ${content.system}.${content.server ? "" : " One file: it needs no network."}`);
window.canarygan = Object.freeze({
  get state() { return { cursor: app.cursor, slice: app.slice, axis: app.axis, view: app.view, path: app.path, playing: app.playing, played: app.played, source: app.source.name }; },
  spot: (z) => views.slice.spot(z),
  label: (z) => app.labelAt(z),
  sound: async (z) => Array.from((await app.source.sound(z, app.view)).samples),
});
