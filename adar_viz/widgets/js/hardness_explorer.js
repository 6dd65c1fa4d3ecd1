// P(t) of many pairs, its mean and the histogram of t*, for settings that controls change: all is computed here.

const ROOM = { left: 46, right: 12, top: 20, bottom: 34, gap: 26 };
const SHARES = [0.24, 0.52, 0.24]; // heights of the three panels: mean, heat map, histogram
const KEY = "Colour: P from 0 (blue) to 1 (yellow). White marks: t*; black marks: where P reaches ½. "
  + "Filled bars: t* chosen; open bars: clamped, or negative before any noise. Dashed: the median.";
const NAMES = {
  timesteps: "T", noise: "noise × ", target: "function", boundary: "rule", level: "level", unit: "unit of delta",
};

const median = (values) => {
  const sorted = Float64Array.from(values).sort(), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const quantile = (sorted, share) => {
  const at = share * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
};

// What is shown under some settings: the pairs, and the numbers beside the picture.
const ask = (scene, state) => {
  const alphaBar = SCHEDULES[state.schedule]?.(state.timesteps) ?? scene.alpha_bar;
  const pairs = whatIf(scene.pairs, { ...state, alphaBar, clamp: scene.clamp });
  const halves = pairs.map(({ probability }) => probability.findIndex((p) => p >= 0.5));
  const turned = halves.filter((t, i) => t >= 0 && !pairs[i].already);
  const share = (test) => pairs.filter(test).length / pairs.length;
  return {
    pairs, halves, T: alphaBar.length - 1,
    transition: median(pairs.map(({ t }) => t)), half: turned.length ? median(turned) : null,
    clamped: share((pair) => pair.clamped), already: share((pair) => pair.already),
  };
};

// The three panels, one below the other on one axis of timesteps.
class Panels {
  constructor(scene, select) {
    this.scene = scene;
    this.canvas = element("canvas", { role: "img" });
    this.tip = element("div", { class: "av-tip", "aria-hidden": "true", hidden: "" });
    this.root = element("div", { class: "av-scatter" }, this.canvas, this.tip);
    this.map = document.createElement("canvas");
    this.shades = scene.shades.map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    this.canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => this.hover(offsetX, offsetY));
    this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const found = this.find(offsetX, offsetY);
      if (scene.pairs.item) select(found ? scene.pairs.item[found.row] : -1);
    });
  }

  rebuild(colours) {
    const { pen, width, height } = fit(this.canvas);
    const free = height - ROOM.top - ROOM.bottom - 2 * ROOM.gap;
    let top = ROOM.top;
    const [mean, heat, bars] = SHARES.map((share) => {
      const panel = { top, bottom: top + share * free };
      top = panel.bottom + ROOM.gap;
      return panel;
    });
    Object.assign(this, { pen, colours, width, height, mean, heat, bars });
  }

  // Left edge of timestep t; x(t + 0.5) is its middle.
  x(t) { return ROOM.left + (t / (this.shown.T + 1)) * (this.width - ROOM.left - ROOM.right); }
  y(row) { return this.heat.bottom - (row / this.shown.pairs.length) * (this.heat.bottom - this.heat.top); }

  draw(shown, selected) {
    this.shown = shown;
    this.pen.fillStyle = this.colours.back;
    this.pen.fillRect(0, 0, this.width, this.height);
    this.drawMean();
    this.drawHeat(selected);
    this.drawBars();
    this.drawAxis();
  }

  drawMean() {
    const { pen, colours, shown: { pairs, T }, mean: { top, bottom } } = this;
    const at = (p) => bottom - p * (bottom - top);
    const columns = Array.from({ length: T + 1 }, (_, t) => Float64Array.from(pairs, ({ probability }) => probability[t]).sort());
    const path = (values) => values.forEach((p, t) => pen.lineTo(this.x(t + 0.5), at(p)));
    pen.beginPath();
    path(columns.map((c) => quantile(c, 0.25)));
    columns.map((c) => quantile(c, 0.75)).map((p, t) => [p, t]).reverse().forEach(([p, t]) => pen.lineTo(this.x(t + 0.5), at(p)));
    Object.assign(pen, { fillStyle: colours.positive, globalAlpha: 0.25 });
    pen.fill();
    Object.assign(pen, { globalAlpha: 1, strokeStyle: colours.positive, lineWidth: 2.2 });
    pen.beginPath();
    path(columns.map((c) => c.reduce((sum, p) => sum + p, 0) / c.length));
    pen.stroke();
    line(pen, this.x(0), at(0.5), this.x(T + 1), at(0.5), colours.quiet, 1, [4, 4]);
    for (const p of [0, 0.5, 1]) write(pen, String(p), ROOM.left - 6, at(p) + 4, colours.text, { align: "right" });
    write(pen, "P(negative): mean; band: half of the pairs", ROOM.left, top - 6, colours.text);
  }

  drawHeat(selected) {
    const { pen, colours, map, shades, shown: { pairs, halves, T }, heat: { top, bottom } } = this;
    Object.assign(map, { width: T + 1, height: pairs.length });
    const image = new ImageData(T + 1, pairs.length);
    pairs.forEach(({ probability }, row) => probability.forEach((p, t) => {
      const at = 4 * ((pairs.length - 1 - row) * (T + 1) + t);
      image.data.set(shades[Math.round(p * (shades.length - 1))], at);
      image.data[at + 3] = 255;
    }));
    map.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(map, this.x(0), top, this.x(T + 1) - this.x(0), bottom - top);
    const tick = (t, row, colour, width) => {
      pen.fillStyle = colour;
      pen.fillRect(this.x(t + 0.5) - width / 2, this.y(row + 1), width, Math.max(1, this.y(row) - this.y(row + 1)));
    };
    halves.forEach((t, row) => t >= 0 && tick(t, row, "#000000", 3));
    pairs.forEach(({ t }, row) => tick(t, row, "#000000", 6));
    pairs.forEach(({ t }, row) => tick(t, row, "#ffffff", 3.5));
    for (const row of [0, Math.floor((pairs.length - 1) / 2), pairs.length - 1]) {
      write(pen, pairs[row].s.toPrecision(2).replace("-", "−"), ROOM.left - 6, this.y(row + 0.5) + 4, colours.text, { align: "right" });
    }
    write(pen, "score: one row for each pair", ROOM.left, top - 6, colours.text);
    this.drawSelected(selected);
  }

  drawSelected(selected) {
    const { pen, colours, scene } = this;
    if (selected < 0 || !scene.pairs.item) return;
    scene.pairs.item.forEach((item, row) => {
      if (item !== selected) return;
      const y = this.y(row + 0.5);
      line(pen, this.x(0), y, this.width - ROOM.right, y, colours.back, 5);
      line(pen, this.x(0), y, this.width - ROOM.right, y, colours.star, 2.5);
      mark(pen, "diamond", this.x(this.shown.pairs[row].t + 0.5), y, 6, colours.star);
      write(pen, scene.names[item], this.width - ROOM.right - 4, y - 5, colours.star,
        { align: "right", font: "600 12px system-ui, sans-serif", halo: colours.back });
    });
  }

  drawBars() {
    const { pen, colours, shown: { pairs, T, transition }, bars: { top, bottom } } = this;
    const counts = Array.from({ length: T + 1 }, () => [0, 0]);
    for (const { t, clamped, already } of pairs) counts[t][Number(clamped || already)]++;
    const most = Math.max(...counts.map(([free, bound]) => free + bound));
    counts.forEach((kinds, t) => {
      let low = bottom;
      kinds.forEach((count, bound) => {
        const high = low - (count / most) * (bottom - top - 8);
        const left = this.x(t) + 0.5, right = this.x(t + 1) - 0.5;
        pen.fillStyle = bound ? colours.back : colours.positive;
        pen.fillRect(left, high, right - left, low - high);
        if (bound && count) {
          hatch(pen, left, high, right, low, colours.negative);
          Object.assign(pen, { strokeStyle: colours.negative, lineWidth: 1.5 });
          pen.strokeRect(left + 0.5, high + 0.5, right - left - 1, low - high - 1);
        }
        low = high;
      });
    });
    line(pen, this.x(transition + 0.5), top, this.x(transition + 0.5), bottom, colours.star, 2, [6, 3]);
    write(pen, String(most), ROOM.left - 6, top + 12, colours.text, { align: "right" });
    write(pen, "pairs by t*", ROOM.left, top - 6, colours.text);
  }

  drawAxis() {
    const { pen, colours, shown: { T }, bars: { bottom } } = this;
    line(pen, this.x(0), bottom, this.x(T + 1), bottom, colours.line, 1);
    for (let i = 0; i <= 5; i++) {
      const t = Math.round((i * T) / 5);
      write(pen, String(t), this.x(t + 0.5), bottom + 14, colours.text, { align: "center" });
    }
    write(pen, "timestep t: 0 is the positive itself, right is noise", this.x((T + 1) / 2), bottom + 29, colours.text, { align: "center" });
  }

  // Pair and timestep under the pointer.
  find(x, y) {
    if (!this.shown || y < this.heat.top || y >= this.heat.bottom || x < this.x(0) || x >= this.x(this.shown.T + 1)) return null;
    const { pairs, T } = this.shown;
    const row = Math.floor(((this.heat.bottom - y) / (this.heat.bottom - this.heat.top)) * pairs.length);
    return { row: Math.min(row, pairs.length - 1), t: Math.floor(((x - this.x(0)) / (this.x(T + 1) - this.x(0))) * (T + 1)) };
  }

  hover(x, y) {
    const found = this.find(x, y);
    this.tip.hidden = !found;
    if (!found) return;
    const pair = this.shown.pairs[found.row];
    const name = this.scene.names?.[this.scene.pairs.item[found.row]] ?? "pair";
    this.tip.textContent = `${name}: score ${fixed(pair.s)}, t* = ${pair.t}; at t = ${found.t} P = ${fixed(pair.probability[found.t])}`;
    this.tip.dataset.side = x > this.width / 2 ? "left" : "right";
    Object.assign(this.tip.style, { left: `${x}px`, top: `${y}px` });
  }
}

