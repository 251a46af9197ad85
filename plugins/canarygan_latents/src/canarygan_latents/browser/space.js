// The space: its box, its grids of labels and measures, and how cells look.

const X = "X";
const FAINTEST = 0.28;

function makeSpace({ box, views, classes }) {
  const middle = (place, axis, side) => box.low[axis] + ((place + 0.5) / side) * (box.high[axis] - box.low[axis]);
  const share = (value, axis) => (value - box.low[axis]) / (box.high[axis] - box.low[axis] || 1); // a coordinate may be constant
  const place = (value, axis, side) => Math.min(side - 1, Math.max(0, Math.floor(share(value, axis) * side)));
  const clamp = (value, axis) => Math.min(box.high[axis], Math.max(box.low[axis], value));
  const grids = views.map((view) => {
    const grid = { axes: view.axes, side: view.side, dims: view.axes.length, label: view.label && numbersOf(view.label, "uint16"), measures: {} };
    for (const name of ["posterior", "agreement", "syllable"]) grid[name] = numbersOf(view[name], "uint8");
    for (const [name, text] of Object.entries(view.measures)) grid.measures[name] = numbersOf(text, "float32");
    return grid;
  });
  const space = {
    box, classes, middle, share, place, clamp, grids,
    index: (grid, places) => places.reduceRight((sum, one) => sum * grid.side + one, 0),
    /** The place on each axis of the cell that holds a latent. */
    cellOf: (grid, z) => grid.axes.map((axis) => place(z[axis], axis, grid.side)),
    latentOf(grid, places) {
      const z = [...box.at];
      grid.axes.forEach((axis, i) => { z[axis] = middle(places[i], axis, grid.side); });
      return z;
    },
    /** Whether a grid passes through a latent: whether they share the coordinates that the grid keeps. */
    passes: (grid, z) => z.every((value, axis) => grid.axes.includes(axis) || Math.abs(value - box.at[axis]) < 1e-6),
    labelOf: (grid, i) => (grid.label ? classes[grid.label[i]] : null),
    isSure: (grid, i) => grid.label !== null && classes[grid.label[i]] !== X,
  };
  return space;
}

const classNumber = (space, name) => (name === X ? -1 : space.classes.indexOf(name));
const colourOf = (space, name) => (name === X ? grey() : classColour(classNumber(space, name), space.classes.length - 1));
const shapeOf = (space, name) => SHAPES[classNumber(space, name) % SHAPES.length];

/** A measure's range over a grid, from its 2nd to its 98th percentile. */
function rangeOf(values) {
  const known = values.filter(Number.isFinite).sort();
  if (!known.length) return [0, 1];
  const [low, high] = [known[Math.floor(0.02 * known.length)], known[Math.ceil(0.98 * known.length) - 1]];
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/** The colour of a measure, from 0 at the low end of its range to 1 at the high end; what lies beyond has the colour of the end. */
const tintOf = (share) => `rgb(${ramp(0.08 + 0.84 * Math.min(1, Math.max(0, share))).map(Math.round)})`;

/** How cells of a grid look: {fill, hatched, group}; cells of one group have no boundary between them. */
function makeLook(space, grid, colour, hidden) {
  if (colour !== "class") {
    const [low, high] = rangeOf(grid.measures[colour]);
    const tint = (i) => {
      const value = grid.measures[colour][i];
      if (!Number.isFinite(value)) return { fill: null, hatched: true, group: 0 };
      return { fill: tintOf((value - low) / (high - low)), hatched: false, group: 0 };
    };
    return Object.assign(tint, { low, high });
  }
  const fills = space.classes.map((name) => (name === X ? null : colourOf(space, name)));
  const paper = dark() ? "#14161a" : "#fbfaf7";
  const strengths = fills.map((fill) => Array.from({ length: 256 }, (_, posterior) => fill && `color-mix(in oklab, ${fill} ${Math.round(100 * (FAINTEST + ((1 - FAINTEST) * posterior) / 255))}%, ${paper})`));
  return (i) => {
    const number = grid.label[i];
    const away = hidden.has(space.classes[number]);
    const unsure = space.classes[number] === X;
    return { fill: away || unsure ? null : strengths[number][grid.posterior[i]], hatched: unsure && !away, group: away ? -1 : number };
  };
}

/** Draw cells (wide, high) as unit squares from (0, 0), row 0 at y 0; `cell(x, y)` gives the look of one, `size` its pixels. */
function paintCells(pen, wide, high, cell, ink, size) {
  const looks = Array.from({ length: wide * high }, (_, n) => cell(n % wide, Math.floor(n / wide)));
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, wide, high);
  pen.clip();
  looks.forEach(({ fill }, n) => {
    pen.fillStyle = fill ?? (dark() ? "#14161a" : "#fbfaf7");
    pen.fillRect(n % wide, Math.floor(n / wide), 1.2, 1.2); // the next ones cover what is more than a cell: no seams
  });
  pen.globalAlpha = 0.75;
  pen.strokeStyle = grey();
  pen.lineWidth = Math.min(0.07, 1.2 / size);
  pen.beginPath();
  looks.forEach(({ hatched }, n) => {
    if (!hatched) return;
    const [x, y] = [n % wide, Math.floor(n / wide)];
    for (const at of [0.25, 0.75]) {
      pen.moveTo(x, y + at);
      pen.lineTo(x + at, y);
      pen.moveTo(x + at, y + 1);
      pen.lineTo(x + 1, y + at);
    }
  });
  pen.stroke();
  pen.globalAlpha = 0.9;
  pen.strokeStyle = ink;
  pen.lineWidth = Math.min(0.14, 2.2 / size);
  pen.lineCap = "square";
  pen.beginPath();
  looks.forEach(({ group }, n) => {
    const [x, y] = [n % wide, Math.floor(n / wide)];
    if (x + 1 < wide && looks[n + 1].group !== group) { pen.moveTo(x + 1, y); pen.lineTo(x + 1, y + 1); }
    if (y + 1 < high && looks[n + wide].group !== group) { pen.moveTo(x, y + 1); pen.lineTo(x + 1, y + 1); }
  });
  pen.stroke();
  pen.restore();
}

