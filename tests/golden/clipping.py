"""Clipped gradients: PyTorch's clip_grad_norm_ and clip_grad_value_ in f64, and adaptive clipping from the paper.

Brock et al. 2021, equation 3: a unit's gradient G becomes factor * max(|W|, eps) / |G| * G where |G| / max(|W|, eps)
exceeds factor; a unit is the weights of one output, and the last linear layer is excluded.

    python clipping.py > clipping.json
"""

import json

import numpy as np
import torch

random = np.random.default_rng(4)
SHAPES = [(3, 2, 2, 2), (3,), (2, 12), (2,)]
MOST = 2.0


def tensors(scale):
    return [(random.standard_normal(shape) * scale).astype(np.float32) for shape in SHAPES]


def clipped(gradients, clip):
    parameters = []
    for gradient in gradients:
        parameter = torch.nn.Parameter(torch.zeros(gradient.shape, dtype=torch.float64))
        parameter.grad = torch.tensor(gradient.astype(np.float64))
        parameters.append(parameter)
    clip(parameters)
    return [parameter.grad.numpy() for parameter in parameters]


def each(parameters):
    for parameter in parameters:
        torch.nn.utils.clip_grad_norm_([parameter], MOST)


def adaptive(weights, gradients, factor, eps, last):
    result = []
    for number, (w, g) in enumerate(zip(weights, gradients)):
        w, g = w.astype(np.float64), g.astype(np.float64)
        if number < len(SHAPES) - 2 or last:
            rows = 1 if w.ndim == 1 else w.shape[0]
            w, g = w.reshape(rows, -1), g.reshape(rows, -1).copy()
            for row in range(rows):
                most = factor * max(np.sqrt((w[row] ** 2).sum()), eps)
                norm = np.sqrt((g[row] ** 2).sum())
                if norm > most:
                    g[row] *= most / norm
        result.append(g)
    return result


def flat(arrays):
    return [np.asarray(array).ravel().tolist() for array in arrays]


weights = tensors(1.0)
# A unit that has no weights yet, and one below eps.
weights[0][0] = 0
weights[0][1] *= 1e-5
ordinary = tensors(1.0)
mixed = tensors(1.0)
mixed[0][0] *= 1e-3
mixed[0][2] *= 1e6
mixed[2][0] = 0
sets = {
    "ordinary": ordinary,
    "small": [gradient * np.float32(1e-2) for gradient in ordinary],
    "tiny": [gradient * np.float32(1e-9) for gradient in ordinary],
    "huge": [gradient * np.float32(1e12) for gradient in ordinary],
    "zero": [gradient * 0 for gradient in ordinary],
    "mixed": mixed,
}
cases = {}
for name, gradients in sets.items():
    exact = [gradient.astype(np.float64) for gradient in gradients]
    cases[name] = {
        "gradients": flat(gradients),
        "norm": float(np.sqrt(sum((gradient**2).sum() for gradient in exact))),
        "norms": [float(np.sqrt((gradient**2).sum())) for gradient in exact],
        "global": flat(clipped(gradients, lambda p: torch.nn.utils.clip_grad_norm_(p, MOST))),
        "each": flat(clipped(gradients, each)),
        "value": flat(clipped(gradients, lambda p: torch.nn.utils.clip_grad_value_(p, 0.25))),
        "adaptive": flat(adaptive(weights, gradients, 0.01, 1e-3, False)),
        "adaptive_all": flat(adaptive(weights, gradients, 0.01, 1e-3, True)),
    }
print(json.dumps({"max": MOST, "weights": flat(weights), "cases": cases}))
