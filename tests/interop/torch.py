"""The exported models in PyTorch: modules with the names of our layers, the same logits.

    INTEROP_OUT=FOLDER cargo test -p trainspec-tests --test runs interop
    python tests/interop/torch.py FOLDER

Each module loads its file with `load_state_dict(strict=True)`, so no tensor is missing, unused, or of another shape. The
module in f64 is accurate to 1e-14. In f32 PyTorch sums the same products as our layers in another order, so the error of our
logits may be eight times that of PyTorch's, since the largest of some hundreds of errors with one deviation is within a factor
of two or three of another such maximum, plus half a unit in the last place of the largest logit. Only PyTorch is required;
files are parsed directly where `safetensors` is not installed.
"""

import json
import math
import os
import struct
import sys

# Python searches for modules first in the folder of this file, which has the same name as PyTorch.
sys.path = [place for place in sys.path if os.path.abspath(place or ".") != os.path.dirname(os.path.abspath(__file__))]

import torch
from torch import nn

DTYPES = {"F32": torch.float32, "U32": torch.uint32}


def read(path):
    """The tensors of a safetensors file by their names, and its metadata."""
    try:
        import safetensors.torch

        with safetensors.safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    except ModuleNotFoundError:
        pass
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, numbers = json.loads(file.read(length)), bytearray(file.read())
    metadata = header.pop("__metadata__", None)

    def tensor(about):
        begin, end = about["data_offsets"]
        return torch.frombuffer(numbers[begin:end], dtype=DTYPES[about["dtype"]]).reshape(about["shape"])

    return {name: tensor(about) for name, about in header.items()}, metadata


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear_1, self.linear_2, self.linear_3 = nn.Linear(6, 16), nn.Linear(16, 16, bias=False), nn.Linear(16, 3)
        self.layer_norm_1 = nn.LayerNorm(16)

    def forward(self, x):
        x = nn.functional.gelu(self.layer_norm_1(self.linear_1(x)))
        return self.linear_3(self.linear_2(x).relu())


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv2d_1, self.batch_norm_1 = nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv2d_2, self.group_norm_1 = nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(2, 8)
        self.linear_1 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.batch_norm_1(self.conv2d_1(x)).relu()
        x = self.group_norm_1(self.conv2d_2(x)).relu()
        return self.linear_1(nn.functional.max_pool2d(x, 2).flatten(1))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_norm_1, self.layer_norm_2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.self_attention_1 = nn.MultiheadAttention(16, 4, dropout=0.1, batch_first=True)
        self.linear_1, self.linear_2 = nn.Linear(16, 32), nn.Linear(32, 16)

    def forward(self, x):
        y = self.layer_norm_1(x)
        mask = torch.full((8, 8), -math.inf, dtype=x.dtype).triu(1)
        x = x + self.self_attention_1(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.linear_2(nn.functional.gelu(self.linear_1(self.layer_norm_2(x))))


class CharGpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding_1, self.position_embedding_1 = nn.Embedding(11, 16), nn.Embedding(8, 16)
        self.block = nn.ModuleList([Block(), Block()])
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 11)

    def forward(self, tokens):
        x = self.embedding_1(tokens) + self.position_embedding_1(torch.arange(8))
        for block in self.block:
            x = block(x)
        return self.head(self.norm(x))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding_1 = nn.Embedding(11, 6)
        self.lstm_1, self.gru_1 = nn.LSTM(6, 12, batch_first=True), nn.GRU(12, 10, batch_first=True)
        self.linear_1 = nn.Linear(10, 11)

    def forward(self, tokens):
        return self.linear_1(self.gru_1(self.lstm_1(self.embedding_1(tokens))[0])[0])


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.step, self.head = nn.Embedding(11, 6), nn.Linear(6, 6), nn.Linear(6, 11)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        return self.head(self.step(self.step(self.embed(tokens)).tanh()))


def compare(folder, name, module):
    tensors, metadata = read(f"{folder}/{name}.safetensors")
    expected, _ = read(f"{folder}/{name}.expected.safetensors")
    module.load_state_dict(tensors, strict=True)
    module.eval()
    assert metadata["format"] == "pt"
    samples, ours = expected["samples"], expected["logits"].double()
    normalization = json.loads(metadata["trainspec"])["normalization"]
    if normalization is not None:
        mean, deviation = (torch.tensor(normalization[key]) for key in ("mean", "deviation"))
        samples = (samples - mean) / deviation
    is_real = samples.dtype == torch.float32
    with torch.no_grad():
        single = module(samples if is_real else samples.long()).double()
        exact = module.double()(samples.double() if is_real else samples.long())
    error, usual = (ours - exact).abs().max().item(), (single - exact).abs().max().item()
    largest = exact.abs().max().item()
    bound = 8 * usual + largest * 2**-24
    verdict = "ok" if error <= bound and bound < 1e-4 * largest else "DIFFERENT"
    print(f"{name:10} {len(tensors):3} tensors, logits to {largest:5.2f}: ours {error:.1e}, PyTorch's f32 {usual:.1e}, bound {bound:.1e}  {verdict}")
    return verdict == "ok"


if __name__ == "__main__":
    torch.backends.mha.set_fastpath_enabled(False)
    models = {"mlp": Mlp(), "digits": DigitNet(), "gpt": CharGpt(), "recurrent": Recurrent(), "tied": Tied()}
    results = [compare(sys.argv[1], name, module) for name, module in models.items()]
    print(f"PyTorch {torch.__version__.split('+')[0]}: {sum(results)} of {len(results)} models agree")
    sys.exit(not all(results))
