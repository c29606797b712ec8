"""Ten models from the literature in PyTorch: ten steps of training, from weights that a formula gives.

usage: python models.py > models.json

Needs PyTorch; the tests need only the JSON file. For each model it has the names and shapes of its state dict, the loss of each step,
and the outputs after the last step: in f64, and the largest difference of the same in f32, over several orders of the sums.

Modules have the names that our models have as parameter paths, so that a state dict of PyTorch is read without renaming.
"""
import json
import math

import torch
from torch import nn
from torch.nn import functional as F

STEPS = 10


def mixed(count, salt):
    """Of 24 bits."""
    places = torch.arange(count, dtype=torch.int64) + salt
    hashed = places * 2654435761 % 2**32
    hashed = (hashed ^ hashed >> 16) * 2246822519 % 2**32
    return (hashed ^ hashed >> 13) >> 8


def numbers(count, salt):
    """From -1 to 1: multiples of 2^-23, which f32 has exactly."""
    return mixed(count, salt).double() / 2**23 - 1


def whole(count, salt, below):
    return mixed(count, salt) % below


def begin(module):
    """Weights of deviation 1 / sqrt(3 fan_in), small biases, scales near 1; statistics are as PyTorch initializes them."""
    state = module.state_dict()
    with torch.no_grad():
        seen = {}
        for place, (name, value) in enumerate(state.items()):
            if value.data_ptr() in seen or "running" in name or "num_batches" in name:
                continue
            seen[value.data_ptr()] = name
            drawn = numbers(value.numel(), 7919 * place).reshape(value.shape)
            if value.dim() > 1:
                drawn = drawn / math.sqrt(value[0].numel())
            elif "norm" in name and name.endswith("weight"):
                drawn = 1 + drawn / 8
            else:
                drawn = drawn / 8
            # As f32 has them.
            value.copy_(drawn.float().double())
    if hasattr(module, "padding"):
        with torch.no_grad():
            module.padding.weight[0] = 0


