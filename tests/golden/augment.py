"""Golden values of affine transformations and colors of images: PyTorch's in f64.

usage: python augment.py > augment.json

Needs PyTorch; the tests need only the JSON file.

The transformations are matrices in mathematical coordinates (x to the right, y up), inverted for `grid_sample`, which interpolates
bilinearly with zeros outside the image. The colors follow the formulas of torchvision's `adjust_brightness`, `adjust_contrast` and
`adjust_saturation`. Everything is computed in f64 from f32 images. No angle has a sine or cosine of 1/2, which would put the middle between two
pixels, where the nearest one depends on a rounding.
"""

import json
import math

import torch
import torch.nn.functional as F

torch.manual_seed(11)


def transformed(image, forward, mode):
    """`forward` maps a position, relative to the center in pixels, to where it moves."""
    height, width = image.shape[1:]
    inverse = torch.linalg.inv(torch.tensor(forward, dtype=torch.float64))
    # From the normalized coordinates of PyTorch, where y goes down, to pixels, and back.
    pixels = torch.diag(torch.tensor([width / 2, -height / 2, 1.0], dtype=torch.float64))
    theta = (torch.linalg.inv(pixels) @ inverse @ pixels)[:2]
    grid = F.affine_grid(theta[None], (1, *image.shape), align_corners=False)
    return F.grid_sample(image[None], grid, mode=mode, padding_mode="zeros", align_corners=False)[0]


def rotation(degrees):
    """Counterclockwise."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [[c, -s, 0], [s, c, 0], [0, 0, 1]]


def scale(factor):
    return [[factor, 0, 0], [0, factor, 0], [0, 0, 1]]


def shift(rows, columns):
    """Down and to the right."""
    return [[1, 0, columns], [0, 1, -rows], [0, 0, 1]]


def shear(across, along):
    """What is below the center moves to the right; what is to the right of it moves down."""
    return [[1, -across, 0], [-along, 1, 0], [0, 0, 1]]


def gray(image):
    if image.shape[0] != 3:
        return image.mean(0, keepdim=True)
    red, green, blue = image
    return (0.2989 * red + 0.587 * green + 0.114 * blue)[None]


def blend(image, other, factor):
    return (factor * image + (1 - factor) * other).clamp(0, 1)


def main():
    cases = []
    for axes in [(1, 5, 5), (3, 4, 6), (2, 7, 3)]:
        image = torch.rand(axes, dtype=torch.float32).double()
        classes = torch.randint(1, 9, axes[1:])
        moves = [("rotation", [d], rotation(d)) for d in [17.5, -31, 90, 133]]
        moves += [("scale", [f], scale(f)) for f in [0.7, 1.3, 2.9]]
        moves += [("shift", [r, c], shift(r, c)) for r, c in [(1, -2), (0.3, 0.8), (-1.6, 0.1)]]
        moves += [("shear", [a, b], shear(a, b)) for a, b in [(0.3, 0), (0, -0.21)]]
        found = [
            {
                "move": name,
                "by": by,
                "values": transformed(image, forward, "bilinear").flatten().tolist(),
                "classes": transformed(classes[None].double(), forward, "nearest").long().flatten().tolist(),
            }
            for name, by, forward in moves
        ]
        colors = []
        for factor in [0.0, 0.6, 1.4]:
            colors += [
                {"change": "brightness", "factor": factor, "values": blend(image, torch.zeros(()), factor).flatten().tolist()},
                {"change": "contrast", "factor": factor, "values": blend(image, gray(image).mean(), factor).flatten().tolist()},
            ]
            if axes[0] == 3:
                colors.append(
                    {"change": "saturation", "factor": factor, "values": blend(image, gray(image), factor).flatten().tolist()}
                )
        cases.append(
            {
                "axes": axes,
                "image": image.flatten().tolist(),
                "classes": classes.flatten().tolist(),
                "moves": found,
                "colors": colors,
            }
        )
    print(json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":")))


main()
