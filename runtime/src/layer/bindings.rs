//! Names of a model's body that no layer has.

use std::collections::BTreeMap;

/// The `let`s of a model that name no layer, each with the layers that it binds.
///
/// A `let` names a layer where that call is all that it binds, and the name is bound once. Of any other `let` a user may still
/// expect that it does; a message can then tell what its layers are called.
#[derive(Clone, Debug, Default)]
pub struct Bindings(BTreeMap<String, Vec<String>>);

impl Bindings {
    /// Adds a `let` with the layers that it binds, of those that have parameters.
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
