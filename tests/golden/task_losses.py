"""Golden values of the losses for rare classes, masks, distributions, embeddings and sequences, in f64, on inputs that are exact in f32.

usage: python task_losses.py > task_losses.json

Needs PyTorch; the tests need only the JSON file. Values and gradients are those of PyTorch's own losses where it has them, otherwise those
of the paper's formula under PyTorch's autograd. An infinity is written as text.
"""
import json
import math

import torch
import torch.nn.functional as F

torch.manual_seed(11)
CASES = []


def real(x):
    x = float(x)
    return x if math.isfinite(x) else ("nan" if math.isnan(x) else "inf" if x > 0 else "-inf")


def flat(tensor):
    return [real(x) for x in tensor.detach().flatten().tolist()]


def single(rows):
    return torch.as_tensor(rows, dtype=torch.float32).double()


def normal(*shape):
    return torch.randn(*shape).double()


def case(name, loss, y, target, value, **keys):
    y = y.clone().requires_grad_()
    result = value(y)
    (gradient,) = torch.autograd.grad(result, y)
    CASES.append({
        "name": name, "loss": loss, "keys": keys, "shape": list(y.shape), "prediction": flat(y),
        "target": target.tolist() if target.dtype == torch.long and target.dim() == 1 else
        flat(target) if target.dtype != torch.long else target.flatten().tolist(),
        "target_shape": list(target.shape), "is_whole": target.dtype == torch.long,
        "value": real(result.detach()), "gradient": flat(gradient),
    })


def reduced(losses, reduction, weight=None):
    if reduction == "sum":
        return losses.sum()
    return losses.sum() / (losses.numel() if weight is None else weight)


# --- Focal losses

def focal(name, y, target, gamma=2.0, weights=None, ignore_index=None, reduction="mean"):
    target = torch.tensor(target)
    w = torch.ones(y.shape[1]).double() if weights is None else single(weights)
    keep = target != (-1 if ignore_index is None else ignore_index)

    def value(y):
        log_p = torch.log_softmax(y[keep], 1)[torch.arange(int(keep.sum())), target[keep]]
        # 1 - p without cancellation.
        losses = -w[target[keep]] * (-torch.expm1(log_p)) ** gamma * log_p
        return reduced(losses, reduction, w[target[keep]].sum())

    keys = {"gamma": gamma, "reduction": reduction}
    if weights is not None:
        keys["weights"] = weights
    if ignore_index is not None:
        keys["ignore_index"] = ignore_index
    case(name, "Focal", y, target, value, **keys)


ordinary = normal(4, 5)
targets = [0, 4, 1, 1]
WEIGHTS = [0.5, 2.0, 0.0, 1.0, 3.25]
for gamma in [0.0, 0.5, 1.0, 2.0, 3.5]:
    for reduction in ["mean", "sum"]:
        focal(f"ordinary, gamma {gamma}, {reduction}", ordinary, targets, gamma, reduction=reduction)
    focal(f"weights, gamma {gamma}", ordinary, targets, gamma, WEIGHTS)
    focal(f"ignored, gamma {gamma}", ordinary, [255, 4, 1, 255], gamma, WEIGHTS, 255)
    focal(f"nearly sure, gamma {gamma}", single([[9, 0, -1, 0, 0], [0, 20, 0, 0, 0], [0, 0, -30, 1, 0]]), [0, 1, 2], gamma)
assert abs(CASES[0]["value"] - F.cross_entropy(ordinary, torch.tensor(targets))) < 1e-14


def binary_focal(name, y, t, gamma=2.0, alpha=0.25, reduction="mean"):
    def value(y):
        # torchvision's sigmoid_focal_loss, without its cancellation for logits far from 0.
        log_p = t * F.logsigmoid(y) + (1 - t) * F.logsigmoid(-y)
        weights = alpha * t + (1 - alpha) * (1 - t)
        losses = -weights * (-torch.expm1(log_p)) ** gamma * log_p
        p = torch.sigmoid(y)
        p_t = p * t + (1 - p) * (1 - t)
        theirs = weights * F.binary_cross_entropy_with_logits(y, t, reduction="none") * (1 - p_t) ** gamma
        assert torch.allclose(theirs, losses, rtol=1e-9, atol=1e-12)
        return reduced(losses, reduction)

    case(name, "BinaryFocal", y, t, value, gamma=gamma, alpha=alpha, reduction=reduction)


t = single([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 1]])
for gamma, alpha in [(0.0, 0.5), (2.0, 0.25), (0.5, 0.75), (5.0, 1.0)]:
    for reduction in ["mean", "sum"]:
        binary_focal(f"ordinary, {gamma}, {alpha}, {reduction}", normal(3, 4), t, gamma, alpha, reduction)
