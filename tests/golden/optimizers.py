"""Optimizers: twenty steps of three small tensors with given gradients, in PyTorch's single-tensor path and in closed form.

    python optimizers.py > optimizers.json

Each case has the weights after some of the steps, once in f32 by PyTorch (where it has the optimizer) and once in f64: by
PyTorch too, or from the paper by the functions below. `size` and `moved` are the largest weight and the largest step
of each element in f64, from which the test derives its bound.
"""

import json
import math

import numpy as np
import torch

torch.set_num_threads(1)

STEPS = 20
SHOWN = [1, 2, 5, 6, 11, 20]
SHAPES = {"matrix": [2, 4], "bias": [3], "scalar": [1]}
FIRST = {
    "matrix": [0.5, -1.25, 0.75, 2.0, -0.3, 1e-3, 0.0, -0.6],
    "bias": [0.1, -0.2, 0.4],
    "scalar": [1.0],
}


def gradients(t):
    """The gradients of each element: tiny, huge, zero, both, of one sign, of changing sign."""
    wave = math.sin(1.3 * t)
    return {
        "matrix": [
            1e-9 * (1 + t % 3),
            1e4 * (1 + 0.25 * t % 1),
            0.0,
            [1e-9, 0.0, 3.0, -0.25, 1e4][t % 5],
            wave,
            0.01 * (-1) ** t * t,
            0.5 if t <= 3 else 0.0,
            -1e10 if t == 12 else 0.3,
        ],
        "bias": [0.2 * math.cos(t), -1e-9 if t % 2 else 1e-8, 100.0 * wave],
        "scalar": [0.7 - 0.1 * (t % 4)],
    }


def single(numbers):
    return {name: [float(np.float32(x)) for x in values] for name, values in numbers.items()}


GRADIENTS = [single(gradients(t)) for t in range(1, STEPS + 1)]
FIRST = single(FIRST)


def rate(lr, t):
    """The learning rate falls in the middle."""
    return lr if t <= 10 else lr / 10


