//! How the value of a key is written as JSON and read back.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{BoundLoss, BoundMetric, Checkpoint, Device, EarlyStop, InitFrom, OnNonFinite, Precision};
use crate::config::{Config, Setting, from_json};
use crate::data::augment::AnyAugment;
use crate::data::mix::AnyMix;
use crate::data::sampler::AnySampler;
use crate::keys::Advice;
use crate::layer::Initializer;
use crate::optim::{AnyClip, AnyConstraint, AnyOptimizer, Average, GradientNoise, Group};
use crate::schedule::{AnyPhase, AnyScaleLr};

/// The value of a key at run time.
pub(super) trait Key: Sized {
    /// Writes the value.
    fn write(&self) -> Value;

    /// Reads a value of the same type.
    fn read(&self, json: &Value) -> Result<Self, String>;
}

/// Values that serde reads and writes.
macro_rules! plain {
    ($($ty:ty),+) => {
        $(impl Key for $ty {
            fn write(&self) -> Value {
                json!(self)
            }

            fn read(&self, json: &Value) -> Result<Self, String> {
                serde_json::from_value(json.clone()).map_err(|error| error.to_string())
            }
        })+
    };
}

plain!(usize, u64, f64, bool, Initializer, Precision, Device, BTreeSet<Advice>);

/// Configurations whose type is fixed at compile time.
macro_rules! boxed {
    ($($ty:ty),+) => {
        $(impl Key for Box<$ty> {
            fn write(&self) -> Value {
                Setting::to_json(&**self)
            }

            fn read(&self, json: &Value) -> Result<Self, String> {
                (**self).with(json)
            }
        })+
    };
}

boxed!(
    dyn AnyOptimizer,
    dyn AnyScaleLr,
    dyn AnyClip,
    dyn AnyMix,
    dyn AnySampler,
    dyn AnyConstraint,
    dyn AnyPhase
);

/// The loss of each output of a model.
#[derive(Clone)]
pub struct Losses(Vec<Arc<dyn BoundLoss>>);

impl From<Vec<Box<dyn BoundLoss>>> for Losses {
    fn from(losses: Vec<Box<dyn BoundLoss>>) -> Self {
        Self(losses.into_iter().map(Arc::from).collect())
    }
}

impl Deref for Losses {
    type Target = [Arc<dyn BoundLoss>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The keys of the loss; of several, a list.
impl Key for Losses {
    fn write(&self) -> Value {
        let write = |loss: &Arc<dyn BoundLoss>| loss.setting().to_json();
        match self.0.as_slice() {
            [loss] => write(loss),
            losses => losses.iter().map(write).collect(),
        }
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        let read = |loss: &Arc<dyn BoundLoss>, json: &Value| loss.with(json).map(Arc::from);
        match self.0.as_slice() {
            [loss] => Ok(Self(vec![read(loss, json)?])),
            losses => each(losses, json, read).map(Self),
        }
    }
}

impl Key for Box<dyn BoundMetric> {
    fn write(&self) -> Value {
        self.setting().to_json()
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        (**self).with(json)
    }
}

/// In a tuple of lists, with the index of its input.
impl Key for Box<dyn AnyAugment> {
    fn write(&self) -> Value {
        let mut json = self.setting().to_json();
        if let Some(input) = self.list() {
            json["input"] = json!(input);
        }
        json
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        (**self).with(json)
    }
}

impl Key for Group {
    fn write(&self) -> Value {
        Setting::to_json(self)
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        from_json(json)
    }
}

/// A list whose length and types are those of the spec.
impl<T: Key> Key for Vec<T> {
    fn write(&self) -> Value {
        self.iter().map(Key::write).collect()
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        each(self, json, Key::read)
    }
}

fn each<T>(
    list: &[T],
    json: &Value,
    read: impl Fn(&T, &Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let changed = json.as_array().map(Vec::as_slice).unwrap_or_default();
    if changed.len() != list.len() {
        return Err(format!("expected a list of {}: its length is fixed at compile time", list.len()));
    }
    list.iter().zip(changed).map(|(element, json)| read(element, json)).collect()
}

/// A length of the run, which is unset if the other one is set.
impl Key for Option<u64> {
    fn write(&self) -> Value {
        json!(self)
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        0.read(json).map(Some)
    }
}

/// Not an [`Optional`], since it has several types.
impl Key for Option<Average> {
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, Average::to_json)
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        if json.is_null() { Ok(None) } else { Average::read(*self, json).map(Some) }
    }
}

/// A part that may be unset. One that is unset can be set as a whole: keys that are left out use their defaults.
impl<C: Optional> Key for Option<C> {
    fn write(&self) -> Value {
        self.as_ref().map_or_else(|| json!(C::UNSET), Setting::to_json)
    }

    fn read(&self, json: &Value) -> Result<Self, String> {
        if json.is_null() || *json == json!(C::UNSET) {
            return Ok(None);
        }
        let json = &C::spelled_out(json);
        let Some(given) = json.as_object() else { return from_json(json).map(Some) };
        let mut complete = C::DEFAULT.to_json();
        if let Some(keys) = complete.as_object_mut() {
            keys.retain(|key, _| !C::REQUIRED.iter().any(|(required, _)| key == required));
            keys.extend(given.clone());
        }
        from_json(&complete).map(Some)
    }
}

/// A configuration that a run may do without.
pub(super) trait Optional: Config {
    /// The name of having none; `None` is null.
    const UNSET: Option<&'static str> = None;

    /// Completes a short form.
    fn spelled_out(json: &Value) -> Value {
        json.clone()
    }
}

impl Optional for Checkpoint {}
impl Optional for EarlyStop {}
impl Optional for GradientNoise {}

impl Optional for OnNonFinite {
    const UNSET: Option<&'static str> = Some("Stop");
}

impl Optional for InitFrom {
    /// The file name alone is enough.
    fn spelled_out(json: &Value) -> Value {
        if json.is_string() { json!({ "file": json }) } else { json.clone() }
    }
}
