"""Golden values of the losses: PyTorch's values and gradients in f64, on inputs that are exact in f32.

usage: python losses.py > losses.json

Needs PyTorch; the tests need only the JSON file. Each case has the keys of the loss, prediction and target, and for the
reduction of the keys the loss, its gradient, and the sizes of their terms, to which the tests relate their bounds. An infinity
is written as text.
"""
import json
import math

import torch
import torch.nn.functional as F

torch.manual_seed(4)
CASES = []


def real(x):
    x = float(x)
    return x if math.isfinite(x) else ("nan" if math.isnan(x) else "inf" if x > 0 else "-inf")


def flat(tensor):
    return [real(x) for x in tensor.detach().flatten().tolist()]


def single(rows):
    """Values rounded to f32, as f64."""
    return torch.as_tensor(rows, dtype=torch.float32).double()


def normal(*shape):
    return torch.randn(*shape).double()


def case(name, loss, y, target, value, sizes, **keys):
    """`value(y, reduction)` is PyTorch's loss; `sizes(y)` the sizes of its terms and those of its gradient, summed over samples."""
    reduction = keys.get("reduction", "mean")
    y = y.clone().requires_grad_()
    result = value(y, reduction)
    (gradient,) = torch.autograd.grad(result, y)
    loss_size, gradient_size = sizes(y.detach())
    CASES.append({
        "name": name, "loss": loss, "keys": keys, "shape": list(y.shape),
        "prediction": flat(y), "target": target.tolist() if target.dtype == torch.long else flat(target),
        "is_whole": target.dtype == torch.long,
        "value": real(result.detach()), "gradient": flat(gradient),
        "value_size": real(loss_size), "gradient_size": flat(gradient_size),
    })


# --- Cross entropy and negative log-likelihood

def cross_entropy(name, y, target, label_smoothing=0.0, weights=None, ignore_index=None, reduction="mean"):
    target = torch.tensor(target)
    classes = y.shape[1]
    w = None if weights is None else single(weights)
    ones = torch.ones(classes, dtype=torch.float64) if w is None else w
    ignored = -100 if ignore_index is None else ignore_index
    # The kernels receive the smoothing as an f32.
    e = float(single([label_smoothing])[0])

    def value(y, reduction):
        return F.cross_entropy(y, target, weight=w, ignore_index=ignored, label_smoothing=e, reduction=reduction)

    def sizes(y):
        keep = (target != ignored).double()
        right = torch.where(target == ignored, 0, target)
        weight = ones[right] * keep
        all_shares = (1 - e) * weight + e * ones.mean() * keep
        p = torch.softmax(y, 1)
        distance = (y - y.max(1, keepdim=True).values).abs()
        reach = torch.where(p > 0, p * (1 + distance), 0.0)
        share = (1 - e) * weight[:, None] * F.one_hot(right, classes) + e / classes * ones * keep[:, None]
        divisor = weight.sum() if reduction == "mean" else 1.0
        row = all_shares + (torch.where(share > 0, share * distance, 0.0)).sum(1)
        return row.sum() / divisor, (all_shares[:, None] * reach + share) / divisor

    keys = {"label_smoothing": e, "reduction": reduction}
    if weights is not None:
        keys["weights"] = [float(x) for x in weights]
    if ignore_index is not None:
        keys["ignore_index"] = ignore_index
    case(name, "CrossEntropy", y, target, value, sizes, **keys)


WEIGHTS = [0.5, 2.0, 0.0, 1.0, 3.25]
ordinary = normal(4, 5)
targets = [0, 4, 1, 1]
extreme = single([
    [1e4, -1e4, 0, 3, -3], [1e4, -1e4, 0, 3, -3], [-1e4] * 5, [1e4, 1e4, -1e4, 1e4, 0],
    [1e-4, 2e-4, -1e-4, 0, 0], [-88, -90, -104, 0, 20], [50, 0, 0, 0, 0],
])
extreme_targets = [0, 1, 4, 3, 2, 1, 0]
for label_smoothing in [0.0, 0.1]:
    for weights in [None, WEIGHTS]:
        label = f"smoothing {label_smoothing}, {'weights' if weights else 'no weights'}"
        some = dict(label_smoothing=label_smoothing, weights=weights)
        cross_entropy(f"ordinary, {label}", ordinary, targets, **some)
        cross_entropy(f"sum, {label}", ordinary, targets, reduction="sum", **some)
        cross_entropy(f"extreme, {label}", extreme, extreme_targets, **some)
        cross_entropy(f"ignored, {label}", ordinary, [0, 4, 1, 4], ignore_index=4, **some)
        cross_entropy(f"ignored outside, {label}", ordinary, [255, 4, 255, 3], ignore_index=255, **some)
