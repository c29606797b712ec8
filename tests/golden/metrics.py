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
    }
    here = as_predicted + actual > 0
    numbers = {}
    for name, (of_class, theirs) in values.items():
        their = lambda average: theirs(target, predicted, average=average, zero_division=0)
        numbers[f"{name}_macro"] = agree(of_class[here].mean(), their("macro"))
        numbers[f"{name}_weighted"] = agree((of_class * actual).sum() / actual.sum(), their("weighted"))
        numbers[f"{name}_micro"] = agree(right.sum() / actual.sum(), their("micro"))
        if classes == 2:
            numbers[name] = agree(of_class[1], their("binary"))
    return numbers, table


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
print(json.dumps({"one": one, "labels": labels, "label": label, "many": many, "two": two, "places": places, "values": values}))
