//! Operations: what the planned engine does for a layer.
//!
//! A layer says how it is planned with a [`Lowering`]; most are a [`Kernel`], its forward and backward pass on slices. The
//! arithmetic is in `trainspec-kernels`; the files of `kernels/` describe it to a [`Plan`](crate::plan::Plan).

pub(crate) mod kernels;
mod lowering;

pub use lowering::{
    Backward, Data, EpilogueSupport, Forward, Kernel, Lowering, MAX_INPUTS, Parameters, RngState,
    SavedForBackward, Workspace, round,
};
pub use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue};
pub use trainspec_kernels::half::Format;
pub use trainspec_kernels::matmul::WriteMode;
