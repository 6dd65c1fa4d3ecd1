// A line plot on a canvas of its own: a frame with ticks, and a layer that does not move.

// At most so many round numbers from low to high, and the digits that tell them apart.
const roundTicks = (low, high, most = 4) => {
  const raw = (high - low) / most, base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * base).find((s) => s >= raw * (1 - 1e-9));
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
};

// Where lists of numbers lie, with a little room; a null is nowhere.
const extent = (lists) => {
  const values = lists.flat(2).filter((v) => v !== null);
  const low = Math.min(...values), high = Math.max(...values);
  const room = 0.06 * (high - low) || 0.1;
  return [low - room, high + room];
};

//   x, y    [low, high]
//   name    accessible name of the canvas; below: what stands under the horizontal axis
//   tall    height class of the canvas; format: how a tick of the vertical axis is written, null for none
class Plot {
  constructor({ x, y, name, below = "", tall = "av-plot", format = fixed }) {
    Object.assign(this, { x, y, below, format });
    this.canvas = element("canvas", { class: tall, role: "img", "aria-label": name });
  }

  at(x, y) {
    const { left, right, top, bottom } = this.frame;
    const [x0, x1] = this.x, [y0, y1] = this.y;
    return [left + ((x - x0) / (x1 - x0 || 1)) * (right - left), bottom - ((y - y0) / (y1 - y0 || 1)) * (bottom - top)];
  }

  // background(plot) draws what stands still.
  rebuild(colours, background) {
    const { pen, width, height } = fit(this.canvas);
    Object.assign(this, { pen, colours });
    this.frame = { left: this.format ? 46 : 8, right: width - 10, top: 8, bottom: height - (this.below ? 36 : 20) };
    pen.fillStyle = colours.back;
    pen.fillRect(0, 0, width, height);
    this.axes();
    background(this);
    this.layer = still(this.canvas);
  }

  axes() {
    const { pen, colours, frame: { left, right, top, bottom } } = this;
    const across = roundTicks(...this.x, Math.max(2, Math.floor((right - left) / 40)));
    for (const value of across.values) {
      const [x] = this.at(value, 0);
      line(pen, x, bottom, x, bottom + 4, colours.quiet);
      write(pen, fixed(value, across.digits), x, bottom + 16, colours.text, { align: "center", font: "11px system-ui, sans-serif" });
    }
    line(pen, left, bottom, right, bottom, colours.quiet);
    if (this.below) write(pen, this.below, (left + right) / 2, bottom + 32, colours.text, { align: "center" });
    if (!this.format) return;
    const up = roundTicks(...this.y, Math.max(2, Math.floor((bottom - top) / 26)));
    for (const value of up.values) {
      const [, y] = this.at(0, value);
      line(pen, left - 4, y, left, y, colours.quiet);
      write(pen, this.format(value, up.digits), left - 7, y + 4, colours.text, { align: "right", font: "11px system-ui, sans-serif" });
    }
    line(pen, left, top, left, bottom, colours.quiet);
  }

  // A curve; a null is a gap that is bridged.
  path(xs, ys, colour, width = 2, dash = [], alpha = 1) {
    const { pen } = this;
    pen.save();
    Object.assign(pen, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha });
    pen.setLineDash(dash);
    pen.beginPath();
    xs.forEach((x, i) => { if (ys[i] !== null && x !== null) pen.lineTo(...this.at(x, ys[i])); });
    pen.stroke();
    pen.restore();
  }

  band(xs, lows, highs, colour) {
    const { pen } = this;
    pen.save();
    Object.assign(pen, { fillStyle: colour, globalAlpha: 0.18 });
    pen.beginPath();
    const seen = xs.map((_, i) => i).filter((i) => lows[i] !== null && highs[i] !== null);
    for (const i of seen) pen.lineTo(...this.at(xs[i], highs[i]));
    for (const i of seen.reverse()) pen.lineTo(...this.at(xs[i], lows[i]));
    pen.fill();
    pen.restore();
  }

  // An upright line at x, in full height.
  cursor(x) {
    const [at] = this.at(x, 0);
    line(this.pen, at, this.frame.top, at, this.frame.bottom, this.colours.star, 1.5, [4, 3]);
  }

  // Begin a frame: what stands still, and nothing else.
  clear() {
    restore(this.pen, this.layer);
  }
}
