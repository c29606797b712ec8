"""Prodigy: twelve steps of a matrix and a bias, from the algorithm of the paper in the form of the authors' code, in f64.

    python prodigy.py > prodigy.json

The weights start near 0 and the first estimate is not far below the distances, so that what the weights have moved has all digits in f32.
"""

import json

import numpy as np

STEPS = 12
SHAPES = [(4, 5), (3,)]
RANDOM = np.random.default_rng(11)


def single(values):
    return np.asarray(values, dtype=np.float32).astype(np.float64)


FIRST = [single(RANDOM.normal(size=shape) * 0.01) for shape in SHAPES]
DRIFT = [RANDOM.normal(size=shape) for shape in SHAPES]
GRADIENTS = [
    [single(drift + 0.5 * RANDOM.normal(size=drift.shape)) for drift in DRIFT] for _ in range(STEPS)
]


def run(lr=1.0, betas=(0.9, 0.999), eps=1e-8, d0=1e-2, d_coef=1.0, growth_rate=np.inf, weight_decay=0.0,
        bias_correction=False, safeguard_warmup=False):
    (b1, b2), b3 = betas, np.sqrt(betas[1])
    w = [tensor.copy() for tensor in FIRST]
    m, v, s = ([np.zeros(shape) for shape in SHAPES] for _ in range(3))
    d, largest, numerator = d0, d0, 0.0
    steps, estimates = [], []
    for t, gradients in enumerate(GRADIENTS, 1):
        rate = d * (lr if t <= 8 else lr / 4)
        if bias_correction:
            rate *= np.sqrt(1 - b2**t) / (1 - b1**t)
        numerator *= b3
        for i, g in enumerate(gradients):
            numerator += d / d0 * rate * np.sum(g * (FIRST[i] - w[i]))
            m[i] = b1 * m[i] + (1 - b1) * d * g
            v[i] = b2 * v[i] + (1 - b2) * d**2 * g**2
            s[i] = b3 * s[i] + d / d0 * (d if safeguard_warmup else rate) * g
        found = d_coef * numerator / sum(np.sum(np.abs(one)) for one in s)
        if d == d0:
            d = max(d, found)
        largest = max(largest, found)
        d = min(largest, d * growth_rate)
        for i in range(len(w)):
            # Decay of the matrix only.
            if i == 0:
                w[i] = w[i] - weight_decay * rate * w[i]
            w[i] = w[i] - rate * m[i] / (np.sqrt(v[i]) + d * eps)
        steps.append([float(x) for tensor in w for x in tensor.flatten()])
        estimates.append(d)
    return steps, estimates


def case(**keys):
    steps, estimates = run(**keys)
    return {"keys": {"d0": 1e-2, **keys}, "steps": steps, "estimates": estimates}


CASES = [
    case(),
    case(lr=0.5, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1),
    case(d_coef=0.5, growth_rate=1.02),
    case(bias_correction=True, safeguard_warmup=True),
]

if __name__ == "__main__":
    print(
        json.dumps(
            {
                "first": [float(x) for tensor in FIRST for x in tensor.flatten()],
                "gradients": [[float(x) for tensor in step for x in tensor.flatten()] for step in GRADIENTS],
                "cases": CASES,
            }
        )
    )
