//! Checks in const evaluation: what generated code asserts about a user's types, and the rules for the keys of a spec, alone and
//! across keys.

mod assert;
mod cross_key;
mod probe;
mod rules;

pub use assert::{
    Callable, Checked, Configuration, DeclaredModel, OneValue, Parted, called, check_returned, number,
    one_value, part, parted, with_facts,
};
pub(crate) use cross_key::{Given, Mistakes, WHOLE};
pub use probe::{CheckReturn, LookForConfig, LookForMetric, LookNoFurther, Probe, by_type, named};
pub use rules::Rules;
pub(crate) use rules::{RESERVED, called_alike, check_weights, given};
