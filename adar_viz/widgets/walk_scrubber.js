// The walk of one positive, scrubbed in the browser: every frame is here, the kernel hears nothing
// until the focus leaves. Canvas layers: what stays (catalogue, boundary) is drawn once and copied.

const THUMB = 16; // width of a range input's thumb in pixels: the mark for t* must follow its centre
const FRAME_MS = 120; // pace of playing
const CALM_MS = 1000, CALM_STEP = 5; // pace for readers who prefer reduced motion: stills, far apart

const element = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const isDark = () => {
  const { jpThemeLight } = document.body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === "false";
  if (document.body.classList.contains("vscode-dark")) return true;
  return matchMedia("(prefers-color-scheme: dark)").matches;
};

const fixed = (value, digits = 2) => value.toFixed(digits).replace("-", "−");

// Coordinates as shares of the plane, (0, 0) bottom left.
const decode = (view) => {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return Float32Array.from(new Uint16Array(bytes), (v) => v / 65535);
};

const palette = (root) => {
  const style = getComputedStyle(root);
  const names = ["back", "text", "quiet", "line", "positive", "negative", "star", "item"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--ws-${name}`).trim()]));
};

// Match the canvas to its size on the screen; returns its context scaled to CSS pixels.
const fit = (canvas) => {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width, height };
};

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
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.22;
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

// The plane: score to the right, the widest direction the user does not see upwards.
class Plane {
  constructor(canvas, scene, xy) {
    Object.assign(this, { canvas, scene, xy });
  }

  place(index) {
    const { left, right, top, bottom } = this.frame;
    return [
      left + this.xy[2 * index] * (right - left),
      bottom - this.xy[2 * index + 1] * (bottom - top),
    ];
  }

  rebuild(colours) {
    const { pen, width, height } = fit(this.canvas);
    this.pen = pen;
    this.colours = colours;
    this.frame = { left: 8, right: width - 8, top: 26, bottom: height - 40 };
    const { left, right, top, bottom } = this.frame;
    const [low, high] = this.scene.range;
    const edge = left + ((this.scene.boundary - low) / (high - low)) * (right - left);
    pen.fillStyle = colours.back;
    pen.fillRect(0, 0, width, height);
    hatch(pen, left, top, edge, bottom, colours.negative);
    this.drawItems(pen, edge);
    line(pen, edge, top, edge, bottom, colours.negative, 2.5);
    this.writeLabels(pen, edge, width, height);
    this.layer = still(this.canvas);
  }

  drawItems(pen, edge) {
    pen.strokeStyle = pen.fillStyle = this.colours.item;
    pen.lineWidth = 1;
    for (let i = 0; i < this.scene.items; i++) {
      const [x, y] = this.place(i);
      pen.beginPath();
      if (x >= edge) {
        pen.arc(x, y, 2.6, 0, 2 * Math.PI);
        pen.fill();
      } else {
        pen.moveTo(x - 2.2, y - 2.2);
        pen.lineTo(x + 2.2, y + 2.2);
        pen.moveTo(x - 2.2, y + 2.2);
        pen.lineTo(x + 2.2, y - 2.2);
        pen.stroke();
      }
    }
  }

  writeLabels(pen, edge, width, height) {
    pen.font = "600 13px system-ui, sans-serif";
    pen.textBaseline = "alphabetic";
    const side = (text, colour, align, x) => {
      pen.fillStyle = colour;
      pen.textAlign = align;
      pen.fillText(text, x, 17);
    };
    side("✕ negative for this user", this.colours.negative, "left", 8);
    side("● positive", this.colours.positive, "right", width - 8);
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = this.colours.text;
    pen.textAlign = "center";
    const half = pen.measureText("decision boundary 00.00").width / 2;
    const at = Math.min(Math.max(edge, half + 8), width - half - 8);
    pen.fillText(`decision boundary ${fixed(this.scene.boundary)}`, at, height - 24);
    pen.textAlign = "right";
    pen.fillText("score for this user →", width - 8, height - 6);
  }

  draw(t) {
    const { pen, scene, colours } = this;
    restore(pen, this.layer);
    this.drawTrail(t);
    const [x, y] = this.place(scene.items + t);
    pen.font = "600 11px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.lineWidth = 1.6;
    scene.nearest[t].forEach((item, rank) => {
      const [ix, iy] = this.place(item);
      pen.strokeStyle = pen.fillStyle = colours.text;
      pen.beginPath();
      pen.arc(ix, iy, 6, 0, 2 * Math.PI);
      pen.stroke();
      pen.fillText(String(rank + 1), ix + 8, iy + 4);
    });
    const negative = scene.score[t] < scene.boundary;
    pen.fillStyle = negative ? colours.negative : colours.positive;
    pen.strokeStyle = colours.back;
    pen.lineWidth = 2;
    pen.beginPath();
    if (negative) pen.rect(x - 7.5, y - 7.5, 15, 15);
    else pen.arc(x, y, 9, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }

  drawTrail(t) {
    const { pen, scene, colours } = this;
    const trace = (from, to) => {
      pen.beginPath();
      for (let s = from; s <= to; s++) pen[s === from ? "moveTo" : "lineTo"](...this.place(scene.items + s));
      pen.stroke();
    };
    pen.strokeStyle = colours.quiet;
    pen.lineWidth = 1;
    pen.setLineDash([2, 4]);
    trace(t, scene.score.length - 1);
    pen.setLineDash([]);
    pen.strokeStyle = colours.positive;
    pen.lineWidth = 2.5;
    trace(0, t);
    const [x, y] = this.place(scene.items + scene.transition);
    pen.strokeStyle = colours.star;
    pen.lineWidth = 2;
    pen.strokeRect(x - 4, y - 4, 8, 8);
    pen.font = "600 12px system-ui, sans-serif";
    pen.fillStyle = colours.star;
    pen.textAlign = "center";
    pen.fillText("t*", x, y + 18);
  }
}

// The score against t, with boundary and t*.
class Curve {
  constructor(canvas, scene) {
    Object.assign(this, { canvas, scene });
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
    scene.score.forEach((_, t) => pen[t ? "lineTo" : "moveTo"](...this.place(t).slice(0, 2)));
    pen.stroke();
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = colours.text;
    pen.textAlign = "left";
    pen.fillText("score along t", 6, 11);
    this.layer = still(this.canvas);
  }

  draw(t) {
    const { pen, colours, scene } = this;
    restore(pen, this.layer);
    const [x, y] = this.place(t);
    const negative = scene.score[t] < scene.boundary;
    pen.fillStyle = negative ? colours.negative : colours.positive;
    pen.beginPath();
    if (negative) pen.rect(x - 5, y - 5, 10, 10);
    else pen.arc(x, y, 6, 0, 2 * Math.PI);
    pen.fill();
  }
}

const build = (scene) => {
  const last = scene.score.length - 1;
  const parts = {
    plane: element("canvas", { role: "img" }),
    curve: element("canvas", { class: "ws-curve", role: "img", "aria-label": "Score of x_t along the timesteps" }),
    state: element("p", { class: "ws-state" }),
    numbers: element("dl"),
    nearest: element("ol"),
    play: element("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, "▶ Play"),
    slider: element("input", {
      type: "range", min: 0, max: last, step: 1, value: 0,
      "aria-label": `timestep t, 0 is the positive, ${last} is noise`,
      "data-lm-suppress-shortcuts": "true",
    }),
    star: element("span", { class: "ws-star", "aria-hidden": "true" }, `t* = ${scene.transition}`),
    output: element("output", { "aria-hidden": "true" }),
    live: element("p", { class: "ws-live", "aria-live": "polite" }),
  };
  parts.star.style.left = `calc(${THUMB / 2}px + (100% - ${THUMB}px) * ${last ? scene.transition / last : 0})`;
  const genre = scene.genre ? ` (${scene.genre})` : "";
  const who = scene.user ? ` of user ${scene.user}` : "";
  const root = element("div", { class: "walk-scrubber", role: "group", "aria-label": `Walk of ${scene.title}` },
    element("h3", {}, `${scene.title}${genre}`),
    element("p", { class: "ws-quiet" },
      `A positive${who}, diffused (${scene.source}). Small marks: the ${scene.items} real items; `
      + `the plane holds ${Math.round(100 * scene.explained)} % of their variance. Arrow keys step, Space plays.`),
    element("div", { class: "ws-views" },
      element("div", { class: "ws-plane" }, parts.plane),
      element("div", { class: "ws-side" }, parts.state, parts.curve, parts.numbers,
        element("div", { class: "ws-quiet" }, "Nearest real items (cosine to x_t)"), parts.nearest)),
    element("div", { class: "ws-controls" }, parts.play,
      element("div", { class: "ws-track" }, parts.star, parts.slider), parts.output),
    parts.live);
  return { root, ...parts };
};

function render({ model, el }) {
  const scene = model.get("scene");
  const last = scene.score.length - 1;
  const view = build(scene);
  const plane = new Plane(view.plane, scene, decode(model.get("points")));
  const curve = new Curve(view.curve, scene);
  let shown = Math.min(model.get("t"), last);
  let timer = null, whisper = null, ready = false;
  el.append(view.root);

  const sentence = (t) => {
    const side = scene.score[t] < scene.boundary ? "negative" : "positive";
    return `t = ${t}: ${side}, score ${fixed(scene.score[t])}, probability of negative `
      + `${fixed(scene.probability[t])}, nearest item ${scene.names[scene.nearest[t][0]]}`;
  };

  const write = (t) => {
    const negative = scene.score[t] < scene.boundary;
    view.state.textContent = negative ? "■ this walk is negative now" : "● still positive";
    view.state.dataset.side = negative ? "negative" : "positive";
    const rows = [
      ["score of x_t", `${fixed(scene.score[t])}  (boundary ${fixed(scene.boundary)})`],
      ["P(negative) by the law", fixed(scene.probability[t])],
      ["alpha_bar", fixed(scene.alpha_bar[t], 3)],
    ];
    view.numbers.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
    view.nearest.replaceChildren(...scene.nearest[t].map((item, rank) => element("li",
      item === scene.item ? { class: "ws-own" } : {}, `${scene.names[item]}  ${fixed(scene.cosine[t][rank])}`)));
    view.output.textContent = t === scene.transition ? `t = ${t} = t*` : `t = ${t}`;
    view.slider.setAttribute("aria-valuetext", sentence(t));
    view.plane.setAttribute("aria-label", `Items and walk in the plane of the user. ${sentence(t)}`);
  };

  const show = (t) => {
    shown = Math.max(0, Math.min(last, t));
    view.slider.value = shown;
    write(shown);
    if (ready) {
      plane.draw(shown);
      curve.draw(shown);
    }
    view.root.dataset.t = shown;
    clearTimeout(whisper);
    whisper = setTimeout(() => { view.live.textContent = sentence(shown); }, 400);
  };

  const rebuild = () => {
    if (!view.plane.clientWidth) return; // not laid out yet: the observer calls again
    view.root.dataset.theme = isDark() ? "dark" : "light";
    const colours = palette(view.root);
    plane.rebuild(colours);
    curve.rebuild(colours);
    ready = true;
    show(shown);
  };

  const stop = () => {
    clearInterval(timer);
    timer = null;
    view.play.textContent = "▶ Play";
  };
  const play = () => {
    if (timer !== null) return stop();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (shown === last) show(0);
    view.play.textContent = "❚❚ Pause";
    timer = setInterval(() => {
      show(shown + (calm ? CALM_STEP : 1));
      if (shown === last) stop();
    }, calm ? CALM_MS : FRAME_MS);
  };
  const report = () => {
    if (model.get("t") === shown) return;
    model.set("t", shown);
    model.save_changes();
  };

  const follow = () => show(model.get("t"));
  view.slider.addEventListener("input", () => { stop(); show(view.slider.valueAsNumber); });
  view.play.addEventListener("click", play);
  view.root.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target === view.play) return;
    event.preventDefault();
    event.stopPropagation();
    play();
  });
  view.root.addEventListener("focusout", (event) => {
    if (!view.root.contains(event.relatedTarget)) report();
  });
  model.on("change:t", follow);
  const sizes = new ResizeObserver(rebuild);
  sizes.observe(view.plane);
  const themes = new MutationObserver(rebuild);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", rebuild);
  show(shown);
  rebuild();

  return () => {
    stop();
    clearTimeout(whisper);
    sizes.disconnect();
    themes.disconnect();
    scheme.removeEventListener("change", rebuild);
    model.off("change:t", follow);
  };
}

export default { render };
