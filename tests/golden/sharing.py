"""Golden values of shared modules and tied weights: PyTorch's outputs, gradients and running statistics in f64.

usage: python sharing.py > sharing.json

Needs PyTorch; the tests need only the JSON file. Every parameter and input is a multiple of 1/256, so that a test in f32 has the
same values; outputs have 15 digits. The loss is the sum of `weights * output`.
"""
import json

import torch
from torch import nn


def coarse(tensor):
    return (256 * tensor.double()).round() / 256


def flat(tensor):
    return [float(f"{number:.15g}") for number in tensor.detach().flatten().tolist()]


class Siamese(nn.Module):
    """A tower with a batch norm, called on two values, and a step that is called three times."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(4, 3), nn.BatchNorm1d(3)
        self.step = nn.Linear(3, 3)

    def tower(self, x):
        return self.norm(self.first(x))

    def forward(self, x):
        x = self.tower(x).tanh() - self.tower(x.relu())
        for _ in range(3):
            x = self.step(x).tanh()
        return x


class Tied(nn.Module):
    """A table that is also the weight of the output layer, which has a bias of its own."""

    def __init__(self):
        super().__init__()
        self.embed, self.mix, self.head = nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 5)
        self.head.weight = self.embed.weight

    def forward(self, x):
        x = self.embed(x)
        return self.head(x + self.mix(x).tanh())


def case(module, x):
    module = module.double().train()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(coarse(torch.randn(parameter.shape)))
    before = {name: flat(value) for name, value in module.state_dict().items() if "num_batches" not in name}
    y = module(x)
    weights = coarse(torch.randn(y.shape))
    (weights * y).sum().backward()
    return {
        "input": flat(x),
        "names": list(before),
        "parameters": before,
        "weights": flat(weights),
        "output": flat(y),
        "gradients": {name: flat(parameter.grad) for name, parameter in module.named_parameters()},
        "statistics": {name: flat(value) for name, value in module.named_buffers() if "num_batches" not in name},
    }


if __name__ == "__main__":
    torch.manual_seed(1)
    cases = {
        "siamese": case(Siamese(), coarse(torch.randn(6, 4))),
        "tied": case(Tied(), torch.randint(0, 5, (3, 2))),
    }
    print(json.dumps({"torch": torch.__version__, **cases}, separators=(",", ":")))
