"""Writes images of each form with Pillow, and its pixels of them: python3 tests/golden/images/make.py"""

import json
import os

import numpy as np
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
rows, columns = 12, 20
y, x = np.mgrid[:rows, :columns]
color = np.stack([x * 12, y * 20, (x + y) * 8], axis=-1).astype("uint8")
rgb = Image.fromarray(color)
alpha = np.dstack([color, 255 - x * 3]).astype("uint8")
expected = {}


def save(name, image, **options):
    """Saves an image, and what Pillow reads from it."""
    image.save(f"{HERE}/{name}", **options)
    with Image.open(f"{HERE}/{name}") as read:
        expected[name] = np.asarray(read.convert("RGB")).tolist()


save("color.png", rgb)
save("gray.png", rgb.convert("L"))
save("alpha.png", Image.fromarray(alpha))
save("palette.png", rgb.quantize(16))
save("bits.png", rgb.convert("1"))
Image.fromarray((x * 3000 + y).astype("uint16")).save(f"{HERE}/deep.png")
expected["deep.png"] = np.repeat(((x * 3000 + y) // 256)[..., None], 3, axis=-1).tolist()
save("color.jpg", rgb, quality=95, subsampling=0)
save("gray.jpg", rgb.convert("L"), quality=95)
save("progressive.jpg", rgb, quality=95, subsampling=0, progressive=True)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    rgb.save(f"{HERE}/turned_{orientation}.jpg", quality=95, subsampling=0, exif=exif)
    with Image.open(f"{HERE}/turned_{orientation}.jpg") as read:
        expected[f"turned_{orientation}.jpg"] = np.asarray(ImageOps.exif_transpose(read).convert("RGB")).tolist()
expected["gray of color.png"] = np.asarray(rgb.convert("L")).tolist()
for to_rows, to_columns in [(5, 7), (6, 10), (12, 9), (30, 41)]:
    scaled = rgb.resize((to_columns, to_rows), Image.Resampling.BILINEAR)
    expected[f"color.png as {to_rows} by {to_columns}"] = np.asarray(scaled).tolist()
with open(f"{HERE}/pixels.json", "w") as file:
    json.dump(expected, file, separators=(",", ":"))
    file.write("\n")
