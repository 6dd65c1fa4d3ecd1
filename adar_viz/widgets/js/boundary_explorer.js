// A user's plane at every snapshot, beside the map of the items or beside the plane of another run.

// Marks and their names are those of the displays MovingBoundary and ItemMap, for print. A later kind is drawn over an
// earlier one; an item has one kind at a time.
const KINDS = [
  { shape: "dot", colour: "item", r: 2.2 },
  { shape: "ring", colour: "other", r: 4 },
  { shape: "star", colour: "positive", r: 5.6 },
  { shape: "cross", colour: "text", r: 4.2 },
  { shape: "bold", colour: "negative", r: 5.2 },
];
const LEGEND = [
  ["★", "positive", "known positive"], ["■", "star", "its x_t, shown for five"], ["✕", "text", "negative drawn"],
  ["✖", "negative", "… a false one: truly liked"], ["○", "other", "truly liked, unobserved"],
];
const PAD = { top: 26, bottom: 56 }; // three lines of words below the picture

// Kind of every item for a user at an epoch, in one panel.
const kinds = (scene, panel, user, epoch) => {
  const found = new Uint8Array(scene.items.length);
  for (const i of scene.unseen[user]) found[i] = 1;
  for (const i of scene.observed[user]) found[i] = 2;
  for (const i of panel.drawn[user][epoch]) found[i] = found[i] === 1 ? 4 : 3;
  return found;
};

// The plane of one run: score to the right, one direction that the user does not see upwards.
class UserPlane extends Scatter {
  constructor(scene, panel, xy, select, first) {
    const epochs = scene.choices.epoch.length;
    super({
      xy, count: scene.items.length, frames: scene.users.length * epochs, looks: KINDS, look: (i) => this.kinds[i],
      ids: scene.items, title: (id) => scene.names[id], select, pad: PAD,
    });
    Object.assign(this, { scene, panel, first, epochs, kinds: new Uint8Array(scene.items.length) });
  }

  aim({ user, epoch, scale }) {
    const { scene } = this, frame = user * this.epochs + epoch;
    this.kinds = kinds(scene, this.panel, user, epoch);
    const all = scene.sides[user], now = all[epoch];
    const wide = [0, 1, 2, 3].map((k) => (k % 2 ? Math.max : Math.min)(...all.map((sides) => sides[k])));
    const view = scale === "own" ? now : wide;
    // From shares of the epoch's own frame to shares of the one that is shown.
    const [sx, sy] = [0, 2].map((k) => (now[k + 1] - now[k]) / (view[k + 1] - view[k]));
    const [ox, oy] = [0, 2].map((k) => (now[k] - view[k]) / (view[k + 1] - view[k]));
    const edge = (this.panel.numbers[user][epoch].boundary - now[0]) / (now[1] - now[0]);
    Object.assign(this, { user, epoch, view, sx, sy, ox, oy, edge, grid: null });
    return frame;
  }

  // Whether an item is above the boundary at the epoch that is shown.
  isAbove(i) { return this.xy[2 * (this.shown * this.count + i)] >= this.edge; }

  // Pixels of a place in the units of the plane.
  at(score, across) {
    const { left, bottom, width, height } = this.frame, [x0, x1, y0, y1] = this.view;
    return [left + ((score - x0) / (x1 - x0)) * width, bottom - ((across - y0) / (y1 - y0)) * height];
  }

  place(i, frame = 0) {
    const at = 2 * (frame * this.count + i), { left, bottom, width, height } = this.frame;
    return [left + (this.ox + this.sx * this.xy[at]) * width, bottom - (this.oy + this.sy * this.xy[at + 1]) * height];
  }

  draw(frame, { t, selected }) {
    super.draw(frame);
    const { pen, colours, scene, user, epoch } = this, { left, right, top, bottom, canvas } = this.frame;
    const { boundary, explained } = this.panel.numbers[user][epoch];
    const [edge] = this.at(boundary, 0);
    hatch(pen, left, top, edge, bottom, colours.negative);
    line(pen, edge, top, edge, bottom, colours.negative, 2.5);
    this.drawNoised(t);
    const bold = "600 13px system-ui, sans-serif";
    write(pen, this.panel.name === "this run" ? "the user's plane" : this.panel.name, 8, 17, colours.text, { font: bold });
    write(pen, "positive side →", right, 17, colours.positive, { align: "right" });
    const text = `boundary ${fixed(boundary)}`;
    const half = pen.measureText(text).width / 2 + 8;
    write(pen, text, Math.min(Math.max(edge, half), canvas.width - half), bottom + 15, colours.text, { align: "center" });
    const [low, high] = this.view;
    // A line of their own: the boundary's label may stand at any place above.
    write(pen, fixed(low), left, bottom + 31, colours.quiet);
    write(pen, `score ${fixed(high)}`, right, bottom + 31, colours.quiet, { align: "right" });
    write(pen, `the plane holds ${percent(explained)} of the variance`, right, canvas.height - 6, colours.quiet, { align: "right" });
    this.highlight(selected);
  }

  drawNoised(t) {
    const { pen, colours, scene } = this, a = Math.sqrt(scene.alpha_bar[t]), b = Math.sqrt(1 - scene.alpha_bar[t]);
    for (const [x, y, nx, ny, ox, oy] of this.panel.noised[this.user][this.epoch]) {
      const [px, py] = this.at(a * x + b * nx + ox, a * y + b * ny + oy);
      line(pen, ...this.at(x + ox, y + oy), px, py, colours.star, 1, [2, 3]);
      mark(pen, "square", px, py, 6, colours.back);
      mark(pen, "square", px, py, 4.5, colours.star);
    }
  }
}

