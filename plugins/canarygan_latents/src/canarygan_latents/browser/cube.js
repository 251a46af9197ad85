// The cube: a block that is cut open at the slice, or a cloud of points, seen from any side without perspective.

const TURN = Math.PI / 12;

function cubeView(parent, app) {
  const canvas = put(parent, "canvas", { class: "cube", tabindex: 0, role: "application", "aria-describedby": "space-help" });
  const view = { yaw: -0.62, pitch: 0.5 };
  let faces = [];

  /** Screen coordinates and nearness of a point of the cube, whose edges go from 0 to 1. */
  function project([x, y, z]) {
    const size = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.54;
    const [a, b, c] = [x - 0.5, y - 0.5, z - 0.5];
    const [sine, cosine] = [Math.sin(view.yaw), Math.cos(view.yaw)];
    const [right, back] = [a * cosine - b * sine, a * sine + b * cosine];
    const [up, near] = [c * Math.cos(view.pitch) + back * Math.sin(view.pitch), c * Math.sin(view.pitch) - back * Math.cos(view.pitch)];
    return [canvas.clientWidth / 2 + size * right, canvas.clientHeight / 2 - size * up, near];
  }
  const nearness = (axis) => project([0, 1, 2].map((i) => (i === axis ? 1 : 0)))[2] - project([0, 0, 0])[2];
  const shareOf = (z) => app.grid.axes.map((axis) => app.space.share(z[axis], axis));
  const spot = (z) => project(shareOf(z)).slice(0, 2);

  /** The three sides of the block that face the viewer: {axis, place, low, count, origin, across, up}. */
  function findFaces() {
    const { side } = app.grid;
    const isOpen = nearness(app.axis) > 0; // the part of the cube above the slice is taken off, or the one below it
    const kept = [0, 1, 2].map((axis) => (axis !== app.axis ? [0, side] : isOpen ? [0, app.slice + 1] : [app.slice, side]));
    return [0, 1, 2].map((axis) => {
      const isFar = nearness(axis) > 0;
      const place = isFar ? kept[axis][1] - 1 : kept[axis][0];
      const [u, v] = [0, 1, 2].filter((one) => one !== axis);
      const corner = [0, 1, 2].map((one) => (one === axis ? (isFar ? kept[axis][1] : kept[axis][0]) : kept[one][0]) / side);
      const origin = project(corner);
      const step = (one) => {
        const to = project(corner.map((value, i) => value + (i === one ? 1 / side : 0)));
        return [to[0] - origin[0], to[1] - origin[1]];
      };
      return { axis, place, u, v, low: [kept[u][0], kept[v][0]], count: [kept[u][1] - kept[u][0], kept[v][1] - kept[v][0]], origin, across: step(u), up: step(v) };
    });
  }
  const placesOn = (face, x, y) => {
    const places = [0, 0, 0];
    places[face.axis] = face.place;
    places[face.u] = face.low[0] + x;
    places[face.v] = face.low[1] + y;
    return places;
  };

  function drawFace(pen, face, look, ratio, ink) {
    const { origin, across, up, count } = face;
    const size = Math.max(Math.hypot(...across), Math.hypot(...up));
    pen.save();
    pen.setTransform(ratio * across[0], ratio * across[1], ratio * up[0], ratio * up[1], ratio * origin[0], ratio * origin[1]);
    paintCells(pen, ...count, (x, y) => look(app.space.index(app.grid, placesOn(face, x, y))), ink, size);
    pen.strokeStyle = ink;
    pen.lineWidth = (face.axis === app.axis ? 3.5 : 1.6) / size;
    pen.strokeRect(0, 0, ...count);
    pen.restore();
  }
  /** Names of the largest regions first, where they can be read: on some 900 pixels of a side that is not too oblique. */
  function nameFaces(pen, look) {
    const hasRoom = roomForNames();
    const names = faces.flatMap((face) => {
      const { origin, across, up, count } = face;
      const cell = Math.abs(across[0] * up[1] - across[1] * up[0]);
      const groups = (x, y) => look(app.space.index(app.grid, placesOn(face, x, y))).group;
      return placeNames(...count, groups, 900 / Math.max(cell, 1e-3)).map(({ group, x, y, size }) => ({ group, size: size * cell, at: [0, 1].map((i) => origin[i] + x * across[i] + y * up[i]) }));
    });
    for (const { group, at } of names.sort((a, b) => b.size - a.size)) {
      if (group >= 0 && hasRoom(...at)) writeName(pen, app.space, app.space.classes[group], ...at, { size: 11 });
    }
  }

  function drawCloud(pen, look) {
    const { side } = app.grid;
    const points = [];
    for (let i = 0; i < side ** 3; i++) {
      const places = [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)];
      const { fill } = look(i);
      if (!fill) continue;
      const [x, y, near] = project(places.map((place) => (place + 0.5) / side));
      points.push({ x, y, near, fill, isOn: places[app.axis] === app.slice, shape: app.colour === "class" ? app.grid.label[i] % SHAPES.length : 0 });
    }
    points.sort((a, b) => a.near - b.near);
    for (const { x, y, near, fill, isOn, shape } of points) {
      pen.globalAlpha = isOn ? 1 : 0.35 + 0.35 * (near + 0.87);
      pen.fillStyle = fill;
      outline(pen, shape, x, y, isOn ? 3.4 : 2.1);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  const corner = (number) => [number & 1, (number >> 1) & 1, (number >> 2) & 1];
  const EDGES = [0, 1, 2].flatMap((axis) => [0, 1, 2, 3, 4, 5, 6, 7].filter((n) => !((n >> axis) & 1)).map((n) => [n, n | (1 << axis), axis]));
  function drawFrame(pen, colour) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.setLineDash([3, 4]);
    pen.beginPath();
    for (const [from, to] of EDGES) {
      pen.moveTo(...project(corner(from)).slice(0, 2));
      pen.lineTo(...project(corner(to)).slice(0, 2));
    }
    pen.stroke();
    pen.setLineDash([]);
  }
  /** The name of each axis beside the edge that lies furthest out, with the ends of the box. */
  function nameAxes(pen, ink) {
    const centre = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    pen.fillStyle = ink;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const axis of [0, 1, 2]) {
      const [from, to] = EDGES.filter((edge) => edge[2] === axis).map(([a, b]) => [project(corner(a)), project(corner(b))])
        .reduce((best, edge) => {
          const out = ([a, b]) => Math.hypot((a[0] + b[0]) / 2 - centre[0], (a[1] + b[1]) / 2 - centre[1]) + (a[1] + b[1]) / 200;
          return out(edge) > out(best) ? edge : best;
        });
      const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
      const far = Math.hypot(middle[0] - centre[0], middle[1] - centre[1]) || 1;
      const push = (point, by) => [point[0] + ((middle[0] - centre[0]) / far) * by, point[1] + ((middle[1] - centre[1]) / far) * by];
      pen.font = "600 12px system-ui, sans-serif";
      pen.fillText(`z${app.grid.axes[axis] + 1}`, ...push(middle, 16));
      pen.font = "11px system-ui, sans-serif";
      const inward = (point, other) => [point[0] + 0.06 * (other[0] - point[0]), point[1] + 0.06 * (other[1] - point[1])];
      pen.fillText(format(app.space.box.low[app.grid.axes[axis]]), ...push(inward(from, to), 14));
      pen.fillText(format(app.space.box.high[app.grid.axes[axis]]), ...push(inward(to, from), 14));
    }
  }

  function draw() {
    if (app.grid.dims < 3) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const [ink, soft] = dark() ? ["#e7e6e1", "#9ba3ae"] : ["#1d2129", "#5c6470"];
    const look = makeLook(app.space, app.grid, app.colour, app.hidden);
    faces = findFaces();
    drawFrame(pen, soft);
    if (app.cubeStyle === "block") {
      for (const face of faces) drawFace(pen, face, look, ratio, ink);
      if (app.colour === "class") nameFaces(pen, look);
    } else {
      drawCloud(pen, look);
      const face = faces.find((one) => one.axis === app.axis);
      pen.save();
      pen.setTransform(ratio * face.across[0], ratio * face.across[1], ratio * face.up[0], ratio * face.up[1], ratio * face.origin[0], ratio * face.origin[1]);
      pen.strokeStyle = ink;
      pen.lineWidth = 0.1;
      pen.strokeRect(0, 0, ...face.count);
      pen.restore();
    }
    nameAxes(pen, soft);
    const isHere = (z) => app.space.passes(app.grid, z);
    drawPath(pen, app, spot, isHere);
    if (app.cursor) drawCursor(pen, app, spot, isHere);
    canvas.setAttribute("aria-label", `Cube of the latent space, cut open at z${app.grid.axes[app.axis] + 1} = ${format(app.space.middle(app.slice, app.grid.axes[app.axis], app.grid.side))}. Arrow keys turn it, Page Up and Page Down move the slice, Enter plays, a adds to the path.`);
  }

  /** The latent on the side of the block under a point of the canvas, or null. */
  function latentAt(px, py) {
    for (const face of faces) {
      const { origin, across: [a, b], up: [c, d], count } = face;
      const size = a * d - b * c;
      if (Math.abs(size) < 1e-6) continue;
      const [x, y] = [px - origin[0], py - origin[1]];
      const [u, v] = [(x * d - y * c) / size, (y * a - x * b) / size];
      if (u < 0 || v < 0 || u >= count[0] || v >= count[1]) continue;
      const z = app.space.latentOf(app.grid, placesOn(face, Math.floor(u), Math.floor(v)));
      for (const [i, at] of [[face.u, face.low[0] + u], [face.v, face.low[1] + v]]) {
        const axis = app.grid.axes[i];
        z[axis] = app.space.box.low[axis] + (at / app.grid.side) * (app.space.box.high[axis] - app.space.box.low[axis]);
      }
      return z;
    }
    return null;
  }
  function turn(yaw, pitch) {
    view.yaw += yaw;
    view.pitch = Math.min(Math.PI / 2 - 0.02, Math.max(-Math.PI / 2 + 0.02, view.pitch + pitch));
    app.repaint();
  }
  listenToPointer(canvas, {
    hover: (x, y) => { const z = latentAt(x, y); if (z) app.point(z, false); }, // or the block would be cut at the pointer
    drag: (x, y, dx, dy) => turn(dx / 140, dy / 140),
    tap: (x, y) => { const z = latentAt(x, y); if (z) app.choose(z); },
  });
  canvas.addEventListener("keydown", (event) => app.key(event, (dx, dy) => turn(dx * TURN, -dy * TURN)));
  new ResizeObserver(draw).observe(canvas);
  return { draw, canvas, turn, view, spot };
}
