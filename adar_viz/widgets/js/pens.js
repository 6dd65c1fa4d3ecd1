// Nodes, numbers, colours and pens: what every view draws with.

const COLOURS = ["back", "text", "quiet", "line", "positive", "negative", "star", "item", "other"];

const element = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

// JupyterLab takes keys from controls inside a widget unless each of them says so itself.
const control = (tag, attributes = {}, ...children) =>
  element(tag, { "data-lm-suppress-shortcuts": "true", ...attributes }, ...children);

const fixed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
const percent = (share) => (share === null ? "not known" : `${Math.round(100 * share)} %`);

// Fill a <dl> with [name, value] rows.
const tabulate = (list, rows) =>
  list.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));

// Coordinates as shares of the plane, (0, 0) bottom left, from little-endian uint16.
const decode = (view) => {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return Float32Array.from(new Uint16Array(bytes), (v) => v / 65535);
};

const isDark = () => {
  const { jpThemeLight } = document.body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === "false";
  if (document.body.classList.contains("vscode-dark")) return true;
  return matchMedia("(prefers-color-scheme: dark)").matches;
};

const palette = (root) => {
  const style = getComputedStyle(root);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--av-${name}`).trim()]));
};

// Pens take coordinates in CSS pixels.

// Match the canvas to its size on the screen; returns its context scaled to CSS pixels.
const fit = (canvas, options) => {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const pen = canvas.getContext("2d", options);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width, height };
};

// Keep what is drawn so far, to begin every frame with it.
const still = (canvas) => {
  const copy = document.createElement("canvas");
  copy.width = canvas.width;
  copy.height = canvas.height;
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
};

const restore = (pen, layer) => {
  pen.save();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(layer, 0, 0);
  pen.restore();
};

const hatch = (pen, x0, y0, x1, y1, colour) => {
  pen.save();
  pen.beginPath();
  pen.rect(x0, y0, x1 - x0, y1 - y0);
  pen.clip();
  Object.assign(pen, { strokeStyle: colour, lineWidth: 1, globalAlpha: 0.22 });
  pen.beginPath();
  for (let x = x0 - (y1 - y0); x < x1; x += 9) {
    pen.moveTo(x, y1);
    pen.lineTo(x + (y1 - y0), y0);
  }
  pen.stroke();
  pen.restore();
};

const line = (pen, x0, y0, x1, y1, colour, width = 1, dash = []) => {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
  pen.setLineDash([]);
};

const FONT = "12px system-ui, sans-serif";

// A halo in the colour of the background keeps text readable above points. A text too long for a narrow canvas is
// condensed rather than cut off.
const write = (pen, text, x, y, colour, { align = "left", font = FONT, halo } = {}) => {
  Object.assign(pen, { font, fillStyle: colour, textAlign: align, textBaseline: "alphabetic" });
  const right = pen.canvas.width / (devicePixelRatio || 1) - x;
  const room = { left: right, right: x, center: 2 * Math.min(x, right) }[align];
  if (halo) {
    Object.assign(pen, { lineWidth: 4, strokeStyle: halo, lineJoin: "round" });
    pen.strokeText(text, x, y, room);
  }
  pen.fillText(text, x, y, room);
};

// Names beside their marks [x, y, r], each on the side where it covers the fewest marks, others' too, and names.
const nameMarks = (pen, names, others, halo) => {
  const taken = [...names.map(({ at }) => at), ...others].map(([x, y, r]) => [x - r - 2, y - r - 2, x + r + 2, y + r + 2]); // as wide as the halo
  for (const { text, at: [x, y, r], colour, font } of names) {
    pen.font = font;
    const width = pen.measureText(text).width, height = 9;
    const sides = [
      [x + r + 3, y - height / 2], [x - r - 3 - width, y - height / 2],
      [x - width / 2, y - r - 3 - height], [x - width / 2, y + r + 3],
    ];
    const covered = ([left, top]) =>
      taken.filter(([a, b, c, d]) => left < c && a < left + width && top < d && b < top + height).length;
    const [left, top] = sides.reduce((best, side) => (covered(side) < covered(best) ? side : best));
    write(pen, text, left, top + height, colour, { font, halo });
    taken.push([left, top, left + width, top + height]);
  }
};

// Corners of the filled marks, in radii from the middle.
const CORNERS = {
  diamond: [[0, -1.25], [1.1, 0], [0, 1.25], [-1.1, 0]],
  triangle: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
  star: Array.from({ length: 10 }, (_, i) => [i % 2 ? 0.5 : 1.25, (i * Math.PI) / 5])
    .map(([far, turn]) => [far * Math.sin(turn), -far * Math.cos(turn)]),
};

// One mark of radius r: dot, square, diamond, triangle, star (filled); ring, cross, bold (a bold cross; lines).
// Shape and colour always go together, and a mark means here what it means in the displays.
const mark = (pen, shape, x, y, r, colour, width = 1.2) => {
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  if (shape === "dot" || shape === "ring") pen.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === "square") pen.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r);
  else if (shape === "cross" || shape === "bold") {
    if (shape === "bold") pen.lineWidth = 0.75 * r;
    for (const side of [-1, 1]) {
      pen.moveTo(x - 0.8 * r, y - 0.8 * r * side);
      pen.lineTo(x + 0.8 * r, y + 0.8 * r * side);
    }
  } else {
    for (const [dx, dy] of CORNERS[shape]) pen.lineTo(x + r * dx, y + r * dy);
    pen.closePath();
  }
  if (["ring", "cross", "bold"].includes(shape)) pen.stroke();
  else pen.fill();
};
