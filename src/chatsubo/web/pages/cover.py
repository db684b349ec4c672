"""Pictures for boxes that have none: a night scene drawn from the box's name, the same one each time.

There are four motifs: a skyline over water, a circuit board, a radar, and a plain with mountains. Colours come in
pairs that suit the pages.
"""

import hashlib
import math
from collections.abc import Iterator

WIDTH, HEIGHT = 640, 360
_NIGHT = "#0b0d14"
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
    motif = (_skyline, _circuit, _radar, _plain)[dice(0, 3)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'preserveAspectRatio="xMidYMid slice"><defs>'
        f'<linearGradient id="night" x1="0" y1="0" x2="0.4" y2="1"><stop offset="0" stop-color="{_NIGHT}"/>'
        '<stop offset="0.65" stop-color="#141626"/>'
        f'<stop offset="1" stop-color="{second}" stop-opacity="0.42"/></linearGradient>'
        f'<linearGradient id="pair" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{first}"/>'
        f'<stop offset="1" stop-color="{second}"/></linearGradient>'
        f'<radialGradient id="glow"><stop offset="0" stop-color="{first}" stop-opacity="0.5"/>'
        f'<stop offset="1" stop-color="{first}" stop-opacity="0"/></radialGradient></defs>'
        + _rect(0, 0, WIDTH, HEIGHT, fill=_NIGHT)
        + _rect(0, 0, WIDTH, HEIGHT, fill="url(#night)")
        + "".join(motif(dice, first, second))
        + "</svg>"
    )


def _shape(tag: str, **attributes: float | str) -> str:
    written = (
        f'{name.replace("_", "-")}="{value if isinstance(value, str) else format(round(value, 2), "g")}"'
        for name, value in attributes.items()
    )
    return f"<{tag} {' '.join(written)}/>"


def _rect(x: float, y: float, width: float, height: float, **more: float | str) -> str:
    return _shape("rect", x=x, y=y, width=width, height=height, **more)


def _circle(x: float, y: float, radius: float, **more: float | str) -> str:
    return _shape("circle", cx=x, cy=y, r=radius, **more)


def _line(path: str, colour: str, width: float, opacity: float = 1) -> str:
    return _shape("path", d=path, stroke=colour, stroke_width=width, stroke_opacity=opacity, fill="none")


