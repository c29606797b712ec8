//! What is known of a run before its first step.

use crate::data::PreparedDataset;
use crate::graph::Graph;
use crate::spec::TrainConfig;

/// What a run is about to do, and with what.
pub struct Start<'a> {
    /// The program's name.
    pub name: &'a str,
    /// The whole spec.
    pub spec: &'a serde_json::Value,
    /// Its hash.
    pub spec_hash: &'a str,
    /// What was changed of what was declared, in its order.
    pub overrides: &'a [(String, String)],
    /// The settings.
    pub settings: &'a TrainConfig,
    /// The model.
    pub graph: &'a Graph,
    /// What the engine is called: [`Engine::name`](crate::engine::Engine::name).
    pub engine: &'a str,
    /// The data.
    pub data: &'a PreparedDataset,
}
