"""Golden numbers of the recurrent layers: PyTorch's LSTM and GRU in f64, small enough to be read.

usage: python recurrent.py > recurrent.json

Needs PyTorch; the tests need the JSON file alone. Weights are what the layers themselves begin with (the seed
makes the file reproducible); the gradients are those of the sum of `weights * output`.
"""
import json

import torch

BATCH, LENGTH, FEATURES, OUT = 2, 4, 3, 2
PARAMETERS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]


def golden(layer):
    layer = layer(FEATURES, OUT, batch_first=True, dtype=torch.float64)
    x = torch.randn(BATCH, LENGTH, FEATURES, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(BATCH, LENGTH, OUT, dtype=torch.float64)
    output, _ = layer(x)
    (weights * output).sum().backward()
    parameters = [getattr(layer, f"{name}_l0") for name in PARAMETERS]
    return {
        "input": flat(x),
        "parameters": [flat(parameter) for parameter in parameters],
        "weights": flat(weights),
        "output": flat(output),
        "input_gradient": flat(x.grad),
        "parameter_gradients": [flat(parameter.grad) for parameter in parameters],
    }


def flat(tensor):
    return tensor.detach().flatten().tolist()


torch.manual_seed(1)
numbers = {"lstm": golden(torch.nn.LSTM), "gru": golden(torch.nn.GRU)}
print(json.dumps({"torch": torch.__version__, "shape": [BATCH, LENGTH, FEATURES, OUT], **numbers}, indent=1))
