"""Curves with two logarithmic axes as SVG that is readable on light and on dark pages."""

import math
from html import escape

WIDTH, HEIGHT = 820, 470
LEFT, RIGHT, TOP, BOTTOM = 78, 228, 64, 56
# Colour (light page, dark page), and the marker that tells lines apart without it.
LOOKS = [
    ("#1f6fd1", "#5aa2f5", "circle"),
    ("#12866a", "#35c9a0", "square"),
    ("#c2501c", "#f2884f", "triangle"),
    ("#7a4bc4", "#b48cf2", "diamond"),
    ("#8a6d00", "#d9b13b", "circle"),
]
SHAPES = {
    "circle": "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
    "square": "M-3.6,-3.6h7.2v7.2h-7.2z",
    "triangle": "M0,-4.8l4.6,8h-9.2z",
    "diamond": "M0,-5l5,5l-5,5l-5,-5z",
}


def chart(title, subtitle, x_label, y_label, series, marks=(), floor=None):
    """The SVG text. `series`: (name, points) by look; `marks`: (x, label) of vertical lines;
    `floor`: (name, points) of a thin dashed line."""
    lines = [*series, *([floor] if floor else [])]
    x = Axis([p[0] for _, points in series for p in points], LEFT, WIDTH - RIGHT)
    y = Axis([p[1] for _, points in lines for p in points], HEIGHT - BOTTOM, TOP, whole=True)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{style(len(series))}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        text(LEFT, 26, title, "title"),
        text(LEFT, 45, subtitle, "soft"),
    ]
    for value in y.ticks():
        at = y.place(value)
        out.append(f'<path class="grid" d="M{LEFT},{at:.1f}H{WIDTH - RIGHT}"/>')
        out.append(text(LEFT - 8, at + 4, label(value), "end"))
    xs = sorted({p[0] for _, points in series for p in points})
    last = -math.inf
    for value in xs:
        at = x.place(value)
        if at - last >= 46:
            out.append(f'<path class="grid" d="M{at:.1f},{TOP}V{HEIGHT - BOTTOM}"/>')
            out.append(text(at, HEIGHT - BOTTOM + 18, label(value), "middle"))
            last = at
    for value, name in marks:
        if x.low < value < x.high:
            at = x.place(value)
            out.append(f'<path class="mark" d="M{at:.1f},{TOP}V{HEIGHT - BOTTOM}"/>')
            out.append(text(at + 4, HEIGHT - BOTTOM - 8, name, "soft"))
    out.append(f'<path class="frame" d="M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_label, "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(f'<text class="middle" transform="translate(18,{middle}) rotate(-90)">{escape(y_label)}</text>')
    ends = []
    for number, (name, points) in enumerate(lines):
        places = [(x.place(a), y.place(b)) for a, b in sorted(points) if a >= x.low]
        dashed = floor is not None and number == len(series)
        kind = "floor" if dashed else f"s{number}"
        out.append(f'<path class="{kind} line" d="M' + "L".join(f"{a:.1f},{b:.1f}" for a, b in places) + '"/>')
        if not dashed:
            shape = SHAPES[LOOKS[number % len(LOOKS)][2]]
            out += [f'<path class="{kind} dot" transform="translate({a:.1f},{b:.1f})" d="{shape}"/>' for a, b in places]
        ends.append((places, name, kind))
    out += end_labels(ends)
    return "\n".join([*out, "</svg>", ""])


def end_labels(ends):
    """The lines' names at their right ends, moved apart where they would lie on each other."""
    out, last = [], -math.inf
    for places, name, kind in sorted(ends, key=lambda e: e[0][-1][1]):
        a, b = places[-1]
        if a < WIDTH - RIGHT - 1:  # a line that ends early has its name where it begins
            out.append(text(places[0][0] + 8, above(places, 130) - 8, name, f"name {kind}t"))
            continue
        at = max(b + 4, last + 16)
        last = at
        out.append(f'<path class="{kind} lead" d="M{a + 6:.1f},{b:.1f}L{WIDTH - RIGHT + 10},{at - 4:.1f}"/>')
        out.append(text(WIDTH - RIGHT + 14, at, name, f"name {kind}t"))
    return out


def above(places, width):
    """The highest place of a line within a width from its beginning."""
    end = places[0][0] + width
    (a, b), *more = places
    highest = b
    for c, d in more:
        share = min((end - a) / (c - a), 1)
        highest = min(highest, b + share * (d - b))
        if c >= end:
            break
        a, b = c, d
    return highest


class Axis:
    """A logarithmic axis from one place to another that has these values."""

    def __init__(self, values, start, end, whole=False):
        self.low, self.high = min(values), max(values)
        self.start, self.end = start, end
        low, high = math.log10(self.low), math.log10(self.high)
        if whole:  # up to the next tick
            steps = [math.log10(s) for s in (1, 2, 5, 10)]
            low = max(math.floor(low) + s for s in steps if math.floor(low) + s <= low + 1e-9)
            high = min(math.floor(high) + s for s in steps if math.floor(high) + s >= high - 1e-9)
        self.from_, self.span = low, (high - low) or 1

    def place(self, value):
        share = (math.log10(value) - self.from_) / self.span
        return self.start + share * (self.end - self.start)

    def ticks(self):
        wanted = (1,) if self.span > 3.2 else (1, 2, 5)
        first = math.floor(self.from_)
        values = [s * 10.0**e for e in range(first, math.ceil(self.from_ + self.span) + 1) for s in wanted]
        edge = 1e-9
        return [v for v in values if self.from_ - edge <= math.log10(v) <= self.from_ + self.span + edge]


def label(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def text(x, y, words, kind):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def style(series):
    def colours(dark):
        page, ink, soft, grid = ("#0d1117", "#e6edf3", "#9aa4af", "#262c34") if dark else (
            "#ffffff", "#1f2328", "#59636e", "#e4e8ec")
        rules = [f".page{{fill:{page}}}", f"text{{fill:{ink}}}", f".soft{{fill:{soft}}}", f".grid{{stroke:{grid}}}",
                 f".frame,.mark,.floor.line,.floor.lead{{stroke:{soft}}}", f".floort{{fill:{soft}}}"]
        for number in range(series):
            colour = LOOKS[number % len(LOOKS)][1 if dark else 0]
            rules += [f".s{number}.line,.s{number}.lead{{stroke:{colour}}}",
                      f".s{number}.dot{{fill:{colour};stroke:{page}}}", f".s{number}t{{fill:{colour}}}"]
        return "".join(rules)

    return (
        "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif}.title{font-size:16px;font-weight:600}"
        ".end{text-anchor:end}.middle{text-anchor:middle}.name{font-weight:600}path{fill:none}"
        ".line{stroke-width:2}.lead{stroke-width:.7}.floor.line,.mark{stroke-width:1;stroke-dasharray:5 4}"
        + colours(dark=False) + "@media(prefers-color-scheme:dark){" + colours(dark=True) + "}"
    )
