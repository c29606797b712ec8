//! The items that generated code uses.

pub use serde;

pub use crate::cli::main;
pub use crate::config::Config;
pub use crate::error::Result;
pub use crate::experiment::Experiment;
pub use crate::graph::{InParts, Module, Scope, Value};
pub use crate::keys::Facts;
pub use crate::metric::On;
pub use crate::model::{Blank, FirstCall, Model};
pub use crate::model::{Trace, alone, first_of, name_keys, named_outputs, silent, whole};
pub use crate::shape::{CheckResult, Kind, Shape};
pub use crate::spec::check::{
    Callable, Configuration, DeclaredModel, called, check_returned, number, one_value, part, parted,
    with_facts,
};
pub use crate::spec::check::{
    CheckReturn, LookForConfig, LookForMetric, LookNoFurther, Probe, by_type, named,
};
pub use crate::spec::{Declaration, Spec, data_of, model_keys, model_of, opened, shapes_of};
