//! The model of a run with the values of its keys.

use std::ops::Deref;

use serde_json::Value;

use super::{Declared, Trainable};
use crate::config::{Config, Setting, with_changes};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model::Model;
use crate::shape::{CheckError, CheckResult, Shape, contains};

/// A model of any type with the values of its keys.
pub trait AnyModel: Setting {
    /// Its graph.
    ///
    /// # Errors
    /// If a check of the model fails.
    fn graph(&self) -> Result<Graph>;
    /// The values of its keys.
    fn keys(&self) -> Value;
    /// The same with the defaults; the value of a required key is a placeholder.
    fn default_keys(&self) -> Value;
    /// [`Model::GENERICS`]
    fn generics(&self) -> &'static [&'static str];
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyModel>;
    /// The same model with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &Value) -> Result<Box<dyn AnyModel>, String>;
}

impl<M: Trainable> AnyModel for M {
    fn graph(&self) -> Result<Graph> {
        self.build_graph()
    }

    fn keys(&self) -> Value {
        without_type(Setting::to_json(self))
    }

    fn default_keys(&self) -> Value {
        without_type(Setting::to_json(&<M as Config>::DEFAULT))
    }

    fn generics(&self) -> &'static [&'static str] {
        M::GENERICS
    }

    with_changes!(dyn AnyModel);
}

fn without_type(mut json: Value) -> Value {
    if let Some(keys) = json.as_object_mut() {
        keys.remove("type");
    }
    json
}

/// The model of a run. [`Experiment::model`](crate::Experiment::model) and `--set model.key=value` change its keys.
pub struct ModelKeys(Box<dyn AnyModel>);

impl ModelKeys {
    /// A model with these keys.
    pub(crate) fn of<M: Trainable>(model: M) -> Self {
        Self(Box::new(model))
    }

    /// Its keys, if it has any.
    pub(super) fn write(&self) -> Option<Value> {
        let has_keys = self.0.keys().as_object().is_some_and(|keys| !keys.is_empty());
        has_keys.then(|| self.0.to_json())
    }

    /// The same model with the keys in `json`.
    pub(super) fn read(&self, json: &Value) -> Result<Self, String> {
        self.0.with(json).map(Self)
    }

    /// Its keys, if they differ from their defaults.
    pub(crate) fn changed(&self) -> Option<Value> {
        let keys = self.0.keys();
        (keys != self.0.default_keys()).then_some(keys)
    }

    /// Checks that `key`, such as `model.depth`, can be changed when the program starts.
    pub(super) fn can_set(&self, key: &str) -> Result<()> {
        let refused = |problem: String| Err(Error::Setting { key: key.to_owned(), problem });
        let mut parts = key.split('.').skip(1);
        if let Some(name) = parts.next().filter(|name| self.0.generics().contains(name)) {
            return refused(format!(
                "`{name}` is a const generic of the model, which is fixed at compile time; make it a key to change it here: \
                 `{}: usize`",
                name.to_lowercase()
            ));
        }
        if self.write().is_none() {
            return refused(
                "the model has no keys; declare one after its inputs, such as `#[default(0.1)] dropout: f64`"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl Deref for ModelKeys {
    type Target = dyn AnyModel;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<M: Model> Declared<M> {
    /// The model with its keys.
    pub(super) fn keys(&self) -> Result<ModelKeys> {
        match self.model {
            Some((model, keys)) => Ok(keys(model)),
            None => Err(Error::Internal("a spec without a model")),
        }
    }
}

/// Checks the keys that follow `model` in `train!`.
///
/// # Errors
/// If a required key is missing.
pub const fn model_keys<C: Config, T: Copy>(_: &C, given: &[&str], check: CheckResult<T>) -> CheckResult {
    let mut i = 0;
    while i < C::REQUIRED.len() {
        let (key, meaning) = C::REQUIRED[i];
        if !contains(given, key) {
            return Err(CheckError::new("model: `")
                .text(key)
                .text("` is missing, ")
                .text(meaning)
                .text("; write it in braces after the model's name, `{ ")
                .text(key)
                .text(": … }`"));
        }
        i += 1;
    }
    match check {
        Ok(_) => Ok(()),
        Err(problem) => Err(problem.of(C::NAME)),
    }
}

/// The shapes of a model, if its keys are valid.
///
/// # Errors
/// If they do not fit; for invalid keys, which are reported elsewhere, a silent one.
pub const fn shapes_of(keys: CheckResult, shapes: CheckResult<Shape>) -> CheckResult<Shape> {
    match keys {
        Ok(()) => shapes,
        Err(_) => Err(CheckError::SILENT),
    }
}
