// Heat maps: layers by steps, and confusion matrices.

/** The colours of a heat map, from low to high: viridis, which colour-blind readers see, too. */
const HEAT = [
  [68, 1, 84], [70, 50, 126], [54, 92, 141], [39, 127, 142],
  [31, 161, 135], [74, 193, 109], [160, 218, 57], [253, 231, 37],
];

function heatColour(share) {
  const place = Math.min(Math.max(share, 0), 1) * (HEAT.length - 1);
  const low = Math.min(Math.floor(place), HEAT.length - 2);
  const mixed = HEAT[low].map((c, n) => Math.round(c + (HEAT[low + 1][n] - c) * (place - low)));
  return `rgb(${mixed.join(",")})`;
}

/** Black or white, whichever can be read on it. */
function inkOn(share) {
  return share > 0.6 ? "#000" : "#fff";
}

/** The place of values between the lowest (0) and the highest (1) of a measure. */
function heatScale(measure) {
  const values = measure.cells.dense || measure.cells.sparse.map(([, , value]) => value);
  const numbers = values.filter((x) => typeof x === "number" && !(measure.log && x <= 0));
  const low = numbers.reduce((a, b) => Math.min(a, b), Infinity);
  const high = numbers.reduce((a, b) => Math.max(a, b), -Infinity);
  const on = measure.log ? Math.log : (x) => x;
  const share = (x) => {
    if (measure.log && x <= 0) return 0;
    return high > low ? (on(x) - on(low)) / (on(high) - on(low)) : 1;
  };
  const at = (share) => (measure.log ? low * Math.pow(high / low, share) : low + (high - low) * share);
  return { low, high, share, at, broken: values.some((x) => typeof x === "string") };
}

/** Calls `visit` with row, column and value of each cell that has a value. */
function eachCell(heat, measure, visit) {
  const columns = heat.column_names.length;
  if (measure.cells.sparse) measure.cells.sparse.forEach((cell) => visit(...cell));
  else {
    measure.cells.dense.forEach((value, n) => {
      if (value !== null) visit(Math.floor(n / columns), n % columns, value);
    });
  }
}

/** Draws a heat map into a box. */
function drawHeat(box, figure, width) {
  const heat = figure.picture;
  const below = make("div");
  const says = make("p", {});
  const choice = make("select", { "aria-label": "measure" });
  heat.measures.forEach((measure) => choice.append(make("option", {}, measure.name)));
  const show = () => {
    const measure = heat.measures[choice.selectedIndex];
    says.textContent = measure.says;
    below.replaceChildren(...heatMap(heat, measure, figure.title, width));
  };
  choice.addEventListener("change", show);
  choice.selectedIndex = box.chosen || 0;
  choice.addEventListener("change", () => (box.chosen = choice.selectedIndex));
  if (heat.measures.length > 1) box.append(make("div", { className: "controls" }, choice, says));
  box.append(below);
  show();
  const current = () => heat.measures[choice.selectedIndex];
  if (heat.square) {
    return [folded("Show as a table", [heat.rows, heat.columns, current().name], () => pairRows(heat, current()))];
  }
  const columns = [heat.rows, "first", "last", "lowest", "highest", "not finite"];
  return [folded("Show as a table", columns, () => layerRows(heat, current()))];
}

/** The canvas of a measure with its legend. */
function heatMap(heat, measure, label, width) {
  const [rows, columns] = [heat.row_names.length, heat.column_names.length];
  const [, ruler] = canvas(1, 1, "");
  ruler.font = FONT;
  const widest = (names) => names.reduce((w, name) => Math.max(w, ruler.measureText(name).width), 0);
  const left = Math.min(widest(heat.row_names), width * 0.3, 180) + 10;
  const room = width - left - 4;
  let cell = [room / columns, Math.min(22, Math.max(520 / rows, 1))];
  if (heat.square) {
    const side = Math.min(room, 560, 44 * columns) / columns;
    cell = [side, side];
  }
  const upright = heat.square && widest(heat.column_names) > cell[0] - 6;
  const bottom = upright ? Math.min(widest(heat.column_names), 90) + 8 : 20;
  const [plotWidth, plotHeight] = [cell[0] * columns, cell[1] * rows];
  // The first name is higher than its row, if rows are many.
  const top = cell[1] < 15 ? 8 : 0;
  const [element, context] = canvas(left + plotWidth + 4, top + plotHeight + bottom, label);
  context.translate(0, top);
  context.fillStyle = colour("grid");
  context.fillRect(left, 0, plotWidth, plotHeight);
  const scale = heatScale(measure);
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "middle";
  eachCell(heat, measure, (row, column, value) => {
    const share = typeof value === "string" ? null : scale.share(value);
    context.fillStyle = share === null ? colour("broken") : heatColour(share);
    const [x, y] = [left + column * cell[0], row * cell[1]];
    context.fillRect(x, y, Math.max(cell[0], 1) + 0.3, Math.max(cell[1], 1) + 0.3);
    if (heat.square && share !== null && cell[1] >= 15) {
      const text = short(value);
      context.fillStyle = inkOn(share);
      if (context.measureText(text).width < cell[0] - 2) context.fillText(text, x + cell[0] / 2, y + cell[1] / 2);
    }
  });
  context.fillStyle = colour("faint");
  context.textAlign = "right";
  const every = Math.ceil(15 / cell[1]);
  for (let row = 0; row < rows; row += every) {
    context.fillText(cut(context, heat.row_names[row], left - 10), left - 6, (row + 0.5) * cell[1]);
  }
  columnNames(context, heat, { left, top: plotHeight, cell: cell[0], upright, bottom });
  const hover = make("p", { className: "hover", "aria-live": "polite" }, "\u00a0");
  element.addEventListener("mousemove", (event) => {
    const column = Math.floor((event.offsetX - left) / cell[0]);
    const row = Math.floor((event.offsetY - top) / cell[1]);
    const inside = column >= 0 && column < columns && row >= 0 && row < rows;
    hover.textContent = inside ? hoverText(heat, measure, row, column) : "\u00a0";
  });
  return [element, hover, legend(measure, scale)];
}

