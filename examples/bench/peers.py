"""The workloads of `bench` in PyTorch, on the CPU: one complete training step each, on data in memory.

usage: python peers.py WORKLOAD MODE [SECONDS] [THREADS] [SAMPLES]
  WORKLOAD  W0 to W6, as in `workload.rs`
  MODE      eager, or channels_last (the other layout of images)
  SAMPLES   predicts this many samples at once instead, in evaluation mode; with W0 to W5

Requires only PyTorch. Prints one JSON line with the fields of `bench`. Run each workload in its own process, so
that the peak memory is that of the workload.
"""
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

WARM_UP = LEAST = 5


class Residual(nn.Module):
    """Two convolutions with a residual connection, which is a convolution where the size changes."""

    def __init__(self, channels, out):
        super().__init__()
        stride = 1 if channels == out else 2
        self.inner = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )
        self.around = nn.Identity()
        if stride == 2:
            self.around = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return functional.relu(self.inner(x) + self.around(x))


class Attention(nn.Module):
    """Causal self-attention of four heads, by PyTorch's fused function."""

    HEADS = 4

    def __init__(self, features):
        super().__init__()
        self.project = nn.Linear(features, 3 * features)
        self.out = nn.Linear(features, features)

    def forward(self, x):
        batch, length, features = x.shape
        split = self.project(x).view(batch, length, 3, self.HEADS, features // self.HEADS)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        dropout = 0.1 if self.training else 0.0
        heads = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        return self.out(heads.transpose(1, 2).reshape(batch, length, features))


class Block(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(features), Attention(features), nn.Dropout(0.1))
        self.places = nn.Sequential(
            nn.LayerNorm(features), nn.Linear(features, 4 * features), nn.GELU(),
            nn.Linear(4 * features, features), nn.Dropout(0.1),
        )

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.places(x)


class Gpt(nn.Module):
    def __init__(self, vocabulary, length, features, depth):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, features)
        self.positions = nn.Parameter(torch.randn(length, features))
        self.blocks = nn.Sequential(nn.Dropout(0.1), *(Block(features) for _ in range(depth)))
        self.head = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, vocabulary))

    def forward(self, tokens):
        return self.head(self.blocks(self.tokens(tokens) + self.positions))


class CharLstm(nn.Module):
    def __init__(self, vocabulary, features, out):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, features)
        self.lstm = nn.LSTM(features, out, batch_first=True)
        self.head = nn.Linear(out, vocabulary)

    def forward(self, tokens):
        return self.head(self.lstm(self.tokens(tokens))[0])


def small():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def large():
    return nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(1024, 1024), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(1024, 10),
    )


def conv_net():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )


def resnet20():
    widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        *(Residual(channels, out) for channels, out in zip(widths, widths[1:])),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


def wide():
    """48 matrices; only the optimizer is measured."""
    return nn.ModuleList(nn.Linear(722, 722, bias=False) for _ in range(48))


def adam_w(parameters):
    return torch.optim.AdamW(parameters, 1e-3, weight_decay=0.01, fused=True)


def adam(parameters):
    return torch.optim.Adam(parameters, 1e-3, fused=True)


def momentum(parameters):
    return torch.optim.SGD(parameters, 0.01, momentum=0.9, fused=True)


def nesterov(parameters):
    return torch.optim.SGD(parameters, 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True)


def classified(*shape):
    """Normal samples, with the classes 0 to 9 in turn."""
    return torch.randn(shape), torch.arange(shape[0]) % 10


def echoed(batch, length, vocabulary=65):
    """Tokens spread over the vocabulary; the targets equal the inputs."""
    tokens = (torch.arange(batch * length) * 7919 % vocabulary).view(batch, length)
    return tokens, tokens.flatten()


