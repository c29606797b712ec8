"""Golden values of layers: PyTorch's outputs and gradients in f64, small enough to be read.

usage: python layers.py > layers.json

Needs PyTorch; the tests need only the JSON file. Every input value is a multiple of 1/256, so that a test in f32 has the same
inputs; outputs have 15 digits. The gradients are those of the sum of `weights * output`. Parameters are in trainspec's order.
"""
import json

import torch
from torch import nn
from torch.nn import functional as F

BATCH = 2


def coarse(tensor):
    return (256 * tensor.double()).round() / 256


def random(*shape):
    return coarse(torch.randn(*shape))


def rounded(parameters):
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(coarse(parameter))
    return parameters


def flat(tensor):
    return [float(f"{number:.15g}") for number in tensor.detach().flatten().tolist()]


def case(shape, function, parameters=(), x=None):
    """One call of `function(x)`, with gradients of `x` and of `parameters`."""
    x = random(BATCH, *shape) if x is None else x
    x.requires_grad_()
    parameters = rounded(list(parameters))
    for parameter in parameters:
        parameter.grad = None
    y = function(x)
    weights = random(*y.shape)
    (weights * y).sum().backward()
    return {
        "shape": list(shape),
        "input": flat(x),
        "parameters": [flat(parameter) for parameter in parameters],
        "weights": flat(weights),
        "output": flat(y),
        "input_gradient": flat(x.grad),
        "parameter_gradients": [flat(parameter.grad) for parameter in parameters],
    }


def module(shape, layer):
    layer = layer.double()
    return case(shape, layer, layer.parameters())


