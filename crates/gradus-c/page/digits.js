// A pad for a digit, which a model of square images reads while it is drawn.
import { gradus } from "./gradus.js";

const find = (id) => document.getElementById(id);
const pad = find("pad");
const pen = pad.getContext("2d");
pen.lineWidth = 24;
pen.lineCap = pen.lineJoin = "round";

let model;
let strokes = [];

// Draws lines through the points, each put where `place` says.
function draw(on, place) {
  for (const stroke of strokes) {
    on.beginPath();
    const [x, y] = place(stroke[0]);
    on.moveTo(x, y);
    for (const point of stroke) on.lineTo(...place(point));
    on.stroke();
  }
}

// The image that the model was trained on: the digit fills the square's height or width, with lines of
// a seventh of it; a pixel is the share of it that is covered.
function pixels(side) {
  const points = strokes.flat();
  const all = (n) => points.map((point) => point[n]);
  const [left, top] = [Math.min(...all(0)), Math.min(...all(1))];
  const [width, height] = [Math.max(...all(0)) - left, Math.max(...all(1)) - top];
  const fine = 4;
  const size = side * fine;
  const image = new OffscreenCanvas(size, size).getContext("2d");
  image.lineWidth = size / 7;
  image.lineCap = image.lineJoin = "round";
  const scale = (size - image.lineWidth) / Math.max(width, height, 1);
  const middle = (from, extent, at) => (at - from - extent / 2) * scale + size / 2;
  draw(image, ([x, y]) => [middle(left, width, x), middle(top, height, y)]);
  const covered = image.getImageData(0, 0, size, size).data;
  const row = new Float32Array(side * side);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const pixel = Math.floor(y / fine) * side + Math.floor(x / fine);
      row[pixel] += covered[4 * (y * size + x) + 3] / (255 * fine * fine);
    }
  }
  return row;
}

function show() {
  pen.clearRect(0, 0, pad.width, pad.height);
  pen.strokeStyle = getComputedStyle(pad).color;
  draw(pen, (point) => point);
  find("classes").replaceChildren();
  find("answer").textContent = "…";
  if (!model || !strokes.length) return;
  const shares = model.predict(pixels(Math.sqrt(model.inputSize)));
  find("answer").textContent = shares.indexOf(Math.max(...shares));
  shares.forEach((share, digit) => {
    const line = document.createElement("li");
    const meter = Object.assign(document.createElement("meter"), { value: share });
    line.append(String(digit), meter, `${Math.round(100 * share)}%`);
    find("classes").append(line);
  });
}

const library = gradus("gradus_c.wasm");

// Takes a model of images and their probabilities, from its file's bytes.
async function take(bytes) {
  const loaded = (await library).load(new Uint8Array(await bytes));
  if (!Number.isInteger(Math.sqrt(loaded.inputSize))) {
    loaded.free();
    throw new Error(`a model of ${loaded.inputSize} numbers: they are no square image`);
  }
  model?.free();
  model = loaded;
  document.body.dataset.ready = "true";
  show();
}

const refuse = (error) => {
  find("answer").textContent = error.message;
};

const at = (event) => [event.offsetX * (pad.width / pad.clientWidth), event.offsetY * (pad.height / pad.clientHeight)];
pad.addEventListener("pointerdown", (event) => {
  pad.setPointerCapture(event.pointerId);
  strokes.push([at(event)]);
  show();
});
pad.addEventListener("pointermove", (event) => {
  if (!pad.hasPointerCapture(event.pointerId)) return;
  strokes.at(-1).push(at(event));
  show();
});
find("clear").addEventListener("click", () => {
  strokes = [];
  show();
});
find("model").addEventListener("change", ({ target }) => take(target.files[0].arrayBuffer()).catch(refuse));

fetch("model.keras")
  .then((answer) => (answer.ok ? take(answer.arrayBuffer()) : Promise.reject(new Error("no model.keras beside the page"))))
  .catch(refuse);