# The model, optimizer, data, maximum gradient norm, and multiplications of a forward pass.
WORKLOADS = {
    "W0": (small, adam_w, lambda: classified(32, 64), None, 32 * (64 * 64 + 64 * 10)),
    "W1": (large, adam_w, lambda: classified(128, 784), None, 128 * (784 * 1024 + 1024 * 1024 + 1024 * 10)),
    "W2": (conv_net, momentum, lambda: classified(64, 1, 28, 28), None,
           64 * (28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 3136 * 128 + 128 * 10)),
    "W3": (resnet20, nesterov, lambda: classified(64, 3, 32, 32), None, 64 * 40_800_000),
    "W4": (lambda: Gpt(65, 128, 256, 4), adam_w, lambda: echoed(16, 128), 1.0,
           16 * 128 * (4 * 12 * 256 * 256 + 256 * 65 + 2 * 4 * 128 * 256)),
    "W5": (lambda: CharLstm(65, 64, 256), adam, lambda: echoed(32, 64), 1.0,
           32 * 64 * (4 * 256 * (64 + 256) + 256 * 65)),
    "W6": (wide, adam_w, None, 1.0, 0),
}


def training_step(model, optimizer, data, largest, layout):
    """Returns a function that takes one step, and its number of samples."""
    inputs, targets = data()
    if layout == "channels_last" and inputs.dim() == 4:
        model.to(memory_format=torch.channels_last)
        inputs = inputs.to(memory_format=torch.channels_last)
    optimizer = optimizer(model.parameters())

    def step():
        functional.cross_entropy(model(inputs).flatten(0, -2), targets).backward()
        if largest is not None:
            nn.utils.clip_grad_norm_(model.parameters(), largest)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step, len(inputs)


def update_step(model, optimizer, largest):
    """Like `training_step`, with existing gradients."""
    parameters = list(model.parameters())
    optimizer = optimizer(parameters)
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)

    def step():
        nn.utils.clip_grad_norm_(parameters, largest)
        optimizer.step()

    return step, 1


def prediction(model, data, samples, layout):
    """Returns a function that predicts `samples` samples in evaluation mode, and their number."""
    model.eval()
    inputs, _ = data()
    inputs = inputs[torch.arange(samples) % len(inputs)]
    if layout == "channels_last" and inputs.dim() == 4:
        model.to(memory_format=torch.channels_last)
        inputs = inputs.to(memory_format=torch.channels_last)

    def step():
        with torch.inference_mode():
            model(inputs)

    return step, samples


def milliseconds(step, seconds):
    """Returns the times of steps during `seconds`, in ascending order."""
    for _ in range(WARM_UP):
        step()
    times, start = [], time.perf_counter()
    while len(times) < LEAST or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        step()
        times.append((time.perf_counter() - before) * 1e3)
    return sorted(times)


def main(workload, mode, seconds="5", threads="2", samples=None):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    model, optimizer, data, largest, products = WORKLOADS[workload]
    model = model()
    if samples is not None:
        products = products / len(data()[0]) / 3
        step, samples = prediction(model, data, int(samples), mode)
        products *= samples
        workload += f", {samples} predicted"
    elif data is None:
        step, samples = update_step(model, optimizer, largest)
    else:
        step, samples = training_step(model, optimizer, data, largest, mode)
    times = milliseconds(step, float(seconds))
    median = times[len(times) // 2]
    # In kilobytes on Linux, in bytes on macOS.
    unit = 20 if sys.platform == "darwin" else 10
    print(json.dumps({
        "workload": workload,
        "peer": f"torch {torch.__version__.split('+')[0]} {mode}",
        "ms_per_step_median": round(median, 4),
        "p10": round(times[len(times) // 10], 4),
        "p90": round(times[len(times) * 9 // 10], 4),
        "samples_per_s": round(samples / median * 1e3, 1),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> unit,
        "gflops": round(6 * products / median / 1e6, 1),
    }))


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 6 or sys.argv[1] not in WORKLOADS or sys.argv[2] not in ("eager", "channels_last"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