def shifted(shape, layer):
    """A normalization whose scale and shift differ from their initial values."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(random(*parameter.shape))
    return module(shape, layer)


def recurrent(layer):
    layer = layer(3, 2, batch_first=True).double()
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    parameters = [getattr(layer, f"{name}_l0") for name in names]
    return case([4, 3], lambda x: layer(x)[0], parameters)


def attention(length, features, heads, causal, bias=True):
    layer = nn.MultiheadAttention(features, heads, bias=bias, batch_first=True).double()
    parameters = [layer.in_proj_weight, layer.in_proj_bias, layer.out_proj.weight, layer.out_proj.bias]
    parameters = [parameter for parameter in parameters if parameter is not None]
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(coarse(0.5 * random(*parameter.shape)))
    # Positions that are true in a boolean mask are excluded.
    mask = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
    return case([length, features], lambda x: layer(x, x, x, attn_mask=mask)[0], parameters)


def scaled_dot_product(length, features, heads):
    """The same layer made of `F.scaled_dot_product_attention` and two products."""
    each = features // heads
    parameters = [coarse(0.5 * random(*shape)) for shape in ([3 * features, features], [3 * features], [features] * 2, [features])]
    parameters = [nn.Parameter(parameter) for parameter in parameters]

    def attend(x):
        in_weight, in_bias, out_weight, out_bias = parameters
        parts = F.linear(x, in_weight, in_bias).reshape(BATCH, length, 3, heads, each).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
        return F.linear(mixed.transpose(1, 2).reshape(BATCH, length, features), out_weight, out_bias)

    return case([length, features], attend, parameters)


def far_out():
    """From -12 to 12, and farther; includes 0, where only functions that are smooth there may be differentiated."""
    numbers = [*torch.linspace(-12, 12, 25).tolist(), -90.0, 90.0, 2.0**-30, -(2.0**-30), 0.125]
    return torch.tensor(numbers).double().reshape(BATCH, 15)


def activation(function):
    return case([15], function, x=far_out())


def batch_norm(layer, shape):
    """Three steps in training, then evaluation."""
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(random(*layer.weight.shape))
        layer.bias.copy_(random(*layer.bias.shape))
    steps = []
    for step in range(4):
        layer.train(step < 3)
        numbers = case(shape, layer, layer.parameters(), 3.0 + 2.0 * random(4, *shape))
        running = {"running_mean": flat(layer.running_mean), "running_var": flat(layer.running_var)}
        steps.append({**numbers, **running})
    return {"eps": layer.eps, "update": layer.momentum, "shape": shape, "steps": steps}


torch.manual_seed(1)
cases = {
    "linear": module([3, 7], nn.Linear(7, 4)),
    "conv2d": module([3, 5, 4], nn.Conv2d(3, 2, 3)),
    "conv2d_stride_padding": module([2, 6, 5], nn.Conv2d(2, 3, 3, stride=2, padding=1)),
    "conv2d_dilation": module([2, 6, 7], nn.Conv2d(2, 2, 3, dilation=2, padding=2, stride=2)),
    "conv2d_groups": module([4, 5, 5], nn.Conv2d(4, 6, 3, groups=2, padding=1)),
    "conv2d_depthwise": module([3, 4, 5], nn.Conv2d(3, 3, 3, groups=3, padding=1, bias=False)),
    "max_pool2d": module([2, 5, 6], nn.MaxPool2d(2)),
    "max_pool2d_overlapping": module([2, 5, 6], nn.MaxPool2d(3, stride=2, padding=1)),
    "avg_pool2d": module([2, 5, 6], nn.AvgPool2d(2)),
    "avg_pool2d_overlapping": module([2, 5, 6], nn.AvgPool2d(3, stride=2, padding=1)),
    "global_avg_pool": case([3, 4, 5], lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1)),
    "layer_norm": shifted([3, 5], nn.LayerNorm(5)),
    "layer_norm_eps": shifted([2, 6], nn.LayerNorm(6, eps=0.1)),
    "rms_norm": shifted([3, 5], nn.RMSNorm(5, eps=1e-5)),
    "rms_norm_eps": shifted([2, 6], nn.RMSNorm(6, eps=0.1)),
    "group_norm": shifted([4, 3, 2], nn.GroupNorm(2, 4)),
    "group_norm_eps": shifted([6, 2, 2], nn.GroupNorm(3, 6, eps=0.1)),
    "lstm": recurrent(nn.LSTM),
    "gru": recurrent(nn.GRU),
    "self_attention": attention(4, 6, 2, causal=False),
    "self_attention_causal": attention(4, 6, 3, causal=True),
    "self_attention_without_bias": attention(3, 4, 1, causal=False, bias=False),
    "scaled_dot_product": scaled_dot_product(3, 4, 2),
    "gelu": activation(nn.GELU()),
    "gelu_tanh": activation(nn.GELU(approximate="tanh")),
    "silu": activation(nn.SiLU()),
    "tanh": activation(nn.Tanh()),
    "sigmoid": activation(nn.Sigmoid()),
    "relu": activation(nn.ReLU()),
    "softmax": activation(nn.Softmax(-1)),
}
norms = [
    batch_norm(nn.BatchNorm2d(3), [3, 2, 3]),
    batch_norm(nn.BatchNorm2d(2, eps=0.1, momentum=0.3), [2, 3, 1]),
    batch_norm(nn.BatchNorm1d(3), [3]),
]
# Later cases come last, so that earlier ones keep their numbers.
cases |= {
    "conv2d_rectangular": module(
        [2, 6, 7], nn.Conv2d(2, 3, (2, 3), stride=(1, 2), padding=(0, 1), dilation=(2, 1))
    ),
    "max_pool2d_rectangular": module([2, 5, 6], nn.MaxPool2d((2, 3), stride=(1, 2), padding=(0, 1))),
    "avg_pool2d_rectangular": module([2, 5, 6], nn.AvgPool2d((3, 2), stride=(2, 1), padding=(1, 0))),
    "conv1d": module([3, 9], nn.Conv1d(3, 4, 3, stride=2, padding=1)),
    "conv1d_groups": module([4, 9], nn.Conv1d(4, 2, 2, groups=2, dilation=3)),
    "conv1d_causal": module([2, 7], nn.Sequential(nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(2, 3, 3, dilation=2))),
    "max_pool1d": module([2, 9], nn.MaxPool1d(3, stride=2, padding=1)),
    "avg_pool1d": module([2, 9], nn.AvgPool1d(2)),
    "conv_transpose2d": module([3, 3, 4], nn.ConvTranspose2d(3, 2, 3)),
    "conv_transpose2d_stride": module(
        [2, 3, 4], nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1)
    ),
    "conv_transpose2d_groups": module(
        [4, 3, 2],
        nn.ConvTranspose2d(
            4, 6, (2, 3), stride=(3, 2), padding=(1, 0), output_padding=(2, 0), dilation=(1, 2), groups=2, bias=False
        ),
    ),
    "conv_transpose1d": module([3, 5], nn.ConvTranspose1d(3, 2, 4, stride=3, padding=1, output_padding=2)),
}
cases |= {
    "adaptive_avg_pool2d": module([2, 5, 7], nn.AdaptiveAvgPool2d((3, 2))),
    "adaptive_max_pool2d": module([2, 5, 4], nn.AdaptiveMaxPool2d((3, 6))),
    "mean_pool": case([4, 3], lambda x: x.mean(1)),
    "max_pool": case([4, 3, 2], lambda x: x.max(2).values),
    "last": case([4, 3], lambda x: x[:, -1]),
    "upsample": module([2, 3, 4], nn.Upsample(scale_factor=(2, 3))),
    "upsample_bilinear": module([2, 3, 4], nn.Upsample(scale_factor=2, mode="bilinear")),
    "upsample_bilinear_rectangular": module([1, 1, 4], nn.Upsample(scale_factor=(2, 3), mode="bilinear")),
    "pixel_shuffle": module([8, 2, 3], nn.PixelShuffle(2)),
}


def attend(x, shape, heads, kv_heads, split, mask=None, causal=False):
    """Queries, keys and values are columns of `x`; with `split`, the queries are its first rows and the keys the others."""
    each = shape[-1] // heads
    q, k, v = x[..., : heads * each], x[..., heads * each : (heads + kv_heads) * each], x[..., (heads + kv_heads) * each : (heads + 2 * kv_heads) * each]
    q, k, v = (q[:, :split], k[:, split:], v[:, split:]) if split else (q, k, v)
    q, k, v = (part.reshape(BATCH, part.shape[1], -1, each).transpose(1, 2) for part in (q, k, v))
    mask = None if mask is None else (mask > 0)[:, None, None, :].expand(BATCH, 1, q.shape[2], k.shape[2])
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=True)
    return y.transpose(1, 2).reshape(BATCH, y.shape[2], heads * each)


def angles(length, width, base):
    return torch.outer(torch.arange(length).double(), base ** (-torch.arange(0, width, 2).double() / width))


def rotated_halves(x, heads, base=10000.0):
    """As in Llama of Hugging Face."""
    length, width = x.shape[1], x.shape[2] // heads
    x = x.reshape(BATCH, length, heads, width)
    both = torch.cat([angles(length, width, base)] * 2, -1)[None, :, None]
    turned = torch.cat([-x[..., width // 2 :], x[..., : width // 2]], -1)
    return (x * both.cos() + turned * both.sin()).reshape(BATCH, length, -1)


def rotated_pairs(x, heads, base=10000.0):
    """As in Meta's Llama: complex products."""
    length, width = x.shape[1], x.shape[2] // heads
    turns = torch.polar(torch.ones(length, width // 2).double(), angles(length, width, base))[None, :, None]
    pairs = torch.view_as_complex(x.reshape(BATCH, length, heads, width // 2, 2))
    return torch.view_as_real(pairs * turns).reshape(BATCH, length, -1)


def encoding(x, out):
    """As in the tutorials of PyTorch."""
    table = torch.zeros(x.shape[1], out).double()
    steps = angles(x.shape[1], out, 10000.0)
    table[:, 0::2], table[:, 1::2] = steps.sin(), steps.cos()
    return table.expand(BATCH, -1, -1) + 0 * x.sum()


cases |= {
    "attention_grouped": case([4, 16], lambda x: attend(x, [8], 4, 2, 0)),
    "attention_causal": case([4, 12], lambda x: attend(x, [4], 2, 2, 0, causal=True)),
    "attention_cross": case([7, 12], lambda x: attend(x, [4], 2, 2, 3)),
    "attention_masked": case([5, 13], lambda x: attend(x[..., :12], [4], 2, 2, 0, mask=x[..., 12])),
    "rotary": case([5, 12], lambda x: rotated_halves(x, 2)),
    "rotary_interleaved": case([4, 8], lambda x: rotated_pairs(x, 1, 100.0)),
    "position_encoding": case([5, 2], lambda x: encoding(x, 6)),
}


def stacked(layer, last=False):
    """All parameters in the order of PyTorch, and every state or the last ones of the last layer."""
    layer = layer.double()

    def run(x):
        y, end = layer(x)
        end = end[0] if isinstance(end, tuple) else end
        directions = 2 if layer.bidirectional else 1
        return torch.cat(list(end[-directions:]), -1) if last else y

    return case([4, 3], run, layer.parameters())


def padded():
    layer = nn.Embedding(5, 3, padding_idx=1).double()
    tokens = torch.tensor([[1, 4, 1, 0], [2, 1, 4, 4]])
    weights = random(2, 4, 3)
    rounded(list(layer.parameters()))
    (weights * layer(tokens)).sum().backward()
    return {
        "tokens": tokens.flatten().tolist(),
        "table": flat(layer.weight),
        "weights": flat(weights),
        "output": flat(layer(tokens)),
        "gradient": flat(layer.weight.grad),
    }


def sloped(shape, layer):
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(random(*layer.weight.shape))
    return module(shape, layer)


class LayerScale(nn.Module):
    def __init__(self, axes):
        super().__init__()
        self.weight = nn.Parameter(random(*axes))

    def forward(self, x):
        return x * self.weight


cases |= {
    "elu": activation(nn.ELU(alpha=0.5)),
    "selu": activation(nn.SELU()),
    "softplus": activation(nn.Softplus()),
    "mish": activation(nn.Mish()),
    "hard_swish": activation(nn.Hardswish()),
    "prelu": sloped([3, 2, 2], nn.PReLU()),
    "prelu_per_channel": sloped([3, 2, 2], nn.PReLU(3)),
    "instance_norm": module([3, 2, 3], nn.InstanceNorm2d(3)),
    "instance_norm_affine": shifted([2, 5], nn.InstanceNorm1d(2, eps=0.1, affine=True)),
    "layer_scale": module([3, 2, 2], LayerScale([3, 1, 1])),
    "layer_scale_features": module([2, 3], LayerScale([3])),
    "lstm_stacked": stacked(nn.LSTM(3, 2, num_layers=2, batch_first=True)),
    "lstm_bidirectional": stacked(nn.LSTM(3, 2, num_layers=2, bidirectional=True, batch_first=True)),
    "lstm_last": stacked(nn.LSTM(3, 2, bidirectional=True, batch_first=True), last=True),
    "gru_bidirectional": stacked(nn.GRU(3, 2, num_layers=2, bidirectional=True, bias=False, batch_first=True)),
    "gru_last": stacked(nn.GRU(3, 2, num_layers=2, batch_first=True), last=True),
}
embedding = padded()


def normalized(shape, layer):
    """Weight normalization, with lengths that differ from the initial ones."""
    layer = nn.utils.parametrizations.weight_norm(layer.double())
    parts = layer.parametrizations.weight
    with torch.no_grad():
        parts.original0.copy_(random(*parts.original0.shape))
    bias = [] if layer.bias is None else [layer.bias]
    return case(shape, layer, [parts.original0, parts.original1, *bias])


def pooled(length, features, heads):
    """Attention from a learned query of each head; its values are the part of the features of that head."""
    query = nn.Parameter(coarse(random(heads, features)))

    def attend(x):
        keys = x[:, None].expand(BATCH, heads, length, features)
        values = x.reshape(BATCH, length, heads, features // heads).transpose(1, 2)
        queries = query[None, :, None].expand(BATCH, heads, 1, features)
        return F.scaled_dot_product_attention(queries, keys, values).reshape(BATCH, features)

    return case([length, features], attend, [query])


def positive(shape, layer):
    return case(shape, layer, x=random(BATCH, *shape).abs() + 0.25)


cases |= {
    "linear_weight_norm": normalized([3, 5], nn.Linear(5, 4)),
    "conv1d_weight_norm": normalized([4, 7], nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2)),
    "conv2d_weight_norm": normalized([2, 4, 5], nn.Conv2d(2, 3, 3, bias=False)),
    "lp_pool1d": module([2, 9], nn.LPPool1d(2, 3, stride=2)),
    "lp_pool1d_cubic": positive([2, 8], nn.LPPool1d(3, 2)),
    "lp_pool2d": module([2, 5, 6], nn.LPPool2d(4, 2)),
    "lp_pool2d_rectangular": positive([2, 5, 6], nn.LPPool2d(1, (2, 3), stride=(1, 2))),
    "attention_pool": pooled(4, 3, 1),
    "attention_pool_heads": pooled(5, 6, 3),
}
print(json.dumps({"torch": torch.__version__, "cases": cases, "batch_norm": norms, "embedding": embedding}, separators=(",", ":")))
