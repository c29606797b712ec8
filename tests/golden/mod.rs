//! Compares with values from PyTorch, and with closed forms where it has none.
//!
//! Each `<topic>.py` generates the `<topic>.json` next to it; the tests need only the JSON. Error bounds follow from the
//! arithmetic: the number of f32 roundings by which the two computations differ, and the size of the rounded values.

mod arithmetic;
mod averaging;
mod clipping;
mod file;
mod initializers;
mod layers;
mod loss_scale;
mod losses;
mod metrics;
mod optimizers;
mod schedules;
mod sharing;
mod task_losses;
