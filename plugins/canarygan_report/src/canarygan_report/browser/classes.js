// Classes: a colour and a shape each.

const dark = () => document.documentElement.dataset.theme === "dark";

/** A colour for the class of this number among so many: hues around the circle, lightness in turns. */
function classColour(number, of) {
  const light = (dark() ? [0.72, 0.84, 0.63] : [0.62, 0.48, 0.74])[number % 3];
  return `oklch(${light} 0.145 ${Math.round((25 + (360 * number) / of) % 360)})`;
}

const SHAPES = ["\u25cf", "\u25b2", "\u25a0", "\u25c6", "\u25bc", "\u271a"];

/** Outline a point of one of the shapes, so that classes differ without their colours, too. */
function outline(pen, shape, x, y, size) {
  const corners = { 1: [[0, -1.3], [1.2, 0.9], [-1.2, 0.9]], 2: [[-1, -1], [1, -1], [1, 1], [-1, 1]], 3: [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]], 4: [[0, 1.3], [1.2, -0.9], [-1.2, -0.9]],
    5: [[-0.4, -1.3], [0.4, -1.3], [0.4, -0.4], [1.3, -0.4], [1.3, 0.4], [0.4, 0.4], [0.4, 1.3], [-0.4, 1.3], [-0.4, 0.4], [-1.3, 0.4], [-1.3, -0.4], [-0.4, -0.4]] }[shape];
  pen.beginPath();
  if (!corners) pen.arc(x, y, size, 0, 2 * Math.PI);
  else corners.forEach(([dx, dy], i) => (i ? pen.lineTo(x + dx * size, y + dy * size) : pen.moveTo(x + dx * size, y + dy * size)));
  pen.closePath();
}

const grey = () => (dark() ? "#8b919b" : "#9a9a96");
