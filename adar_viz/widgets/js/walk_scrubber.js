// The walk of one positive: a plane with all items, the score along t, the nearest real items.

const ITEMS = [{ shape: "dot", colour: "item", r: 2.6 }, { shape: "cross", colour: "item", r: 2.8 }];

// The plane: score to the right, the widest direction the user does not see upwards.
class Plane extends Scatter {
  constructor(scene, xy, select) {
    const share = (scene.boundary - scene.range[0]) / (scene.range[1] - scene.range[0]);
    super({
      xy, count: scene.items, looks: ITEMS, look: (i) => (xy[2 * i] >= share ? 0 : 1), title: (id) => scene.names[id],
      select, pad: { top: 26, bottom: 40 },
    });
    Object.assign(this, { scene, share });
  }

  rebuild(colours) {
    super.rebuild(colours, (pen, { left, top, bottom, width, canvas }) => {
      const edge = left + this.share * width;
      hatch(pen, left, top, edge, bottom, colours.negative);
      line(pen, edge, top, edge, bottom, colours.negative, 2.5);
      const bold = "600 13px system-ui, sans-serif";
      write(pen, "✕ negative for this user", 8, 17, colours.negative, { font: bold });
      write(pen, "● positive", canvas.width - 8, 17, colours.positive, { align: "right", font: bold });
      const text = `decision boundary ${fixed(this.scene.boundary)}`;
      const half = pen.measureText(text).width / 2 + 8;
      const at = Math.min(Math.max(edge, half), canvas.width - half);
      write(pen, text, at, canvas.height - 24, colours.text, { align: "center" });
      write(pen, "score for this user →", canvas.width - 8, canvas.height - 6, colours.text, { align: "right" });
    });
  }

  // Place of x_t: the walk follows the items.
  step(t) { return this.place(this.scene.items + t); }

  draw({ t, selected }) {
    super.draw();
    const { pen, scene, colours } = this;
    this.drawTrail(t);
    scene.nearest[t].forEach((item, rank) => {
      const [x, y] = this.place(item);
      mark(pen, "ring", x, y, 6, colours.text, 1.6);
      write(pen, String(rank + 1), x + 8, y + 4, colours.text, { font: "600 11px system-ui, sans-serif" });
    });
    const negative = scene.score[t] < scene.boundary;
    mark(pen, negative ? "square" : "dot", ...this.step(t), 10.5, colours.back);
    mark(pen, negative ? "square" : "dot", ...this.step(t), 8.5, negative ? colours.negative : colours.positive);
    this.highlight(selected);
  }

  drawTrail(t) {
    const { pen, scene, colours } = this;
    const trail = (from, to, colour, width, dash) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.setLineDash(dash);
      pen.beginPath();
      for (let s = from; s <= to; s++) pen.lineTo(...this.step(s));
      pen.stroke();
      pen.setLineDash([]);
    };
    trail(t, scene.score.length - 1, colours.quiet, 1, [2, 4]);
    trail(0, t, colours.positive, 2.5, []);
    const [x, y] = this.step(scene.transition);
    pen.strokeStyle = colours.star;
    pen.lineWidth = 2;
    pen.strokeRect(x - 4, y - 4, 8, 8);
    write(pen, "t*", x, y + 18, colours.star, { align: "center", font: "600 12px system-ui, sans-serif" });
  }
}

// The score against t, with boundary and t*.
class Curve {
  constructor(scene) {
    this.scene = scene;
    this.canvas = element("canvas", { class: "ws-curve", role: "img", "aria-label": "Score of x_t along the timesteps" });
  }

  place(t) {
    const { left, right, top, bottom, low, high } = this.frame;
    const last = this.scene.score.length - 1 || 1;
    const height = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);
    return [left + (t / last) * (right - left), height(this.scene.score[t]), height(this.scene.boundary)];
  }

  rebuild(colours) {
    const { pen, width, height } = fit(this.canvas);
    const { scene } = this;
    Object.assign(this, { pen, colours });
    const values = [...scene.score, scene.boundary];
    const low = Math.min(...values), high = Math.max(...values);
    const room = 0.1 * (high - low || 1);
    this.frame = { left: 6, right: width - 6, top: 16, bottom: height - 4, low: low - room, high: high + room };
    const edge = this.place(0)[2];
    pen.fillStyle = colours.back;
    pen.fillRect(0, 0, width, height);
    hatch(pen, 6, edge, width - 6, height - 4, colours.negative);
    line(pen, 6, edge, width - 6, edge, colours.negative, 2);
    const star = this.place(scene.transition)[0];
    line(pen, star, 14, star, height - 4, colours.star, 2, [6, 3]);
    pen.strokeStyle = colours.positive;
    pen.lineWidth = 2;
    pen.beginPath();
    scene.score.forEach((_, t) => pen.lineTo(...this.place(t).slice(0, 2)));
    pen.stroke();
    write(pen, "score along t", 6, 11, colours.text);
    this.layer = still(this.canvas);
  }

  draw(t) {
    const { pen, colours, scene } = this;
    restore(pen, this.layer);
    const [x, y] = this.place(t);
    const negative = scene.score[t] < scene.boundary;
    mark(pen, negative ? "square" : "dot", x, y, 6, negative ? colours.negative : colours.positive);
  }
}

function build({ scene, points, select }) {
  const plane = new Plane(scene, decode(points), select);
  const curve = new Curve(scene);
  const state = element("p", { class: "ws-state" }), numbers = element("dl"), nearest = element("ol");

  const say = ({ t }) => {
    const side = scene.score[t] < scene.boundary ? "negative" : "positive";
    return `t = ${t}: ${side}, score ${fixed(scene.score[t])}, probability of negative `
      + `${fixed(scene.probability[t])}, nearest item ${scene.names[scene.nearest[t][0]]}`;
  };
  const tell = (t) => {
    const negative = scene.score[t] < scene.boundary;
    state.textContent = negative ? "■ this walk is negative now" : "● still positive";
    state.dataset.side = negative ? "negative" : "positive";
    const rows = [
      ["score of x_t", `${fixed(scene.score[t])}  (boundary ${fixed(scene.boundary)})`],
      ["P(negative) by the law", fixed(scene.probability[t])],
      ["alpha_bar", fixed(scene.alpha_bar[t], 3)],
    ];
    numbers.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
    nearest.replaceChildren(...scene.nearest[t].map((item, rank) => element("li",
      item === scene.item ? { class: "ws-own" } : {}, `${scene.names[item]}  ${fixed(scene.cosine[t][rank])}`)));
  };

  return {
    kind: "walk-scrubber",
    body: [element("div", { class: "av-row" },
      element("div", { class: "av-wide" }, plane.root),
      element("div", { class: "av-side" }, state, curve.canvas, numbers,
        element("div", { class: "av-quiet" }, "Nearest real items (cosine to x_t)"), nearest))],
    player: {
      name: "t",
      label: `timestep t, 0 is the positive, ${scene.score.length - 1} is noise`,
      text: (t) => (t === scene.transition ? `t = ${t} = t*` : `t = ${t}`),
      mark: { at: scene.transition, text: `t* = ${scene.transition}` },
    },
    rebuild: (colours) => {
      plane.rebuild(colours);
      curve.rebuild(colours);
    },
    draw: (now) => {
      plane.draw(now);
      curve.draw(now.t);
      tell(now.t);
      plane.canvas.setAttribute("aria-label", `Items and walk in the plane of the user. ${say(now)}`);
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, build) };
