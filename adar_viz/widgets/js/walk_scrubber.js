// The walks of one positive: a plane with all items and one walk, each walk's course along t, the nearest real items.

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

  // After the items come, for each source, x_t, the estimate from it, and the point between the movements.
  mark(kind, t) {
    const block = 3 * this.scene.choices.source.indexOf(this.source) + ["x", "guess", "between"].indexOf(kind);
    return this.place(this.scene.items + block * this.scene.alpha_bar.length + t);
  }

  draw({ t, source, slow, selected }) {
    super.draw();
    Object.assign(this, { source, walk: this.scene.walks[source] });
    const { pen, scene, walk, colours } = this;
    const names = slow === "on" ? [] : [...this.drawTrail(t), ...this.drawNearest(t)];
    const negative = walk.score[t] < scene.boundary;
    mark(pen, negative ? "square" : "dot", ...this.mark("x", t), 10.5, colours.back);
    mark(pen, negative ? "square" : "dot", ...this.mark("x", t), 8.5, negative ? colours.negative : colours.positive);
    if (slow === "on") this.drawLegs(t);
    nameMarks(pen, names, [[...this.mark("x", t), 8.5]], colours.back);
    this.highlight(selected);
  }

  // The movements of timestep t, numbered as the list beside the picture is. They lie above the mark of x_t, which some
  // end at and at a small t are no longer than; their numbers lie above all.
  drawLegs(t) {
    const { pen, colours, source, scene } = this;
    const x = this.mark("x", t), guess = this.mark("guess", t), between = this.mark("between", t);
    const legs = source === "reverse"
      ? [[x, guess], [x, between], [between, this.mark("x", Math.max(0, t - 1))]]
      : [[this.place(scene.item), between], [between, x], [x, guess]];
    const looks = [[colours.positive, []], [colours.negative, [7, 4]], [colours.star, [2, 3]]];
    const taken = [[...x, 10.5]];
    legs.forEach(([from, to], i) => {
      const [colour, dash] = looks[i], long = Math.hypot(to[0] - from[0], to[1] - from[1]);
      const turn = Math.atan2(to[1] - from[1], to[0] - from[0]), head = Math.max(4, Math.min(10, 0.6 * long));
      for (const [tint, width, gaps] of [[colours.back, 5.5, []], [colour, 2.5, dash]]) {
        line(pen, ...from, ...to, tint, width, gaps);
        for (const side of [2.7, -2.7]) line(pen, ...to, to[0] + head * Math.cos(turn + side), to[1] + head * Math.sin(turn + side), tint, width);
      }
      for (let s = 0; s <= long; s += 5) taken.push([from[0] + s * Math.cos(turn), from[1] + s * Math.sin(turn), 1]);
      taken.push([...to, 5]);
    });
    legs.forEach((leg, i) => {
      const at = beside(leg, taken, this.frame.canvas);
      taken.push([...at, 6]);
      write(pen, String(i + 1), at[0], at[1] + 5, looks[i][0], { align: "center", font: "700 14px system-ui, sans-serif", halo: colours.back });
    });
  }

  // Marks the nearest items; returns their numbers, which are written last, above all marks.
  drawNearest(t) {
    const { pen, colours } = this;
    return this.walk.nearest[t].map((item, rank) => {
      const [x, y] = this.place(item);
      mark(pen, "ring", x, y, 6, colours.text, 1.6);
      return { text: String(rank + 1), at: [x, y, 6], colour: colours.text, font: "600 11px system-ui, sans-serif" };
    });
  }

  drawTrail(t) {
    const { pen, scene, colours } = this;
    const trail = (from, to, colour, width, dash) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.setLineDash(dash);
      pen.beginPath();
      for (let s = from; s <= to; s++) pen.lineTo(...this.mark("x", s));
      pen.stroke();
      pen.setLineDash([]);
    };
    trail(t, scene.alpha_bar.length - 1, colours.quiet, 1, [2, 4]);
    trail(0, t, colours.positive, 2.5, []);
    const [x, y] = this.mark("x", scene.transition);
    pen.strokeStyle = colours.star;
    pen.lineWidth = 2;
    pen.strokeRect(x - 4, y - 4, 8, 8);
    return [{ text: "t*", at: [x, y, 5], colour: colours.star, font: "600 12px system-ui, sans-serif" }];
  }
}

