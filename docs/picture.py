"""A picture (SVG) of what a command prints: standard input, with its colours, to standard output.

    (echo '$ gradus data show housing.toml'; CLICOLOR_FORCE=1 gradus data show housing.toml) \\
      | python3 docs/picture.py > docs/data-show.svg

Letters stand in a grid, whatever font the reader has; the bars of histograms are drawn.
"""
import re
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT, BORDER, SIZE = 7.8, 19, 18, 13
INK, PAPER = "#24292f", "#f6f8fa"
COLOURS = {"31": "#b35900", "32": "#1a7f37", "33": "#9a6700", "36": "#0969da"}  # dark enough on PAPER
BARS = "▁▂▃▄▅▆▇█"


def runs(line):
    """The line's pieces: column, text, the codes that it is printed with."""
    column, codes = 0, set()
    for piece in re.split(r"(\x1b\[[\d;]*m)", line):
        if piece.startswith("\x1b"):
            for code in piece[2:-1].split(";"):
                codes = set() if code in ("", "0") else codes | {code}
        elif piece:
            yield column, piece, codes
            column += len(piece)


def drawn(x, y, text, codes):
    colour = next((COLOURS[code] for code in codes if code in COLOURS), INK)
    style = f' fill="{colour}"' if colour != INK else ""
    style += ' font-weight="bold"' if "1" in codes else ""
    style += ' opacity="0.6"' if "2" in codes else ""
    # Words far from each other are placed one by one.
    for word in re.finditer(rf"[{BARS}]|[^\s{BARS}]+(?: [^\s{BARS}]+)*", text):
        left = x + word.start() * WIDTH
        if word[0] in BARS:
            high = (BARS.index(word[0]) + 1) * SIZE / 8
            yield f'<rect x="{left:.1f}" y="{y + 2 - high:.1f}" width="{WIDTH - 1:.1f}" height="{high:.1f}"{style}/>'
        else:
            long = f' textLength="{len(word[0]) * WIDTH:.1f}"' if len(word[0]) > 1 else ""
            yield f'<text x="{left:.1f}" y="{y}"{long}{style}>{escape(word[0])}</text>'


lines = sys.stdin.read().rstrip("\n").split("\n")
columns = max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines)
wide, high = round(columns * WIDTH + 2 * BORDER), len(lines) * HEIGHT + 2 * BORDER
print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
      f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" '
      f'font-size="{SIZE}" fill="{INK}">\n<rect width="{wide}" height="{high}" rx="8" fill="{PAPER}"/>')
for n, line in enumerate(lines):
    for column, text, codes in runs(line):
        for part in drawn(BORDER + column * WIDTH, BORDER + n * HEIGHT + SIZE, text, codes):
            print(part)
print("</svg>")