function columnNames(context, heat, { left, top, cell, upright, bottom }) {
  const names = heat.column_names;
  if (upright) {
    context.textAlign = "right";
    const every = Math.ceil(15 / cell);
    for (let n = 0; n < names.length; n += every) {
      context.save();
      context.translate(left + (n + 0.5) * cell, top + 6);
      context.rotate(-Math.PI / 2);
      context.fillText(cut(context, names[n], bottom - 8), 0, 0);
      context.restore();
    }
    return;
  }
  context.textAlign = "center";
  let free = left - 4;
  names.forEach((name, n) => {
    const [middle, half] = [left + (n + 0.5) * cell, context.measureText(name).width / 2];
    if (middle - half < free + 8 && n > 0) return;
    if (middle + half > left + names.length * cell + 4) return;
    if (middle - half < left - 4) return;
    context.fillText(name, middle, top + 12);
    free = middle + half;
  });
}

function hoverText(heat, measure, row, column) {
  let value = measure.cells.sparse ? 0 : null;
  eachCell(heat, measure, (r, c, v) => {
    if (r === row && c === column) value = v;
  });
  const shown = value === null ? "none" : short(value);
  const [of, at] = [heat.row_names[row], heat.column_names[column]];
  return `${heat.rows} ${of}, ${heat.columns} ${at}: ${measure.name} ${shown}`;
}

function legend(measure, scale) {
  const box = make("div", { className: "legend" });
  if (scale.low <= scale.high) {
    const [bar, context] = canvas(160, 12, `colours from ${short(scale.low)} to ${short(scale.high)}`);
    for (let x = 0; x < 160; x += 1) {
      context.fillStyle = heatColour(scale.high > scale.low ? x / 159 : 1);
      context.fillRect(x, 0, 1.5, 12);
    }
    const middle = scale.high > scale.low ? `middle ${short(Number(scale.at(0.5).toPrecision(3)))}` : "";
    const words = measure.log ? "logarithmic" : "";
    box.append(word(short(scale.low)), bar, word(short(scale.high)), word(middle), word(words));
  }
  if (scale.broken) box.append(swatch("broken"), word("NaN or infinite"));
  box.append(swatch("grid"), word(measure.cells.sparse ? "0" : "no value"));
  return box;
}

function word(text) {
  return text ? make("span", {}, text) : "";
}

function swatch(name) {
  const element = make("span", { className: "swatch" });
  element.style.background = colour(name);
  return element;
}

function pairRows(heat, measure) {
  const cells = [...measure.cells.sparse].sort((a, b) => b[2] - a[2]).slice(0, 2000);
  return cells.map(([row, column, n]) => [heat.row_names[row], heat.column_names[column], short(n)]);
}

function layerRows(heat, measure) {
  const columns = heat.column_names.length;
  return heat.row_names.map((name, row) => {
    const cells = measure.cells.dense.slice(row * columns, (row + 1) * columns);
    const numbers = cells.filter((x) => typeof x === "number");
    const lowest = numbers.length ? short(Math.min(...numbers)) : "";
    const highest = numbers.length ? short(Math.max(...numbers)) : "";
    const broken = cells.filter((x) => typeof x === "string").length;
    return [name, short(cells[0]), short(cells[columns - 1]), lowest, highest, String(broken)];
  });
}
