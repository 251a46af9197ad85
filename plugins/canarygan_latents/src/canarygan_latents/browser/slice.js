// The slice: a flat picture of two axes, or of the only one.

const tellKeys = (dims) => `Arrow keys move the cursor${dims === 3 ? ", Page Up and Page Down the slice" : ""}, Enter plays, a adds to the path, Escape stops.`;

function sliceView(parent, app) {
  const canvas = put(parent, "canvas", { class: "slice", tabindex: 0, role: "application", "aria-describedby": "space-help" });
  const margin = { left: 46, right: 10, top: 10, bottom: 38 };

  /** The axes across and up, as numbers in the grid; the second is null for a line. */
  const plane = () => {
    const others = app.grid.axes.map((_, i) => i).filter((i) => app.grid.dims < 3 || i !== app.axis);
    return [others[0], others[1] ?? null];
  };
  const frame = () => [canvas.clientWidth - margin.left - margin.right, canvas.clientHeight - margin.top - margin.bottom];
  const cellAt = (x, y) => {
    const [across, up] = plane();
    const places = app.grid.axes.map(() => app.slice);
    places[across] = x;
    if (up !== null) places[up] = y;
    return app.space.index(app.grid, places);
  };
  const { share } = app.space;
  const spot = (z) => {
    const [across, up] = plane();
    const [wide, high] = frame();
    const y = up === null ? 0.5 : 1 - share(z[app.grid.axes[up]], app.grid.axes[up]);
    return [margin.left + share(z[app.grid.axes[across]], app.grid.axes[across]) * wide, margin.top + y * high];
  };
  /** The latent under a point of the canvas, or null beside the picture. */
  function latentAt(px, py) {
    const [across, up] = plane();
    const [wide, high] = frame();
    const [x, y] = [(px - margin.left) / wide, 1 - (py - margin.top) / high];
    if (x < -0.02 || x > 1.02 || y < -0.02 || y > 1.02) return null;
    const z = [...app.space.box.at];
    const set = (i, part) => {
      const axis = app.grid.axes[i];
      z[axis] = app.space.clamp(app.space.box.low[axis] + part * (app.space.box.high[axis] - app.space.box.low[axis]), axis);
    };
    set(across, x);
    if (up !== null) set(up, y);
    if (app.grid.dims === 3) z[app.grid.axes[app.axis]] = app.space.middle(app.slice, app.grid.axes[app.axis], app.grid.side);
    return z;
  }

  function drawAxis(pen, axis, isUp, ink) {
    const [wide, high] = frame();
    const { low, high: most } = app.space.box;
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = ink;
    pen.textBaseline = "middle";
    for (const value of ticks(low[axis], most[axis], 4)) {
      const part = share(value, axis);
      pen.textAlign = isUp ? "right" : "center";
      if (isUp) pen.fillText(format(value), margin.left - 8, margin.top + (1 - part) * high);
      else pen.fillText(format(value), margin.left + part * wide, margin.top + high + 12);
    }
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "center";
    if (isUp) pen.fillText(`z${axis + 1}`, 12, margin.top + high / 2);
    else pen.fillText(`z${axis + 1}`, margin.left + wide / 2, margin.top + high + 28);
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const [across, up] = plane();
    const [wide, high] = frame();
    const cells = [app.grid.side, up === null ? Math.max(1, Math.round((app.grid.side * high) / wide)) : app.grid.side];
    const ink = dark() ? "#e7e6e1" : "#1d2129";
    const look = makeLook(app.space, app.grid, app.colour, app.hidden);
    pen.save();
    pen.translate(margin.left, margin.top + high);
    pen.scale(wide / cells[0], -high / cells[1]);
    paintCells(pen, ...cells, (x, y) => look(cellAt(x, y)), ink, wide / cells[0]);
    pen.restore();
    pen.strokeStyle = grey();
    pen.lineWidth = 1;
    pen.strokeRect(margin.left, margin.top, wide, high);
    drawAxis(pen, app.grid.axes[across], false, dark() ? "#9ba3ae" : "#5c6470");
    if (up !== null) drawAxis(pen, app.grid.axes[up], true, dark() ? "#9ba3ae" : "#5c6470");
    if (app.colour === "class") {
      const names = placeNames(...cells, (x, y) => look(cellAt(x, y)).group, Math.max(1, (cells[0] * cells[1]) / 100));
      const hasRoom = roomForNames();
      for (const { group, x, y } of names) {
        if (group < 0) continue;
        const [px, py] = [margin.left + (x / cells[0]) * wide, margin.top + high - (y / cells[1]) * high];
        const shift = (up === null ? [0, 22, -22] : [0]).find((by) => hasRoom(px, py + by));
        if (shift !== undefined) writeName(pen, app.space, app.space.classes[group], px, py + shift, { left: margin.left, right: margin.left + wide });
      }
    }
    drawPath(pen, app, spot, app.isShown);
    if (app.cursor) drawCursor(pen, app, spot, app.isShown);
    const slice = app.grid.dims === 3 ? `, at z${app.grid.axes[app.axis] + 1} = ${format(app.space.middle(app.slice, app.grid.axes[app.axis], app.grid.side))}` : "";
    const axes = [across, up].filter((one) => one !== null).map((one) => `z${app.grid.axes[one] + 1}`).join(" and ");
    canvas.setAttribute("aria-label", `${slice ? "Slice of the" : "The"} latent space along ${axes}${slice}. ${tellKeys(app.grid.dims)}`);
  }

  listenToPointer(canvas, {
    hover: (x, y) => { const z = latentAt(x, y); if (z) app.point(z); },
    drag: (x, y) => { const z = latentAt(x, y); if (z) app.point(z); },
    tap: (x, y) => { const z = latentAt(x, y); if (z) app.choose(z); },
  });
  canvas.addEventListener("keydown", (event) => app.key(event, (dx, dy) => {
    const [across, up] = plane();
    const places = app.space.cellOf(app.grid, app.cursor ?? app.space.box.at);
    if (app.grid.dims === 3) places[app.axis] = app.slice;
    const move = (i, by) => { places[i] = Math.min(app.grid.side - 1, Math.max(0, places[i] + by)); };
    if (app.cursor) {
      move(across, dx);
      if (up !== null) move(up, dy);
    }
    app.point(app.space.latentOf(app.grid, places));
  }));
  new ResizeObserver(draw).observe(canvas);
  return { draw, canvas, spot, latentAt };
}

