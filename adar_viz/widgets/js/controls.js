// What moves a view: a slider with Play, a search list, a drop-down.

const THUMB = 16; // width of a range input's thumb in pixels: a mark on the track must follow its centre
const FRAME_MS = 120; // pace of playing
const CALM_MS = 1000, CALM_STEP = 5; // pace for readers who prefer reduced motion: stills, far apart
const LISTED = 60; // titles in the search list at a time

// A slider with Play: Space plays, arrow keys step. text(value) stands beside it; mark { at, text } is a place on the track.
class Player {
  constructor(values, { label, text, mark }, move) {
    Object.assign(this, { values, text, move, timer: null });
    const last = values.length - 1;
    this.button = control("button", { type: "button" }, "▶ Play");
    this.slider = control("input", { type: "range", min: 0, max: last, step: 1, value: 0, "aria-label": label });
    this.output = element("output", { "aria-hidden": "true" });
    const track = element("div", { class: "av-track" }, this.slider);
    if (mark) {
      const flag = element("span", { class: "av-flag", "aria-hidden": "true" }, mark.text);
      const share = last ? values.indexOf(mark.at) / last : 0;
      flag.style.left = `calc(${THUMB / 2}px + (100% - ${THUMB}px) * ${share})`;
      track.prepend(flag);
      track.classList.add("av-flagged");
    }
    this.root = element("div", { class: "av-player" }, this.button, track, this.output);
    this.slider.addEventListener("input", () => { this.stop(); move(values[this.slider.valueAsNumber]); });
    this.button.addEventListener("click", () => this.play());
  }

  show(value, sentence) {
    this.slider.value = this.values.indexOf(value);
    this.slider.setAttribute("aria-valuetext", sentence);
    this.output.textContent = this.text(value);
  }

  play() {
    if (this.timer !== null) return this.stop();
    const last = this.values.length - 1;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // Many frames: long strides. Few: every one of them.
    const stride = calm ? Math.min(CALM_STEP, Math.ceil(last / 10)) : 1;
    if (this.slider.valueAsNumber === last) this.move(this.values[0]);
    this.button.textContent = "❚❚ Pause";
    this.timer = setInterval(() => {
      const next = Math.min(last, this.slider.valueAsNumber + stride);
      this.move(this.values[next]);
      if (next === last) this.stop();
    }, calm ? CALM_MS : FRAME_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "▶ Play";
  }
}

// All items by title: type to search, arrow keys choose. What the pointer can select, the keyboard can, too.
class Finder {
  constructor(names, select) {
    this.all = Object.entries(names).map(([id, title]) => ({ id: Number(id), title, low: title.toLowerCase() }));
    this.all.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
    this.search = control("input", { type: "search", placeholder: "search by title", "aria-label": "search items by title" });
    this.list = control("select", { size: 4, "aria-label": "items; the chosen one is selected in all linked views" });
    this.count = element("span", { class: "av-quiet", "aria-live": "polite" });
    this.root = element("div", { class: "av-finder" }, element("div", {}, this.search, this.count), this.list);
    this.search.addEventListener("input", () => this.fill());
    this.list.addEventListener("change", () => select(Number(this.list.value)));
    this.selected = -1;
    this.fill();
  }

  fill() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = this.all.filter(({ low }) => low.includes(wanted));
    const shown = found.slice(0, LISTED);
    const chosen = this.all.find(({ id }) => id === this.selected);
    if (chosen && !shown.includes(chosen)) shown.unshift(chosen);
    const options = shown.map(({ id, title }) => element("option", { value: id }, title));
    this.list.replaceChildren(element("option", { value: -1 }, "– no item –"), ...options);
    this.list.value = this.selected;
    this.count.textContent = found.length > LISTED ? `first ${LISTED} of ${found.length}` : `${found.length} items`;
  }

  show(selected) {
    if (selected === this.selected) return;
    this.selected = selected;
    const option = [...this.list.options].find(({ value }) => Number(value) === selected);
    if (option) this.list.value = selected;
    else this.fill();
  }
}

// A labelled drop-down for a trait with few values; texts[i] names values[i]. A value that it has not shows as the first.
const chooser = (label, values, texts, choose) => {
  const list = control("select", {}, ...texts.map((text, i) => element("option", { value: i }, text)));
  list.addEventListener("change", () => choose(values[Number(list.value)]));
  const show = (value) => { list.value = Math.max(0, values.indexOf(value)); };
  return { root: element("label", { class: "av-chooser" }, `${label} `, list), show };
};
