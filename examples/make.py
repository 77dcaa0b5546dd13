"""Make the example photographs and their coarse masks anew: ``python examples/make.py`` (needs scikit-image).

The photographs ship with scikit-image. The masks are what comes before refinement: an outline clicked in a hurry
(astronaut, rocket), strokes of a fat brush (coffee), and the output of something that sees pixels sixteen times as
large (cat). Every run writes the same files.
"""

from pathlib import Path

from PIL import Image, ImageDraw
from skimage import data

HERE = Path(__file__).parent

ASTRONAUT_CLICKS = [  # x, y; clockwise, several pixels off
    (140, 55), (185, 12), (252, 8), (300, 50), (304, 105), (272, 142), (262, 168), (310, 218), (345, 262), (366, 330),
    (372, 345), (310, 375), (283, 420), (285, 511), (25, 511), (12, 400), (35, 285), (70, 238), (112, 200), (130, 160),
    (178, 140), (150, 105),
]  # fmt: skip
ROCKET_CLICKS = [(322, 122), (340, 150), (338, 300), (342, 408), (306, 412), (308, 300), (304, 150)]
CAT_OUTLINE = [
    (38, 0), (34, 60), (30, 110), (0, 140), (0, 300), (300, 300), (318, 240), (345, 190), (362, 150), (360, 80),
    (375, 45), (398, 0),
]  # fmt: skip
CAT_CELL = 16
COFFEE_FILL = (95, 75, 465, 375)  # left, top, right, bottom of an ellipse
COFFEE_DABS = [  # x, y, radius
    (130, 130, 45), (110, 220, 38), (150, 300, 48), (240, 345, 50), (350, 345, 46), (430, 270, 42), (440, 190, 45),
    (395, 110, 38), (290, 60, 48), (220, 65, 42), (360, 75, 40), (180, 80, 25), (165, 105, 20),
]  # fmt: skip


def polygon(size: tuple[int, int], points: list[tuple[int, int]]) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    return mask


def blocks(mask: Image.Image, cell: int) -> Image.Image:
    """Average over cells, decide for each cell, and enlarge the cells again."""
    few = (round(mask.width / cell), round(mask.height / cell))
    decided = mask.resize(few, Image.Resampling.BOX).point(lambda value: 255 if value > 127 else 0)
    return decided.resize(mask.size, Image.Resampling.NEAREST)


def brush(size: tuple[int, int], fill: tuple[int, int, int, int], dabs: list[tuple[int, int, int]]) -> Image.Image:
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    draw.ellipse(fill, fill=255)
    for x, y, radius in dabs:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return mask


def main() -> None:
    photographs = {name: Image.fromarray(getattr(data, name)()) for name in ("astronaut", "cat", "coffee", "rocket")}
    sizes = {name: photograph.size for name, photograph in photographs.items()}
    masks = {
        "astronaut": polygon(sizes["astronaut"], ASTRONAUT_CLICKS),
        "cat": blocks(polygon(sizes["cat"], CAT_OUTLINE), CAT_CELL),
        "coffee": brush(sizes["coffee"], COFFEE_FILL, COFFEE_DABS),
        "rocket": polygon(sizes["rocket"], ROCKET_CLICKS),
    }
    for name, photograph in photographs.items():
        photograph.save(HERE / f"{name}.jpg", quality=92)
        masks[name].save(HERE / f"{name}_mask.png", optimize=True)


if __name__ == "__main__":
    main()
