// Bars, small histograms, images and tables.

/** Bars are a table, so that they need no other one. */
function drawBars(box, figure) {
  const bars = figure.picture;
  const largest = bars.items.reduce((most, [, value]) => Math.max(most, Math.abs(value)), 0) || 1;
  const head = [bars.names, "", bars.values].map((name) => make("th", { scope: "col" }, name));
  const body = make("tbody");
  for (const [name, value, spread] of bars.items) {
    const bar = make("div", { className: value < 0 ? "bar below" : "bar" });
    bar.style.width = `${(100 * Math.abs(value)) / largest}%`;
    const plus = spread === null ? "" : ` ± ${short(Number(spread.toPrecision(2)))}`;
    const words = short(Number(value.toPrecision(3))) + plus;
    const row = make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, bar), make("td", {}, words));
    body.append(row);
  }
  box.append(make("table", { className: "bars" }, make("thead", {}, make("tr", {}, ...head)), body));
  return [];
}

function drawHistograms(box, figure) {
  const items = figure.picture.items;
  const grid = make("div", { className: "small" });
  for (const item of items) {
    const [width, height] = [150, 56];
    const [element, context] = canvas(width, height, `${item.name}: ${item.says}`);
    const most = item.counts.reduce((a, b) => Math.max(a, b), 1);
    context.fillStyle = colour("c0");
    item.counts.forEach((count, n) => {
      const tall = (count / most) * (height - 2);
      context.fillRect((n * width) / item.counts.length, height - 1 - tall, width / item.counts.length - 0.5, tall);
    });
    context.fillStyle = colour("line");
    context.fillRect(0, height - 1, width, 1);
    const ends = item.range.map((x) => make("span", {}, short(Number(x.toPrecision(3)))));
    grid.append(make("div", {}, make("p", {}, item.name), element, make("p", { className: "ends" }, ...ends)));
  }
  box.append(grid);
  const rows = () => items.map((item) => [item.name, short(item.range[0]), short(item.range[1]), item.counts.join(" ")]);
  return [folded("Show as a table", ["weight", "lowest", "highest", "values in each bin"], rows)];
}

function drawImages(box, figure) {
  const grid = make("div", { className: "images" });
  for (const item of figure.picture.items) {
    const [height, width] = item.size;
    const element = make("canvas", { width, height, role: "img", "aria-label": item.lines.join(", ") });
    const context = element.getContext("2d");
    const pixels = context.createImageData(width, height);
    const channels = item.pixels.length / (2 * width * height);
    const byte = (place) => parseInt(item.pixels.slice(2 * place, 2 * place + 2), 16);
    for (let n = 0; n < width * height; n += 1) {
      for (let c = 0; c < 3; c += 1) pixels.data[4 * n + c] = byte(n * channels + (channels === 3 ? c : 0));
      pixels.data[4 * n + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    grid.append(make("div", {}, element, ...item.lines.map((line) => make("p", {}, line))));
  }
  box.append(grid);
  return [];
}

/** A table of few rows is shown, a longer one is folded. */
function drawTable(box, figure) {
  const { columns, rows } = figure.picture;
  if (rows.length <= 20) {
    box.append(table(columns, rows));
    return [];
  }
  return [folded(`Show ${rows.length} rows`, columns, () => rows)];
}
