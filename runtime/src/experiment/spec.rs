//! The spec and the model of a run.

use serde_json::{Value, from_slice, from_value, json};

use super::Experiment;
use crate::data::Fold;
use crate::error::{Error, Result};
use crate::files::read_file;
use crate::graph::Graph;
use crate::layer::check_run_init;
use crate::model::Model;
use crate::optim::Groups;
use crate::spec::value::unsigned_zeros;

impl<M: Model> Experiment<M> {
    /// Returns the full spec as canonical JSON: the settings, and the model layer by layer.
    ///
    /// # Errors
    /// If a rule is violated.
    pub fn spec(&mut self) -> Result<Value> {
        let graph = self.graph()?;
        let from = self.settings()?.init_from;
        let changed = self.settings()?.model.changed();
        let mut spec = self.settings()?.to_json();
        if let Some(from) = from {
            spec["init_from"]["sha256"] = json!(from.sha256().or_else(|| self.recorded_sha256()));
        }
        if let (Some(fold), Some(keys)) = (self.current_fold(), spec.as_object_mut()) {
            keys.insert("fold".to_owned(), json!(fold));
        }
        if let Some(keys) = spec.as_object_mut() {
            let mut model = graph.to_json();
            // Absent where all keys have their defaults, as in specs from before a run could set them.
            if let Some(changed) = changed {
                model["keys"] = changed;
            }
            keys.insert("model".to_owned(), model);
            keys.insert("name".to_owned(), json!(self.name));
            keys.insert("data".to_owned(), json!(self.spec.data_text()));
        }
        Ok(unsigned_zeros(spec))
    }

    /// Returns the SHA-256 of the `init_from` file from the resumed run, for a file that no longer exists: the run does
    /// not need it.
    fn recorded_sha256(&self) -> Option<String> {
        Some(self.recorded_spec()?.pointer("/spec/init_from/sha256")?.as_str()?.to_owned())
    }

    /// Returns the fold of the data that the run trains on: the one that was set, or that of the resumed run.
    pub(super) fn current_fold(&self) -> Option<Fold> {
        let recorded = || from_value(self.recorded_spec()?.pointer("/spec/fold")?.clone()).ok();
        self.fold.or_else(recorded)
    }

    /// Returns `spec.json` of the resumed run.
    fn recorded_spec(&self) -> Option<Value> {
        let run = self.resumed_folder().ok()??;
        from_slice(&read_file(&run.join("spec.json")).ok()?).ok()
    }

    /// Returns the model's graph with frozen parameters marked.
    ///
    /// # Errors
    /// If a rule of the model is violated, or a group matches none of its parameters.
    pub fn graph(&self) -> Result<Graph> {
        let Ok(settings) = &self.settings else { return self.spec.graph() };
        let keys: Vec<_> = self.overrides.iter().map(|(key, _)| key.as_str()).filter(is_of_model).collect();
        let mut graph = settings.model.graph().map_err(|error| match keys.as_slice() {
            // The compiler has checked the model with the declared keys.
            [] => error,
            [key] => Error::Setting { key: (*key).to_owned(), problem: error.to_string() },
            _ => Error::Setting { key: "model".to_owned(), problem: error.to_string() },
        })?;
        check_run_init(settings.init, &graph.parameters)?;
        Groups(&settings.groups).freeze(&mut graph.parameters, &graph.bindings)?;
        Ok(graph)
    }
}

/// Whether a key is one of the model's, or all of them.
fn is_of_model(key: &&str) -> bool {
    *key == "model" || key.starts_with("model.")
}