// What the run itself did, epoch by epoch: no control changes it.
class Training {
  constructor({ epochs, curves, sentence }) {
    this.curves = curves.map((curve) => {
      const lists = [...curve.quantiles, curve.drawn ?? []];
      const plot = new Plot({ x: [epochs[0], epochs.at(-1)], y: extent(lists), name: `${curve.what}, by epoch`, below: "epoch", tall: "he-training" });
      return { ...curve, plot, root: element("figure", {}, element("figcaption", {}, curve.what), plot.canvas) };
    });
    this.epochs = epochs;
    const figures = element("div", { class: "he-pair" }, ...this.curves.map(({ root }) => root));
    this.root = element("section", { "aria-label": "over training" }, figures, element("p", { class: "av-quiet" }, sentence));
  }

  rebuild(colours) {
    for (const { plot, colour, quantiles: [low, middle, high], drawn } of this.curves) {
      plot.rebuild(colours, () => {
        plot.band(this.epochs, low, high, colours[colour]);
        plot.path(this.epochs, middle, colours[colour]);
        if (drawn) plot.path(this.epochs, drawn, colours.negative, 2, [7, 4]);
      });
    }
  }
}

// One labelled control of a setting: a drop-down for words, a slider for numbers.
const setting = (name, values, choose) => {
  const words = typeof values[0] === "string" || name === "timesteps";
  const input = words
    ? control("select", {}, ...values.map((value, i) => element("option", { value: i }, String(value))))
    : control("input", { type: "range", min: 0, max: values.length - 1, step: 1 });
  const output = element("output");
  const root = element("label", { "data-setting": name }, element("span", {}, NAMES[name] ?? name), input, ...(words ? [] : [output]));
  input.addEventListener(words ? "change" : "input", () => choose(name, values[Number(input.value)]));
  const show = (value) => {
    input.value = values.indexOf(value);
    if (!words) {
      output.textContent = String(value).replace("-", "−");
      input.setAttribute("aria-valuetext", String(value));
    }
  };
  return { root, show };
};

