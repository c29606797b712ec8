//! Compares with values from PyTorch, and with closed forms where it has none.
//!
//! Each `<topic>.py` generates the `<topic>.json` next to it, and `arrays/make.py` and `images/make.py` the files there; the tests need only these. Error bounds follow from the
//! arithmetic: the number of f32 roundings by which the two computations differ, and the size of the rounded values.

mod arithmetic;
mod arrays;
mod augment;
mod averaging;
mod clipping;
mod file;
mod images;
mod initializers;
mod layers;
mod loss_scale;
mod losses;
mod metrics;
mod muon;
mod optimizers;
mod prodigy;
mod sam;
mod schedules;
mod sharing;
mod swa;
mod task_losses;
