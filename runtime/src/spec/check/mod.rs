//! Checks in const evaluation: what generated code asserts of a user's types, and the rules of the keys of a spec, each alone and
//! several together.

mod assert;
mod cross_key;
mod probe;
mod rules;

pub use assert::{Callable, Checked, Configuration, DeclaredModel, called, judged, part, told};
pub(crate) use cross_key::{Given, Mistakes, WHOLE};
pub use probe::{Judged, LookForConfig, LookForMetric, LookNoFurther, Probe, by_type, named};
pub use rules::Rules;
pub(crate) use rules::{RESERVED, called_alike, given};
