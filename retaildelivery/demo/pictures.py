"""Drawn photos of doors and scribbled signatures, so that a simulated proof shows something."""

import random
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

PHOTO_SIZE = (720, 960)
SIGNATURE_SIZE = (600, 200)
WALLS = ("#d8c8ae", "#bfc9cf", "#c9b2a0", "#e2dccf", "#a9b3a2", "#cfa98c")
DOORS = ("#20435c", "#7a2e22", "#2f5d43", "#3b3b3b", "#8a5a2b", "#5b4a72")
CARTON = "#b98a55"


def door_photo(dice: random.Random, *, parcels: int) -> bytes:
    """A JPEG of a front door with so many parcels before it, at most four of them drawn."""
    width, height = PHOTO_SIZE
    picture = Image.new("RGB", PHOTO_SIZE, dice.choice(WALLS))
    pen = ImageDraw.Draw(picture)
    ground = int(height * dice.uniform(0.78, 0.84))
    pen.rectangle((0, ground, width, height), fill="#8d8a84")
    left = int(width * dice.uniform(0.22, 0.34))
    right = left + int(width * 0.42)
    top = int(height * 0.14)
    pen.rectangle((left - 18, top - 18, right + 18, ground), fill="#f1ede4")
    pen.rectangle((left, top, right, ground), fill=dice.choice(DOORS))
    for row in range(2):
        for column in range(2):
            x = left + 24 + column * (right - left) // 2
            y = top + 30 + row * (ground - top) // 2
            pen.rectangle(
                (x, y, x + (right - left) // 2 - 48, y + (ground - top) // 2 - 70),
                outline="#00000055",
                width=4,
            )
    pen.ellipse((right - 44, (top + ground) // 2 - 12, right - 20, (top + ground) // 2 + 12), fill="#d7b65d")
    pen.rounded_rectangle((right + 40, top + 90, right + 104, top + 128), 6, fill="#fbfbf7")
    pen.text((right + 52, top + 100), str(dice.randint(100, 9_899)), fill="#222222", font_size=18)
    x = left + dice.randint(-60, 40)
    for _ in range(min(parcels, 4)):
        wide, tall = dice.randint(90, 170), dice.randint(70, 140)
        base = ground + dice.randint(20, 60)
        pen.rectangle((x, base - tall, x + wide, base), fill=CARTON, outline="#7d5a32", width=3)
        pen.rectangle((x + wide // 2 - 9, base - tall, x + wide // 2 + 9, base), fill="#d9c39a")
        pen.rectangle((x + 12, base - tall + 14, x + 60, base - tall + 46), fill="#fbfbf7")
        x += wide + dice.randint(-10, 18)
    return _saved(picture.filter(ImageFilter.GaussianBlur(0.8)), "JPEG")


def signature(dice: random.Random) -> bytes:
    """A PNG of a scribble, black on nothing."""
    width, height = SIGNATURE_SIZE
    picture = Image.new("RGBA", SIGNATURE_SIZE, (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    x, y = 30.0, height / 2
    points = [(x, y)]
    while x < width - 60:
        x += dice.uniform(4, 26)
        y = min(max(y + dice.gauss(0, 34), 24), height - 24)
        points.append((x, y))
    pen.line(points, fill=(20, 24, 60, 255), width=4, joint="curve")
    return _saved(picture, "PNG")


def _saved(picture: Image.Image, kind: str) -> bytes:
    data = BytesIO()
    picture.save(data, kind, quality=72)
    return data.getvalue()
