//! The numeric kernels of trainspec: slices in, slices out.
//!
//! Each folder holds one kernel: its contract and documentation in `mod.rs`, a simple reference implementation where
//! the kernel itself is not simple, and tests. Kernels are independent of models and training.

pub mod arena;
pub mod attention;
pub mod attention_pool;
pub mod batch_norm;
pub mod broadcast;
pub mod channel_factor;
pub mod class_loss;
pub mod conv2d;
pub mod cosine_loss;
pub mod cross_entropy;
pub mod element;
pub mod ema;
pub mod embedding;
pub mod epilogue;
pub mod gaussian_loss;
pub mod grad_norm;
pub mod group_norm;
pub mod gru;
pub mod half;
pub mod layer_norm;
pub mod likelihood;
pub mod linear;
pub mod lstm;
pub mod margin_loss;
pub mod math;
pub mod matmul;
pub mod noise;
pub mod orthogonal;
pub mod philox;
pub mod pointwise_loss;
pub mod pool;
pub mod recurrent;
mod reduce;
pub mod rotary;
pub mod scratch;
mod shared;
pub mod simd;
mod sizes;
mod slices;
pub mod softmax;
pub mod squared_error;
pub mod strided;
pub mod subnormal;
pub mod threads;
pub mod unary;
pub mod update;
pub mod upsample;
pub mod weight;
pub mod weight_norm;

/// The optimization level at which this crate is compiled: `0` to `3`, `s` or `z`.
pub const OPT_LEVEL: &str = env!("TRAINSPEC_KERNELS_OPT_LEVEL");

/// Whether this crate is compiled with an optimization level of 2 or 3, which the kernels need to be fast. Otherwise, as in a
/// `dev` profile without settings for dependencies, they are about a hundred times slower.
#[must_use]
pub const fn is_optimized() -> bool {
    matches!(OPT_LEVEL.as_bytes(), b"2" | b"3")
}

#[cfg(test)]
mod tests {
    /// The profiles of this workspace set it.
    #[test]
    fn kernels_are_compiled_with_optimization() {
        assert!(super::is_optimized(), "{}", super::OPT_LEVEL);
    }
}
