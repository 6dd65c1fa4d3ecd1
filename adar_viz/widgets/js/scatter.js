// A scatter plot of many points, in one frame or in many, with the title of the one under the pointer.

const WITHIN = 14; // pixels: an item nearer to the pointer than this is meant

// Points that may move from frame to frame, with the title of the one under the pointer.
//   xy      shares of the plane, frame after frame, from decode(); more may follow, for place() alone
//   count   points in each frame; frames: how many frames (1: the points stand still and cost nothing while scrubbing)
//   looks   [{ shape, colour, r }], colours by name; look(i, frame) chooses one for each point
//   ids     item id of each point (left out: the point's number); title(id, frame) is shown on hover; select(id) on click
//   pad     room around the plane in pixels; square: one unit for both directions
class Scatter {
  constructor({ xy, count, frames = 1, looks, look = () => 0, ids, title, select, pad = {}, square = false, label = "" }) {
    Object.assign(this, { xy, count, frames, looks, look, ids, title, select, square });
    this.pad = { left: 8, right: 8, top: 8, bottom: 8, ...pad };
    this.canvas = element("canvas", { role: "img", "aria-label": label });
    this.tip = element("div", { class: "av-tip", "aria-hidden": "true", hidden: "" });
    this.ring = element("div", { class: "av-ring", hidden: "" });
    this.root = element("div", { class: "av-scatter" }, this.canvas, this.ring, this.tip);
    this.numbers = new Map(ids?.map((id, i) => [id, i]));
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.nearest(event.offsetX, event.offsetY)));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (event) => {
      const found = this.nearest(event.offsetX, event.offsetY);
      select?.(found < 0 ? -1 : this.id(found));
    });
  }

  id(i) { return this.ids ? this.ids[i] : i; }
  // Number of the point of an item; -1 where it is not among them.
  find(id) { return this.ids ? this.numbers.get(id) ?? -1 : id < this.count ? id : -1; }

  place(i, frame = 0) {
    const at = 2 * (frame * this.count + i);
    const { left, bottom, width, height } = this.frame;
    return [left + this.xy[at] * width, bottom - this.xy[at + 1] * height];
  }

  // background(pen, frame) draws what lies below the points.
  rebuild(colours, background = () => {}) {
    const { pen, width, height } = fit(this.canvas, { willReadFrequently: true });
    Object.assign(this, { pen, colours });
    let { left, right, top, bottom } = this.pad;
    let across = Math.max(1, width - left - right), up = Math.max(1, height - top - bottom);
    if (this.square) {
      left += Math.max(0, across - up) / 2;
      top += Math.max(0, up - across) / 2;
      across = up = Math.min(across, up);
    }
    this.frame = { left, top, right: left + across, bottom: top + up, width: across, height: up, canvas: { width, height } };
    pen.fillStyle = colours.back;
    pen.fillRect(0, 0, width, height);
    background(pen, this.frame);
    this.stamps = this.looks.map(({ shape, colour, r = 2.6 }) => stamp(shape, colours[colour], r, this.canvas.width));
    this.base = pen.getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.image = new ImageData(this.base.width, this.base.height);
    this.grid = null;
    if (this.frames > 1) return;
    this.press(this.base, 0);
    pen.putImageData(this.base, 0, 0);
    this.layer = still(this.canvas);
  }

  press(image, frame) {
    const ratio = devicePixelRatio || 1, pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < this.count; i++) {
      const [x, y] = this.place(i, frame);
      press(pixels, this.stamps[this.look(i, frame)], image, Math.round(x * ratio), Math.round(y * ratio));
    }
  }

  // Draw the points of a frame. What a view draws on top follows; highlight() comes last.
  draw(frame = 0) {
    if (this.frames > 1) {
      this.image.data.set(this.base.data);
      this.press(this.image, frame);
      this.pen.putImageData(this.image, 0, 0);
    } else restore(this.pen, this.layer);
    if (this.shown !== frame) this.grid = null;
    this.shown = frame;
  }

  // A ring and the title at the selected item, if it is among the points.
  highlight(selected) {
    const i = this.find(selected);
    if (i < 0) return;
    const { pen, colours } = this;
    const [x, y] = this.place(i, this.shown);
    mark(pen, "ring", x, y, 8, colours.back, 5);
    mark(pen, "ring", x, y, 8, colours.star, 2.5);
    const left = x > this.frame.canvas.width / 2;
    const style = { align: left ? "right" : "left", font: "600 12px system-ui, sans-serif", halo: colours.back };
    write(pen, this.title(selected, this.shown), x + (left ? -14 : 14), y + 4, colours.star, style);
  }

  // Number of the point nearest to a place on the canvas, or -1; looks into nine cells of a grid, not at every point.
  nearest(x, y) {
    if (!this.frame) return -1;
    this.grid ??= this.sort();
    let best = -1, least = WITHIN ** 2;
    const column = Math.floor(x / WITHIN), row = Math.floor(y / WITHIN);
    for (let dr = -1; dr <= 1; dr++) for (let dc = -1; dc <= 1; dc++) {
      for (const i of this.grid.get(cell(column + dc, row + dr)) ?? []) {
        const [px, py] = this.place(i, this.shown);
        const distance = (px - x) ** 2 + (py - y) ** 2;
        if (distance < least) [best, least] = [i, distance];
      }
    }
    return best;
  }

  sort() {
    const grid = new Map();
    for (let i = 0; i < this.count; i++) {
      const [x, y] = this.place(i, this.shown);
      const key = cell(Math.floor(x / WITHIN), Math.floor(y / WITHIN));
      if (!grid.has(key)) grid.set(key, []);
      grid.get(key).push(i);
    }
    return grid;
  }

  hover(i) {
    this.tip.hidden = this.ring.hidden = i < 0;
    if (i < 0) return;
    const [x, y] = this.place(i, this.shown);
    const { width } = this.frame.canvas;
    this.tip.textContent = this.title(this.id(i), this.shown);
    for (const node of [this.tip, this.ring]) Object.assign(node.style, { left: `${x}px`, top: `${y}px` });
    // The title hangs to the side that has room.
    this.tip.dataset.side = x > width / 2 ? "left" : "right";
  }
}