// Middle of a leg's number: sideways from the leg's middle, upwards first, as near as all that is taken, [x, y, r], leaves room.
const beside = ([from, to], taken, { width, height }) => {
  const turn = Math.atan((to[1] - from[1]) / (to[0] - from[0] || 1e-9)) - Math.PI / 2;
  const places = [];
  for (let far = 10; far < 80; far += 3) for (const side of [far, -far]) {
    places.push([(from[0] + to[0]) / 2 + side * Math.cos(turn), (from[1] + to[1]) / 2 + side * Math.sin(turn)]);
  }
  const free = ([x, y]) => x > 8 && x < width - 8 && y > 8 && y < height - 8
    && taken.every(([a, b, r]) => Math.hypot(x - a, y - b) >= r + 7);
  return places.find(free) ?? places[0];
};

// Whether x_t is still the item, by the log-ratio of being it, for the table and in a sentence: at 0 neither answer is right.
const UNCLEAR = 0.05;
const identified = (ratio) => {
  const size = Math.abs(ratio), number = size < 1 ? ratio.toPrecision(2) : ratio.toFixed(1);
  if (size < UNCLEAR) return "about 0: cannot be told";
  return `${ratio < 0 ? "no" : "yes"}: ${size >= 999 ? "beyond doubt" : `log-ratio ${number.replace("-", "−")}`}`;
};
const stillOrNot = (ratio) => (Math.abs(ratio) < UNCLEAR ? "perhaps" : ratio < 0 ? "no longer" : "still");

// How long something held: "liked up to t = 21".
const until = (first, what) =>
  (first < 0 ? `${what} throughout` : first === 0 ? `not ${what} at t = 0` : `${what} up to t = ${first - 1}`);

// One walk along t: its score with boundary and t*, above a bar that is full while it is still the same item.
class Course {
  constructor(scene, source) {
    Object.assign(this, { scene, source, walk: scene.walks[source] });
    const { turned, lost } = this.walk;
    const words = `${source}: ${until(turned, "liked")}, ${until(lost, "the same item")}`;
    this.canvas = element("canvas", { class: "ws-course", role: "img", "aria-label": words });
    this.root = element("div", {}, this.canvas);
  }

  place(t) {
    const { left, right, top, bottom, low, high } = this.frame;
    const last = this.walk.score.length - 1 || 1;
    const height = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);
    return [left + (t / last) * (right - left), height(this.walk.score[t]), height(this.scene.boundary)];
  }

  rebuild(colours) {
    const { pen, width, height } = fit(this.canvas);
    const { scene, walk, source } = this;
    Object.assign(this, { pen, colours });
    const values = [...Object.values(scene.walks).flatMap(({ score }) => score), scene.boundary];
    const low = Math.min(...values), high = Math.max(...values);
    const room = 0.08 * (high - low || 1), bar = height - 30;
    this.frame = { left: 6, right: width - 6, top: 37, bottom: bar - 6, low: low - room, high: high + room };
    const edge = this.place(0)[2];
    pen.fillStyle = colours.back;
    pen.fillRect(0, 0, width, height);
    hatch(pen, 6, edge, width - 6, bar - 6, colours.negative);
    line(pen, 6, edge, width - 6, edge, colours.negative, 2);
    const star = this.place(scene.transition)[0];
    line(pen, star, 37, star, bar - 6, colours.star, 2, [6, 3]);
    pen.strokeStyle = colours.positive;
    pen.lineWidth = 2;
    pen.beginPath();
    walk.score.forEach((_, t) => pen.lineTo(...this.place(t).slice(0, 2)));
    pen.stroke();
    pen.strokeStyle = pen.fillStyle = colours.other;
    pen.lineWidth = 1;
    pen.strokeRect(6.5, bar + 0.5, width - 13, 8);
    const last = walk.identity.length - 1 || 1, step = (width - 12) / last;
    walk.identity.forEach((ratio, t) => ratio >= 0 && pen.fillRect(Math.max(6, 6 + (t - 0.5) * step), bar, Math.min(step, width - 6 - t * step), 9));
    write(pen, source, 6, 15, colours.text, { font: "600 13px system-ui, sans-serif" });
    write(pen, until(walk.turned, "liked"), 6, 30, colours.text);
    write(pen, until(walk.lost, "the same item"), 6, height - 7, colours.other);
    this.layer = still(this.canvas);
  }

  draw({ t, source }) {
    const { pen, colours, scene, walk } = this;
    restore(pen, this.layer);
    const [x, y] = this.place(t);
    const negative = walk.score[t] < scene.boundary;
    mark(pen, negative ? "square" : "dot", x, y, 6, negative ? colours.negative : colours.positive);
    if (source !== this.source) return;
    Object.assign(pen, { strokeStyle: colours.text, lineWidth: 1.5 });
    pen.strokeRect(1, 1, this.frame.right + 4, this.canvas.clientHeight - 2);
  }
}

