"""Loss scales of torch.amp.GradScaler for fixed sequences of overflows: loss_scale.json.

    python loss_scale.py > loss_scale.json
"""

import json
import random

import torch


def scales(init, growth, backoff, interval, finite):
    """The scale after each step; steps that are not finite have an infinite gradient."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    scaler = torch.amp.GradScaler(
        "cpu", init_scale=init, growth_factor=growth, backoff_factor=backoff, growth_interval=interval
    )
    found = []
    for is_finite in finite:
        optimizer.zero_grad()
        loss = (weight * (1.0 if is_finite else float("inf"))).sum()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        found.append(scaler.get_scale())
    return found


random.seed(4)
cases = []
for init, growth, backoff, interval, odds in [
    (65536, 2.0, 0.5, 2000, 0.2),
    (1024, 2.0, 0.5, 3, 0.15),
    (4096, 1.5, 0.7, 2, 0.2),
    (100, 3.0, 0.25, 1, 0.4),
    (2**31, 1e6, 0.5, 4, 0.05),
]:
    finite = [random.random() >= odds for _ in range(60)]
    cases.append(
        {
            "init": init,
            "growth": growth,
            "backoff": backoff,
            "interval": interval,
            "finite": [int(is_finite) for is_finite in finite],
            "scales": scales(float(init), growth, backoff, interval, finite),
        }
    )
print(json.dumps(cases))