const cell = (column, row) => row * 65536 + column;

const PAIR = 0x00ff00ff; // two of a pixel's four bytes: times 128 they still fit into 31 bits, which are quick to multiply

// A mark, drawn once and pressed into an image thousands of times. Whole numbers for each of its pixels: how far it is
// from the middle in an image of this width, the share of 128 that it leaves of what lies below, and what it adds: two
// of the four bytes of a pixel in one number, then the other two.
const stamp = (shape, colour, r, across) => {
  const ratio = devicePixelRatio || 1, half = Math.ceil((r + 1.5) * ratio), size = 2 * half + 1;
  const pen = element("canvas", { width: size, height: size }).getContext("2d", { willReadFrequently: true });
  pen.setTransform(ratio, 0, 0, ratio, half + 0.5, half + 0.5);
  mark(pen, shape, 0, 0, r, colour);
  const { data } = pen.getImageData(0, 0, size, size);
  const numbers = [];
  for (let at = 0; at < size * size; at++) {
    const share = Math.round((data[4 * at + 3] * 128) / 255);
    if (!share) continue;
    data[4 * at + 3] = 255;
    const [pixel] = new Uint32Array(data.buffer, 4 * at, 1);
    numbers.push((Math.floor(at / size) - half) * across + (at % size) - half);
    numbers.push(128 - share, (pixel & PAIR) * share, ((pixel >>> 8) & PAIR) * share);
  }
  return { half, numbers: Int32Array.from(numbers) };
};

// A mark too near the edge for its whole moves inwards.
const press = (pixels, { half, numbers }, { width, height }, x, y) => {
  const middle = Math.max(half, Math.min(height - 1 - half, y)) * width + Math.max(half, Math.min(width - 1 - half, x));
  for (let k = 0; k < numbers.length; k += 4) {
    const at = middle + numbers[k], rest = numbers[k + 1], below = pixels[at];
    const one = (((below & PAIR) * rest + numbers[k + 2]) >>> 7) & PAIR;
    const other = ((((below >>> 8) & PAIR) * rest + numbers[k + 3]) >>> 7) & PAIR;
    pixels[at] = one | (other << 8);
  }
};
