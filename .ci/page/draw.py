"""Draws digits on the page of crates/gradus-c/page, as a mouse does, and reads what a model makes of them.

    python draw.py CHROMIUM FOLDER [--picture FILE]

FOLDER has the page, gradus_c.wasm, and a model.keras of the digits.
"""

import argparse
import functools
import http.server
import math
import pathlib
import sys
import tempfile
import threading

from playwright.sync_api import TimeoutError, sync_playwright

# Strokes in a square of side 1.
CIRCLE = [(0.5 + 0.3 * math.sin(t / 4), 0.5 - 0.42 * math.cos(t / 4)) for t in range(27)]
DIGITS = {
    "0": [CIRCLE],
    "1": [[(0.5, 0.1), (0.5, 0.9)]],
    "4": [[(0.6, 0.1), (0.2, 0.6), (0.8, 0.6)], [(0.65, 0.35), (0.6, 0.95)]],
    "7": [[(0.2, 0.1), (0.8, 0.1), (0.45, 0.9)], [(0.3, 0.5), (0.75, 0.5)]],
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def draw(page, strokes):
    page.click("#clear")
    box = page.locator("#pad").bounding_box()
    place = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])
    for stroke in strokes:
        page.mouse.move(*place(*stroke[0]))
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*place(*point), steps=4)
        page.mouse.up()


def look(page, address):
    problems = []
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.goto(address)
    try:
        page.wait_for_selector("body[data-ready]", timeout=60_000)
    except TimeoutError:
        return problems + [f"no model: {page.text_content('#answer')}"]
    for digit, strokes in DIGITS.items():
        draw(page, strokes)
        found = page.text_content("#answer")
        share = page.locator("meter").nth(int(digit)).evaluate("meter => meter.value")
        print(f"drawn {digit}, read as {found} ({share:.0%} for {digit})")
        if found != digit:
            problems.append(f"a {digit} is read as {found}")
    # A file that is no model is told, and the model stays.
    with tempfile.NamedTemporaryFile(suffix=".keras") as wrong:
        wrong.write(b"<html>")
        wrong.flush()
        page.set_input_files("#model", wrong.name)
        page.wait_for_function("document.getElementById('answer').textContent.includes('HTML')", timeout=5_000)
    draw(page, DIGITS["0"])
    if page.text_content("#answer") != "0":
        problems.append("a file that is no model changed the model")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chromium")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--picture")
    given = parser.parse_args()
    handler = functools.partial(Quiet, directory=given.folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium)
        page = browser.new_page()
        problems = look(page, f"http://127.0.0.1:{server.server_port}/")
        if given.picture:
            page.screenshot(path=given.picture)
        browser.close()
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


main()
