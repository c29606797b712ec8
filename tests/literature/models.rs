//! The models, at small sizes. A `let` that binds one call names the layer as PyTorch's module does.

use trainspec::prelude::*;

/// LeCun et al. 1998.
#[model]
pub(super) fn LeNet(image: Image<1, 16, 16>) -> Logits<10> {
    let x = image.conv2d(out = 6, kernel = 5, padding = 2).tanh().avg_pool2d(kernel = 2);
    let x = x.conv2d(out = 16, kernel = 5).tanh().avg_pool2d(kernel = 2).flatten();
    x.linear(out = 120).tanh().linear(out = 84).tanh().linear(out = 10)
}

/// A residual block; with a stride, the shortcut has a projection.
#[model]
fn Basic(x: Value, out: usize, stride: usize) -> Value {
    let conv1 = x.conv2d(out = out, kernel = 3, stride = stride, padding = 1, bias = false);
    let norm1 = conv1.batch_norm();
    let y = norm1.relu();
    let conv2 = y.conv2d(out = out, kernel = 3, padding = 1, bias = false);
    let norm2 = conv2.batch_norm();
    let short = if stride > 1 {
        let down = x.conv2d(out = out, kernel = 1, stride = stride, bias = false);
        let down_norm = down.batch_norm();
        down_norm
    } else {
        x
    };
    (norm2 + short).relu()
}

/// He et al. 2016, a sixteenth as wide.
#[model]
pub(super) fn ResNet18(image: Image<3, 32, 32>) -> Logits<10> {
    const WIDTHS: [usize; 4] = [4, 8, 16, 32];
    let conv1 = image.conv2d(out = 4, kernel = 7, stride = 2, padding = 3, bias = false);
    let norm1 = conv1.batch_norm();
    let mut x = norm1.relu().max_pool2d(kernel = 3, stride = 2, padding = 1);
    for stage in 0..4 {
        x = x.basic(out = WIDTHS[stage], stride = if stage > 0 { 2 } else { 1 });
        x = x.basic(out = WIDTHS[stage], stride = 1);
    }
    let pooled = x.global_avg_pool();
    let fc = pooled.linear(out = 10);
    fc
}

/// An inverted residual: wide inside, narrow outside.
#[model]
fn Inverted(x: Value, channels: usize, out: usize, expand: usize, stride: usize) -> Value {
    let hidden = channels * expand;
    let mut y = x;
    if expand > 1 {
        let wide = x.conv2d(out = hidden, kernel = 1, bias = false);
        let wide_norm = wide.batch_norm();
        y = wide_norm.clamp(min = 0.0, max = 6.0);
    }
    let depth =
        y.conv2d(out = hidden, kernel = 3, stride = stride, padding = 1, groups = hidden, bias = false);
    let depth_norm = depth.batch_norm();
    let y = depth_norm.clamp(min = 0.0, max = 6.0);
    let narrow = y.conv2d(out = out, kernel = 1, bias = false);
    let narrow_norm = narrow.batch_norm();
    if stride == 1 && channels == out { x + narrow_norm } else { narrow_norm }
}

/// Sandler et al. 2018, with fewer channels and blocks.
#[model]
pub(super) fn MobileNetV2(image: Image<3, 32, 32>) -> Logits<10> {
    let stem = image.conv2d(out = 8, kernel = 3, stride = 2, padding = 1, bias = false);
    let stem_norm = stem.batch_norm();
    let x = stem_norm.clamp(min = 0.0, max = 6.0);
    let x = x.inverted(channels = 8, out = 4, expand = 1, stride = 1);
    let x = x.inverted(channels = 4, out = 6, expand = 6, stride = 2);
    let x = x.inverted(channels = 6, out = 6, expand = 6, stride = 1);
    let x = x.inverted(channels = 6, out = 8, expand = 6, stride = 2);
    let x = x.inverted(channels = 8, out = 8, expand = 6, stride = 1);
    let last = x.conv2d(out = 32, kernel = 1, bias = false);
    let last_norm = last.batch_norm();
    let pooled = last_norm.clamp(min = 0.0, max = 6.0).global_avg_pool();
    let fc = pooled.linear(out = 10);
    fc
}

#[model]
fn Twice(x: Value, out: usize) -> Value {
    x.conv2d(out = out, kernel = 3, padding = 1).relu().conv2d(out = out, kernel = 3, padding = 1).relu()
}

/// Ronneberger et al. 2015, with padding and two levels.
#[model]
pub(super) fn UNet(image: Image<1, 8, 8>) -> LogitMap<3, 8, 8> {
    let a = image.twice(out = 4);
    let b = a.max_pool2d(kernel = 2).twice(out = 8);
    let deep = b.max_pool2d(kernel = 2).twice(out = 16);
    let up1 = deep.conv_transpose2d(out = 8, kernel = 2, stride = 2);
    let x = b.concat(up1, axis = 0).twice(out = 8);
    let up2 = x.conv_transpose2d(out = 4, kernel = 2, stride = 2);
    let x = a.concat(up2, axis = 0).twice(out = 4);
    let head = x.conv2d(out = 3, kernel = 1);
    head
}

