//! Operations: how the planned engine executes a layer.
//!
//! A layer declares its lowering with a [`Lowering`]. Most are a [`Kernel`]: a forward and a backward pass on slices. The
//! arithmetic is in `trainspec-kernels`; the files of `kernels/` adapt it to a [`Plan`](crate::plan::Plan).

pub(crate) mod kernels;
mod lowering;

pub use lowering::{
    Backward, Data, EpilogueSupport, Forward, Kernel, Lowering, MAX_INPUTS, Parameters, Prepared, RngState,
    SavedForBackward, Workspace, round,
};
pub use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue};
pub use trainspec_kernels::half::Format;
pub use trainspec_kernels::matmul::WriteMode;
