"""Opens pages in a browser without a network, light and dark, on a phone and on a desktop.

    python look.py CHROMIUM PAGE... [--pictures FOLDER]

Each page must draw every figure in two seconds, ask for nothing, report no error, overflow nowhere and
write no text over another.
"""

import argparse
import pathlib
import sys
import time

from playwright.sync_api import TimeoutError, sync_playwright

SECONDS = 2.0
BYTES = 5_000_000

# Notes where the page writes on its canvases, in the pixels of each.
WATCH = """
window.written = [];
const original = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
  const size = this.measureText(text);
  const at = this.getTransform();
  const corner = (x, y) => new DOMPoint(x, y).matrixTransform(at);
  const left = { left: 0, start: 0, center: 0.5, right: 1, end: 1 }[this.textAlign] * size.width;
  const [a, b] = [
    corner(x - left, y - size.actualBoundingBoxAscent),
    corner(x - left + size.width, y + size.actualBoundingBoxDescent),
  ];
  window.written.push({
    canvas: this.canvas, text: String(text),
    left: Math.min(a.x, b.x), right: Math.max(a.x, b.x), top: Math.min(a.y, b.y), bottom: Math.max(a.y, b.y),
  });
  return original.call(this, text, x, y, ...more);
};
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...area) {
  window.written = window.written.filter((one) => one.canvas !== this.canvas);
  return clear.apply(this, area);
};
"""

# Problems of the page as it is: figures that are not drawn, blank canvases, texts over each other.
PROBLEMS = """
() => {
  const problems = [];
  const name = (element) => element.closest("figure")?.querySelector("h3").textContent || "page";
  for (const figure of document.querySelectorAll("figure")) {
    if (!figure.dataset.drawn) problems.push(`not drawn: ${name(figure)}`);
  }
  for (const canvas of document.querySelectorAll("canvas")) {
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const first = data.slice(0, 4).join();
    let blank = true;
    for (let n = 4; n < data.length && blank; n += 4) {
      blank = data[n] === data[0] && data[n + 1] === data[1] && data[n + 2] === data[2] && data[n + 3] === data[3];
    }
    if (blank) problems.push(`blank canvas (${first}): ${name(canvas)}`);
    if (!canvas.getAttribute("aria-label")) problems.push(`no label: ${name(canvas)}`);
  }
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const compare = (boxes, where) => {
    boxes.sort((a, b) => a.top - b.top);
    boxes.forEach((a, n) => {
      for (let m = n + 1; m < boxes.length && boxes[m].top < a.bottom; m += 1) {
        if (over(a, boxes[m])) problems.push(`"${a.text}" over "${boxes[m].text}": ${where}`);
      }
    });
  };
  const canvases = new Map();
  for (const one of window.written.filter((one) => one.canvas.isConnected && one.text.trim())) {
    canvases.set(one.canvas, [...(canvases.get(one.canvas) || []), one]);
  }
  for (const [canvas, boxes] of canvases) {
    const outside = boxes.filter((b) => b.left < -1 || b.right > canvas.width + 1 || b.top < -1 || b.bottom > canvas.height + 1);
    outside.forEach((b) => problems.push(`"${b.text}" is cut: ${name(canvas)}`));
    compare(boxes, name(canvas));
  }
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    // What scrolls in a box of its own is cut by the box.
    if (!node.data.trim() || parent.closest("script, noscript, pre, .scroll, .u-off")) continue;
    if (!parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      const { left, right, top, bottom } = box;
      if (right - left > 1) texts.push({ left, right, top: top + 2, bottom: bottom - 2, text: node.data.slice(0, 40) });
    }
  }
  compare(texts, "page");
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) problems.push(`the page is ${wide} pixels too wide`);
  return problems;
}
"""


def look(browser, path, width, scheme, picture):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    page = context.new_page()
    problems = []
    page.on("console", lambda said: problems.append(f"console: {said.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (problems.append("a dialog"), dialog.dismiss()))
    own = path.resolve().as_uri()
    page.on("request", lambda asked: asked.url == own or problems.append(f"asks for {asked.url}"))
    page.add_init_script(WATCH)
    began = time.monotonic()
    page.goto(own)
    try:
        page.wait_for_selector("html[data-ready]", state="attached", timeout=10_000)
    except TimeoutError:
        problems.append("is not drawn to its end")
    seconds = time.monotonic() - began
    if seconds > SECONDS:
        problems.append(f"opens in {seconds:.1f} s")
    page.wait_for_timeout(200)
    problems += page.evaluate(PROBLEMS)
    if page.title() == "harm":
        problems.append("a script of the data has run")
    # Each table opens, and each choice of a measure is drawn.
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for choice in page.query_selector_all("select"):
        for place in reversed(range(len(choice.query_selector_all("option")))):
            choice.select_option(index=place)
    page.wait_for_timeout(100)
    empty = "[...document.querySelectorAll('details')].filter((d) => !d.querySelector('td')).length"
    if page.evaluate(empty):
        problems.append("a table is empty")
    # The other colour scheme is drawn when the reader changes it.
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.wait_for_timeout(100)
    problems += page.evaluate(PROBLEMS)
    if picture:
        page.emulate_media(color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = false; })")
        page.wait_for_timeout(100)
        page.screenshot(path=picture, full_page=True)
    context.close()
    return list(dict.fromkeys(problems)), seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chromium")
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    parser.add_argument("--pictures", type=pathlib.Path)
    args = parser.parse_args()
    failed = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium)
        # The first page of a browser is slow.
        browser.new_page().goto("about:blank")
        for number, path in enumerate(args.pages):
            size = path.stat().st_size
            if size > BYTES:
                failed = True
                print(f"{path}: {size} bytes")
            for width in [390, 1280]:
                for scheme in ["light", "dark"]:
                    name = f"{number}-{path.parent.name[:20]}-{width}-{scheme}.png".replace("/", "")
                    picture = args.pictures and args.pictures / name.replace("<", "").replace(">", "")
                    problems, seconds = look(browser, path, width, scheme, picture)
                    failed |= bool(problems)
                    print(f"{path.parent.name[:30]}/{path.name}, {size // 1000} kB, {width}, {scheme}: {seconds:.2f} s")
                    for problem in problems[:20]:
                        print(f"  {problem}")
        browser.close()
    sys.exit(failed)


if __name__ == "__main__":
    main()
