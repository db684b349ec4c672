"""Pictures for boxes that have none: a night scene drawn from the box's name, the same one each time.

There are three motifs: a skyline over water, a circuit board, and a radar. Colours come in pairs that suit the pages.
"""

import hashlib
import math
from collections.abc import Iterator

WIDTH, HEIGHT = 640, 360
_PAIRS = (
    ("#f5c518", "#ff7a59"),
    ("#5cc8ff", "#7a6bff"),
    ("#ff5fa2", "#8b5cf6"),
    ("#45d483", "#22b8cf"),
    ("#ffa94d", "#ff5d7a"),
    ("#9be564", "#f5c518"),
)


class _Dice:
    """Numbers that look random and follow from a name alone."""

    def __init__(self, name: str) -> None:
        self._numbers = self._stream(name)

    def __call__(self, low: int, high: int) -> int:
        """Return a number from ``low`` to ``high``, both included."""
        return low + next(self._numbers) % (high - low + 1)

    @staticmethod
    def _stream(name: str) -> Iterator[int]:
        block = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        while True:
            for index in range(0, len(block), 2):
                yield block[index] << 8 | block[index + 1]
            block = hashlib.sha256(block).digest()


def draw(name: str) -> str:
    """Return the picture for ``name`` as an SVG of 16:9. The name itself is not written in it."""
    dice = _Dice(name)
    first, second = _PAIRS[dice(0, len(_PAIRS) - 1)]
    motif = (_skyline, _circuit, _radar)[dice(0, 2)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'preserveAspectRatio="xMidYMid slice"><defs>'
        f'<linearGradient id="n" x1="0" y1="0" x2="0.4" y2="1"><stop offset="0" stop-color="#0b0d14"/>'
        f'<stop offset="0.65" stop-color="#141626"/><stop offset="1" stop-color="{second}" stop-opacity="0.55"/></linearGradient>'
        f'<linearGradient id="a" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{first}"/>'
        f'<stop offset="1" stop-color="{second}"/></linearGradient>'
        f'<radialGradient id="g"><stop offset="0" stop-color="{first}" stop-opacity="0.5"/>'
        f'<stop offset="1" stop-color="{first}" stop-opacity="0"/></radialGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#0b0d14"/><rect width="{WIDTH}" height="{HEIGHT}" fill="url(#n)"/>'
        f"{motif(dice, first, second)}</svg>"
    )


