//! What is known about a run before its first step.

use crate::data::PreparedDataset;
use crate::graph::Graph;
use crate::spec::TrainConfig;

/// The program, spec, settings, model and data of a run that is about to start.
pub struct Start<'a> {
    /// The program's name.
    pub name: &'a str,
    /// The whole spec.
    pub spec: &'a serde_json::Value,
    /// Its hash.
    pub spec_hash: &'a str,
    /// The changes to the declared settings, in order.
    pub overrides: &'a [(String, String)],
    /// The settings.
    pub settings: &'a TrainConfig,
    /// The model.
    pub graph: &'a Graph,
    /// The name of the engine: [`Engine::name`](crate::engine::Engine::name).
    pub engine: &'a str,
    /// The data.
    pub data: &'a PreparedDataset,
}