cross_entropy("many classes", normal(2, 40), [3, 39], label_smoothing=0.1, weights=[0.25 * (i % 7) for i in range(40)])
cross_entropy("one class", single([[3.5], [-1e4]]), [0, 0], label_smoothing=0.2)
cross_entropy("ties", single([[2, 2, 2, 2, 2], [0, 0, 0, 0, 0]]), [1, 3])
cross_entropy("one weight counts", ordinary, [2, 2, 1, 2], weights=[0, 1, 0, 0, 0])
cross_entropy("probability 0", single([[1, -math.inf, 0, 2, 0]]), [3])


def likelihood(name, y, target, weights=None, ignore_index=None, reduction="mean"):
    target = torch.tensor(target)
    w = None if weights is None else single(weights)
    ignored = -100 if ignore_index is None else ignore_index

    def value(y, reduction):
        return F.nll_loss(y, target, weight=w, ignore_index=ignored, reduction=reduction)

    def sizes(y):
        gradient = torch.zeros_like(y)
        divisor = 0.0
        for row, t in enumerate(target.tolist()):
            if t != ignored:
                gradient[row, t] = 1.0 if w is None else w[t]
                divisor += float(gradient[row, t])
        gradient /= divisor if reduction == "mean" else 1.0
        return torch.where(gradient > 0, gradient * y.abs(), 0.0).sum(), gradient

    keys = {"reduction": reduction}
    if weights is not None:
        keys["weights"] = weights
    if ignore_index is not None:
        keys["ignore_index"] = ignore_index
    case(name, "NegativeLogLikelihood", y, target, value, sizes, **keys)


log_p = single(torch.log_softmax(ordinary, 1))
likelihood("ordinary", log_p, targets)
likelihood("weights", log_p, targets, weights=WEIGHTS)
likelihood("sum of weights", log_p, targets, weights=WEIGHTS, reduction="sum")
likelihood("ignored", log_p, [255, 4, 1, 4], weights=WEIGHTS, ignore_index=255)
likelihood("probability 0", single([[-math.inf, 0.0], [-1e4, 0.0]]), [1, 1])
likelihood("probability 0 is right", single([[-math.inf, 0.0]]), [0])

# --- Pointwise losses


def regression(name, loss, function, size, y, t, **keys):
    # `size` returns the terms of the loss and of the slope for an error; an error is rounded once, relatively.
    def sizes(y):
        terms, slopes = size(y - t)
        divisor = 1.0 if keys.get("reduction") == "sum" else y.numel()
        return terms.sum() / divisor, slopes / divisor

    case(name, loss, y, t, lambda y, reduction: function(y, t, reduction=reduction), sizes, **keys)


y, t = normal(3, 4), normal(3, 4)
zero = single([[1.0, -2.5, 0.0, 1e4]])
edges = single([[1, -1, 2, -2, 1.0000001, 0.99999994, 0.5, -0.5, 0, 1e4, -1e4, 1e-20]])
nothing = torch.zeros_like(edges)
inputs = [("ordinary", y, t), ("zero error", zero, zero.clone()), ("bounds", edges, nothing)]
for name, a, b in inputs:
    for reduction in ["mean", "sum"]:
        label, keys = f"{name}, {reduction}", {"reduction": reduction}
        regression(label, "MeanSquaredError", F.mse_loss, lambda e: (e * e, 2 * e.abs()), a, b, **keys)
        regression(label, "MeanAbsoluteError", F.l1_loss, lambda e: (e.abs(), e.sign().abs()), a, b, **keys)
        for delta in [1.0, 0.5]:
            regression(
                f"{label}, delta {delta}", "Huber", lambda *a, **k: F.huber_loss(*a, delta=delta, **k),
                lambda e: (torch.where(e.abs() <= delta, e * e, 2 * delta * e.abs()), e.abs().clamp(max=delta)),
                a, b, delta=delta, **keys)
        for beta in [1.0, 0.5, 0.0]:
            def size(e):
                inside = e.abs() < beta
                slope = torch.where(inside, e.abs() / max(beta, 1e-30), e.sign().abs())
                return torch.where(inside, e * e / max(beta, 1e-30), 2 * e.abs()), slope
            regression(
                f"{label}, beta {beta}", "SmoothL1", lambda *a, **k: F.smooth_l1_loss(*a, beta=beta, **k), size,
                a, b, beta=beta, **keys)


