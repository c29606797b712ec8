//! A metric and its state, type-erased.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use super::{Confusion, Metric, Outcomes, State};
use crate::error::{Error, Result};
use crate::shape::Elements;
use crate::shape::{Element, Kind, Shape};

/// A metric of any type with its state.
pub trait Accumulator: Debug + Send + Sync {
    /// [`Metric::label`]
    fn label(&self) -> &'static str;
    /// Calls [`Metric::update`] with the predictions for `size` samples; `ignored` is the target to ignore.
    ///
    /// # Errors
    /// If there is not one target for each prediction, or they are of the wrong type.
    fn update(
        &mut self,
        size: usize,
        shape: Shape,
        predictions: &[f32],
        targets: &Elements,
        ignored: Option<u32>,
    ) -> Result<()>;
    /// Calls [`State::merge`]; ignores the state of another metric.
    fn merge(&mut self, other: &dyn Accumulator);
    /// [`State::clear`]
    fn clear(&mut self);
    /// [`Metric::value`]
    fn value(&self) -> f64;
    /// [`Metric::table`]
    fn table(&self) -> Option<&Confusion>;
    /// Returns the state as JSON.
    ///
    /// # Errors
    /// If the state cannot be serialized.
    fn to_json(&self) -> Result<serde_json::Value>;
    /// Restores the state from JSON.
    ///
    /// # Errors
    /// If the JSON does not match the state.
    fn restore(&mut self, json: &serde_json::Value) -> Result<()>;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn Accumulator>;
    /// Returns itself, for downcasting.
    fn as_any(&self) -> &dyn Any;
}

/// A metric and its state.
pub(super) struct Gathered<M: Metric<O, T>, O: Kind, T: Kind> {
    metric: M,
    label: &'static str,
    state: M::State,
    kinds: PhantomData<fn() -> (O, T)>,
}

impl<M: Metric<O, T>, O: Kind, T: Kind> Gathered<M, O, T> {
    pub(super) fn new(metric: M, label: &'static str) -> Self {
        Self { metric, label, state: M::State::default(), kinds: PhantomData }
    }
}

impl<M: Metric<O, T>, O: Kind, T: Kind> Debug for Gathered<M, O, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(self.label).field("metric", &self.metric).field("state", &self.state).finish()
    }
}

impl<M: Metric<O, T>, O: Kind, T: Kind> Accumulator for Gathered<M, O, T> {
    fn label(&self) -> &'static str {
        self.label
    }

    fn update(
        &mut self,
        size: usize,
        shape: Shape,
        predictions: &[f32],
        targets: &Elements,
        ignored: Option<u32>,
    ) -> Result<()> {
        let targets = <T::Element as Element>::of(targets)
            .ok_or(Error::Internal("a metric received targets of the wrong type"))?;
        let expected = size.saturating_mul(shape.elements());
        if size == 0 || predictions.len() != expected || !targets.len().is_multiple_of(size) {
            let (found, label) = (predictions.len(), self.label);
            return Err(Error::Batch(format!(
                "`{label}` received {found} predicted values and {} targets for {size} samples; expected {expected} \
                 values, {shape} each, and the same number of targets for each sample",
                targets.len()
            )));
        }
        self.metric.update(&mut self.state, &Outcomes { size, shape, predictions, targets, ignored });
        Ok(())
    }

    fn merge(&mut self, other: &dyn Accumulator) {
        if let Some(other) = other.as_any().downcast_ref::<Self>() {
            self.state.merge(&other.state);
        }
    }

    fn clear(&mut self) {
        self.state.clear();
    }

    fn value(&self) -> f64 {
        self.metric.value(&self.state)
    }

    fn table(&self) -> Option<&Confusion> {
        self.metric.table(&self.state)
    }

    fn to_json(&self) -> Result<serde_json::Value> {
        serde_json::to_value(&self.state).map_err(|error| refused(self.label, &error))
    }

    fn restore(&mut self, json: &serde_json::Value) -> Result<()> {
        let read = <M::State as serde::Deserialize>::deserialize(json);
        self.state = read.map_err(|error| refused(self.label, &error))?;
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Accumulator> {
        let Self { metric, label, state, kinds } = self;
        Box::new(Self { metric: *metric, label, state: state.clone(), kinds: *kinds })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn refused(label: &str, error: &serde_json::Error) -> Error {
    Error::Setting {
        key: "metrics".to_owned(),
        problem: format!("the state of `{label}` cannot be read or written as JSON: {error}"),
    }
}

/// A label with a static lifetime. A label that depends on a metric's keys is created once and leaked, which costs a few
/// bytes.
pub(crate) fn lasting(label: Cow<'static, str>) -> &'static str {
    static MADE: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    match label {
        Cow::Borrowed(label) => label,
        Cow::Owned(label) => {
            let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(&known) = made.get(label.as_str()) {
                return known;
            }
            let label: &'static str = label.leak();
            made.insert(label);
            label
        }
    }
}
