"""Golden learning rates: PyTorch's schedulers over whole runs, one value a step.

usage: python schedules.py > schedules.json

Needs PyTorch; the tests need only the JSON file. Where PyTorch's scheduler is stepped once an epoch, an epoch has
EPOCH steps here and the value is repeated.
"""
import json
import math

import torch
from torch.optim import lr_scheduler as lrs

LR, STEPS, EPOCH = 0.3, 60, 5


def optimizer(lr=LR):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def per_step(make, steps=STEPS):
    sgd = optimizer()
    scheduler = make(sgd)
    rates = []
    for _ in range(steps):
        rates.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if len(rates) < steps:
            scheduler.step()
    return rates


def per_epoch(make):
    return [rate for rate in per_step(make, STEPS // EPOCH) for _ in range(EPOCH)]


def plateau(metrics, lr=LR, **keys):
    """The learning rate after each evaluation."""
    sgd = optimizer(lr)
    scheduler = lrs.ReduceLROnPlateau(sgd, **keys)
    rates = []
    for metric in metrics:
        sgd.step()
        scheduler.step(metric)
        rates.append(sgd.param_groups[0]["lr"])
    return {"metrics": metrics, "lr": lr, "rates": rates}


# Falls, stays nearly constant, falls by slightly more and slightly less than the threshold, stays constant.
falling = (
    [2.0 * 0.8**i for i in range(8)]
    + [0.42 + 0.01 * math.sin(i) for i in range(14)]
    + [0.40 * (1 - 1.5e-4) ** i for i in range(6)]
    + [0.39 * (1 - 0.5e-4) ** i for i in range(20)]
    + [0.391] * 14
)
rising = [1.0 - 0.3 * value for value in falling]
schedules = {
    "constant": per_step(lambda sgd: lrs.LambdaLR(sgd, lambda _: 0.5)),
    "linear_down": per_step(lambda sgd: lrs.LinearLR(sgd, 1.0, 0.1, STEPS - 1)),
    "warmup": per_step(lambda sgd: lrs.LinearLR(sgd, 0.25 + 0.75 / 20, 1.0, 19)),
    "multi_step": per_step(lambda sgd: lrs.MultiStepLR(sgd, [7, 30, 31, 59], 0.1)),
    "multi_step_epochs": per_epoch(lambda sgd: lrs.MultiStepLR(sgd, [3, 8], 0.5)),
    "step": per_step(lambda sgd: lrs.StepLR(sgd, 7, 0.7)),
    "exponential": per_step(lambda sgd: lrs.ExponentialLR(sgd, 0.93)),
    "exponential_epochs": per_epoch(lambda sgd: lrs.ExponentialLR(sgd, 0.8)),
    "polynomial": per_step(lambda sgd: lrs.PolynomialLR(sgd, STEPS - 1, 2.5)),
    "polynomial_default": per_step(lambda sgd: lrs.PolynomialLR(sgd, STEPS - 1)),
    "inverse_sqrt": per_step(lambda sgd: lrs.LambdaLR(sgd, lambda k: min((k + 1) / 12, math.sqrt(12 / (k + 1))))),
    "cosine": per_step(lambda sgd: lrs.CosineAnnealingLR(sgd, STEPS, 0.01)),
    "cosine_reach": per_step(lambda sgd: lrs.CosineAnnealingLR(sgd, STEPS - 1, 0.01)),
    "restarts": per_step(lambda sgd: lrs.CosineAnnealingWarmRestarts(sgd, 13, 1, 0.01)),
    "restarts_doubled": per_step(lambda sgd: lrs.CosineAnnealingWarmRestarts(sgd, 6, 2)),
    "one_cycle": per_step(lambda sgd: lrs.OneCycleLR(sgd, 0.4, STEPS, cycle_momentum=False)),
    "one_cycle_linear": per_step(
        lambda sgd: lrs.OneCycleLR(
            sgd, 0.4, STEPS, pct_start=0.37, anneal_strategy="linear", cycle_momentum=False,
            div_factor=10.0, final_div_factor=100.0,
        )
    ),
    "one_cycle_three": per_step(
        lambda sgd: lrs.OneCycleLR(sgd, 0.4, STEPS, pct_start=0.42, three_phase=True, cycle_momentum=False)
    ),
}
plateaus = {
    "default": plateau(falling),
    "impatient": plateau(falling, factor=0.5, patience=2),
    "zero_patience": plateau(falling, factor=0.9, patience=0),
    "cooldown": plateau(falling, factor=0.5, patience=2, cooldown=3),
    "min": plateau(falling, factor=0.1, patience=1, min_lr=0.004),
    "threshold": plateau(falling, factor=0.5, patience=3, threshold=0.05),
    "eps": plateau(falling, lr=1e-6, factor=0.3, patience=1),
    "rising": plateau(rising, mode="max", factor=0.5, patience=2, cooldown=1),
    "rising_seen_as_falling": plateau(rising, mode="min", factor=0.5, patience=2),
}
shape = {"lr": LR, "steps": STEPS, "epoch": EPOCH}
print(json.dumps({"torch": torch.__version__, **shape, "schedules": schedules, "plateaus": plateaus}))