/** Where names of regions go: of each connected region of at least `least` cells, the cell furthest inside. */
function placeNames(wide, high, groupOf, least) {
  const seen = new Uint8Array(wide * high);
  const names = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start]) continue;
    const group = groupOf(start % wide, Math.floor(start / wide));
    const region = [start];
    seen[start] = 1;
    for (const n of region) {
      const [x, y] = [n % wide, Math.floor(n / wide)];
      for (const [a, b] of [[x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]]) {
        if (a < 0 || b < 0 || a >= wide || b >= high || seen[b * wide + a] || groupOf(a, b) !== group) continue;
        seen[b * wide + a] = 1;
        region.push(b * wide + a);
      }
    }
    if (region.length < least) continue;
    const inside = new Set(region);
    const depth = (n) => {
      const [x, y] = [n % wide, Math.floor(n / wide)];
      for (let far = 1; ; far++) {
        for (let a = -far; a <= far; a++) {
          for (const [dx, dy] of [[a, far], [a, -far], [far, a], [-far, a]]) {
            const [px, py] = [x + dx, y + dy];
            if (px < 0 || py < 0 || px >= wide || py >= high || !inside.has(py * wide + px)) return far;
          }
        }
      }
    };
    const mean = region.reduce(([x, y], n) => [x + (n % wide) / region.length, y + Math.floor(n / wide) / region.length], [0, 0]);
    const far = (n) => Math.hypot((n % wide) - mean[0], Math.floor(n / wide) - mean[1]);
    const best = region.map((n) => [depth(n), -far(n), n]).reduce((a, b) => (b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a))[2];
    names.push({ group, x: (best % wide) + 0.5, y: Math.floor(best / wide) + 0.5, size: region.length });
  }
  return names;
}

/** A function that takes the middles of names one by one and tells which have room, beside those before. */
function roomForNames(wide = 62, high = 15) {
  const taken = [];
  return (x, y) => {
    if (taken.some(([a, b]) => Math.abs(a - x) < wide && Math.abs(b - y) < high)) return false;
    taken.push([x, y]);
    return true;
  };
}

/** A name on a picture, with the shape of its class, readable on any colour. */
function writeName(pen, space, name, x, y, { size = 12, left = -Infinity, right = Infinity } = {}) {
  const text = name === X ? X : `${shapeOf(space, name)} ${name}`;
  pen.font = `600 ${size}px system-ui, sans-serif`;
  const half = pen.measureText(text).width / 2 + 3;
  x = Math.max(left + half, Math.min(right - half, x));
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 3.5;
  pen.lineJoin = "round";
  pen.strokeStyle = dark() ? "#14161a" : "#fbfaf7";
  pen.strokeText(text, x, y);
  pen.fillStyle = dark() ? "#e7e6e1" : "#1d2129";
  pen.fillText(text, x, y);
}