def _skyline(dice: _Dice, first: str, second: str) -> Iterator[str]:
    """Draw a low sun behind towers with lit windows, and its light on the water."""
    water = 268
    x, radius = dice(180, 460), dice(70, 105)
    y = water - dice(40, 95)
    yield _circle(x, y, radius * 2.4, fill="url(#glow)")
    yield _circle(x, y, radius, fill="url(#pair)")
    for step in range(1, radius // 13 + 1):
        yield _rect(x - radius, y + step * 13, 2 * radius, 1 + step, fill="#12131f")
    yield from _towers(dice, water, colour="#191c2e", width=26, low=60, high=150)
    yield from _towers(dice, water, colour="#0c0e17", width=34, low=30, high=110, windows=first)
    yield _rect(0, water, WIDTH, HEIGHT - water, fill="#0a0c14")
    for line in range(11):
        half = dice(20, 100) / 100 * radius * (1.15 - line * 0.05)
        left = x + dice(-14, 14) - half
        colour = (first, first, second)[line // 4]
        yield _rect(left, water + 5 + line * 8, 2 * half, 2.5, fill=colour, opacity=0.8 - line * 0.06)


def _towers(
    dice: _Dice, ground: int, *, colour: str, width: int, low: int, high: int, windows: str = ""
) -> Iterator[str]:
    left = -dice(0, width)
    while left < WIDTH:
        wide, tall = dice(width // 2, width * 2), dice(low, high)
        top = ground - tall
        yield _rect(left, top, wide, tall, fill=colour)
        if dice(0, 3) == 0:
            yield _rect(left + wide // 2, top - 22, 2, 22, fill=colour)
        for _ in range(wide * tall // 420 if windows else 0):
            x, y = left + 5 + 8 * dice(0, max(0, wide // 8 - 2)), top + 8 + 10 * dice(0, max(0, tall // 10 - 2))
            yield _rect(x, y, 3, 4, fill=windows, opacity=dice(25, 90) / 100)
        left += wide + dice(0, 6)


def _circuit(dice: _Dice, first: str, second: str) -> Iterator[str]:
    """Draw a chip in the middle of a board, with traces that run to the edges."""
    x, y, half = WIDTH // 2, HEIGHT // 2, dice(46, 62)
    yield _circle(x, y, 230, fill="url(#glow)", opacity=0.55)
    for side in range(4):
        turned = f"translate({x} {y}) rotate({side * 90})"
        yield f'<g transform="{turned}">'
        for pin in range(-3, 4):
            yield from _trace(dice, pin, half, is_long=side % 2 == 0, colour=first if dice(0, 2) else second)
        yield "</g>"
    yield _rect(x - half, y - half, 2 * half, 2 * half, rx=10, fill=_NIGHT, stroke="url(#pair)", stroke_width=4)
    inner = half - 14
    yield _rect(x - inner, y - inner, 2 * inner, 2 * inner, rx=5, fill="#11131f", stroke=first, stroke_opacity=0.35)
    yield from _sign(dice, x - half + 22, y - half + 22, (2 * half - 44) / 5)


def _trace(dice: _Dice, pin: int, half: int, *, is_long: bool, colour: str) -> Iterator[str]:
    """Draw one trace as if it ran to the right."""
    bend = half + dice(14, 60)
    shift = pin * dice(8, 26 if is_long else 44)
    y = pin * half / 4.2
    edge = 330 if is_long else 190
    end = max(edge if dice(0, 2) else bend + abs(shift) + dice(10, 60), bend + abs(shift))
    yield _line(f"M{half + 4} {y:.0f}H{bend}l{abs(shift)} {shift}H{end}", colour, 2.5, dice(45, 95) / 100)
    yield _circle(end, y + shift, 4.5, fill=_NIGHT, stroke=colour, stroke_width=2.5)


def _sign(dice: _Dice, left: float, top: float, cell: float) -> Iterator[str]:
    """Draw a sign of five by five cells, the same on both sides."""
    for row in range(5):
        for column in range(3):
            if dice(0, 1):
                for mirrored in sorted({column, 4 - column}):
                    yield _rect(left + mirrored * cell, top + row * cell, cell - 2, cell - 2, rx=2, fill="url(#pair)")


def _radar(dice: _Dice, first: str, second: str) -> Iterator[str]:
    """Draw rings around a point, a beam, and echoes."""
    x, y = dice(150, 490), dice(150, 260)
    yield _circle(x, y, 260, fill="url(#glow)", opacity=0.6)
    for ring in range(1, 9):
        start, length = math.radians(dice(0, 359)), math.radians(dice(110, 300))
        radius, far = ring * 46, length > math.pi
        from_x, from_y = x + radius * math.cos(start), y + radius * math.sin(start)
        to_x, to_y = x + radius * math.cos(start + length), y + radius * math.sin(start + length)
        arc = f"M{from_x:.0f} {from_y:.0f}A{radius} {radius} 0 {far:d} 1 {to_x:.0f} {to_y:.0f}"
        yield _line(arc, (second, first)[ring % 2], dice(1, 5), 0.95 - ring * 0.08)
    beam = math.radians(dice(0, 359))
    for step in range(10):
        angle = beam - step * 0.05
        end = f"L{x + 460 * math.cos(angle):.0f} {y + 460 * math.sin(angle):.0f}"
        yield _line(f"M{x} {y}{end}", first, 3, 0.5 - step * 0.045)
    for _ in range(dice(6, 11)):
        angle, far_off = math.radians(dice(0, 359)), dice(60, 300)
        spot_x, spot_y = x + far_off * math.cos(angle), y + far_off * math.sin(angle)
        yield _circle(spot_x, spot_y, 11, fill=second, opacity=0.25) + _circle(spot_x, spot_y, dice(3, 5), fill=first)
    yield _circle(x, y, 9, fill="url(#pair)")


def _plain(dice: _Dice, first: str, second: str) -> Iterator[str]:
    """Draw a grid that runs to the horizon, mountains, stars and a moon."""
    horizon, x = dice(195, 225), dice(200, 440)
    moon, moon_x, moon_y = dice(26, 58), dice(110, 530), dice(60, 110)
    yield _circle(moon_x, moon_y, moon * 3, fill="url(#glow)") + _circle(moon_x, moon_y, moon, fill="url(#pair)")
    for _ in range(46):
        star = dice(0, WIDTH), dice(0, horizon - 60)
        yield _circle(*star, dice(6, 14) / 10, fill="#fff", opacity=dice(20, 80) / 100)
    yield _ridge(dice, horizon, 90, "#1b1e33", second) + _ridge(dice, horizon, 48, "#10121f", first)
    yield _rect(0, horizon, WIDTH, HEIGHT - horizon, fill="#090b12")
    depth = HEIGHT - horizon
    yield _line("".join(f"M{x} {horizon}L{x + lane * 110} {HEIGHT}" for lane in range(-14, 15)), second, 1.5, 0.5)
    yield _line("".join(f"M0 {horizon + depth * (row / 9) ** 2:.0f}H{WIDTH}" for row in range(1, 10)), second, 1.5, 0.6)
    yield _line(f"M0 {horizon}H{WIDTH}", first, 2.5) + _circle(x, horizon, 70, fill="url(#glow)")


def _ridge(dice: _Dice, ground: int, height: int, colour: str, edge: str) -> str:
    path, left = f"M-20 {ground}", -20
    while left < WIDTH:
        path += f"L{left} {ground - dice(height // 4, height)}"
        left += dice(28, 74)
    path += f"L{WIDTH + 20} {ground - dice(height // 4, height)}V{ground}Z"
    return _shape("path", d=path, fill=colour, stroke=edge, stroke_opacity=0.55, stroke_width=1.5)