/** The pointer over a canvas: hover, drag with the way since the last event, and tap. */
function listenToPointer(canvas, { hover, drag, tap }) {
  let down = null;
  const at = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [event.clientX - frame.left - canvas.clientLeft, event.clientY - frame.top - canvas.clientTop];
  };
  canvas.addEventListener("pointerdown", (event) => {
    down = { start: at(event), last: at(event), moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!down) {
      hover(x, y);
      return;
    }
    down.moved ||= Math.hypot(x - down.start[0], y - down.start[1]) > 5;
    if (down.moved) drag(x, y, x - down.last[0], y - down.last[1]);
    down.last = [x, y];
  });
  canvas.addEventListener("pointerup", (event) => {
    if (down && !down.moved) tap(...at(event));
    down = null;
  });
  canvas.addEventListener("pointercancel", () => { down = null; });
}

/** A ring at the cursor, in dashes where it is elsewhere by `isHere`. */
function drawCursor(pen, app, spot, isHere) {
  const [x, y] = spot(app.cursor);
  const ink = app.playing ? (dark() ? "#f0c24b" : "#d99a00") : dark() ? "#fff" : "#1d2129";
  for (const [colour, width] of [[dark() ? "#14161a" : "#fbfaf7", 5], [ink, app.playing ? 3 : 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(x, y, 12, 0, 2 * Math.PI);
    pen.stroke();
    if (!isHere(app.cursor)) pen.setLineDash([4, 4]);
  }
  pen.setLineDash([]);
}

/** The path as lines between numbered points; those that are elsewhere, by `isHere`, are hollow. */
function drawPath(pen, app, spot, isHere) {
  if (!app.path.length) return;
  const spots = app.path.map(spot);
  const [paper, ink] = dark() ? ["#14161a", "#f0c24b"] : ["#fbfaf7", "#7a5600"];
  for (const [colour, width] of [[paper, 5], [ink, 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    spots.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.stroke();
  }
  pen.font = "600 11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  spots.forEach(([x, y], i) => {
    const [inside, edge] = isHere(app.path[i]) ? [ink, paper] : [paper, ink];
    pen.beginPath();
    pen.arc(x, y, 9, 0, 2 * Math.PI);
    pen.fillStyle = inside;
    pen.fill();
    pen.strokeStyle = edge;
    pen.lineWidth = 2;
    pen.stroke();
    pen.fillStyle = edge;
    pen.fillText(String(i + 1), x, y + 0.5);
  });
}
