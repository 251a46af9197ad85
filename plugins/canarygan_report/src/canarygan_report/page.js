// The page: its sections, from the content that stands in it.

const content = JSON.parse(document.getElementById("content").textContent);
const LONG = 8; // a metric of more scores is folded

function showMissing(parent, name) {
  const { what, commands, looked } = content.missing[name];
  put(parent, "p", { class: "soft" }, commands.length ? `${what} This makes it:` : what);
  if (commands.length) put(parent, "code", { class: "command" }, commands.join(" && "));
  if (looked) put(parent, "p", { class: "soft" }, looked);
}

/** A section; `fill` is called where there is something to show, and what makes it is named where not. */
function section(id, title, names, fill) {
  const missing = names.length > 0 && names.every((name) => name in content.missing && (!content[name] || content[name].length === 0));
  const node = addSection(id, title, missing);
  if (missing) showMissing(node, names[0]);
  else fill(node);
}

function header() {
  const top = document.getElementById("top");
  const { run, material } = content;
  const line = put(top, "div", { class: "top" }, element("h1", {}, content.title));
  const record = run?.manifest ?? {};
  if (run) put(line, "span", { class: `chip ${record.status}` }, record.status);
  themeButton(line);
  const fact = factList(top);
  const model = record.options?.model;
  if (run) {
    fact("Model", model?.name ?? record.task, ...Object.entries(model?.options ?? {}).filter(([key]) => ["latent_dim", "dim", "slice_len"].includes(key)).map(([key, value]) => `${key.replaceAll("_", " ")} ${format(value)}`));
    fact("Generator updates", record.result?.updates, record.result?.epochs !== undefined && `${format(record.result.epochs)} epochs`);
    fact("Started", date(record.started), record.ended && `ended ${date(record.ended)}`);
  }
  const { real, generated } = material;
  if (real) fact("Real clips", real.clips, `${real.classes} classes`, `${format(real.rate / 1000)} kHz`, real.path);
  const print = real?.fingerprint || record.dataset?.fingerprint;
  if (print) fact("Data fingerprint", print.replace("sha256:", "").slice(0, 12));
  if (record.held_out) fact("Held out from training", record.held_out.clips, record.held_out.group_by !== "auto" && `by ${record.held_out.group_by}`);
  if (generated) fact("Generated sounds", generated.clips, generated.epoch && `epoch ${generated.epoch}`, generated.step && `update ${format(Number(generated.step))}`, generated.path);
  const notice = (title, lines, bad) => {
    if (!lines.length) return;
    const node = put(top, "div", { class: `notice${bad ? " bad" : ""}`, role: bad ? "alert" : "note" }, element("strong", {}, title));
    const list = put(node, "ul");
    for (const one of lines) put(list, "li", {}, one);
  };
  notice("This run ended with an error", record.error ? [record.error] : [], true);
  notice("Warnings of the run", (record.warnings ?? []).map((one) => one.message ?? format(one)), false);
  notice("In making this page", content.notes, false);
  if ("run" in content.missing) showMissing(put(top, "div"), "run");
}

function scoreTables(parent) {
  for (const one of content.scores) {
    const compared = one.metrics.some((metric) => metric.null);
    const columns = [...new Set(one.metrics.flatMap((metric) => metric.columns))].filter((name) => !(compared && name === "real"));
    if (content.scores.length > 1) put(parent, "h3", {}, one.name);
    const sides = ["generated", "reference"].filter((side) => one[side]).map((side) => `${side}: ${format(one[side].clips ?? one[side])}${one[side].clips === undefined ? "" : " clips"}`);
    if (sides.length) put(parent, "p", { class: "soft small" }, sides.join(" · "));
    const metrics = one.metrics.map((metric) => ({ ...metric, ofClasses: metric.rows.filter((row) => row.key.includes("/")), rows: metric.rows.filter((row) => !row.key.includes("/")) }));
    metrics.sort((metric, other) => metric.rows.length - other.rows.length);
    let body = scoreTable(parent, columns, compared);
    const wide = columns.length + (compared ? 7 : 4);
    for (const metric of metrics) {
      if (metric.rows.length > LONG) body = scoreTable(put(parent, "details", {}, element("summary", {}, `${metric.name} (${metric.rows.length} scores)`)), columns, compared);
      scoreRows(body, metric.rows, metric, columns, compared);
      for (const [kind, lines] of [["bad", metric.error ? [metric.error] : []], ["said", metric.warnings]]) {
        for (const entry of lines) put(put(body, "tr", { class: kind }), "td", { colspan: wide }, entry);
      }
      for (const [key, value] of Object.entries(metric.more)) put(put(body, "tr"), "td", { colspan: wide, class: "soft" }, `${key}: ${format(value)}`);
    }
    if (one.tests?.tests) put(parent, "p", { class: "soft small" }, `Same size: parts as large as those of the real clips that are scored against other real clips; their middle 95 % is beside. Inside: as real clips score. ${one.tests.tests} scores are tested together${one.tests.class_tests ? `, and ${one.tests.class_tests} of single classes` : ""}, so that chance alone puts any outside in ${100 * one.tests.level} % of cases (${one.tests.correction}).`);
    const count = metrics.reduce((sum, metric) => sum + metric.ofClasses.length, 0);
    if (!count) continue;
    const fold = put(parent, "details", {}, element("summary", {}, `Scores of single classes (${count})`));
    const more = scoreTable(fold, columns, compared);
    for (const metric of metrics.filter((one) => one.ofClasses.length)) scoreRows(more, metric.ofClasses, metric, columns, compared);
  }
}

