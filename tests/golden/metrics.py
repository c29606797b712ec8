"""Golden values of the metrics: formulas written out here, checked against scikit-learn.

usage: python metrics.py > metrics.json

Needs numpy and scikit-learn; the tests need only the JSON file. Logits and values are f32. The data include equal logits and
equal scores, a class that never occurs and is never predicted, one that is never predicted, one that is predicted but never
correct, targets far from 0, a constant target.
"""
import json
import warnings

import numpy as np
import sklearn.metrics as sk

warnings.simplefilter("ignore")
random = np.random.default_rng(4)


def log_softmax(z):
    z = z.astype(np.float64)
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def area(score, positive):
    """The definition, over all pairs."""
    a, b = score[positive][:, None], score[~positive][None, :]
    return float(((a > b) + 0.5 * (a == b)).mean()) if a.size and b.size else None


def agree(ours, theirs):
    assert abs(ours - theirs) < 1e-12, (ours, theirs)
    return ours


def averages(logits, target):
    classes = logits.shape[1]
    predicted = logits.argmax(1)
    table = np.zeros((classes, classes), int)
    np.add.at(table, (target, predicted), 1)
    right, as_predicted, actual = np.diag(table), table.sum(0), table.sum(1)
    ratio = lambda a, b: np.where(b > 0, a / np.maximum(b, 1), 0.0)
    values = {
        "precision": (ratio(right, as_predicted), sk.precision_score),
        "recall": (ratio(right, actual), sk.recall_score),
        "f1": (ratio(2 * right, as_predicted + actual), sk.f1_score),
        "iou": (ratio(right, as_predicted + actual - right), sk.jaccard_score),
    }
    here = as_predicted + actual > 0
    numbers = {}
    for name, (of_class, theirs) in values.items():
        their = lambda average: theirs(target, predicted, average=average, zero_division=0)
        numbers[f"{name}_macro"] = agree(of_class[here].mean(), their("macro"))
        numbers[f"{name}_weighted"] = agree((of_class * actual).sum() / actual.sum(), their("weighted"))
        wrong = actual.sum() - right.sum()
        micro = right.sum() / (actual.sum() + wrong) if name == "iou" else right.sum() / actual.sum()
        numbers[f"{name}_micro"] = agree(micro, their("micro"))
        if classes == 2:
            numbers[name] = agree(of_class[1], their("binary"))
    numbers["mcc"] = correlation(len(target), right.sum(), actual, as_predicted)
    agree(numbers["mcc"], sk.matthews_corrcoef(target, predicted))
    return numbers, table


def correlation(samples, right, actual, predicted):
    spread = (samples**2 - (predicted**2).sum()) * (samples**2 - (actual**2).sum())
    return float((right * samples - (actual * predicted).sum()) / spread**0.5) if spread else 0.0


def precision(score, positive):
    """The definition: the precision at each positive sample, of all samples with its score or a higher one."""
    if not positive.any():
        return None
    at = lambda s: positive[score >= s].sum() / (score >= s).sum()
    return agree(float(np.mean([at(s) for s in score[positive]])), sk.average_precision_score(positive, score))


