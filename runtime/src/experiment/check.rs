//! What is known of a run before its first step.

use crate::keys::Finding;
use crate::summary::Memory;
use crate::trainer::RunPlan;

/// A run that was looked at and not started: every rule holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// What the run would do.
    pub plan: RunPlan,
    /// What it would need.
    pub memory: Memory,
    /// What the system can give, in bytes; `None` where that is not known.
    pub available: Option<u64>,
    /// What gives reason to doubt.
    pub advice: Vec<Finding>,
    /// A sentence on each thing that the file system of the run's folder does not have, and that the run would do without.
    pub notices: Vec<String>,
}
