// The page: its sections, drawn again when their width or the colour scheme changes.

const DRAW = {
  lines: drawLines,
  heat: drawHeat,
  bars: drawBars,
  histograms: drawHistograms,
  images: drawImages,
  table: drawTable,
};

/** The element of a figure, and the function that draws it. */
function figureElement(figure) {
  const box = make("div");
  const caption = make("figcaption", {}, figure.caption);
  const element = make("figure", { className: figure.wide ? "wide" : "" }, make("h3", {}, figure.title), box, caption);
  let drawnWidth = 0;
  const draw = (again) => {
    const width = Math.floor(box.clientWidth);
    if (width === 0 || (width === drawnWidth && !again)) return;
    drawnWidth = width;
    box.replaceChildren();
    try {
      const tables = DRAW[figure.picture.kind](box, figure, width);
      if (!element.dataset.drawn) element.append(...tables);
      element.dataset.drawn = figure.picture.kind;
    } catch (error) {
      // The others are drawn all the same.
      box.replaceChildren("This picture could not be drawn.");
      console.error(error);
    }
  };
  return [element, draw];
}

function copyButton(pre) {
  const button = make("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(pre);
    try {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: copy it by keyboard";
    }
  });
  return button;
}

const { sections } = JSON.parse(document.getElementById("data").textContent);
const draws = [];
for (const section of sections) {
  const grid = make("div", { className: "figures" });
  for (const figure of section.figures) {
    const [element, draw] = figureElement(figure);
    grid.append(element);
    draws.push([element, draw]);
  }
  const notes = section.notes.map((note) => make("p", { className: "note" }, note));
  const whole = make("section", {}, make("h2", {}, section.title), ...notes, grid);
  document.getElementById("sections").append(whole);
}
document.querySelectorAll(".config").forEach((box) => box.append(copyButton(box.querySelector("pre"))));
draws.forEach(([, draw]) => draw());
const resized = new ResizeObserver((entries) => {
  for (const entry of entries) draws.find(([element]) => element === entry.target)[1]();
});
draws.forEach(([element]) => resized.observe(element));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draws.forEach(([, draw]) => draw(true)));
document.documentElement.dataset.ready = "true";