/// Hinton and Salakhutdinov 2006, with convolutions.
#[model]
pub(super) fn Autoencoder(image: Image<1, 8, 8>) -> Values<64> {
    let x = image.conv2d(out = 4, kernel = 3, stride = 2, padding = 1).elu();
    let x = x.conv2d(out = 8, kernel = 3, stride = 2, padding = 1).elu().flatten();
    let code = x.linear(out = 6);
    let open = code.linear(out = 32);
    let x = open.elu().reshape(to = [8, 2, 2]);
    let up1 = x.conv_transpose2d(out = 4, kernel = 3, stride = 2, padding = 1, output_padding = 1);
    let x = up1.elu();
    let up2 = x.conv_transpose2d(out = 1, kernel = 3, stride = 2, padding = 1, output_padding = 1);
    up2.flatten()
}

#[model]
fn GptBlock(x: Value, width: usize, heads: usize) -> Value {
    let x = x + x.layer_norm().self_attention(heads = heads, causal = true);
    x + x.layer_norm().linear(out = 4 * width).gelu(approximate = Approximate::Tanh).linear(out = width)
}

/// Radford et al. 2019: the head has the table of the tokens.
#[model]
pub(super) fn Gpt2(tokens: Tokens<23, 8>) -> TokenLogits<23> {
    let wte = embedding(out = 16);
    let wpe = tokens.position_embedding(out = 16);
    let mut x = tokens.wte() + wpe;
    for _ in 0..2 {
        x = x.gpt_block(width = 16, heads = 4);
    }
    let norm = x.layer_norm();
    let head = norm.linear(out = 23, bias = false, weight = wte.weight);
    head
}

/// Grouped queries with rotary positions, and `SwiGLU` (Shazeer 2020).
#[model]
fn LlamaBlock(x: Value, width: usize, heads: usize, kv_heads: usize, hidden: usize) -> Value {
    let kv_width = width / heads * kv_heads;
    let norm1 = x.rms_norm();
    let q_proj = norm1.linear(out = width, bias = false);
    let k_proj = norm1.linear(out = kv_width, bias = false);
    let v_proj = norm1.linear(out = kv_width, bias = false);
    let (q, k) = (q_proj.rotary(heads = heads), k_proj.rotary(heads = kv_heads));
    let mixed = q.attention(k, v_proj, heads = heads, kv_heads = kv_heads, causal = true);
    let o_proj = mixed.linear(out = width, bias = false);
    let x = x + o_proj;
    let norm2 = x.rms_norm();
    let gate_proj = norm2.linear(out = hidden, bias = false);
    let up_proj = norm2.linear(out = hidden, bias = false);
    let y = gate_proj.silu() * up_proj;
    let down_proj = y.linear(out = width, bias = false);
    x + down_proj
}

/// Touvron et al. 2023, with grouped queries.
#[model]
pub(super) fn Llama(tokens: Tokens<23, 8>) -> TokenLogits<23> {
    let embed = tokens.embedding(out = 16);
    let mut x = embed;
    for _ in 0..2 {
        x = x.llama_block(width = 16, heads = 4, kv_heads = 2, hidden = 40);
    }
    let norm = x.rms_norm();
    let head = norm.linear(out = 23, bias = false);
    head
}

/// Huang et al. 2015, without the conditional random field; token 0 is padding.
#[model]
pub(super) fn Tagger(tokens: Tokens<23, 8>) -> TokenLogits<5> {
    let embed = tokens.embedding(out = 8, padding = 0);
    let states = embed.lstm(out = 6, layers = 2, bidirectional = true);
    let head = states.linear(out = 5);
    head
}

#[model]
fn Causal(x: Value, channels: usize, out: usize, dilation: usize) -> Value {
    let conv1 = x.conv1d(out = out, kernel = 3, dilation = dilation, causal = true);
    let y = conv1.relu();
    let conv2 = y.conv1d(out = out, kernel = 3, dilation = dilation, causal = true);
    let y = conv2.relu();
    if channels == out {
        (x + y).relu()
    } else {
        let down = x.conv1d(out = out, kernel = 1);
        (down + y).relu()
    }
}

/// Bai et al. 2018, without weight normalization and dropout.
#[model]
pub(super) fn Tcn(series: Series<2, 12>) -> Logits<4> {
    let x = series.causal(channels = 2, out = 6, dilation = 1);
    let x = x.causal(channels = 6, out = 6, dilation = 2).causal(channels = 6, out = 6, dilation = 4);
    let end = x.last(axis = 1);
    let head = end.linear(out = 4);
    head
}

/// Cheng et al. 2016: a linear model of crossed features, and a deep one of embeddings and numbers.
#[model]
pub(super) fn WideAndDeep(tokens: Tokens<23, 3>, crossed: Features<12>, facts: Features<3>) -> Logits<2> {
    let wide = crossed.linear(out = 2);
    let embed = tokens.embedding(out = 4);
    let x = embed.flatten().concat(facts, axis = 0).linear(out = 16).relu().linear(out = 8).relu();
    let deep = x.linear(out = 2);
    wide + deep
}
