"""Muon: six steps of a wide matrix, a tall one, a kernel and a bias, by PyTorch in f64.

    python muon.py > muon.json

PyTorch rounds the Newton-Schulz iteration to bf16; here the name of that type stands for f64. A kernel is a matrix of its first axis and
all others, since PyTorch's Muon takes only matrices. The bias is updated by AdamW. The learning rates fall in the middle.
"""

import json

import torch

torch.bfloat16 = torch.float64
torch.manual_seed(3)
torch.set_num_threads(1)

STEPS = 6
SHAPES = [[3, 5], [6, 2], [4, 2, 3, 3], [3]]
FIRST = [torch.randn(shape) for shape in SHAPES]
GRADIENTS = [[torch.randn(shape) * 10.0 ** (step % 3 - 1) for shape in SHAPES] for step in range(STEPS)]


def run(keys, rest):
    keys, rest = dict(keys), dict(rest)
    names = {"steps": "ns_steps", "rate": "adjust_lr_fn"}
    rates = {"Original": "original", "MatchAdamW": "match_rms_adamw"}
    named = {names.get(key, key): rates.get(value, value) for key, value in keys.items()}
    parameters = [tensor.double() for tensor in FIRST]
    flat = [tensor.reshape(len(tensor), -1) if tensor.dim() > 1 else tensor.clone() for tensor in parameters]
    flat = [tensor.clone().requires_grad_() for tensor in flat]
    muon = torch.optim.Muon(flat[:3], **{"lr": 1e-3, **named})
    adamw = torch.optim.AdamW(flat[3:], **{"weight_decay": 0.0, **rest}, foreach=False)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in (muon, adamw)]
    steps = []
    for step, gradients in enumerate(GRADIENTS):
        for tensor, gradient in zip(flat, gradients):
            tensor.grad = gradient.double().reshape(tensor.shape)
        for optimizer, lr in zip((muon, adamw), rates):
            optimizer.param_groups[0]["lr"] = lr if step < 3 else lr / 2
            optimizer.step()
        steps.append([x for tensor in flat for x in tensor.detach().flatten().tolist()])
    return {"keys": keys, "rest": rest, "steps": steps}


CASES = [
    ({}, {"lr": 1e-3}),
    ({"lr": 0.02, "nesterov": False, "momentum": 0.9, "weight_decay": 0.0}, {"lr": 0.01}),
    ({"lr": 0.1, "rate": "MatchAdamW", "steps": 3, "weight_decay": 0.5}, {"lr": 0.05}),
]

print(
    json.dumps(
        {
            "first": [x for tensor in FIRST for x in tensor.flatten().tolist()],
            "gradients": [[x for tensor in step for x in tensor.flatten().tolist()] for step in GRADIENTS],
            "cases": [run(*case) for case in CASES],
        }
    )
)
