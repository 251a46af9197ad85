// Elements, numbers and charts. Text from the data goes in as text, never as markup.

function put(parent, name, attributes = {}, ...children) {
  const drawing = parent instanceof SVGElement || name === "svg";
  const result = drawing ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) result.setAttribute(key, value);
  }
  result.append(...children.filter((child) => child !== null && child !== undefined));
  parent?.append(result);
  return result;
}

const element = (name, attributes, ...children) => put(null, name, attributes, ...children);

/** A number with so many decimals and a true minus, which 0 never has. */
const signed = (value, decimals) => value.toFixed(decimals).replace(/^-(?=[0.]+$)/, "").replace("-", "−");

function format(value) {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.map(format).join(value.length === 2 && value.every(Number.isFinite) ? " to " : ", ");
  if (typeof value === "object") return Object.entries(value).map(([key, one]) => `${key.replaceAll("_", " ")} ${format(one)}`).join(", ");
  if (typeof value !== "number") return String(value);
  if (value < 0) return `−${format(-value)}`;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(4)));
}

function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const result = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-6; at++) result.push(Number((at * step).toPrecision(12)));
  return result;
}

/** Positions in the order of `wanted` and close to it, at least `gap` apart. */
function spreadOut(wanted, gap, low, high) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [...wanted];
  order.forEach((i, n) => { placed[i] = Math.max(placed[i], n ? placed[order[n - 1]] + gap : low); });
  [...order].reverse().forEach((i, n, all) => { placed[i] = Math.min(placed[i], n ? placed[all[n - 1]] - gap : high); });
  return placed;
}

/**
 * A line chart with its axes, bands and reference lines.
 * rows: {x, y, low, high, text}; lines: {name, y}, drawn across; marks: {x, text: [line, line]} under the axis; within:
 * what the axis upwards holds besides; resting: what is read out where nothing is pointed at.
 */
function lineChart({ title, rows, lines = [], marks, dots = false, tall = 170, wide = 400, label, within = [], resting = `last ${format(rows.at(-1).y)}` }) {
  const right = lines.length ? 112 : 10;
  const [left, top, bottom] = [48, 8, tall - (marks.some((mark) => mark.text.length > 1) ? 34 : 20)];
  const heights = [...rows.flatMap((row) => [row.y, row.low, row.high]), ...lines.map((line) => line.y), ...within].filter(Number.isFinite);
  let [low, high] = [Math.min(...heights), Math.max(...heights)];
  if (low === high) [low, high] = [low - Math.max(1e-9, Math.abs(low) * 0.1), high + Math.max(1e-9, Math.abs(high) * 0.1)];
  [low, high] = [low - (high - low) * 0.06, high + (high - low) * 0.06];
  const [first, last] = [rows[0].x, rows.at(-1).x];
  const across = (x) => (first === last ? (left + wide - right) / 2 : left + ((x - first) / (last - first)) * (wide - left - right));
  const up = (y) => bottom - ((y - low) / (high - low)) * (bottom - top);
  const readout = element("span", {}, resting);
  const figure = element("figure", {}, element("figcaption", {}, element("b", {}, title), readout));
  const chart = put(figure, "svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": label });
  for (const y of ticks(low, high, Math.round(tall / 45))) {
    put(chart, "line", { class: "grid", x1: left, x2: wide - right, y1: up(y), y2: up(y) });
    put(chart, "text", { x: left - 6, y: up(y) + 4, "text-anchor": "end" }, format(y));
  }
  for (const { x, text } of marks) {
    text.forEach((part, i) => put(chart, "text", { x: across(x), y: bottom + 15 + 13 * i, "text-anchor": "middle" }, part));
  }
  const banded = rows.filter((row) => Number.isFinite(row.low) && Number.isFinite(row.high));
  if (banded.length > 1) {
    const edge = [...banded.map((row) => [row.x, row.high]), ...banded.map((row) => [row.x, row.low]).reverse()];
    put(chart, "polygon", { class: "band", points: edge.map(([x, y]) => `${across(x)},${up(y)}`).join(" ") });
  }
  const labelHeights = spreadOut(lines.map((line) => up(line.y) + 4), 13, top + 6, bottom + 4);
  lines.forEach((line, i) => {
    put(chart, "line", { class: "context", x1: left, x2: wide - right, y1: up(line.y), y2: up(line.y) });
    put(chart, "text", { x: wide - right + 6, y: labelHeights[i] }, `${line.name} ${format(line.y)}`);
  });
  put(chart, "polyline", { class: "line", points: rows.map((row) => `${across(row.x)},${up(row.y)}`).join(" ") });
  if (dots || rows.length === 1) {
    for (const row of rows) put(chart, "circle", { class: "dot", cx: across(row.x), cy: up(row.y), r: 4 });
  }
  const cursor = put(chart, "line", { class: "cursor", y1: top, y2: bottom });
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * wide;
    const near = rows.reduce((best, row) => (Math.abs(across(row.x) - x) < Math.abs(across(best.x) - x) ? row : best));
    cursor.setAttribute("x1", across(near.x));
    cursor.setAttribute("x2", across(near.x));
    readout.textContent = near.text;
  });
  chart.addEventListener("pointerleave", () => { readout.textContent = resting; });
  return figure;
}

/** At most `count` rows at equal steps, the first and the last among them. */
function evenlySpaced(rows, count) {
  if (rows.length <= count) return rows;
  return Array.from({ length: count }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (count - 1))]);
}

function confusionTable({ name, classes, counts, accuracy, interval }) {
  const about = [accuracy === null ? null : `accuracy ${format(accuracy)}`, interval && `95 % interval ${format(interval)}`];
  const figure = element("figure", {}, element("figcaption", {}, element("b", {}, name), about.filter(Boolean).join(", ")));
  const table = put(put(figure, "div", { class: "wide" }), "table", { class: "confusion", "aria-label": `Confusion of ${name}: true classes down, given ones across` });
  const head = put(put(table, "thead"), "tr", {}, element("td"));
  for (const label of classes) put(head, "th", { scope: "col", title: label }, label);
  const body = put(table, "tbody");
  counts.forEach((row, i) => {
    const line = put(body, "tr", {}, element("th", { scope: "row", title: classes[i] }, classes[i]));
    const total = row.reduce((sum, count) => sum + count, 0);
    row.forEach((count, j) => {
      const share = total ? count / total : 0;
      const colour = i === j ? "var(--real)" : "var(--made)";
      const style = `background: color-mix(in srgb, ${colour} calc(var(--deepest) * ${count ? 0.15 + 0.85 * share : 0}), var(--hush))`; // text stays readable on it
      put(line, "td", { style, title: `${classes[i]} given as ${classes[j]}: ${count} of ${total}` }, count ? format(count) : "");
    });
  });
  return figure;
}
