"""Golden values of averages: accumulation windows, moving averages of weights, and weights of bounded norm.

`windows`: a weighted squared error of a linear model, each window as one batch in f64, under SGD with momentum.
`averages`: PyTorch's AveragedModel in f32, which copies the weights at its first update; so it is updated once before the
first step, and then after each. Buffers are kept in sync, not averaged.
`swa`: PyTorch's AveragedModel with equal weights, updated after steps 5, 8, 11, …
`statistics`: torch.optim.swa_utils.update_bn in f64, over batches of which the last is short.
`renorm`: torch.renorm over the first axis, in f64.

    python averaging.py > averaging.json
"""

import json

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

torch.manual_seed(7)


def flat(tensors):
    return [tensor.detach().flatten().tolist() for tensor in tensors]


def windows():
    model = torch.nn.Linear(3, 2)
    first = flat([model.weight, model.bias])
    model = model.double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    steps = []
    # The micro-batches of each window; weights of 0 exclude one, and the third window is short.
    for sizes in [[4, 1, 3], [2, 2, 5], [1], [5, 3]]:
        batches = []
        for number, size in enumerate(sizes):
            x, y = torch.rand(size, 3) * 2 - 1, torch.rand(size, 2) * 2 - 1
            weight = 2.0 ** torch.randint(-2, 2, (size,))
            if sizes == [2, 2, 5] and number == 1:
                weight = torch.zeros(size)
            batches.append((x, y, weight))
        x, y, weight = (torch.cat(parts).double() for parts in zip(*batches))
        loss = (weight[:, None] * (model(x) - y) ** 2).sum() / weight.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps.append(
            {
                "batches": [
                    {"x": x.flatten().tolist(), "y": torch.cat([y, w[:, None]], 1).flatten().tolist()}
                    for x, y, w in batches
                ],
                "loss": loss.item(),
                "parameters": flat(model.parameters()),
            }
        )
    return {"first": first, "steps": steps}


class Net(torch.nn.Module):
    """In the order of our graph: linear, batch norm with its statistics, linear."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(3, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.last = torch.nn.Linear(4, 2)

    def numbers(self):
        return [
            self.first.weight, self.first.bias, self.norm.weight, self.norm.bias,
            self.norm.running_mean, self.norm.running_var, self.last.weight, self.last.bias,
        ]


def averages():
    rules = {
        "plain": lambda t: 0.9,
        "half_life": lambda t: 2 ** (-1 / 5),
        "warmup": lambda t: min(0.6, (1 + t) / (10 + t)),
    }
    model = Net()
    # A new norm has only ones and zeros.
    with torch.no_grad():
        for number in model.numbers():
            number.copy_(torch.randn(number.shape))
    first = flat(model.numbers())
    averaged = {
        name: AveragedModel(model, multi_avg_fn=lambda a, c, n, rule=rule: get_ema_multi_avg_fn(rule(int(n)))(a, c, n))
        for name, rule in rules.items()
    }
    for average in averaged.values():
        average.update_parameters(model)
    swa = AveragedModel(model)
    steps = []
    for step in range(20):
        scale = [1.0, 1e-3, 1e3][step % 3]
        gradients = [torch.randn(number.shape) * scale for number in model.numbers()]
        statistics = {4: torch.randn(4), 5: torch.rand(4)}
        with torch.no_grad():
            for place, (number, gradient) in enumerate(zip(model.numbers(), gradients)):
                if place in statistics:
                    number.copy_(statistics[place])
                else:
                    # SGD with learning rate 1.
                    number.sub_(gradient)
        for average in averaged.values():
            average.update_parameters(model)
        has_started = step + 1 >= 5
        if has_started and (step + 1 - 5) % 3 == 0:
            swa.update_parameters(model)
        steps.append(
            {
                "gradients": [[] if place in statistics else g.flatten().tolist() for place, g in enumerate(gradients)],
                "statistics": [flat([s])[0] for s in statistics.values()],
                "averages": {name: flat(average.module.numbers()) for name, average in averaged.items()},
                "swa": flat(swa.module.numbers()) if has_started else None,
            }
        )
    return {"first": first, "steps": steps}


def renorm():
    model = Net()
    numbers = [torch.randn(number.shape) for number in model.numbers()]
    # A row at the bound, one far above, one of zeros.
    numbers[0][0] = torch.tensor([0.0, 1.5, 0.0])
    numbers[0][1] *= 1e4
    numbers[0][2] = 0
    expected = [
        torch.renorm(number.double(), 2, 0, 1.5) if number.dim() > 1 else number.double() for number in numbers
    ]
    return {"max": 1.5, "numbers": flat(numbers), "expected": flat(expected)}


def statistics():
    model = Net()
    with torch.no_grad():
        for number in model.numbers():
            number.copy_(torch.randn(number.shape))
        model.norm.running_var.abs_()
    parameters = flat(model.numbers())
    x = torch.rand(11, 3) * 4 - 1
    model = model.double()
    model.forward = lambda x: model.last(model.norm(model.first(x)))
    update_bn([(batch,) for batch in x.double().split(4)], model)
    return {
        "parameters": parameters,
        "x": x.flatten().tolist(),
        "expected": flat([model.norm.running_mean, model.norm.running_var]),
    }


print(
    json.dumps(
        {"windows": windows(), "averages": averages(), "renorm": renorm(), "statistics": statistics()}
    )
)