function scoreTable(parent, columns, compared) {
  const table = put(put(parent, "div", { class: "wide" }), "table", { class: "scores" });
  const head = put(put(table, "thead"), "tr");
  const beside = compared ? ["same size", "real, 95 %", ""] : [];
  for (const name of ["score", "unit", "better", "generated", ...beside, ...columns]) put(head, "th", { scope: "col" }, name);
  return put(table, "tbody");
}

function scoreRows(body, rows, metric, columns, compared) {
  const { clips, null: sizes } = metric;
  const counts = [
    clips && `${format(clips.generated)} generated, ${format(clips.reference)} real`,
    sizes && `same size: ${format(sizes.generated)} and ${format(sizes.reference)}, ${format(sizes.resamplings)} resamplings`,
  ].filter(Boolean).join("; ");
  put(put(body, "tr", { class: "metric" }), "th", { scope: "rowgroup", colspan: columns.length + (compared ? 7 : 4) }, metric.name, counts ? element("span", { class: "soft small" }, ` ${counts}`) : null, metric.about ? element("div", { class: "soft small about" }, metric.about) : null);
  for (const row of rows) {
    const line = put(body, "tr", {}, element("td", {}, row.key), element("td", { class: "soft" }, row.unit), element("td", { class: "soft" }, row.better), element("td", { class: "mine" }, format(row.values[0])));
    if (compared) {
      const { score, low, high, verdict } = row.null ?? {};
      const outside = verdict && verdict !== "inside";
      for (const text of row.null ? [format(score), `${format(low)} to ${format(high)}`] : ["", ""]) put(line, "td", {}, text);
      put(line, "td", { class: outside ? "outside" : null }, !verdict ? "" : outside ? `outside, ${verdict}` : verdict);
    }
    for (const column of columns) {
      const at = metric.columns.indexOf(column);
      put(line, "td", {}, at < 0 ? "" : format(row.values[at + 1]));
    }
  }
}

function inceptionCharts(parent) {
  for (const one of content.inception) {
    const key = one.rows.some((row) => row.epoch !== null) ? "epoch" : "step";
    const rows = one.rows.map((row, i) => ({
      x: row[key] ?? i, y: row.mean, low: row.low ?? (row.std === null ? null : row.mean - row.std), high: row.high ?? (row.std === null ? null : row.mean + row.std), step: row.step,
      text: `${row.clips === null ? "" : `${format(row.clips)} sounds, `}${key} ${format(row[key])}${key === "epoch" && row.step !== null ? `, update ${format(row.step)}` : ""}: ${format(row.mean)}${row.std === null ? "" : ` ± ${format(row.std)}`}`,
    }));
    const marks = evenlySpaced(rows, 9).map((row) => ({ x: row.x, text: [format(row.x), ...(row.step === null ? [] : [format(row.step)])] }));
    const lines = one.context.map((entry) => ({ name: entry.clips === null ? entry.name : `${entry.name}, ${format(entry.clips)}`, y: entry.mean }));
    const best = rows.reduce((a, b) => (b.y > a.y ? b : a));
    parent.append(lineChart({ title: `Inception score (classes), ${one.name}`, rows, lines, marks, dots: rows.length < 60, wide: 860, tall: 280, label: `Inception score by ${key}; best ${best.text}` }));
    const about = Object.entries(one.about).map(([name, value]) => `${name.replace("n_", "").replaceAll("_", " ")} ${format(value?.path ?? value)}`).join(" · ");
    const band = one.rows.some((row) => row.low !== null) ? "95 % interval" : "standard deviation over splits";
    put(parent, "p", { class: "soft small" }, `Under the axis: ${key}${key === "epoch" ? ", then generator updates" : ""}. Band: ${band}. Dashed: the same classifier on other sounds. Best: ${best.text}. ${about}`);
  }
}

