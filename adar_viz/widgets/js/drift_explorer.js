// Items on one map for all snapshots; trails of those that changed most, and of the selected one.

const DOTS = [{ shape: "dot", colour: "item", r: 2.4 }];

class DriftMap extends Scatter {
  constructor(scene, xy, select) {
    super({
      xy, count: scene.items.length, frames: scene.choices.epoch.length * scene.maps.length, looks: DOTS,
      ids: scene.items, title: (id) => scene.names[id], select, pad: { top: 8, bottom: 56 }, square: true,
    });
    this.scene = scene;
  }

  draw({ epoch, projection, selected }) {
    const { scene, pen } = this, from = projection * scene.choices.epoch.length;
    super.draw(from + epoch);
    const { colours, frame } = this;
    for (const i of scene.most) this.drawTrail(i, from, epoch, colours.positive, 1.2);
    const chosen = this.find(selected);
    if (chosen >= 0) {
      this.drawTrail(chosen, from, epoch, colours.star, 2.5);
      for (const near of scene.near[epoch][chosen]) mark(pen, "ring", ...this.place(near, from + epoch), 5.5, colours.other, 2);
    }
    scene.maps[projection].quality.forEach((text, row) => write(pen, text, 8, frame.canvas.height - 38 + 16 * row, colours.quiet));
    this.highlight(selected);
  }

  drawTrail(i, from, epoch, colour, width) {
    const { pen } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    for (let e = 0; e <= epoch; e++) pen.lineTo(...this.place(i, from + e));
    pen.stroke();
    mark(pen, "triangle", ...this.place(i, from + epoch), 4, colour);
  }
}

// Items in the order of their change; what is chosen here is selected everywhere.
const ranking = (scene, select) => {
  const options = scene.most.map((i) => element("option", { value: scene.items[i] },
    `${percent(scene.change[i])}  ${scene.names[scene.items[i]]}`));
  const list = control("select", { size: 8, "aria-label": "items by the change of their nearest items" }, ...options);
  list.addEventListener("change", () => select(Number(list.value)));
  return list;
};

function build({ scene, points, select }) {
  const map = new DriftMap(scene, decode(points), select);
  const list = ranking(scene, select), table = element("dl"), nearest = element("ol"), head = element("p", { class: "de-head" });
  const names = { pca: "joint principal plane", stored: "AlignedUMAP, a second opinion" };
  const { projection: projections, epoch: epochs } = scene.choices;
  const where = ({ epoch, projection, selected }) => ({
    epoch: epochs.indexOf(epoch), projection: projections.indexOf(projection), selected,
  });

  const say = (now) => {
    const { epoch, projection } = where(now), { drift, null: nothing } = scene.maps[projection];
    const chosen = map.find(now.selected);
    const near = chosen < 0 ? "" : `; nearest to ${scene.names[now.selected]}: `
      + scene.near[epoch][chosen].map((i) => scene.names[scene.items[i]]).join(", ");
    return `Epoch ${now.epoch}: since epoch ${epochs[0]} items drifted by ${fixed(drift[epoch])} of the map's spread `
      + `(where nothing moved: ${fixed(nothing)}) and changed ${percent(scene.changed[epoch])} of their nearest${near}`;
  };
  const tell = (now) => {
    const { epoch, projection } = where(now), { drift, null: nothing } = scene.maps[projection];
    const rows = [
      [`drift since epoch ${epochs[0]}`, `${fixed(drift[epoch])} of the map's spread`],
      ["… where nothing moved", fixed(nothing)],
      [`changed of the ${scene.k} nearest`, `${percent(scene.changed[epoch])}  (by chance ${percent(scene.chance)})`],
    ];
    tabulate(table, rows);
    const chosen = map.find(now.selected);
    head.textContent = chosen < 0 ? "Select an item to see its nearest items at each epoch."
      : `Nearest to ${scene.names[now.selected]} at epoch ${now.epoch} (rings, found in the whole space):`;
    nearest.replaceChildren(...(chosen < 0 ? [] : scene.near[epoch][chosen].map((i) => element("li", {}, scene.names[scene.items[i]]))));
    list.value = scene.most.some((i) => scene.items[i] === now.selected) ? now.selected : "";
  };

  return {
    kind: "drift-explorer",
    body: [
      element("div", { class: "av-row" },
        element("div", { class: "av-wide" }, map.root),
        element("div", { class: "av-side" }, table,
          element("label", { class: "de-list" }, `Most changed from epoch ${epochs[0]} to ${epochs.at(-1)} (blue trails)`, list),
          head, nearest)),
    ],
    choosers: projections.length > 1 ? [{ name: "projection", label: "map", texts: projections.map((p) => names[p]) }] : [],
    player: { name: "epoch", label: "epoch of training", text: (epoch) => `epoch ${epoch}` },
    rebuild: (colours) => map.rebuild(colours),
    draw: (now) => {
      map.draw(where(now));
      map.canvas.setAttribute("aria-label", say(now));
      tell(now);
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, build) };
