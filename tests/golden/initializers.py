"""Golden values of the initializers: the distributions of PyTorch's `torch.nn.init`, and results of its `orthogonal_`.

usage: python initializers.py > initializers.json

Needs PyTorch; the tests need only the JSON file. Other random numbers produce other weights, so the file contains the bounds
and deviations of the distributions: the arguments of `uniform_` and `normal_` in PyTorch's functions. `orthogonal_` receives
fixed numbers instead of random ones.
"""
import json
import math

import torch
from torch.nn import init

SHAPES = {
    "linear": [10, 64],
    "conv2d": [8, 3, 5, 5],
    "grouped": [8, 2, 3, 3],
    "transposed": [6, 4, 5, 3],
    "weight_hh": [28, 7],
    "embedding": [65, 16],
}


class Recorder(torch.Tensor):
    """A tensor that records how it is filled."""

    def uniform_(self, low, high, generator=None):
        assert low == -high
        self.told = {"bound": high}
        return self

    def normal_(self, mean, std, generator=None):
        assert mean == 0
        self.told = {"std": std}
        return self


def told(function, shape, **keys):
    tensor = torch.empty(shape).as_subclass(Recorder)
    function(tensor, **keys)
    return tensor.told


class Known(torch.Tensor):
    """A tensor that returns fixed numbers where `orthogonal_` calls `new_empty(…).normal_(0, 1)`."""

    def new_empty(self, size):
        return self

    def normal_(self, mean, std, generator=None):
        return self.numbers.clone()


def orthogonal(rows, columns):
    numbers = torch.randn(rows, columns, dtype=torch.float64)
    tensor = torch.empty(rows, columns, dtype=torch.float64).as_subclass(Known)
    tensor.numbers = numbers
    init.orthogonal_(tensor, gain=math.sqrt(2))
    made = tensor.as_subclass(torch.Tensor)
    return {"rows": rows, "columns": columns, "from": numbers.flatten().tolist(), "to": made.flatten().tolist()}


torch.manual_seed(1)
print(
    json.dumps(
        {
            "torch": torch.__version__,
            "gain": {name: init.calculate_gain(name) for name in ["linear", "relu"]},
            "distributions": [
                {
                    "name": name,
                    "shape": shape,
                    "Xavier": told(init.xavier_uniform_, shape),
                    "XavierNormal": told(init.xavier_normal_, shape),
                    "He": told(init.kaiming_normal_, shape, nonlinearity="relu"),
                    "HeUniform": told(init.kaiming_uniform_, shape, nonlinearity="relu"),
                    "Lecun": told(init.kaiming_normal_, shape, nonlinearity="linear"),
                    "Default": told(init.kaiming_uniform_, shape, a=math.sqrt(5)),
                }
                for name, shape in SHAPES.items()
            ],
            "orthogonal": [orthogonal(3, 3), orthogonal(5, 3), orthogonal(3, 7)],
        },
        indent=1,
    )
)
