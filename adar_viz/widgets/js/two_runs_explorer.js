// Two runs on the same axes: four quantities, both runs above, their difference below.

const RUNS = [
  { key: "first", colour: "positive", shape: "dot", sign: "●", dash: [] },
  { key: "second", colour: "negative", shape: "square", sign: "■", dash: [7, 4] },
];
const AXES = { t: "timestep t", epoch: "epoch" };

class Pair {
  constructor(curve, x) {
    Object.assign(this, { curve, x, middle: { first: curve.first[1], second: curve.second[1] } });
    const sides = [x[0], x.at(-1)];
    const reach = Math.max(...curve.difference.map((v) => Math.abs(v ?? 0))) * 1.15 || 1;
    this.top = new Plot({ x: sides, y: extent([curve.first, curve.second]), tall: "tr-top", name: `${curve.what}, both runs` });
    this.bottom = new Plot({ x: sides, y: [-reach, reach], tall: "tr-bottom", below: AXES[curve.axis], name: `${curve.what}, difference` });
    this.numbers = element("p", { class: "tr-numbers" });
    this.root = element("figure", {}, element("figcaption", {}, curve.what), this.top.canvas, this.bottom.canvas, this.numbers);
  }

  rebuild(colours) {
    const { curve, x } = this;
    this.top.rebuild(colours, (plot) => {
      for (const { key, colour, dash } of RUNS) {
        plot.band(x, curve[key][0], curve[key][2], colours[colour]);
        plot.path(x, curve[key][1], colours[colour], 2, dash);
      }
    });
    this.bottom.rebuild(colours, (plot) => {
      plot.path(plot.x, [0, 0], colours.quiet, 1);
      plot.path(x, curve.difference, colours.text, 2);
    });
  }

  read(state) {
    const i = this.x.indexOf(state[this.curve.axis]);
    return { first: this.middle.first[i], second: this.middle.second[i], difference: this.curve.difference[i] };
  }

  draw(state) {
    const at = state[this.curve.axis], values = this.read(state), { colours } = this.top;
    for (const plot of [this.top, this.bottom]) {
      plot.clear();
      plot.cursor(at);
    }
    for (const { key, colour, shape } of RUNS) {
      if (values[key] !== null) mark(this.top.pen, shape, ...this.top.at(at, values[key]), 5, colours[colour]);
    }
    if (values.difference !== null) mark(this.bottom.pen, "diamond", ...this.bottom.at(at, values.difference), 5, colours.text);
    this.numbers.textContent = RUNS.map(({ key, sign }) => `${sign} ${number(values[key])}`).join("  ") + `  ◆ ${signed(values.difference)}`;
  }
}

const number = (value) => (value === null ? "–" : fixed(value, Math.abs(value) < 1 ? 3 : 2));
const signed = (value) => (value === null ? "–" : `${value > 0 ? "+" : ""}${number(value)}`);

function build({ scene, set }) {
  const pairs = scene.curves.map((curve) => new Pair(curve, scene.choices[curve.axis]));
  const { epoch: epochs } = scene.choices;
  const slider = control("input", { type: "range", min: 0, max: epochs.length - 1, step: 1, "aria-label": "epoch of both runs" });
  const output = element("output", { "aria-hidden": "true" });
  slider.addEventListener("input", () => set("epoch", epochs[slider.valueAsNumber]));
  const legend = RUNS.map(({ sign, colour }, i) => element("span", { style: `color: var(--av-${colour})` }, `${sign} ${scene.runs[i]}`));
  const say = (state) => {
    const parts = pairs.map((pair) => `${pair.curve.what} ${signed(pair.read(state).difference)}`);
    return `${scene.runs[1]} minus ${scene.runs[0]} at t = ${state.t} and epoch ${state.epoch}: ${parts.join("; ")}`;
  };
  return {
    kind: "two-runs-explorer",
    body: [
      element("p", { class: "tr-legend" }, ...legend, element("span", {}, "◆ difference")),
      element("div", { class: "tr-panels" }, ...pairs.map(({ root }) => root)),
      element("div", { class: "av-player" }, element("span", { class: "tr-name" }, "epoch"), element("div", { class: "av-track" }, slider), output),
    ],
    player: { name: "t", label: "timestep t of both runs", text: (t) => `t = ${t}` },
    rebuild: (colours) => pairs.forEach((pair) => pair.rebuild(colours)),
    draw: (state) => {
      pairs.forEach((pair) => pair.draw(state));
      slider.value = epochs.indexOf(state.epoch);
      slider.setAttribute("aria-valuetext", `epoch ${state.epoch}`);
      output.textContent = `epoch ${state.epoch}`;
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, build) };
