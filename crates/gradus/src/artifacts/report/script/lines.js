// Curves, points and bars, drawn by uPlot.

const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

/** The values of all series on one horizontal axis: `undefined` where a series has no point. */
function aligned(series) {
  const same = series.every((one) => String(one.x) === String(series[0].x));
  if (same) return [series[0].x, ...series.map((one) => one.y)];
  return uPlot.join(series.map((one) => [one.x, one.y]));
}

/** The range of an axis: the given one, else that of the values with some room. */
function range(given, values, log) {
  if (given) return given;
  const finite = values.filter((x) => x !== null && x !== undefined);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) return [0, 1];
  if (log) return [low / 1.3, high * 1.3];
  const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

/**
 * The places of a logarithmic axis: all digits times powers of ten, or few powers where there are
 * many. uPlot's own steps may never end where an axis begins between two powers.
 */
function decades(low, high) {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const step = Math.ceil((last - first) / 12);
  const places = [];
  for (let power = first; power <= last; power += step) {
    for (let digit = 1; digit <= (step > 1 ? 1 : 9); digit++) places.push(Number(`${digit}e${power}`));
  }
  return places.filter((x) => x >= low && x <= high);
}

/** The width of an axis that its longest number fits; it never shrinks, so that it settles. */
function axisSize(plot, values, axis) {
  const own = plot.axes[axis];
  plot.ctx.font = own.font[0];
  const widths = (values || []).map((text) => plot.ctx.measureText(text || "").width / uPlot.pxRatio);
  own.widest = Math.max(own.widest || 0, ...widths);
  return Math.ceil(own.ticks.size + own.gap + own.widest + 4);
}

/** The places of values between two gaps, which no line would show. */
function alone(values) {
  const places = [...values.keys()].filter((n) => values[n] !== undefined);
  const isGap = (n) => n === undefined || values[n] === null;
  return places.filter((n, k) => !isGap(n) && isGap(places[k - 1]) && isGap(places[k + 1]));
}

/** The options of one series. */
function seriesOptions(one) {
  const stroke = colour(`c${one.colour}`);
  const points = { show: true, size: 5, fill: stroke, filter: (u, n) => alone(u.data[n]) };
  const options = { label: one.name, stroke, width: 2, value: (_, x) => short(x), points };
  if (one.style === "dashed") options.dash = [6, 4];
  if (one.style === "joined") options.points = { show: true, size: 6, fill: stroke };
  if (one.style === "points") {
    options.paths = () => null;
    options.points = { show: true, size: 4, width: 0, fill: stroke + "99" };
  }
  if (one.style === "bars") {
    options.paths = uPlot.paths.bars({ size: [0.95, Infinity] });
    options.fill = stroke;
    options.width = 0;
    options.points = { show: false };
  }
  return options;
}

/** Draws what uPlot has no series for: lines to compare with, and marks. */
function drawOver(plot, lines) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = 1.5 * uPlot.pxRatio;
  ctx.setLineDash([2 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
  for (const one of lines.series.filter((one) => one.style === "reference")) {
    ctx.strokeStyle = colour(`c${one.colour}`);
    ctx.beginPath();
    one.x.forEach((x, n) => {
      ctx.lineTo(plot.valToPos(x, "x", true), plot.valToPos(one.y[n], "y", true));
    });
    ctx.stroke();
  }
  for (const mark of lines.marks) {
    const x = plot.valToPos(mark.x, "x", true);
    ctx.strokeStyle = colour("faint");
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Draws curves into a box. */
function drawLines(box, figure, width) {
  const lines = figure.picture;
  const drawn = lines.series.filter((one) => one.style !== "reference");
  const data = aligned(drawn);
  const all = drawn.flatMap((one) => one.y);
  const bars = drawn.some((one) => one.style === "bars");
  const single = drawn.every((one) => one.x.length < 2);
  const axis = (label) => ({
    label,
    labelSize: 18,
    labelFont: FONT,
    font: FONT,
    stroke: colour("faint"),
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { stroke: colour("grid"), width: 1, size: 4 },
    values: (_, splits) => splits.map(short),
  });
  const yRange = range(lines.y_range, bars ? [0, ...all] : all, lines.log);
  if (bars) yRange[0] = 0;
  const xs = data[0];
  const xRange = lines.x_range || (single ? [xs[0] - 1, xs[0] + 1] : range(null, xs, false));
  const initial = { x: xRange, y: yRange };
  const options = {
    width,
    height: Math.round(Math.min(300, Math.max(220, width * 0.55))),
    scales: {
      // The whole, unless a part is zoomed into.
      x: { time: false, range: (u, low, high) => (u.zoomed ? [low, high] : initial.x) },
      y: { distr: lines.log ? 3 : 1, range: () => initial.y },
    },
    axes: [
      { ...axis(lines.x), size: 32, space: 60, incrs: lines.x === "epoch" ? wholeSteps() : undefined },
      { ...axis(lines.y), ...(lines.log && { splits: () => decades(...yRange) }), size: axisSize, gap: 6 },
    ],
    series: [{ label: lines.x, value: (_, x) => short(x) }, ...drawn.map(seriesOptions)],
    legend: { markers: { width: 0, fill: (_, n) => n && colour(`c${drawn[n - 1].colour}`) } },
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    hooks: {
      draw: [(u) => drawOver(u, lines)],
      setSelect: [(u) => (u.zoomed = u.select.width > 0)],
    },
  };
  const plot = new uPlot(options, data, box);
  plot.over.addEventListener("dblclick", () => (plot.zoomed = false), true);
  plot.root.querySelectorAll("canvas").forEach((element) => {
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", figure.title);
  });
  return [folded("Show as a table", [lines.x, ...drawn.map((one) => one.name)], () => rowsOf(data))];
}

/** Steps between the numbers of an axis of whole numbers. */
function wholeSteps() {
  return [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((power) => [power, 2 * power, 5 * power]);
}

function rowsOf(data) {
  return data[0].map((x, row) => {
    return [short(x), ...data.slice(1).map((y) => (y[row] === null ? "not finite" : short(y[row])))];
  });
}