// What happens in one timestep: three movements in words, each with the score it begins and ends with.
const movements = (scene, source, t) => {
  const { score, guess, between, guessed } = scene.walks[source], last = scene.names[guessed[t]];
  if (source === "reverse") return [
    ["the denoiser guesses the clean vector", score[t], guess[t], `nearest: ${last}`],
    ["the step goes a share of the way", score[t], between[t]],
    ["fresh noise is added", between[t], score[Math.max(0, t - 1)]],
  ];
  return [
    ["the positive shrinks", scene.own, between[t]],
    [source === "forward" ? "noise is added" : "noised beyond t, denoised back", between[t], score[t]],
    ["the denoiser takes its noise off", score[t], guess[t], `nearest: ${last}`],
  ];
};

function build({ scene, points, select }) {
  const plane = new Plane(scene, decode(points), select);
  const courses = scene.choices.source.map((source) => new Course(scene, source));
  const status = element("p", { class: "ws-state" }), numbers = element("dl");
  const about = element("div", { class: "av-quiet" }), list = element("ol");
  const last = scene.alpha_bar.length - 1;

  const say = ({ t, source }) => {
    const { score, identity, nearest } = scene.walks[source];
    const side = score[t] < scene.boundary ? "negative" : "positive";
    return `t = ${t}, ${source}: ${side}, score ${fixed(score[t])}, probability of negative ${fixed(scene.probability[t])}, `
      + `${stillOrNot(identity[t])} the same item, nearest item ${scene.names[nearest[t][0]]}`;
  };
  const tell = ({ t, source, slow }) => {
    const walk = scene.walks[source], negative = walk.score[t] < scene.boundary;
    status.textContent = negative ? "■ this walk is negative now" : "● still positive";
    status.dataset.side = negative ? "negative" : "positive";
    const rows = [
      ["still liked? (score)", `${negative ? "no" : "yes"}: ${fixed(walk.score[t])}, boundary ${fixed(scene.boundary)}`],
      ["still the same item?", identified(walk.identity[t])],
      ["P(negative) by the law", fixed(scene.probability[t])],
      ["alpha_bar", fixed(scene.alpha_bar[t], 3)],
    ];
    tabulate(numbers, rows);
    const moving = slow === "on";
    about.textContent = moving ? `What happens at t = ${t}, by score` : "Nearest real items (cosine to x_t)";
    list.replaceChildren(...(moving
      ? movements(scene, source, t).map(([what, from, to, more]) =>
        element("li", {}, `${what}: ${fixed(from)} → ${fixed(to)}${more ? ` (${more})` : ""}`))
      : walk.nearest[t].map((item, rank) =>
        element("li", item === scene.item ? { class: "ws-own" } : {}, `${scene.names[item]}  ${fixed(walk.cosine[t][rank])}`))));
  };

  return {
    kind: "walk-scrubber",
    body: [
      element("div", { class: "av-row" },
        element("div", { class: "av-wide" }, plane.root),
        element("div", { class: "av-side" }, status, numbers, about, list)),
      element("div", { class: "ws-courses" }, ...courses.map(({ root }) => root)),
    ],
    choosers: [
      { name: "source", label: "walk", texts: scene.choices.source },
      ...(scene.choices.slow.length > 1 ? [{ name: "slow", label: "slow motion", texts: scene.choices.slow }] : []),
    ],
    player: {
      name: "t",
      label: `timestep t, 0 is the positive, ${last} is noise`,
      text: (t) => (t === scene.transition ? `t = ${t} = t*` : `t = ${t}`),
      mark: { at: scene.transition, text: `t* = ${scene.transition}` },
    },
    rebuild: (colours) => {
      plane.rebuild(colours);
      for (const course of courses) course.rebuild(colours);
    },
    draw: (now) => {
      plane.draw(now);
      for (const course of courses) course.draw(now);
      tell(now);
      plane.canvas.setAttribute("aria-label", `Items and walk in the plane of the user. ${say(now)}`);
    },
    say,
  };
}

export default { render: ({ model, el }) => mount(model, el, build) };