function trainingCharts(parent) {
  const { step, epoch, series } = content.curves;
  put(parent, "p", { class: "soft small" }, "Against generator updates; point at a curve to read it.");
  const charts = put(parent, "div", { class: "charts" });
  for (const { name, values } of series) {
    const rows = step.map((x, i) => ({ x, y: values[i], text: `update ${format(x)}${epoch[i] === null ? "" : `, epoch ${format(epoch[i])}`}: ${format(values[i])}` })).filter((row) => row.y !== null);
    const marks = ticks(rows[0].x, rows.at(-1).x, 4).map((x) => ({ x, text: [format(x)] }));
    charts.append(lineChart({ title: name, rows, marks, label: `${name} over generator updates, from ${format(rows[0].y)} to ${format(rows.at(-1).y)}` }));
  }
}

function shares(parent) {
  shareTable(parent, content.shares);
  if (content.shares.consensus) put(parent, "p", { class: "small" }, content.shares.consensus);
  shareSentences(parent, content.shares);
}

function spectra(parent) {
  const { bands, seconds, depth, sets, classes } = content.spectra;
  const first = classes.flatMap((one) => sets.map((name) => one[name])).find(Boolean);
  put(parent, "p", { class: "soft small" }, `${sets.length > 1 ? `Above ${sets.join(", below ")}. ` : ""}The first ${format(seconds)} s from left to right, 0 to ${format(first.khz)} kHz upwards, ${format(depth)} dB from dark to bright; each clip counts alike.`);
  const grid = put(parent, "div", { class: "spectra" });
  for (const one of classes) {
    const figure = put(grid, "figure");
    put(figure, "figcaption", {}, element("b", {}, one.label), sets.map((name) => format(one[name]?.clips ?? 0)).join(" / "));
    for (const name of sets) {
      if (!one[name]) {
        put(figure, "div", { class: "none" }, `no ${name} sound`);
        continue;
      }
      const shades = bytesOf(one[name].shades);
      const canvas = put(figure, "canvas", { role: "img", "aria-label": `Mean spectrogram of ${name} ${one.label}` });
      paint(canvas, one[name].frames, bands, (x, y) => shades[y * one[name].frames + x] / 255);
    }
  }
}

function mapSection(parent) {
  const { kind, totals, labelled, cut, longest, rates, x, projector, figures } = content.map;
  if (kind === "latents") {
    put(parent, "p", { class: "soft" }, "Generated sounds by their first two latent coordinates, until there is a map of what they sound like.");
  }
  if ("map" in content.missing) showMissing(parent, "map");
  const shown = { real: content.map.real.filter(Boolean).length };
  shown.generated = x.length - shown.real;
  const part = ([name, size]) => (shown[name] < size ? `${format(shown[name])} of the ${format(size)} ${name}` : `all ${format(size)} ${name}`);
  const all = Object.values(totals).reduce((sum, size) => sum + size, 0);
  const some = `Shown: ${Object.entries(totals).map(part).join(" and ")} sounds${x.length < all ? ", drawn so that every class keeps its share" : ""}.`;
  const shorter = cut ? ` ${format(cut)} sounds were cut to their loudest ${format(longest / Math.max(rates.real ?? 0, rates.generated ?? 0))} s, so that this file stays small.` : "";
  put(parent, "p", { class: "soft small" }, `${projector && `Map by ${projector}. `}${some}${labelled ? ` Classes of generated sounds: ${labelled}.` : ""}${shorter}`);
  const map = soundMap(parent, content.map);
  repaints.push(map.repaint);
  for (const { name, png } of figures) {
    const figure = put(parent, "figure", { class: "own" });
    put(figure, "img", { src: `data:image/png;base64,${png}`, alt: name });
    put(figure, "figcaption", {}, name);
  }
  return map.state;
}

function reproduction(parent) {
  if (content.run) {
    put(parent, "p", {}, `The run, from the folder ${content.run.manifest.cwd ?? "?"}:`);
    put(parent, "code", { class: "command" }, content.run.command);
  }
  put(parent, "p", {}, "This page:");
  put(parent, "code", { class: "command" }, content.command);
  if (content.run) put(put(parent, "details", {}, element("summary", {}, "The run's manifest")), "pre", {}, JSON.stringify(content.run.manifest, null, 2));
}

followTheme();
header();
let mapState = { playing: null, shown: null, pinned: [], played: 0, points: [] };
section("map", "Map and sounds", ["map"], (parent) => { mapState = mapSection(parent); });
section("scores", "Scores", ["scores"], scoreTables);
section("classes", "Classes", ["shares"], shares);
section("spectra", "Mean spectrograms", ["spectra"], spectra);
section("inception", "Score by epoch", ["inception"], inceptionCharts);
section("curves", "Training", ["curves"], trainingCharts);
section("confusion", "Confusions", ["confusion"], (parent) => put(parent, "div", { class: "confusions" }).append(...content.confusion.map(confusionTable)));
section("again", "Make it again", [], reproduction);
put(document.querySelector("footer"), "span", {}, `Made ${date(content.made)} by canarygan-report ${content.system}. One file: it needs no network.`);
window.canarygan = Object.freeze(mapState);
