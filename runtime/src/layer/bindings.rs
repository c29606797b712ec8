//! `let` names in a model's body that do not name a layer.

use std::collections::BTreeMap;

/// The `let`s of a model that do not name a layer, each with the layers that it binds.
///
/// A `let` names a layer if it binds exactly that call and the name is bound once. For any other `let`, a user may still
/// expect it to name a layer; a message can then list what its layers are called.
#[derive(Clone, Debug, Default)]
pub struct Bindings(BTreeMap<String, Vec<String>>);

impl Bindings {
    /// Adds a `let` with those of its layers that have parameters.
    pub(crate) fn note(&mut self, name: String, layers: impl Iterator<Item = String>) {
        let known = self.0.entry(name).or_default();
        for layer in layers {
            if !known.contains(&layer) {
                known.push(layer);
            }
        }
    }

    /// Each `let`, with the layers that it binds.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, layers)| (name.as_str(), layers.as_slice()))
    }
}