def by_torch(make, lr, dtype, decays):
    """`make(parameters, lr)` returns an optimizer; `decays` are keys for the matrix only."""
    tensors = {
        name: torch.tensor(FIRST[name], dtype=dtype).reshape(shape).requires_grad_()
        for name, shape in SHAPES.items()
    }
    groups = [
        {"params": [tensors["matrix"]], "weight_decay": 0.0, **decays},
        {"params": [tensors["bias"], tensors["scalar"]], "weight_decay": 0.0},
    ]
    optimizer = make(groups)
    steps = []
    for t in range(1, STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate(lr, t)
        for name, tensor in tensors.items():
            tensor.grad = torch.tensor(GRADIENTS[t - 1][name], dtype=dtype).reshape(SHAPES[name])
        optimizer.step()
        steps.append([x for tensor in tensors.values() for x in tensor.detach().flatten().tolist()])
    return steps


def by_paper(rule, lr, decays):
    """`rule(w, g, state, t, lr, decay)` for a whole tensor in f64; `l1` and `l2` are added to the gradient first."""
    tensors = {name: np.array(values) for name, values in FIRST.items()}
    state = {name: {} for name in SHAPES}
    steps = []
    others.clear()
    for t in range(1, STEPS + 1):
        for name, w in tensors.items():
            keys = decays if name == "matrix" else {}
            g = np.array(GRADIENTS[t - 1][name])
            g = g + keys.get("l2", 0.0) * w + keys.get("l1", 0.0) * np.sign(w)
            tensors[name] = rule(w, g, state[name], t, rate(lr, t), keys.get("weight_decay", 0.0))
        steps.append([float(x) for w in tensors.values() for x in w])
        for name in ["x", "z"]:
            if all(name in s for s in state.values()):
                others.setdefault(name, []).append([float(x) for s in state.values() for x in s[name]])
    return steps


# The points of the last case besides its weights, by step: an average `x`, and `z`.
others = {}


def lion(b1=0.9, b2=0.99):
    """Chen et al. 2023, algorithm 2."""

    def rule(w, g, s, t, lr, decay):
        m = s.get("m", 0.0)
        c = b1 * m + (1 - b1) * g
        s["m"] = b2 * m + (1 - b2) * g
        return w - lr * (np.sign(c) + decay * w)

    return rule


def sign_sgd(momentum=0.0):
    """Bernstein et al. 2018, algorithms 1 and 2."""

    def rule(w, g, s, t, lr, decay):
        s["m"] = momentum * s.get("m", 0.0) + (1 - momentum) * g
        return w - lr * decay * w - lr * np.sign(s["m"])

    return rule


def lamb(b1=0.9, b2=0.999, eps=1e-6):
    """You et al. 2020, algorithm 2, phi the identity."""

    def rule(w, g, s, t, lr, decay):
        s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
        s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g * g
        r = (s["m"] / (1 - b1**t)) / (np.sqrt(s["v"] / (1 - b2**t)) + eps)
        u = r + decay * w
        norms = np.linalg.norm(w), np.linalg.norm(u)
        return w - lr * (norms[0] / norms[1] if min(norms) > 0 else 1.0) * u

    return rule


def lars(momentum=0.9, trust=1e-3):
    """You et al. 2017, algorithm 1, with the learning rate applied as in PyTorch's SGD."""

    def rule(w, g, s, t, lr, decay):
        norms = np.linalg.norm(w), np.linalg.norm(g)
        local = trust * norms[0] / (norms[1] + decay * norms[0]) if min(norms) > 0 else 1.0
        s["v"] = momentum * s.get("v", 0.0) + local * (g + decay * w)
        return w - lr * s["v"]

    return rule


def schedule_free(direction, beta):
    """Defazio et al. 2024, algorithm 1: `z` takes the steps, `x` is their weighted average, the gradient is at `y`, the weight."""

    def rule(y, g, s, t, lr, decay):
        z, x = s.get("z", y), s.get("x", y)
        s["largest"] = max(s.get("largest", 0.0), lr)
        s["sum"] = s.get("sum", 0.0) + s["largest"] ** 2
        c = s["largest"] ** 2 / s["sum"]
        z = z - lr * (direction(g, s, t) + decay * y)
        x = (1 - c) * x + c * z
        s["z"], s["x"] = z, x
        return (1 - beta) * z + beta * x

    return rule


def schedule_free_sgd(momentum=0.9):
    return schedule_free(lambda g, s, t: g, momentum)


def schedule_free_adamw(b1=0.9, b2=0.999, eps=1e-8):
    def direction(g, s, t):
        s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g * g
        return g / (np.sqrt(s["v"] / (1 - b2**t)) + eps)

    return schedule_free(direction, b1)


def decoupled(rule):
    """Decay before any rule; the penalties use the weight before the step."""
    return lambda w, g, s, t, lr, decay: rule(w * (1 - lr * decay), g, s, t, lr, 0.0)


def plain_sgd(w, g, s, t, lr, decay):
    return w - lr * g


O = torch.optim
ONE = {"foreach": False}
CASES = []


def torch_case(kind, maker, keys=None, names=None, decays=None, theirs=None, **defaults):
    """`names` maps our keys to theirs."""
    keys = keys or {}
    decays = decays or {}
    lr = keys.get("lr", defaults.pop("lr"))
    named = {(names or {}).get(key, key): value for key, value in keys.items()}
    named.update(theirs or {})
    own = {"weight_decay": value for value in decays.values()}

    def make(groups):
        return maker(groups, **{**named, "lr": lr, **({} if maker is O.SparseAdam else ONE)})

    others.clear()
    single = by_torch(make, lr, torch.float32, own)
    double = by_torch(make, lr, torch.float64, own)
    case(kind, {**keys, **decays}, lr, double, single)


def paper_case(kind, rule, lr, keys=None, decays=None):
    case(kind, {**(keys or {}), **(decays or {})}, lr, by_paper(rule, lr, decays or {}), None)


def double_digits(step):
    """Enough digits for a comparison with f32."""
    return [float(f"{x:.13g}") for x in step]


def case(kind, keys, lr, double, single):
    whole = [[x for values in FIRST.values() for x in values]] + double
    count = len(whole[0])
    reached = whole + [step for steps in others.values() for step in steps]
    average = {"average": [double_digits(others["x"][t - 1]) for t in SHOWN]} if "x" in others else {}
    CASES.append(
        {
            "optimizer": kind,
            "keys": {key: list(value) if isinstance(value, tuple) else value for key, value in keys.items()},
            "lr": lr,
            "f64": [double_digits(double[t - 1]) for t in SHOWN],
            "f32": [[float(f"{x:.9g}") for x in single[t - 1]] for t in SHOWN] if single else None,
            "size": [float(f"{max(abs(step[i]) for step in reached):.4g}") for i in range(count)],
            "moved": [
                float(f"{max(abs(b[i] - a[i]) for a, b in zip(whole, whole[1:])):.4g}") for i in range(count)
            ],
            **average,
        }
    )


class Lookahead:
    """Zhang et al. 2019, algorithm 1, around an optimizer of PyTorch."""

    def __init__(self, inner, k, alpha):
        self.inner, self.k, self.alpha, self.t = inner, k, alpha, 0
        self.param_groups = inner.param_groups
        self.slow = [[p.detach().clone() for p in group["params"]] for group in self.param_groups]

    def step(self):
        self.inner.step()
        self.t += 1
        if self.t % self.k == 0:
            with torch.no_grad():
                for group, slow in zip(self.param_groups, self.slow):
                    for p, s in zip(group["params"], slow):
                        s.lerp_(p, self.alpha)
                        p.copy_(s)


def lookahead_case(kind, maker, keys, lr, k, alpha, decays=None):
    own = {"weight_decay": value for value in (decays or {}).values()}

    def make(groups):
        return Lookahead(maker(groups, **{**keys, "lr": lr, **ONE}), k, alpha)

    others.clear()
    single, double = by_torch(make, lr, torch.float32, own), by_torch(make, lr, torch.float64, own)
    inner = {"type": kind, **keys, **(decays or {}), "lr": lr}
    case(f"Lookahead {kind}", {"k": k, "alpha": alpha, "optimizer": inner}, lr, double, single)


L2, DECAY = {"l2": 0.3}, {"weight_decay": 0.3}

for keys in [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.5},
    {"momentum": 0.9, "nesterov": True},
]:
    torch_case("Sgd", O.SGD, keys, lr=0.01)
