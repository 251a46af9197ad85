// What was found about the space: shares of classes, and what each coordinate does.

function sharesSection(parent, { shares, sample, model }) {
  const where = sample.whole ? `Each cell of the grid counts alike: the share of a class is the part of the space that it fills.` : `Of ${format(sample.count)} latents of all ${model.dim} coordinates, drawn as in training.`;
  const labels = shares.sides.length > 1 ? "Its labels are those that the decoders give. Real clips stand beside it twice: by the labels of their dataset, and as the same decoders label them, which may have learnt from them." : "";
  put(parent, "p", { class: "soft small" }, `${where} ${labels}`);
  shareTable(parent, shares);
  shareSentences(parent, shares, (name) => `In the ${name}`);
}

const [LITTLE, STEADY] = [0.1, 0.3];

/** How much of a measure a coordinate tells, in words: the correlation and the information together. */
function tellRelation({ spearman, information }) {
  if (information === null) return "";
  if (information < LITTLE) return "hardly matters";
  if (Math.abs(spearman) > STEADY) return spearman > 0 ? "raises it" : "lowers it";
  return "changes it";
}

function acousticsSection(parent, { relations, measures, sample, model }) {
  const how = sample.whole ? "the grid" : `${format(sample.count)} latents drawn as in training`;
  put(parent, "p", { class: "soft small" }, `Over ${how}: Spearman's (ρ) and Pearson's (r) correlation of each coordinate with each measure, and their mutual information in bits, which is 0 where the coordinate tells nothing of the measure. It raises or lowers it where ρ is beyond ±${STEADY}, else changes it, and hardly matters below ${LITTLE} bit.`);
  const axes = [...new Set(relations.map((one) => one.axis))];
  const table = put(put(parent, "div", { class: "wide" }), "table", { class: "relations", "aria-label": "Correlation and mutual information of coordinates and measures" });
  const head = put(put(table, "thead"), "tr", {}, element("th", { scope: "col" }, "coordinate"));
  for (const [name, unit] of Object.entries(measures)) {
    const { count } = relations.find((one) => one.measure === name);
    const some = count < sample.count ? element("small", {}, `of ${format(count)} of ${format(sample.count)} sounds`) : null;
    put(head, "th", { scope: "col" }, `${name} (${unit})`, some);
  }
  const most = Math.max(0.5, ...relations.map((one) => one.information ?? 0));
  const body = put(table, "tbody");
  for (const axis of axes) {
    const row = put(body, "tr", {}, element("th", { scope: "row" }, `z${axis + 1}`));
    for (const name of Object.keys(measures)) {
      const one = relations.find((entry) => entry.axis === axis && entry.measure === name);
      const cell = put(row, "td", { style: `background: color-mix(in srgb, var(--accent) ${Math.round((38 * (one.information ?? 0)) / most)}%, transparent)` });
      if (one.information === null) cell.append("–");
      else cell.append(element("b", {}, tellRelation(one)), element("small", {}, `ρ ${signed(one.spearman, 2)} · r ${signed(one.pearson, 2)} · ${one.information.toFixed(2)} bit`));
    }
  }
  const others = axes.length > 1 ? "Curves: the median at each place along a coordinate; bands: the middle 80 % over the other coordinates." : "Curves: the measure at each place along the coordinate.";
  put(parent, "p", { class: "soft small" }, others);
  const within = Object.fromEntries(Object.keys(measures).map((name) => {
    const curves = relations.filter((one) => one.measure === name).flatMap((one) => one.curve);
    return [name, [Math.min(...curves.map((row) => row.low)), Math.max(...curves.map((row) => row.high))]];
  }));
  for (const axis of axes.slice(0, 12)) {
    put(parent, "h3", {}, `Along z${axis + 1}`);
    const charts = put(parent, "div", { class: "charts four" });
    for (const { measure, unit, curve } of relations.filter((entry) => entry.axis === axis)) {
      if (!curve.length) {
        put(charts, "figure", {}, element("figcaption", {}, element("b", {}, `${measure} (${unit})`), "too few sounds have it"));
        continue;
      }
      const rows = curve.map((row) => ({ ...row, text: `z${axis + 1} ${format(row.x)}: ${format(Math.round(row.y))} ${unit}` }));
      const marks = ticks(rows[0].x, rows.at(-1).x, 4).map((x) => ({ x, text: [format(x)] }));
      charts.append(lineChart({ title: `${measure} (${unit})`, rows, marks, within: within[measure], resting: "", tall: 176, wide: 280, label: `${measure} along z${axis + 1}, from ${format(rows[0].y)} to ${format(rows.at(-1).y)} ${unit}` }));
    }
  }
  if (axes.length > 12) put(parent, "p", { class: "soft small" }, `Curves of the first 12 of ${model.dim} coordinates.`);
}
