//! Operations: what the planned engine does for a layer.
//!
//! A layer says how it is planned with a [`Form`]; most are a [`Kernel`], its forward and backward pass on slices. The
//! arithmetic is in `trainspec-kernels`; the files of `kernels/` describe it to a [`Plan`](crate::plan::Plan).

mod form;
pub(crate) mod kernels;

pub use form::{
    Backward, Data, Draws, Form, Forward, Joins, Kernel, MAX_INPUTS, Needs, Parameters, Reads, round,
};
pub use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue};
pub use trainspec_kernels::half::Format;
pub use trainspec_kernels::product::Onto;
