// Several samplers at one epoch: a plane of rank and false negatives, and where their scores lie.

const LOOKS = [
  { colour: "positive", shape: "dot" }, { colour: "negative", shape: "square" },
  { colour: "other", shape: "triangle" }, { colour: "star", shape: "diamond" },
];
const KINDS = [
  { name: "positive", text: "positives", colour: "positive", shape: "dot" },
  { name: "negative", text: "drawn negatives", colour: "negative", shape: "square" },
  { name: "catalogue", text: "all items", colour: "item", shape: "diamond" },
];

// Rank to the right, false negatives upwards; a thin line shows the way up to the epoch.
const plane = (scene) => {
  const plot = new Plot({
    x: scene.ranks, y: [0, scene.most], tall: "se-plane", below: "rank: median share of items below the negative →",
    format: (value) => percent(value), name: "Samplers by the rank of their negatives and the share of false ones",
  });
  return {
    canvas: plot.canvas,
    rebuild: (colours) => plot.rebuild(colours, () => {
      write(plot.pen, "↑ false among the drawn negatives", plot.frame.left + 8, plot.frame.top + 12, colours.text);
      scene.runs.forEach(({ rank, share }, i) => plot.path(rank, share, colours[LOOKS[i].colour], 1, [1, 4], 0.7));
    }),
    draw: (k) => {
      plot.clear();
      const { pen, colours, frame } = plot;
      const written = [];
      scene.runs.forEach(({ name, rank, share }, i) => {
        const colour = colours[LOOKS[i].colour], to = k + 1;
        plot.path(rank.slice(0, to), share.slice(0, to), colour, 1.2);
        const [x, y] = plot.at(rank[k], share[k]);
        mark(pen, LOOKS[i].shape, x, y, 7, colour);
        pen.font = FONT;
        const wide = pen.measureText(name).width, right = x + 14 + wide > frame.right; // no room right of the mark
        let up = y - 8; // names of runs that stand together are written one below the other
        while (written.some(([ox, oy]) => Math.abs(ox - x) < 14 + wide && Math.abs(oy - up) < 14)) up += 14;
        written.push([x, up]);
        write(pen, name, right ? x - 12 : x + 12, up, colours.text, { align: right ? "right" : "left", halo: colours.back });
      });
    },
  };
};

// Scores of one run: 5 to 95 % as a line, the middle half as a box, the median as a mark; one row for each kind.
const boxes = (scene, run) => {
  const plot = new Plot({ x: scene.scores, y: [0, 3], tall: "se-boxes", below: "score", format: null, name: `Scores of ${run.name}` });
  return {
    canvas: plot.canvas,
    rebuild: (colours) => plot.rebuild(colours, () => {
      const [zero] = plot.at(0, 0);
      line(plot.pen, zero, plot.frame.top, zero, plot.frame.bottom, colours.line);
    }),
    draw: (k) => {
      plot.clear();
      const { pen, colours, frame } = plot;
      KINDS.forEach(({ name, text, colour, shape }, row) => {
        const q = run[name][k], tint = colours[colour];
        const [, y] = plot.at(0, 2.3 - row);
        write(pen, text, frame.left, y - 14, colours.text, { font: "11px system-ui, sans-serif", halo: colours.back });
        if (q[0] === null) return;
        const [low, quarter, middle, rest, high] = q.map((v) => plot.at(v, 0)[0]);
        line(pen, low, y, high, y, tint, 1.5);
        pen.fillStyle = tint;
        pen.globalAlpha = 0.3;
        pen.fillRect(quarter, y - 7, Math.max(1, rest - quarter), 14);
        pen.globalAlpha = 1;
        mark(pen, shape, middle, y, 6, tint);
      });
    },
  };
};

function build({ scene }) {
  const runs = scene.runs.map((run, i) => ({ ...run, panel: boxes(scene, run), look: LOOKS[i] }));
  const map = scene.truth ? plane(scene) : null;
  const place = (epoch) => scene.choices.epoch.indexOf(epoch);
  const rows = element("tbody");
  const head = ["sampler", "hardness", "rank", "false", "false, by gradient", "gradient weight", scene.metric];
  const table = element("table", {}, element("caption", { class: "av-quiet" }, "At this epoch (medians; means of gradient weight and shares)"),
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))), rows);

  const number = (value, digits = 2) => (value === null ? "–" : fixed(value, digits));
  const tell = (k, epoch) => rows.replaceChildren(...runs.map((run) => {
    const name = epoch > run.last ? `${run.name} (stopped at ${run.last})` : run.name;
    const share = (values) => (values ? percent(values[k]) : "not known");
    const cells = [number(run.hardness[k]), number(run.rank[k]), share(run.share), share(run.gradient), number(run.pull[k]), number(run.metric[k], 3)];
    return element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((text) => element("td", {}, text)));
  }));
  const say = ({ epoch }) => {
    const k = place(epoch);
    const parts = runs.map((run) => `${run.name} ${run.share ? `${percent(run.share[k])} false, ` : ""}rank ${number(run.rank[k])}`);
    return `Epoch ${epoch}: ${parts.join("; ")}`;
  };
  const panels = runs.map(({ name, panel }) => element("figure", {}, element("figcaption", {}, name), panel.canvas));
  return {
    kind: "sampler-explorer",
    body: [...(map ? [map.canvas] : []), element("div", { class: "se-panels" }, ...panels), element("div", { class: "se-table" }, table)],
    player: { name: "epoch", label: "epoch of the training", text: (epoch) => `epoch ${epoch}` },
    rebuild: (colours) => {
      map?.rebuild(colours);
      for (const { panel } of runs) panel.rebuild(colours);
    },
    draw: ({ epoch }) => {
      const k = place(epoch);
      map?.draw(k);
      for (const { panel } of runs) panel.draw(k);
      tell(k, epoch);
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, build) };