def binary(name, y, t, pos_weight=None, reduction="mean"):
    w = None if pos_weight is None else single(pos_weight)

    def exact(y):
        """In the form without cancellation, which PyTorch's value is compared with."""
        ones = t * (1.0 if w is None else w)
        loss = -ones * F.logsigmoid(y) - (1 - t) * F.logsigmoid(-y)
        slopes = (1 - t) * torch.sigmoid(y), ones * torch.sigmoid(-y)
        return loss, slopes

    def value(y, reduction):
        theirs = F.binary_cross_entropy_with_logits(y, t, pos_weight=w, reduction=reduction)
        ours = exact(y)[0]
        ours = ours.mean() if reduction == "mean" else ours.sum()
        assert abs(theirs - ours) <= 1e-12 * (1 + y.abs().max()), (theirs, ours)
        # PyTorch's (1 - t) y + ... loses all digits of a small loss even in f64; its gradient is checked as well.
        (a,) = torch.autograd.grad(theirs, y, retain_graph=True)
        (b,) = torch.autograd.grad(ours, y, retain_graph=True)
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-15), (a, b)
        return ours

    def sizes(y):
        loss, slopes = exact(y)
        divisor = 1.0 if reduction == "sum" else y.numel()
        return loss.sum() / divisor, (slopes[0] + slopes[1]) / divisor

    keys = {"reduction": reduction}
    if pos_weight is not None:
        keys["pos_weight"] = pos_weight
    case(name, "BinaryCrossEntropy", y, t, value, sizes, **keys)


answers = single([[0, 1, 1, 0], [1, 0, 0.25, 0.5], [1, 1, 0, 0]])
far = single([[1e4, -1e4, 1e4, -1e4], [50, -50, 12, -12], [-88, 88, 0, 1e-4]])
for name, a, b in [
    ("ordinary", y, answers),
    ("right by far", far, single([[1, 0, 1, 0], [1, 0, 1, 0], [0, 1, 0, 1]])),
    # Separate, so that no large loss hides the digits of these.
    ("right by 50 and 12", far[1:2], single([[1, 0, 1, 0]])),
    ("wrong by far", far, single([[0, 1, 0, 1], [0, 1, 0, 1], [1, 0, 1, 0]])),
    ("soft", far, single([[0.5, 0.25, 0.1, 0.9]] * 3)),
]:
    binary(name, a, b)
    binary(f"{name}, weights", a, b, pos_weight=[0.5, 2.0, 30.0, 1.0])
    binary(f"{name}, sum", a, b, reduction="sum")


def divergence(name, y, t, reduction="mean"):
    batchmean = "sum" if reduction == "sum" else "batchmean"

    def sizes(y):
        divisor = 1.0 if reduction == "sum" else y.shape[0]
        terms = torch.where(t > 0, t * (torch.log(t.clamp(min=1e-300)).abs() + y.abs()), 0.0)
        return terms.sum() / divisor, t / divisor

    case(name, "KlDivergence", y, t, lambda y, _: F.kl_div(y, t, reduction=batchmean), sizes, reduction=reduction)


p = single(torch.softmax(normal(4, 5), 1))
for reduction in ["mean", "sum"]:
    divergence(f"ordinary, {reduction}", log_p, p, reduction)
    divergence(f"the same, {reduction}", single(torch.log(p)), p, reduction)
    divergence(f"one hot, {reduction}", log_p, single([[0, 1, 0, 0, 0]] * 4), reduction)
divergence("far", single([[-1e4, 0.0, -104.0]]), single([[0.5, 1e-30, 0.5]]))
divergence("probability 0 is right", single([[-math.inf, 0.0]]), single([[0.5, 0.5]]))
divergence("one class", single([[0.0]]), single([[1.0]]))


def hinge(name, y, target, margin=1.0, power=1, reduction="mean"):
    target = torch.tensor(target)

    def value(y, reduction):
        return F.multi_margin_loss(y, target, p=power, margin=margin, reduction=reduction)

    def sizes(y):
        classes = y.shape[1]
        right = y.gather(1, target[:, None])
        missing = (margin - right + y).clamp(min=0) * (1 - F.one_hot(target, classes))
        on = (missing > 0).double()
        terms = on * (margin + right.abs() + y.abs())
        loss = missing * terms * 2 if power == 2 else terms
        slopes = 2 * terms if power == 2 else on
        slopes = slopes + F.one_hot(target, classes) * slopes.sum(1, keepdim=True)
        divisor = classes * (1.0 if reduction == "sum" else y.shape[0])
        return loss.sum() / divisor, slopes / divisor

    case(name, "Hinge", y, target, value, sizes, margin=margin, power=power, reduction=reduction)


for power in [1, 2]:
    hinge(f"ordinary, power {power}", ordinary, targets, power=power)
    hinge(f"margin, power {power}", ordinary, targets, margin=0.25, power=power)
    hinge(f"sum, power {power}", ordinary, targets, power=power, reduction="sum")
    hinge(f"extreme, power {power}", extreme, extreme_targets, power=power)
    hinge(f"ties, power {power}", single([[1, 0, 0], [0, 0, 1], [5, 5, 4]]), [0, 2, 0], power=power)
    hinge(f"one class, power {power}", single([[3.5]]), [0], power=power)

print(json.dumps({"torch": torch.__version__, "cases": CASES}, separators=(",", ":")).replace('},{"name"', '},\n{"name"'))
