// Puts a view together: heading, the view's own parts, controls, theme, size, selection, teardown.
//
// A view's own script follows in the same module and exports, by default, only
//
//   { render: ({ model, el }) => mount(model, el, build) }
//
// where build(host) makes the view's own parts from host.scene and host.points (both sent once) and returns
//
//   kind             class of the root, for the view's own style sheet
//   body             nodes between the heading and the controls
//   choosers         [{ name, label, texts, values }] drop-downs below the body, a trait each; values are those of
//                    scene.choices unless given; leave it out for none
//   player           { name, label, text, mark } of the trait that the slider moves; leave it out for no slider
//   rebuild(colours) draw what does not move; called when the size or the theme changes, before draw
//   draw(state)      draw what moves and write the numbers; state holds the traits by name: state.t, state.selected, …
//   say(state)       the state in one sentence, for people who do not see the picture and below a saved one
//
// A control of the view's own calls host.set(name, value); a click on an item calls host.select(id).
// While a reader plays, nothing is sent to the kernel: traits are reported when the focus leaves the view, a selection
// at once. Nothing is loaded from anywhere: the script is inlined in exported pages.

const LINKED = ["selected", "user"]; // traits that linked views share

function mount(model, el, build) {
  const scene = model.get("scene");
  const names = [...Object.keys(scene.choices ?? {}), ...LINKED].filter((name) => model.get(name) !== undefined);
  const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  let colours = null, whisper = null;

  const set = (name, value) => {
    state[name] = value;
    show();
  };
  const report = () => {
    const changed = names.filter((name) => model.get(name) !== state[name]);
    for (const name of changed) model.set(name, state[name]);
    if (changed.length) model.save_changes();
  };
  const select = (value, name = "selected") => {
    set(name, value);
    report();
    const detail = { link: model.get("link"), name, value, from: model };
    if (detail.link) dispatchEvent(new CustomEvent("adar-viz:select", { detail }));
  };

  const view = build({ scene, points: model.get("points"), state, set, select });
  const choosers = (view.choosers ?? []).map(({ name, label, texts, values = scene.choices[name] }) =>
    ({ name, ...chooser(label, values, texts, (value) => (LINKED.includes(name) ? select(value, name) : set(name, value))) }));
  const player = view.player && new Player(scene.choices[view.player.name], view.player, (v) => set(view.player.name, v));
  const finder = scene.names && names.includes("selected") && new Finder(scene.names, select);
  const live = element("p", { class: "av-live", "aria-live": "polite" });
  const root = element("div", { class: `adar-view ${view.kind}`, role: "group", "aria-label": scene.heading },
    element("h2", {}, scene.heading), element("p", { class: "av-quiet" }, scene.intro ?? ""), ...view.body,
    element("div", { class: "av-controls" },
      ...(choosers.length ? [element("div", { class: "av-choosers" }, ...choosers.map((one) => one.root))] : []),
      ...(player ? [player.root] : []), ...(finder ? [finder.root] : []),
      tools(scene, state, () => photograph(root, view.say(state), colours))), live);
  el.append(root);

  function show() {
    const sentence = view.say(state);
    player?.show(state[view.player.name], sentence);
    finder?.show(state.selected);
    for (const one of choosers) one.show(state[one.name]);
    if (colours) view.draw(state);
    for (const name of names) root.dataset[name] = state[name];
    clearTimeout(whisper);
    whisper = setTimeout(() => { live.textContent = sentence; }, 400);
  }
  const rebuild = () => {
    if (!root.clientWidth) return; // not laid out yet: the observer calls again
    root.dataset.theme = isDark() ? "dark" : "light";
    colours = palette(root);
    view.rebuild(colours);
    show();
  };

  root.addEventListener("keydown", (event) => {
    if (event.key !== " " || !player || event.target !== player.slider) return;
    event.preventDefault();
    event.stopPropagation();
    player.play();
  });
  root.addEventListener("focusout", (event) => {
    if (!root.contains(event.relatedTarget)) report();
  });
  const follow = names.map((name) => [`change:${name}`, () => model.get(name) !== state[name] && set(name, model.get(name))]);
  for (const [event, call] of follow) model.on(event, call);
  const hear = ({ detail: { link, name, value, from } }) => {
    if (from === model || link !== model.get("link") || !names.includes(name)) return;
    model.set(name, value);
    set(name, value);
  };
  addEventListener("adar-viz:select", hear);
  const sizes = new ResizeObserver(rebuild);
  for (const canvas of root.querySelectorAll("canvas")) sizes.observe(canvas);
  // JupyterLab hides the page while it changes the theme, by the body's style: nothing can be drawn before it is back.
  const themes = new MutationObserver(() => { if (isDark() !== (root.dataset.theme === "dark")) rebuild(); });
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class", "style"] });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", rebuild);
  show();
  rebuild();

  return () => {
    player?.stop();
    clearTimeout(whisper);
    sizes.disconnect();
    themes.disconnect();
    scheme.removeEventListener("change", rebuild);
    removeEventListener("adar-viz:select", hear);
    for (const [event, call] of follow) model.off(event, call);
  };
}