torch_case("Sgd", O.SGD, {"momentum": 0.9}, decays=L2, lr=0.01)
paper_case("Sgd", decoupled(plain_sgd), 0.01, decays=DECAY)
paper_case("Sgd", plain_sgd, 0.01, decays={"l1": 0.03})

for keys in [{}, {"amsgrad": True}, {"betas": (0.4, 0.9)}, {"eps": 0.1}]:
    torch_case("Adam", O.Adam, keys, lr=1e-3)
    torch_case("AdamW", O.AdamW, keys, decays={"weight_decay": 0.01}, lr=1e-3)
torch_case("Adam", O.Adam, {}, decays=L2, lr=1e-3)
torch_case("AdamW", O.AdamW, {"lr": 0.1}, decays={"weight_decay": 1.0}, lr=1e-3)
torch_case("NAdam", O.NAdam, {}, lr=2e-3)
torch_case("NAdam", O.NAdam, {"momentum_decay": 0.5}, lr=2e-3)
torch_case("NAdam", O.NAdam, {}, decays=L2, lr=2e-3)
torch_case("NAdam", O.NAdam, {}, decays=DECAY, theirs={"decoupled_weight_decay": True}, lr=2e-3)
torch_case("RAdam", O.RAdam, {}, lr=1e-3)
torch_case("RAdam", O.RAdam, {"betas": (0.8, 0.9)}, lr=1e-3)
torch_case("RAdam", O.RAdam, {}, decays=L2, lr=1e-3)
torch_case("RAdam", O.RAdam, {}, decays=DECAY, theirs={"decoupled_weight_decay": True}, lr=1e-3)
for keys in [{}, {"betas": (0.5, 0.8), "eps": 1e-3}]:
    torch_case("Adamax", O.Adamax, keys, lr=2e-3)
torch_case("Adamax", O.Adamax, {}, decays=L2, lr=2e-3)
for keys in [{}, {"momentum": 0.9}, {"centered": True}, {"momentum": 0.9, "centered": True}, {"alpha": 0.5, "eps": 1e-3}]:
    torch_case("RmsProp", O.RMSprop, keys, lr=0.01)
torch_case("RmsProp", O.RMSprop, {}, decays=L2, lr=0.01)
for keys in [{}, {"lr_decay": 0.1}, {"initial_accumulator": 0.1}, {"eps": 1e-3}]:
    torch_case("AdaGrad", O.Adagrad, keys, {"initial_accumulator": "initial_accumulator_value"}, lr=0.01)
torch_case("AdaGrad", O.Adagrad, {}, decays=L2, lr=0.01)
for keys in [{}, {"rho": 0.5, "eps": 1e-3}]:
    torch_case("AdaDelta", O.Adadelta, keys, lr=1.0)
torch_case("AdaDelta", O.Adadelta, {}, decays=L2, lr=1.0)

paper_case("Lion", lion(), 1e-4)
paper_case("Lion", lion(0.5, 0.8), 1e-2, {"lr": 1e-2, "betas": (0.5, 0.8)}, DECAY)
paper_case("SignSgd", sign_sgd(), 1e-4)
paper_case("SignSgd", sign_sgd(0.9), 1e-2, {"lr": 1e-2, "momentum": 0.9}, {"l1": 0.0107})
paper_case("Lamb", lamb(), 1e-3, decays={"weight_decay": 0.01})
paper_case("Lamb", lamb(0.5, 0.8, 0.1), 0.1, {"lr": 0.1, "betas": (0.5, 0.8), "eps": 0.1}, DECAY)
paper_case("Lars", lars(), 0.1)
paper_case("Lars", lars(0.5, 0.1), 0.1, {"momentum": 0.5, "trust": 0.1}, DECAY)
paper_case("Lars", lars(0.0, 0.1), 0.1, {"momentum": 0.0, "trust": 0.1})

