// What a reader takes along: the picture, and the line of Python that makes it again.

// All canvases of a view where they stand, under its heading and above a sentence, as one PNG.
const photograph = (root, sentence, colours) => {
  const ratio = devicePixelRatio || 1, box = root.getBoundingClientRect();
  const canvases = [...root.querySelectorAll("canvas")].map((canvas) => [canvas, canvas.getBoundingClientRect()]);
  const foot = Math.max(...canvases.map(([, at]) => at.bottom - box.top));
  const whole = element("canvas", { width: Math.round(box.width * ratio), height: Math.round((foot + 60) * ratio) });
  const pen = whole.getContext("2d");
  pen.fillStyle = colours.back;
  pen.fillRect(0, 0, whole.width, whole.height);
  for (const [canvas, at] of canvases) pen.drawImage(canvas, (at.left - box.left) * ratio, (at.top - box.top) * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  write(pen, root.querySelector("h2").textContent, 12, 28, colours.text, { font: "600 17px system-ui, sans-serif" });
  const words = sentence.split(" ");
  pen.font = "12px system-ui, sans-serif";
  for (let y = foot + 22; words.length && y < foot + 60; y += 17) {
    let text = words.shift();
    while (words.length && pen.measureText(`${text} ${words[0]}`).width < box.width - 24) text += ` ${words.shift()}`;
    write(pen, text, 12, y, colours.text);
  }
  return whole.toDataURL("image/png");
};

// The line of Python that brings a view back to its present state; `View.as_code` writes the same.
const asCode = (scene, state) => {
  const literal = (value) => (typeof value === "string" ? `'${value}'` : String(value));
  const given = Object.entries(state).filter(([name, value]) => !(LINKED.includes(name) && value === -1));
  return `${scene.code}.drive(${given.map(([name, value]) => `${name}=${literal(value)}`).join(", ")})`;
};

const tools = (scene, state, snap) => {
  const save = control("button", { type: "button" }, "Save PNG");
  const copy = control("button", { type: "button" }, "Copy code");
  const code = element("code", { class: "av-code", "aria-live": "polite" });
  save.addEventListener("click", () => {
    const name = `${scene.heading.replace(/[^\p{L}\p{N}]+/gu, "_")}.png`;
    element("a", { href: snap(), download: name }).click();
  });
  copy.addEventListener("click", () => {
    code.textContent = asCode(scene, state);
    // Where the page may not use the clipboard, the line stands there to be copied by hand.
    navigator.clipboard?.writeText(code.textContent).catch(() => getSelection().selectAllChildren(code));
  });
  return element("div", { class: "av-tools" }, save, ...(scene.code ? [copy] : []), code);
};
