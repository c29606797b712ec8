//! Stores the type of an optimizer in another one with its keys: two optimizers can have the same keys.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::{Config, Setting, from_json};

pub(super) fn serialize<O: Config, S: Serializer>(optimizer: &O, serializer: S) -> Result<S::Ok, S::Error> {
    optimizer.to_json().serialize(serializer)
}

pub(super) fn deserialize<'de, O: Config, D: Deserializer<'de>>(deserializer: D) -> Result<O, D::Error> {
    from_json(&serde_json::Value::deserialize(deserializer)?).map_err(D::Error::custom)
}