// The stored map: the same items, and no boundary; which side an item is on is shown by its mark.
class ItemChart extends Scatter {
  constructor(scene, plane, xy, select) {
    super({
      xy, count: scene.items.length, looks: KINDS, ids: scene.items, title: (id) => scene.names[id], select,
      pad: PAD, square: true,
    });
    Object.assign(this, { scene, plane });
  }

  draw({ selected }) {
    super.draw(0);
    const { pen, colours, scene, plane } = this, { canvas } = this.frame;
    for (let i = 0; i < this.count; i++) if (plane.isAbove(i)) mark(pen, "triangle", ...this.place(i), 3.2, colours.positive);
    for (const i of scene.observed[plane.user]) {
      mark(pen, "star", ...this.place(i), 8, colours.back);
      mark(pen, "star", ...this.place(i), 6, colours.positive);
    }
    write(pen, "UMAP: no user, no boundary", 8, 17, colours.text, { font: "600 13px system-ui, sans-serif" });
    write(pen, "▲ above the user's boundary", 8, canvas.height - 38, colours.positive);
    const { trustworthiness, overlap } = scene.map;
    write(pen, `keeps ${percent(overlap)} of the nearest items`, 8, canvas.height - 22, colours.quiet);
    write(pen, `trustworthiness ${fixed(trustworthiness)} (chance 0.5)`, 8, canvas.height - 6, colours.quiet);
    this.highlight(selected);
  }
}

function build({ scene, points, state, select }) {
  const xy = decode(points), size = 2 * scene.items.length * scene.users.length * scene.choices.epoch.length;
  const planes = scene.panels.map((panel, p) => new UserPlane(scene, panel, xy.subarray(p * size, (p + 1) * size), select));
  const chart = scene.map && new ItemChart(scene, planes[0], xy.subarray(size), select);
  const where = ({ user, epoch, scale }) => ({
    user: Math.max(0, scene.users.indexOf(user)), epoch: scene.choices.epoch.indexOf(epoch), scale,
  });
  const table = element("dl"), chosen = element("p", { class: "be-chosen" });
  const legend = element("p", { class: "be-legend" });

  const say = (now) => {
    const { user, epoch } = where(now);
    const parts = scene.panels.map(({ name, numbers }) => {
      const n = numbers[user][epoch];
      return `${name === "this run" ? "" : `${name}: `}boundary ${fixed(n.boundary)}, above it ${n.positives[0]} of ${n.positives[1]} `
        + `positives and ${percent(n.items)} of the items; ${n.false} of ${n.drawn} drawn negatives are truly liked`;
    });
    return `Epoch ${now.epoch}, ${scene.user_names[user]}: ${parts.join(". ")}`;
  };
  const tell = (now) => {
    const { user, epoch } = where(now);
    const found = scene.panels.map(({ numbers }) => numbers[user][epoch]);
    const rows = [
      ...(found.length > 1 ? [["", scene.panels.map(({ name }) => name)]] : []),
      ["known positives above the boundary", found.map((n) => `${n.positives[0]} of ${n.positives[1]}`)],
      ["truly liked, unobserved, above it", found.map((n) => `${n.unseen[0]} of ${n.unseen[1]}`)],
      ["drawn negatives that are false", found.map((n) => `${n.false} of ${n.drawn}`)],
    ].map(([name, values]) => [name, values.join(" | ")]);
    tabulate(table, rows);
    const i = scene.items.indexOf(now.selected);
    const known = ["not liked, as far as is known", "truly liked, unobserved", "a known positive",
      "drawn as a negative", "drawn as a negative, yet truly liked"];
    chosen.textContent = i < 0 ? "No item is selected." : `${scene.names[now.selected]}: ${known[planes[0].kinds[i]]}.`;
  };

  return {
    kind: "boundary-explorer",
    body: [
      element("div", { class: "av-row" }, ...planes.map(({ root }) => element("div", { class: "av-wide" }, root)),
        ...(chart ? [element("div", { class: "av-wide" }, chart.root)] : [])),
      legend, element("div", { class: "av-row" }, element("div", { class: "av-wide" }, table), element("div", { class: "av-side" }, chosen)),
    ],
    choosers: [
      { name: "user", label: "user", values: scene.users, texts: scene.user_names },
      { name: "t", label: "x_t at", texts: scene.choices.t.map((t) => `t = ${t}`) },
      { name: "scale", label: "axes", texts: ["of each epoch", "the same for all epochs"] },
    ],
    player: { name: "epoch", label: "epoch of training", text: (epoch) => `epoch ${epoch}` },
    rebuild: (colours) => {
      for (const plane of planes) {
        plane.aim(where(state));
        plane.rebuild(colours);
      }
      chart?.rebuild(colours);
      legend.replaceChildren(...LEGEND.flatMap(([glyph, colour, words]) => {
        const shape = element("span", { "aria-hidden": "true" }, glyph);
        shape.style.color = colours[colour];
        return [element("span", {}, shape, ` ${words}`)];
      }));
    },
    draw: (now) => {
      for (const plane of planes) {
        plane.draw(plane.aim(where(now)), now);
        plane.canvas.setAttribute("aria-label", say(now));
      }
      if (chart) {
        chart.draw(now);
        chart.canvas.setAttribute("aria-label", "UMAP of the same items: it knows no user, so it has no boundary.");
      }
      tell(now);
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, build) };