lookahead_case("Sgd", O.SGD, {"momentum": 0.9}, 0.01, 5, 0.5)
lookahead_case("AdamW", O.AdamW, {}, 1e-3, 3, 0.8, {"weight_decay": 0.01})
lookahead_case("AdamW", O.AdamW, {"amsgrad": True}, 1e-3, 1, 0.25, {"weight_decay": 0.01})

# PyTorch's default of the first epsilon is that of the type.
EPS = {"eps": (2.0**-23, 1e-3)}
torch_case("Adafactor", O.Adafactor, EPS, lr=1e-2)
torch_case("Adafactor", O.Adafactor, {"lr": 0.5, "eps": (1e-3, 0.1), "beta2_decay": -0.5, "d": 2.0}, decays=DECAY, lr=1e-2)
paper_case("ScheduleFreeSgd", schedule_free_sgd(), 1.0)
paper_case("ScheduleFreeSgd", schedule_free_sgd(0.5), 0.01, {"lr": 0.01, "momentum": 0.5}, DECAY)
paper_case("ScheduleFreeAdamW", schedule_free_adamw(), 2.5e-3)
paper_case("ScheduleFreeAdamW", schedule_free_adamw(0.5, 0.8, 0.1), 0.1, {"lr": 0.1, "betas": (0.5, 0.8), "eps": 0.1}, DECAY)

# An embedding of 6 rows of 2, of which each batch reads some; every batch reads row 4, with the gradient 0.
TOKENS = [[0, 4, 0], [1, 4, 4], [0, 5, 4], [4, 4, 4], [5, 1, 4]]
TABLE = [[float(np.float32(math.cos(3 * row + column))) for column in range(2)] for row in range(6)]


def factor(t, token, column):
    """The gradient of the vector of a token."""
    return 0.0 if token == 4 else float(np.float32([1e-9, 1.0, -0.25, 1e4][(t + token) % 4] * (1 + column)))


def sparse_case(kind, maker, keys, lr, names=None):
    """SparseAdam adds epsilon to the uncorrected root: an epsilon that is corrected in each step makes it Adam's."""

    def run(dtype):
        embedding = torch.nn.Embedding(6, 2, sparse=True, dtype=dtype)
        embedding.weight.data.copy_(torch.tensor(TABLE, dtype=dtype))
        named = {(names or {}).get(key, key): value for key, value in keys.items()}
        optimizer = maker(embedding.parameters(), lr=lr, **named)
        steps, dense = [], []
        for t in range(1, STEPS + 1):
            tokens = TOKENS[t % 5]
            optimizer.param_groups[0]["lr"] = rate(lr, t)
            if maker is O.SparseAdam:
                optimizer.param_groups[0]["eps"] = 1e-8 * (1 - 0.999**t) ** 0.5
            optimizer.zero_grad()
            factors = torch.tensor([[factor(t, token, c) for c in range(2)] for token in tokens], dtype=dtype)
            (embedding(torch.tensor(tokens)) * factors).sum().backward()
            dense.append(embedding.weight.grad.to_dense().flatten().tolist())
            optimizer.step()
            steps.append(embedding.weight.detach().flatten().tolist())
        return steps, dense

    double, dense = run(torch.float64)
    single = run(torch.float32)[0]
    whole = [[x for row in TABLE for x in row]] + double
    return {
        "optimizer": kind,
        "keys": keys,
        "lr": lr,
        "gradients": dense,
        "f64": [double_digits(double[t - 1]) for t in SHOWN],
        "f32": [[float(f"{x:.9g}") for x in single[t - 1]] for t in SHOWN],
        "size": [max(abs(step[i]) for step in whole) for i in range(12)],
        "moved": [max(abs(b[i] - a[i]) for a, b in zip(whole, whole[1:])) for i in range(12)],
    }


SPARSE = [
    sparse_case("Sgd", O.SGD, {}, 0.01),
    sparse_case("AdaGrad", O.Adagrad, {"initial_accumulator": 0.1}, 0.01, {"initial_accumulator": "initial_accumulator_value"}),
    sparse_case("SparseAdam", O.SparseAdam, {}, 1e-3),
]


def line(value):
    return json.dumps(value, separators=(",", ":"))


print("{")
print(f'"shown":{line(SHOWN)},')
print(f'"first":{line([x for values in FIRST.values() for x in values])},')
print(f'"gradients":{line([[x for values in step.values() for x in values] for step in GRADIENTS])},')
print('"cases":[\n' + ",\n".join(line(one) for one in CASES) + "\n],")
print(f'"tokens":{line(TOKENS)},')
print(f'"table":{line([x for row in TABLE for x in row])},')
print('"sparse":[\n' + ",\n".join(line(one) for one in SPARSE) + "\n]")
print("}")