class LeNet(nn.Module):
    """LeCun et al. 1998."""

    def __init__(self):
        super().__init__()
        self.conv2d_1, self.conv2d_2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.linear_1, self.linear_2, self.linear_3 = nn.Linear(64, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(self.conv2d_1(x).tanh(), 2)
        x = F.avg_pool2d(self.conv2d_2(x).tanh(), 2).flatten(1)
        return self.linear_3(self.linear_2(self.linear_1(x).tanh()).tanh())


class Basic(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.norm2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        if stride > 1:
            self.down, self.down_norm = nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        return (y + (self.down_norm(self.down(x)) if hasattr(self, "down") else x)).relu()


class ResNet18(nn.Module):
    """He et al. 2016, a sixteenth as wide."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
        blocks, channels = [], 4
        for out, stride in [(4, 1), (8, 2), (16, 2), (32, 2)]:
            blocks += [Basic(channels, out, stride), Basic(out, out, 1)]
            channels = out
        self.basic, self.fc = nn.ModuleList(blocks), nn.Linear(32, 10)

    def forward(self, x):
        x = F.max_pool2d(self.norm1(self.conv1(x)).relu(), 3, 2, 1)
        for block in self.basic:
            x = block(x)
        return self.fc(x.mean((2, 3)))


class Inverted(nn.Module):
    def __init__(self, channels, out, expand, stride):
        super().__init__()
        hidden = channels * expand
        self.adds = stride == 1 and channels == out
        if expand > 1:
            self.wide, self.wide_norm = nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden)
        self.depth = nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False)
        self.depth_norm = nn.BatchNorm2d(hidden)
        self.narrow, self.narrow_norm = nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out)

    def forward(self, x):
        y = F.relu6(self.wide_norm(self.wide(x))) if hasattr(self, "wide") else x
        y = self.narrow_norm(self.narrow(F.relu6(self.depth_norm(self.depth(y)))))
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """Sandler et al. 2018, with fewer channels and blocks."""

    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        blocks, channels = [], 8
        for expand, out, count, stride in [(1, 4, 1, 1), (6, 6, 2, 2), (6, 8, 2, 2)]:
            for number in range(count):
                blocks.append(Inverted(channels, out, expand, stride if number == 0 else 1))
                channels = out
        self.inverted = nn.ModuleList(blocks)
        self.last, self.last_norm, self.fc = nn.Conv2d(8, 32, 1, bias=False), nn.BatchNorm2d(32), nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu6(self.stem_norm(self.stem(x)))
        for block in self.inverted:
            x = block(x)
        return self.fc(F.relu6(self.last_norm(self.last(x))).mean((2, 3)))


class Twice(nn.Module):
    def __init__(self, channels, out):
        super().__init__()
        self.conv2d_1, self.conv2d_2 = nn.Conv2d(channels, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)

    def forward(self, x):
        return self.conv2d_2(self.conv2d_1(x).relu()).relu()


class UNet(nn.Module):
    """Ronneberger et al. 2015, with padding and two levels."""

    def __init__(self):
        super().__init__()
        self.a = Twice(1, 4)
        self.twice = nn.ModuleList([Twice(4, 8), Twice(8, 16), Twice(16, 8), Twice(8, 4)])
        self.up1, self.up2 = nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.twice[0](F.max_pool2d(a, 2))
        x = self.twice[1](F.max_pool2d(b, 2))
        x = self.twice[2](torch.cat([b, self.up1(x)], 1))
        return self.head(self.twice[3](torch.cat([a, self.up2(x)], 1)))


class Autoencoder(nn.Module):
    """Hinton and Salakhutdinov 2006, with convolutions."""

    def __init__(self):
        super().__init__()
        self.conv2d_1, self.conv2d_2 = nn.Conv2d(1, 4, 3, 2, 1), nn.Conv2d(4, 8, 3, 2, 1)
        self.code, self.open = nn.Linear(32, 6), nn.Linear(6, 32)
        self.up1 = nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(4, 1, 3, 2, 1, output_padding=1)

    def forward(self, x):
        x = self.code(F.elu(self.conv2d_2(F.elu(self.conv2d_1(x)))).flatten(1))
        x = F.elu(self.open(x)).reshape(-1, 8, 2, 2)
        return self.up2(F.elu(self.up1(x))).flatten(1)


class GptBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_norm_1, self.layer_norm_2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.self_attention_1 = nn.MultiheadAttention(16, 4, batch_first=True)
        self.linear_1, self.linear_2 = nn.Linear(16, 64), nn.Linear(64, 16)

    def forward(self, x):
        y = self.layer_norm_1(x)
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        x = x + self.self_attention_1(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.linear_2(F.gelu(self.linear_1(self.layer_norm_2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    """Radford et al. 2019: the head has the table of the tokens."""

    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(23, 16), nn.Embedding(8, 16)
        self.gpt_block = nn.ModuleList([GptBlock(), GptBlock()])
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 23, bias=False)
        self.head.weight = self.wte.weight

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(8))
        for block in self.gpt_block:
            x = block(x)
        return self.head(self.norm(x))


class LlamaBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(16, eps=1e-5), nn.RMSNorm(16, eps=1e-5)
        self.q_proj, self.o_proj = nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False)
        self.k_proj, self.v_proj = nn.Linear(16, 8, bias=False), nn.Linear(16, 8, bias=False)
        self.gate_proj, self.up_proj = nn.Linear(16, 40, bias=False), nn.Linear(16, 40, bias=False)
        self.down_proj = nn.Linear(40, 16, bias=False)

    def rotate(self, x):
        x = x.reshape(x.shape[0], x.shape[1], -1, 4).transpose(1, 2)
        angles = torch.outer(torch.arange(x.shape[2]).double(), 10000.0 ** (-torch.arange(0, 4, 2).double() / 4))
        both = torch.cat([angles, angles], -1).to(x.dtype)
        return x * both.cos() + torch.cat([-x[..., 2:], x[..., :2]], -1) * both.sin()

    def forward(self, x):
        y = self.norm1(x)
        q, k = self.rotate(self.q_proj(y)), self.rotate(self.k_proj(y))
        v = self.v_proj(y).reshape(x.shape[0], x.shape[1], 2, 4).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.o_proj(y.transpose(1, 2).reshape(x.shape))
        y = self.norm2(x)
        return x + self.down_proj(F.silu(self.gate_proj(y)) * self.up_proj(y))


class Llama(nn.Module):
    """Touvron et al. 2023, with grouped queries."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(23, 16)
        self.llama_block = nn.ModuleList([LlamaBlock(), LlamaBlock()])
        self.norm, self.head = nn.RMSNorm(16, eps=1e-5), nn.Linear(16, 23, bias=False)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.llama_block:
            x = block(x)
        return self.head(self.norm(x))


class Tagger(nn.Module):
    """Huang et al. 2015, without the conditional random field; token 0 is padding."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(23, 8, padding_idx=0)
        self.padding = self.embed  # For `begin`.
        self.states = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 5)

    def forward(self, tokens):
        return self.head(self.states(self.embed(tokens))[0])


class Causal(nn.Module):
    def __init__(self, channels, out, dilation):
        super().__init__()
        self.dilation = dilation
        self.conv1, self.conv2 = nn.Conv1d(channels, out, 3, dilation=dilation), nn.Conv1d(out, out, 3, dilation=dilation)
        if channels != out:
            self.down = nn.Conv1d(channels, out, 1)

    def forward(self, x):
        pad = (2 * self.dilation, 0)
        y = self.conv1(F.pad(x, pad)).relu()
        y = self.conv2(F.pad(y, pad)).relu()
        return (y + (self.down(x) if hasattr(self, "down") else x)).relu()


class Tcn(nn.Module):
    """Bai et al. 2018, without weight normalization and dropout."""

    def __init__(self):
        super().__init__()
        self.causal = nn.ModuleList([Causal(2, 6, 1), Causal(6, 6, 2), Causal(6, 6, 4)])
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        for block in self.causal:
            x = block(x)
        return self.head(x[:, :, -1])


class WideAndDeep(nn.Module):
    """Cheng et al. 2016: a linear model of crossed features, and a deep one of embeddings and numbers."""

    def __init__(self):
        super().__init__()
        self.wide, self.embed = nn.Linear(12, 2), nn.Embedding(23, 4)
        self.linear_1, self.linear_2, self.deep = nn.Linear(15, 16), nn.Linear(16, 8), nn.Linear(8, 2)

    def forward(self, tokens, crossed, facts):
        x = torch.cat([self.embed(tokens).flatten(1), facts], 1)
        return self.wide(crossed) + self.deep(self.linear_2(self.linear_1(x).relu()).relu())


def classes(y, target):
    return F.cross_entropy(y, target)


def tokens(y, target):
    return F.cross_entropy(y.flatten(0, 1), target.flatten())


def tags(y, target):
    return F.cross_entropy(y.flatten(0, 1), target.flatten(), ignore_index=4)


def train(module, inputs, target, loss, lr, dtype):
    module = module.to(dtype).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=lr, momentum=0.9)
    inputs = [x.to(dtype) if x.is_floating_point() else x for x in inputs]
    target = target.to(dtype) if target.is_floating_point() else target
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(module(*inputs), target)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    module.eval()
    with torch.no_grad():
        return losses, module(*inputs).double().flatten()


def case(make, inputs, target, loss, lr=0.02):
    module = make()
    begin(module.double())
    hidden = [name for name in module.state_dict() if name.startswith("padding.")]
    state = {name: list(value.shape) for name, value in module.state_dict().items() if name not in hidden}
    losses, outputs = train(module, inputs, target, loss, lr, torch.float64)
    errors = []
    # Several orders of the same sums: samples in their order and reversed, each with two sets of kernels.
    for reverse in (False, True):
        for kernels in (True, False):
            single = make()
            begin(single.double())
            flip = (lambda x: x.flip(0)) if reverse else (lambda x: x)
            with torch.backends.mkldnn.flags(enabled=kernels):
                single_losses, single_outputs = train(single, [flip(x) for x in inputs], flip(target), loss, lr, torch.float32)
            single_outputs = flip(single_outputs.reshape(len(inputs[0]), -1)).flatten()
            loss_error = max(abs(a - b) for a, b in zip(losses, single_losses))
            errors.append((loss_error, (outputs - single_outputs).abs().max().item()))
    # A rounding that changes the sign of the input of a ReLU, or the largest value of a window, is another path of training, not a
    # rounding error. Its difference is thousands of times as large.
    smallest = min(errors)
    errors = [error for error in errors if error[0] <= 100 * smallest[0]]
    loss_error, output_error = (max(column) for column in zip(*errors))
    return {
        "state": state,
        "order": list(module.state_dict()),
        "padded": "embed.weight" if hidden else None,
        "losses": [float(f"{value:.12g}") for value in losses],
        "loss_error": float(f"{loss_error:.3g}"),
        "outputs": [float(f"{value:.10g}") for value in outputs[:64].tolist()],
        "output_error": float(f"{output_error:.3g}"),
    }


def image(count, channels, size, salt):
    return numbers(count * channels * size * size, salt).reshape(count, channels, size, size)


torch.backends.mha.set_fastpath_enabled(False)
sequences = whole(4 * 8, 3, 23).reshape(4, 8)
padded = sequences.clone()
padded[:, 6:] = 0
tagged = whole(4 * 8, 5, 4).reshape(4, 8)
tagged[:, 6:] = 4
small = image(6, 1, 8, 31)
models = {
    "lenet": case(LeNet, [image(6, 1, 16, 11)], whole(6, 1, 10), classes),
    "resnet18": case(ResNet18, [image(16, 3, 32, 12)], whole(16, 1, 10), classes, 0.002),
    "mobilenet_v2": case(MobileNetV2, [image(16, 3, 32, 13)], whole(16, 1, 10), classes, 0.002),
    "unet": case(UNet, [image(3, 1, 8, 14)], whole(3 * 64, 2, 3).reshape(3, 8, 8), classes),
    "autoencoder": case(Autoencoder, [small], small.flatten(1), F.mse_loss),
    "gpt2": case(Gpt2, [sequences], sequences.roll(-1, 1), tokens),
    "llama": case(Llama, [sequences], sequences.roll(-1, 1), tokens),
    "bilstm_tagger": case(Tagger, [padded], tagged, tags),
    "tcn": case(Tcn, [numbers(5 * 2 * 12, 15).reshape(5, 2, 12)], whole(5, 1, 4), classes),
    "wide_and_deep": case(
        WideAndDeep,
        [whole(6 * 3, 4, 23).reshape(6, 3), numbers(6 * 12, 16).reshape(6, 12), numbers(6 * 3, 17).reshape(6, 3)],
        whole(6, 1, 2),
        classes,
    ),
}
print(json.dumps({"torch": torch.__version__, "models": models}, separators=(",", ":")))
