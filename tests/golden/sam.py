"""Sharpness-aware minimization: five steps of a model with batch norm, by PyTorch's gradients in f64.

    python sam.py > sam.json

Foret et al. 2021, algorithm 1, around PyTorch's SGD with momentum and weight decay. A window has two micro-batches; the running statistics
are those of the first pass.
"""

import json

import torch

torch.manual_seed(5)

RHO, LR = 0.5, 0.1
FIRST, NORM, LAST = torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
MODEL = torch.nn.Sequential(FIRST, NORM, LAST)


def flat(tensors):
    return [tensor.detach().flatten().tolist() for tensor in tensors]


def numbers():
    return flat(
        [FIRST.weight, FIRST.bias, NORM.weight, NORM.bias, NORM.running_mean, NORM.running_var, LAST.weight, LAST.bias]
    )


def gradient(window):
    """Of the mean over the samples of a window."""
    MODEL.zero_grad()
    samples = sum(len(x) for x, _ in window)
    total = 0.0
    for x, y in window:
        loss = ((MODEL(x) - y) ** 2).mean(1).sum() / samples
        loss.backward()
        total += loss.item()
    return total


with torch.no_grad():
    NORM.weight.copy_(torch.rand(4) + 0.5)
first = numbers()
MODEL.double()
optimizer = torch.optim.SGD(MODEL.parameters(), lr=LR, momentum=0.9)
steps = []
for _ in range(5):
    window = [(torch.rand(4, 3) * 2 - 1, torch.rand(4, 2) * 2 - 1) for _ in range(2)]
    recorded = [{"x": x.flatten().tolist(), "y": y.flatten().tolist()} for x, y in window]
    window = [(x.double(), y.double()) for x, y in window]
    loss = gradient(window)
    statistics = [NORM.running_mean.clone(), NORM.running_var.clone()]
    norm = torch.sqrt(sum((p.grad**2).sum() for p in MODEL.parameters()))
    moves = [RHO / norm * p.grad for p in MODEL.parameters()]
    with torch.no_grad():
        for p, move in zip(MODEL.parameters(), moves):
            p.add_(move)
    gradient(window)
    with torch.no_grad():
        for p, move in zip(MODEL.parameters(), moves):
            p.sub_(move)
        NORM.running_mean.copy_(statistics[0])
        NORM.running_var.copy_(statistics[1])
    optimizer.step()
    steps.append({"window": recorded, "loss": loss, "parameters": numbers()})

print(json.dumps({"first": first, "steps": steps}))
