//! Numbers of PyTorch, and closed forms where it has none.
//!
//! Each `<topic>.py` makes the `<topic>.json` beside it; the tests need the JSON alone. Where a bound stands, it
//! comes from the arithmetic: how many f32 roundings lie between the two ways, and how large what they round.

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
