//! The numeric kernels of trainspec: slices in, slices out.
//!
//! One folder holds one kernel: its contract and its documentation in `mod.rs`, a plain reference where
//! the kernel itself is not plain, and tests. A kernel knows nothing of models or of training.

pub mod attention;
pub mod element;
pub mod epilogue;
pub mod gru;
pub mod lstm;
pub mod math;
pub mod norm;
pub mod philox;
pub mod product;
pub mod recurrent;
pub mod scratch;
pub mod simd;
pub mod softmax;
pub mod threads;
pub mod update;