const GROUPS = {
  "noise schedule": ["schedule", "timesteps", "noise"],
  "score-aware function": ["target", "level", "alpha", "beta", "p", "c", "kappa", "delta", "unit"],
  "decision boundary": ["boundary", "z", "value"],
};

function buildExplorer({ scene, set, select }) {
  const panels = new Panels(scene, select), numbers = element("dl");
  const training = scene.training && new Training(scene.training);
  const controls = Object.fromEntries(Object.entries(scene.choices).map(([name, values]) => [name, setting(name, values, set)]));
  const groups = Object.entries(GROUPS).map(([title, names]) =>
    element("fieldset", {}, element("legend", {}, title), ...names.map((name) => controls[name].root)));
  let key = null, shown = null;

  const answer = (state) => {
    const now = JSON.stringify(Object.keys(scene.choices).map((name) => state[name]));
    if (now !== key) [key, shown] = [now, ask(scene, state)];
    return shown;
  };
  const used = ({ schedule, target, boundary }) => ({
    timesteps: schedule in SCHEDULES,
    z: boundary === "quantile",
    value: boundary === "constant",
    ...Object.fromEntries(GROUPS["score-aware function"].slice(1).map((name) => [name, scene.constants[target].includes(name)])),
  });
  const say = (state) => {
    const { transition, half, clamped, already } = answer(state);
    const constants = scene.constants[state.target].map((name) => `${name} ${state[name]}`).join(", ");
    return `${state.target} (${constants}), ${state.schedule} schedule, noise times ${state.noise}: median t* ${transition}, `
      + `${half === null ? "P never reaches one half" : `P reaches one half at t = ${half}`}, ${percent(clamped)} of t* clamped, `
      + `${percent(already)} of the pairs negative before any noise.`;
  };
  const tell = ({ pairs, transition, half, clamped, already }, selected) => {
    const one = pairs[scene.pairs.item?.indexOf(selected) ?? -1];
    const rows = [
      ["median t*", String(transition)],
      ["median t where P reaches ½", half === null ? "never" : String(half)],
      ["t* clamped", percent(clamped)],
      ["negative before any noise", percent(already)],
      ...(one ? [
        ["selected: score, boundary", `${fixed(one.s)}, ${fixed(one.b)}`],
        ["selected: t*, P there", `${one.t}, ${fixed(one.probability[one.t])}`],
      ] : []),
    ];
    tabulate(numbers, rows);
  };

  return {
    kind: "hardness-explorer",
    body: [element("div", { class: "av-row" },
      element("div", { class: "av-wide" }, panels.root, element("p", { class: "av-quiet" }, KEY)),
      element("div", { class: "av-side" }, ...groups, numbers)), ...(training ? [training.root] : [])],
    rebuild: (colours) => {
      panels.rebuild(colours);
      training?.rebuild(colours);
    },
    draw: (state) => {
      const visible = used(state);
      for (const [name, { root, show }] of Object.entries(controls)) {
        show(state[name]);
        root.hidden = !(visible[name] ?? true);
      }
      panels.draw(answer(state), state.selected);
      tell(answer(state), state.selected);
      panels.canvas.setAttribute("aria-label", `Heat map of the probability of being negative. ${say(state)}`);
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, buildExplorer) };