binary_focal("far", single([[30, -30, 30, -30], [0, 5, -5, 12], [12, -12, 4, 0]]), t)

# --- Masks


def dice(name, y, t, smooth=1.0, reduction="mean"):
    def value(y):
        p = torch.sigmoid(y)
        losses = 1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)
        return reduced(losses, reduction)

    case(name, "Dice", y, t, value, smooth=smooth, reduction=reduction)


mask = single([[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], [0.5, 0, 0.25, 0, 1, 0]])
for smooth in [1.0, 0.001]:
    for reduction in ["mean", "sum"]:
        dice(f"ordinary, {smooth}, {reduction}", normal(4, 6), mask, smooth, reduction)
dice("far", single([[40, -40, -40, 40, -40, -40], [-40] * 6, [40] * 6, [-40, 40, -40, 40, -40, 40]]), mask)

# --- Distributions


def gaussian(name, y, t, min_variance=1e-6, reduction="mean"):
    def value(y):
        mean, log_variance = y[:, 0], y[:, 1]
        return F.gaussian_nll_loss(mean, t, log_variance.exp(), eps=min_variance, reduction=reduction)

    case(name, "GaussianNegativeLogLikelihood", y, t, value, min_variance=min_variance, reduction=reduction)


for reduction in ["mean", "sum"]:
    gaussian(f"ordinary, {reduction}", normal(4, 2, 3), normal(4, 3), reduction=reduction)
gaussian("far", single([[[1e3, -5, 0], [8, -10, 0]], [[1, 2, 3], [0, 0, 20]]]), single([[1e3, 5, 0], [1, 2, -3]]))


def poisson(name, y, t, reduction="mean"):
    case(name, "PoissonNegativeLogLikelihood", y, t, lambda y: F.poisson_nll_loss(y, t, reduction=reduction), reduction=reduction)


for reduction in ["mean", "sum"]:
    poisson(f"ordinary, {reduction}", normal(4, 3), single([[0, 1, 2], [7, 0, 0], [3, 3, 100], [0.5, 2, 1]]), reduction)
poisson("far", single([[-50, 20, 0]]), single([[0, 1000, 3]]))

# --- Embeddings


def cosine(name, y, t, margin=0.0, reduction="mean"):
    t = torch.tensor(t)

    def value(y):
        return F.cosine_embedding_loss(y[:, 0], y[:, 1], 2 * t - 1, margin=margin, reduction=reduction)

    case(name, "CosineEmbedding", y, t, value, margin=margin, reduction=reduction)


for margin in [0.0, 0.4, -0.5]:
    for reduction in ["mean", "sum"]:
        cosine(f"ordinary, {margin}, {reduction}", normal(6, 2, 3), [1, 0, 1, 0, 0, 0], margin, reduction)
cosine("sizes", single([[[1e-3, 2e-3], [1e3, 5e2]], [[1, 1], [2, 2.5]]]), [1, 0])


def triplet(name, y, t, margin=1.0, reduction="mean"):
    t = torch.tensor(t)

    def value(y):
        swapped = (t == 1)[:, None]
        positive, negative = torch.where(swapped, y[:, 2], y[:, 1]), torch.where(swapped, y[:, 1], y[:, 2])
        return F.triplet_margin_loss(y[:, 0], positive, negative, margin=margin, reduction=reduction)

    case(name, "Triplet", y, t, value, margin=margin, reduction=reduction)


for margin in [1.0, 0.2]:
    for reduction in ["mean", "sum"]:
        triplet(f"ordinary, {margin}, {reduction}", normal(6, 3, 4), [0, 0, 0, 1, 1, 0], margin, reduction)
triplet("equal to the anchor", single([[[1, 2], [1, 2], [4, 6]], [[1, 2], [1.5, 2], [1, 2]]]), [0, 0])


def info_nce(name, y, t, temperature=0.1, reduction="mean"):
    t = torch.tensor(t)

    def value(y):
        norms = (y * y).sum(2) + 1e-12
        scores = (y[:, :1] * y[:, 1:]).sum(2) / (norms[:, :1] * norms[:, 1:]).sqrt()
        return F.cross_entropy(scores / temperature, t, reduction=reduction)

    case(name, "InfoNce", y, t, value, temperature=temperature, reduction=reduction)


for temperature in [0.1, 1.0]:
    for reduction in ["mean", "sum"]:
        info_nce(f"ordinary, {temperature}, {reduction}", normal(5, 4, 3), [0, 2, 1, 1, 2], temperature, reduction)

# --- Sequences


