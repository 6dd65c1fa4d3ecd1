// What a reader takes along: the picture, and the line of Python that makes it again.

// All of a view above its controls, and below that the state in a sentence, as one PNG.
const photograph = (root, sentence, colours) => {
  const ratio = devicePixelRatio || 1, box = root.getBoundingClientRect();
  const foot = root.querySelector(".av-controls").previousElementSibling.getBoundingClientRect().bottom - box.top;
  const whole = element("canvas", { width: Math.round(box.width * ratio), height: Math.round((foot + 60) * ratio) });
  const pen = whole.getContext("2d");
  pen.fillStyle = colours.back;
  pen.fillRect(0, 0, whole.width, whole.height);
  for (const canvas of root.querySelectorAll("canvas")) {
    const at = canvas.getBoundingClientRect();
    pen.drawImage(canvas, (at.left - box.left) * ratio, (at.top - box.top) * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  copyWords(pen, root, box);
  const words = sentence.split(" ");
  pen.font = "12px system-ui, sans-serif";
  for (let y = foot + 18; words.length && y < foot + 60; y += 17) {
    let text = words.shift();
    while (words.length && pen.measureText(`${text} ${words[0]}`).width < box.width - 24) text += ` ${words.shift()}`;
    write(pen, text, 12, y, colours.text);
  }
  return whole.toDataURL("image/png");
};

// Write every word of a view above its controls where it stands: headings, numbers, legends.
const copyWords = (pen, root, box) => {
  const range = document.createRange(), nodes = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    if (node.parentElement.closest(".av-controls, .av-player, .av-live, .av-tip, select")) continue;
    const { fontWeight, fontSize, fontFamily, color } = getComputedStyle(node.parentElement);
    const font = `${fontWeight} ${fontSize} ${fontFamily}`;
    const place = [...node.parentElement.closest("ol")?.children ?? []].indexOf(node.parentElement); // a list's numbers are no text
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const at = range.getBoundingClientRect();
      const number = index === 0 && place >= 0 ? `${place + 1}. ` : "";
      if (number) write(pen, number, at.left - box.left, at.bottom - box.top - 0.25 * at.height, color, { font, align: "right" });
      if (at.width) write(pen, word, at.left - box.left, at.bottom - box.top - 0.25 * at.height, color, { font });
    }
  }
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
