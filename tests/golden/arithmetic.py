"""Golden values of arithmetic on values, and of layers that move them: PyTorch's outputs and gradients in f64.

usage: python arithmetic.py > arithmetic.json

Needs PyTorch; the tests need only the JSON file. Every parameter and input is a multiple of 1/256, so that a test in f32 has the
same values; outputs have 15 digits. The loss is the sum of `weights * output`, and the operations follow a linear layer,
whose gradients contain theirs.
"""
import json

import torch
from torch import nn
from torch.nn import functional as F

from sharing import case, coarse


class Functions(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.Linear(3, 4)

    def forward(self, x):
        h = self.h(x)
        parts = [h.abs(), h.square(), (0.5 * h).exp(), (1 + h.square()).log(), (h.square() + 1.0).sqrt()]
        parts += [h.clamp(-0.5, 0.75), h.clamp(min=0.0), 2.0 / (2.0 + h.square()), -h, h * 2 - 1, 3 - h, h / 4]
        return torch.cat(parts, -1)


class Broadcast(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide, self.narrow = nn.Linear(3, 4), nn.Linear(3, 1)

    def forward(self, x):
        a, b = self.wide(x), self.narrow(x)
        c = a[:, 0:1]
        positive = 1 + b.square()
        parts = [a + b, b - a, a - c, a * b, c * a, a / positive, positive / (1 + a.square()), a / (1 + a.square())]
        return torch.cat(parts, -1)


class Layout(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.Linear(4, 6)

    def forward(self, x):
        h = self.h(x)  # [batch, 5, 6]
        q, k, v = h.chunk(3, -1)
        s, t = h.split([2, 3], 1)
        parts = [h[:, 1:4], h[:, :, 2:5], h[:, 3], h[:, -1], q * v - k, s.exp(), t.transpose(1, 2)]
        parts += [h.reshape(-1, 5, 3, 2).permute(0, 3, 1, 2), F.pad(h, (0, 0, 1, 2), value=0.5), F.pad(h, (2, 0))]
        parts += [torch.stack([q, k], 1), torch.stack([q, v], 3)]
        return torch.cat([part.flatten(1) for part in parts], 1)


if __name__ == "__main__":
    torch.manual_seed(1)
    cases = {
        "functions": case(Functions(), coarse(torch.randn(5, 3))),
        "broadcast": case(Broadcast(), coarse(torch.randn(4, 2, 3))),
        "layout": case(Layout(), coarse(torch.randn(3, 5, 4))),
    }
    print(json.dumps({"torch": torch.__version__, **cases}, separators=(",", ":")))