def ctc(name, y, t, blank=0, reduction="mean"):
    t = torch.tensor(t)
    lengths = (t != blank).sum(1)

    def value(y):
        log_p = torch.log_softmax(y, 2).transpose(0, 1)
        steps = torch.full((y.shape[0],), y.shape[1])
        return F.ctc_loss(log_p, t, steps, lengths, blank=blank, reduction=reduction)

    case(name, "Ctc", y, t, value, blank=blank, reduction=reduction)


for reduction in ["mean", "sum"]:
    ctc(f"ordinary, {reduction}", normal(4, 7, 5), [[1, 2, 3], [4, 4, 0], [2, 0, 0], [0, 0, 0]], reduction=reduction)
    ctc(f"blank 3, {reduction}", normal(3, 6, 4), [[1, 0, 1], [0, 0, 3], [2, 2, 1]], blank=3, reduction=reduction)
ctc("only one path", normal(2, 3, 4), [[1, 2, 3], [2, 2, 0]])
ctc("far", 30 * normal(2, 8, 5), [[1, 2, 1, 2], [3, 3, 3, 0]])

# --- Maps: each pixel counts like a sample for the cross entropies; a mask of each class of a sample for Dice.


def pixels(y, t):
    return y.permute(0, 2, 3, 1).reshape(-1, y.shape[1]), t.flatten()


def map_keys(weights, ignore_index, reduction, **keys):
    keys["reduction"] = reduction
    if weights is not None:
        keys["weights"] = weights
    if ignore_index is not None:
        keys["ignore_index"] = ignore_index
    return keys


def cross_entropy_map(name, y, t, label_smoothing=0.0, weights=None, ignore_index=None, reduction="mean"):
    def value(y):
        return F.cross_entropy(y, t, None if weights is None else single(weights), label_smoothing=label_smoothing,
                               ignore_index=-1 if ignore_index is None else ignore_index, reduction=reduction)

    case(name, "CrossEntropy", y, t, value, **map_keys(weights, ignore_index, reduction, label_smoothing=label_smoothing))


def focal_map(name, y, t, gamma=2.0, weights=None, ignore_index=None, reduction="mean"):
    def value(y):
        rows, classes = pixels(y, t)
        kept = classes != (-1 if ignore_index is None else ignore_index)
        rows, classes = rows[kept], classes[kept]
        w = (torch.ones(y.shape[1]).double() if weights is None else single(weights))[classes]
        log_p = torch.log_softmax(rows, 1)[torch.arange(len(classes)), classes]
        return reduced(-w * (-torch.expm1(log_p)) ** gamma * log_p, reduction, w.sum())

    case(name, "Focal", y, t, value, **map_keys(weights, ignore_index, reduction, gamma=gamma))


def dice_map(name, y, t, smooth=1.0, ignore_index=None, reduction="mean"):
    def value(y):
        p, classes = torch.softmax(y, 1), y.shape[1]
        kept = (t != (-1 if ignore_index is None else ignore_index)).double()
        masks = torch.stack([(t == c).double() for c in range(classes)], 1) * kept[:, None]
        sums = lambda x: x.sum((2, 3))
        p = p * kept[:, None]
        of_class = 1 - (2 * sums(p * masks) + smooth) / (sums(p) + sums(masks) + smooth)
        return reduced(of_class.mean(1), reduction, (kept.sum((1, 2)) > 0).sum())

    case(name, "Dice", y, t, value, **map_keys(None, ignore_index, reduction, smooth=smooth))


maps = torch.randint(0, 3, (3, 2, 4))
holes = maps.clone()
holes[0, 0, 1], holes[2] = 255, 255  # one pixel, and all of a sample
inner = maps.clone()  # class 2 is ignored
for reduction in ["mean", "sum"]:
    y = normal(3, 3, 2, 4)
    cross_entropy_map(f"map, {reduction}", y, maps, reduction=reduction)
    cross_entropy_map(f"map, weights, smoothing, {reduction}", y, holes, 0.1, [0.5, 2.0, 1.25], 255, reduction)
    focal_map(f"map, {reduction}", y, maps, reduction=reduction)
    focal_map(f"map, weights, ignored, {reduction}", y, holes, 1.5, [0.5, 2.0, 1.25], 255, reduction)
    dice_map(f"map, {reduction}", y, maps, reduction=reduction)
    dice_map(f"map, ignored, {reduction}", y, holes, 0.001, 255, reduction)
    dice_map(f"map, a class ignored, {reduction}", y, inner, 1.0, 2, reduction)

print(json.dumps({"torch": torch.__version__, "cases": CASES}, separators=(",", ":")).replace('},{"name"', '},\n{"name"'))
