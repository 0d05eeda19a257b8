"use strict";
// Elements, numbers and colours. Texts of the data become text nodes, never markup.

/** An element with properties and children; a string child is a text. */
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A number with few letters. */
function short(x) {
  if (x === null || x === undefined) return "";
  if (typeof x === "string") return x;
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    return Number(x.toPrecision(4)).toExponential().replace("e+", "e");
  }
  return String(Number(x.toPrecision(5)));
}

/** The value of a variable of the style sheet, which differs between light and dark. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** A canvas of that size in the page's pixels, and its context, sharp on any screen. */
function canvas(width, height, label) {
  const scale = window.devicePixelRatio || 1;
  const element = make("canvas", { role: "img", "aria-label": label });
  element.width = Math.round(width * scale);
  element.height = Math.round(height * scale);
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
  const context = element.getContext("2d");
  context.scale(scale, scale);
  return [element, context];
}

/** A text cut to a width, with the context's font. */
function cut(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(text.slice(0, middle) + "…").width <= width) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low) + "…";
}

/** A table; the first cell of a row is its heading. */
function table(columns, rows) {
  const heads = columns.map((name) => make("th", { scope: "col" }, name));
  const body = make("tbody");
  for (const cells of rows) {
    const row = make("tr");
    cells.forEach((cell, n) => {
      row.append(n ? make("td", {}, cell) : make("th", { scope: "row" }, cell));
    });
    body.append(row);
  }
  const whole = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body);
  return make("div", { className: "scroll", tabIndex: 0 }, whole);
}

/** A table that is made when it is opened. */
function folded(words, columns, rows) {
  const details = make("details", {}, make("summary", {}, words));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(table(columns, rows()));
  });
  return details;
}