def calibration(probability, right, bins=15):
    """Guo et al. 2017; a probability between two bins counts in the upper one, and 1 in the last."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    each = [place == b for b in range(bins)]
    return float(sum(abs(probability[b].mean() - right[b].mean()) * b.mean() for b in each if b.any()))


def of_classes(logits, target):
    classes = logits.shape[1]
    numbers, table = averages(logits, target)
    numbers["accuracy"] = agree(float((logits.argmax(1) == target).mean()), sk.accuracy_score(target, logits.argmax(1)))
    order = np.argsort(-logits, axis=1, kind="stable")
    for k in range(1, classes):
        numbers[f"top_{k}_accuracy"] = float((order[:, :k] == target[:, None]).any(1).mean())
    p = np.exp(log_softmax(logits))
    if classes == 2:
        numbers["auroc"] = agree(area(p[:, 1], target == 1), sk.roc_auc_score(target, p[:, 1]))
    else:
        areas = [area(p[:, c], target == c) for c in range(classes)]
        for c, mine in enumerate(areas):
            mine is None or agree(mine, sk.roc_auc_score(target == c, p[:, c]))
        numbers["auroc"] = float(np.mean([a for a in areas if a is not None]))
    each = [precision(p[:, c], target == c) for c in ([1] if classes == 2 else range(classes))]
    numbers["average_precision"] = float(np.mean([a for a in each if a is not None]))
    numbers["calibration_error"] = calibration(p.max(1), logits.argmax(1) == target)
    return {
        "predictions": logits.flatten().tolist(),
        "targets": target.tolist(),
        "table": table.tolist(),
        "values": numbers,
    }


def grid(*shape):
    """Logits in quarters, so that many are equal."""
    return (random.integers(-8, 9, shape) / 4).astype(np.float32)


logits = grid(53, 5)
logits[:, 2] -= 20  # never predicted, never right
logits[:, 3] -= 20  # never predicted
target = random.choice([0, 3, 4], 53)  # class 1 is never right
many = of_classes(logits, target)
two = of_classes(grid(41, 2), random.integers(0, 2, 41))

def of_one_logit(logit, target):
    """Class 1 is predicted where its logit is above 0: two classes, of which class 0 has the logit 0."""
    numbers, table = averages(np.stack([np.zeros_like(logit), logit], 1), target)
    numbers["accuracy"] = agree(float(((logit > 0) == (target == 1)).mean()), sk.accuracy_score(target, logit > 0))
    numbers["auroc"] = agree(area(logit, target == 1), sk.roc_auc_score(target, logit))
    numbers["average_precision"] = precision(logit, target == 1)
    numbers["calibration_error"] = calibration(1 / (1 + np.exp(-logit.astype(np.float64))), target == 1)
    return {
        "predictions": logit.tolist(),
        "targets": target.tolist(),
        "table": table.tolist(),
        "values": numbers,
    }


def of_labels(logits, target):
    """Each label separately; a label is predicted where its logit is above 0, and true where its target is above 0.5."""
    predicted, actual = logits > 0, target > 0.5
    labels = logits.shape[1]
    right, as_predicted, as_actual = (predicted & actual).sum(0), predicted.sum(0), actual.sum(0)
    ratio = lambda a, b: a / b if b else 0.0
    kinds = {
        "precision": (lambda r, p, a: ratio(r, p), sk.precision_score),
        "recall": (lambda r, p, a: ratio(r, a), sk.recall_score),
        "f1": (lambda r, p, a: ratio(2 * r, p + a), sk.f1_score),
        "iou": (lambda r, p, a: ratio(r, p + a - r), sk.jaccard_score),
    }
    numbers = {}
    for name, (value, theirs) in kinds.items():
        each = np.array([value(*counts) for counts in zip(right, as_predicted, as_actual)])
        # scikit-learn treats one column as two classes and averages both.
        one = {"average": "binary"} if labels == 1 else {}
        their = lambda average: theirs(actual, predicted, **{"average": average, "zero_division": 0, **one})
        numbers[f"{name}_macro"] = agree(each.mean(), their("macro"))
        numbers[f"{name}_micro"] = agree(value(right.sum(), as_predicted.sum(), as_actual.sum()), their("micro"))
        numbers[f"{name}_weighted"] = agree(ratio((each * as_actual).sum(), as_actual.sum()), their("weighted"))
        if labels == 1:
            numbers[name] = agree(each[0], their("binary"))
    numbers["accuracy"] = agree(float((predicted == actual).mean()), 1 - sk.hamming_loss(actual, predicted))
    areas = [area(logits[:, i], actual[:, i]) for i in range(labels)]
    for i, mine in enumerate(areas):
        mine is None or agree(mine, sk.roc_auc_score(actual[:, i], logits[:, i]))
    numbers["auroc"] = float(np.mean([mine for mine in areas if mine is not None]))
    each = [precision(logits[:, i], actual[:, i]) for i in range(labels)]
    numbers["average_precision"] = float(np.mean([mine for mine in each if mine is not None]))
    numbers["calibration_error"] = calibration(1 / (1 + np.exp(-logits.astype(np.float64).flatten())), actual.flatten())
    # Every label of every sample is one decision.
    numbers["mcc"] = float(sk.matthews_corrcoef(actual.flatten(), predicted.flatten()))
    return {
        "predictions": logits.flatten().tolist(),
        "targets": target.astype(np.float32).flatten().tolist(),
        "values": numbers,
    }


tokens = grid(11, 3, 4)
right = random.integers(0, 4, (11, 3))
nll = -np.take_along_axis(log_softmax(tokens), right[..., None], -1)
places = {
    "predictions": tokens.flatten().tolist(),
    "targets": right.flatten().tolist(),
    "values": {
        "perplexity": agree(float(np.exp(nll.mean())), np.exp(sk.log_loss(right.flatten(), np.exp(log_softmax(tokens)).reshape(-1, 4)))),
        "accuracy": float((tokens.argmax(-1) == right).mean()),
        "mcc": float(sk.matthews_corrcoef(right.flatten(), tokens.argmax(-1).flatten())),
        "iou_macro": float(sk.jaccard_score(right.flatten(), tokens.argmax(-1).flatten(), average="macro")),
        "calibration_error": calibration(np.exp(log_softmax(tokens)).max(-1).flatten(), (tokens.argmax(-1) == right).flatten()),
    },
}

truth = random.normal(size=(29, 3)).astype(np.float32)
truth[:, 1] = truth[:, 1] * 0.5 + 1000
guess = (truth + 0.3 * random.normal(size=truth.shape)).astype(np.float32)
truth[:, 2] = 2.5
t, p = truth.astype(np.float64), guess.astype(np.float64)
r2 = [1 - ((t[:, i] - p[:, i]) ** 2).sum() / ((t[:, i] - t[:, i].mean()) ** 2).sum() for i in range(2)] + [0.0]
values = {
    "predictions": guess.flatten().tolist(),
    "targets": truth.flatten().tolist(),
    "values": {
        "mean_absolute_error": agree(np.abs(t - p).mean(), sk.mean_absolute_error(t, p)),
        "mean_squared_error": agree(((t - p) ** 2).mean(), sk.mean_squared_error(t, p)),
        # One root over all values; scikit-learn averages the roots of the columns.
        "root_mean_squared_error": agree(((t - p) ** 2).mean() ** 0.5, sk.mean_squared_error(t, p) ** 0.5),
        "r2": agree(np.mean(r2), sk.r2_score(t, p)),
    },
}
# A separate generator, so that the values above do not change.
random = np.random.default_rng(5)
one = of_one_logit(grid(47), random.integers(0, 2, 47))
wanted = random.choice([0.0, 0.25, 0.5, 0.75, 1.0], (43, 4))
wanted[:, 2] = 0  # nowhere
scores = grid(43, 4)
scores[:, 2] -= 20  # and never predicted
labels = of_labels(scores, wanted)
label = of_labels(grid(31, 1), random.choice([0.0, 1.0], (31, 1)))
random = np.random.default_rng(6)
# A class of each pixel, on maps of 2 rows and 3 columns; every pixel counts like a sample.
pictures, classes = grid(19, 4, 2, 3), random.integers(0, 3, (19, 2, 3))
maps = of_classes(np.moveaxis(pictures, 1, -1).reshape(-1, 4), classes.flatten())
maps |= {"predictions": pictures.flatten().tolist(), "targets": classes.flatten().tolist()}
topics = {"one": one, "labels": labels, "label": label, "many": many, "two": two, "places": places, "values": values, "maps": maps}
print(json.dumps(topics))