def _skyline(dice: _Dice, first: str, second: str) -> str:
    """A low sun behind towers with lit windows, and its light on the water."""
    water = 268
    x, radius = dice(180, 460), dice(70, 105)
    y = water - dice(40, 95)
    parts = [
        f'<circle cx="{x}" cy="{y}" r="{radius * 2.4:.0f}" fill="url(#g)"/>',
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="url(#a)"/>',
    ]
    parts += [
        f'<rect x="{x - radius}" y="{y + step * 13}" width="{2 * radius}" height="{1 + step}" fill="#12131f"/>'
        for step in range(1, radius // 13 + 1)
    ]
    parts += _towers(dice, water, "#191c2e", 26, 60, 150, windows=None)
    parts += _towers(dice, water, "#0c0e17", 34, 30, 110, windows=first)
    parts.append(f'<rect y="{water}" width="{WIDTH}" height="{HEIGHT - water}" fill="#0a0c14"/>')
    for line in range(11):
        spread = radius * (1.15 - line * 0.05)
        width = dice(20, 100) / 100 * spread
        middle = x + dice(-14, 14)
        parts.append(
            f'<rect x="{middle - width:.0f}" y="{water + 5 + line * 8}" width="{2 * width:.0f}" height="2.5" rx="1" '
            f'fill="{first if line < 5 else second}" opacity="{0.8 - line * 0.06:.2f}"/>'
        )
    return "".join(parts)


def _towers(
    dice: _Dice, ground: int, colour: str, width: int, low: int, high: int, windows: str | None
) -> Iterator[str]:
    left = -dice(0, width)
    while left < WIDTH:
        wide, tall = dice(width // 2, width * 2), dice(low, high)
        top = ground - tall
        yield f'<rect x="{left}" y="{top}" width="{wide}" height="{tall}" fill="{colour}"/>'
        if dice(0, 3) == 0:
            yield f'<rect x="{left + wide // 2}" y="{top - 22}" width="2" height="22" fill="{colour}"/>'
        if windows:
            for _ in range(wide * tall // 420):
                spot_x, spot_y = left + 5 + 8 * dice(0, max(0, wide // 8 - 2)), top + 8 + 10 * dice(0, max(0, tall // 10 - 2))
                opacity = dice(25, 90) / 100
                yield f'<rect x="{spot_x}" y="{spot_y}" width="3" height="4" fill="{windows}" opacity="{opacity}"/>'
        left += wide + dice(0, 6)


def _circuit(dice: _Dice, first: str, second: str) -> str:
    """A chip in the middle of a board, with traces that run to the edges at right and half-right angles."""
    parts = [f'<circle cx="320" cy="180" r="230" fill="url(#g)" opacity="0.55"/>']
    size = dice(46, 62)
    for side in range(4):
        for pin in range(-3, 4):
            parts.append(_trace(dice, side, pin, size, first if dice(0, 2) else second))
    parts.append(
        f'<rect x="{320 - size}" y="{180 - size}" width="{2 * size}" height="{2 * size}" rx="10" fill="#0b0d14" '
        f'stroke="url(#a)" stroke-width="4"/>'
        f'<rect x="{320 - size + 14}" y="{180 - size + 14}" width="{2 * size - 28}" height="{2 * size - 28}" rx="5" '
        f'fill="none" stroke="{first}" stroke-opacity="0.35" stroke-width="1.5"/>'
    )
    cell, origin = (2 * size - 44) / 5, (320 - size + 22, 180 - size + 22)
    for row in range(5):
        for column in range(3):
            if dice(0, 1):
                for mirrored in {column, 4 - column}:
                    left, top = origin[0] + mirrored * cell, origin[1] + row * cell
                    parts.append(
                        f'<rect x="{left:.1f}" y="{top:.1f}" width="{cell - 2:.1f}" height="{cell - 2:.1f}" rx="2" fill="url(#a)"/>'
                    )
    return "".join(parts)


def _trace(dice: _Dice, side: int, pin: int, size: int, colour: str) -> str:
    """Return one trace, drawn as if to the right and then turned to its side."""
    reach = 330 if side % 2 == 0 else 190
    start, bend = size + 4, size + dice(14, 60)
    shift = pin * dice(8, 26 if side % 2 == 0 else 44)
    y = pin * (size / 4.2)
    end = reach if dice(0, 2) else bend + abs(shift) + dice(10, 60)
    path = f"M{start} {y:.0f}H{bend}l{abs(shift)} {shift}H{max(end, bend + abs(shift)):.0f}"
    node = (
        f'<circle cx="{max(end, bend + abs(shift)):.0f}" cy="{y + shift:.0f}" r="4.5" fill="#0b0d14" stroke="{colour}" stroke-width="2.5"/>'
    )
    return (
        f'<g transform="translate(320 180) rotate({side * 90})" opacity="{dice(45, 95) / 100}">'
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-linejoin="round"/>{node}</g>'
    )


def _radar(dice: _Dice, first: str, second: str) -> str:
    """Rings around a point at the edge, a beam, and echoes."""
    x, y = dice(150, 490), dice(150, 260)
    parts = [f'<circle cx="{x}" cy="{y}" r="260" fill="url(#g)" opacity="0.6"/>']
    for ring in range(1, 9):
        radius = ring * 46
        length = 2 * math.pi * radius
        dash = length * dice(30, 85) / 100
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="{first if ring % 2 else second}" '
            f'stroke-width="{dice(1, 5)}" stroke-opacity="{0.95 - ring * 0.08:.2f}" stroke-linecap="round" '
            f'stroke-dasharray="{dash:.0f} {length - dash:.0f}" transform="rotate({dice(0, 359)} {x} {y})"/>'
        )
    angle = math.radians(dice(0, 359))
    for step in range(10):
        turned = angle - step * 0.05
        parts.append(
            f'<path d="M{x} {y}L{x + 460 * math.cos(turned):.0f} {y + 460 * math.sin(turned):.0f}" stroke="{first}" '
            f'stroke-width="3" stroke-opacity="{0.5 - step * 0.045:.3f}"/>'
        )
    for _ in range(dice(6, 11)):
        turned, far = math.radians(dice(0, 359)), dice(60, 300)
        spot = f'cx="{x + far * math.cos(turned):.0f}" cy="{y + far * math.sin(turned):.0f}"'
        parts.append(
            f'<circle {spot} r="11" fill="{second}" opacity="0.25"/><circle {spot} r="{dice(3, 5)}" fill="{first}"/>'
        )
    parts.append(f'<circle cx="{x}" cy="{y}" r="9" fill="url(#a)"/>')
    return "".join(parts)
