//! The result of checking a run before its first step.

use crate::keys::Finding;
use crate::summary::Memory;
use crate::trainer::RunPlan;

/// The result of [`Experiment::check`](crate::Experiment::check): every rule holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// The steps and samples of the run.
    pub plan: RunPlan,
    /// The memory that it would need.
    pub memory: Memory,
    /// The available memory in bytes; `None` if unknown.
    pub available: Option<u64>,
    /// Advice on doubtful choices.
    pub advice: Vec<Finding>,
    /// A sentence on each feature that the file system of the run folder lacks and the run can do without.
    pub notices: Vec<String>,
}
