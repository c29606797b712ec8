//! The same models built of candle-nn modules, with the names in the file.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{
    Conv2dConfig, LSTMConfig, Module, ModuleT, RNN, VarBuilder, batch_norm, conv2d, conv2d_no_bias,
    embedding, group_norm, layer_norm, linear, linear_no_bias, ops, rnn,
};

/// Returns the output of a model for normalized samples.
pub(crate) type Peer = fn(&Tensor, &VarBuilder<'_>) -> Result<Tensor>;

/// Normalizes samples as the metadata of a file describes.
pub(crate) fn normalized(file: &[u8], samples: &Tensor) -> Tensor {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let ours: serde_json::Value =
        serde_json::from_str(header["__metadata__"]["trainspec"].as_str().unwrap()).unwrap();
    if ours["normalization"].is_null() {
        return samples.clone();
    }
    let numbers = |key: &str| -> Tensor {
        let list: Vec<f32> = serde_json::from_value(ours["normalization"][key].clone()).unwrap();
        Tensor::new(list, &Device::Cpu).unwrap()
    };
    let centered = samples.broadcast_sub(&numbers("mean")).unwrap();
    centered.broadcast_div(&numbers("deviation")).unwrap()
}

pub(crate) fn mlp(x: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let x = linear(6, 16, weights.pp("linear_1"))?.forward(x)?;
    let x = norm(&x, &weights.pp("layer_norm_1"))?.gelu_erf()?;
    let x = linear_no_bias(16, 16, weights.pp("linear_2"))?.forward(&x)?.relu()?;
    linear(16, 3, weights.pp("linear_3"))?.forward(&x)
}

pub(crate) fn digits(x: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let around = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
    let x = conv2d_no_bias(1, 8, 3, around, weights.pp("conv2d_1"))?.forward(x)?;
    let x = batch_norm(8, 1e-5, weights.pp("batch_norm_1"))?.forward_t(&x, false)?.relu()?;
    let x = conv2d(8, 8, 3, around, weights.pp("conv2d_2"))?.forward(&x)?;
    let x = group_norm(2, 8, 1e-5, weights.pp("group_norm_1"))?.forward(&x)?.relu()?;
    let x = x.max_pool2d(2)?.flatten_from(1)?;
    linear(8 * 4 * 4, 10, weights.pp("linear_1"))?.forward(&x)
}

pub(crate) fn gpt(tokens: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let places = Tensor::arange(0_u32, 8, &Device::Cpu)?;
    let positions = embedding(8, 16, weights.pp("position_embedding_1"))?.forward(&places)?;
    let mut x = embedding(11, 16, weights.pp("embedding_1"))?.forward(tokens)?.broadcast_add(&positions)?;
    for number in 0..2 {
        x = block(&x, &weights.pp("block").pp(number))?;
    }
    let x = norm(&x, &weights.pp("norm"))?;
    linear(16, 11, weights.pp("head"))?.forward(&x)
}

/// Layer norm in candle's operations, since its fused form does not support f64.
fn norm(x: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let norm = layer_norm(16, 1e-5, weights.clone())?;
    match (x.dtype(), norm.bias()) {
        (DType::F64, Some(bias)) => ops::layer_norm_slow(x, norm.weight(), bias, 1e-5),
        _ => norm.forward(x),
    }
}

fn block(x: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let x = (x + attention(&norm(x, &weights.pp("layer_norm_1"))?, &weights.pp("self_attention_1"))?)?;
    let wide = linear(16, 32, weights.pp("linear_1"))?.forward(&norm(&x, &weights.pp("layer_norm_2"))?)?;
    let wide = wide.gelu_erf()?;
    &x + linear(32, 16, weights.pp("linear_2"))?.forward(&wide)?
}

/// PyTorch's `MultiheadAttention` with four heads and a causal mask; candle-nn has no such module.
fn attention(x: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let (batch, length, features) = x.dims3()?;
    let all = candle_nn::Linear::new(
        weights.get((3 * features, features), "in_proj_weight")?,
        Some(weights.get(3 * features, "in_proj_bias")?),
    )
    .forward(x)?;
    let heads = |number: usize| {
        let part = all.narrow(2, number * features, features)?;
        part.reshape((batch, length, 4, features / 4))?.transpose(1, 2)?.contiguous()
    };
    let scores =
        (heads(0)?.matmul(&heads(1)?.transpose(2, 3)?.contiguous()?)? / (features as f64 / 4.0).sqrt())?;
    let mask: Vec<f32> = (0..length * length)
        .map(|place| if place % length > place / length { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    let mask = Tensor::from_vec(mask, (length, length), &Device::Cpu)?.to_dtype(scores.dtype())?;
    let seen = ops::softmax(&scores.broadcast_add(&mask)?, D::Minus1)?.matmul(&heads(2)?)?;
    let joined = seen.transpose(1, 2)?.reshape((batch, length, features))?;
    linear(features, features, weights.pp("out_proj"))?.forward(&joined)
}

pub(crate) fn recurrent(tokens: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let x = embedding(11, 6, weights.pp("embedding_1"))?.forward(tokens)?;
    let lstm = rnn::lstm(6, 12, LSTMConfig::default(), weights.pp("lstm_1"))?;
    let x = lstm.states_to_tensor(&lstm.seq(&x)?)?;
    let gru = rnn::gru(12, 10, rnn::GRUConfig::default(), weights.pp("gru_1"))?;
    // candle's own `states_to_tensor` for this layer concatenates the positions.
    let hidden: Vec<_> = gru.seq(&x)?.iter().map(|state| state.h().clone()).collect();
    let x = Tensor::stack(&hidden, 1)?;
    linear(10, 11, weights.pp("linear_1"))?.forward(&x)
}

pub(crate) fn tied(tokens: &Tensor, weights: &VarBuilder<'_>) -> Result<Tensor> {
    let x = embedding(11, 6, weights.pp("embed"))?.forward(tokens)?;
    let step = linear(6, 6, weights.pp("step"))?;
    let x = step.forward(&step.forward(&x)?.tanh()?)?;
    linear(6, 11, weights.pp("head"))?.forward(&x)
}
