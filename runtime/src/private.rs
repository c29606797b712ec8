//! What generated code may name, and nothing else.

pub use serde;

pub use crate::asked::{Callable, Configuration, DeclaredModel, called, judged, part, told};
pub use crate::cli::main;
pub use crate::config::Config;
pub use crate::error::Result;
pub use crate::graph::{Module, Scope, Value};
pub use crate::known::Known;
pub use crate::model::{Blank, Model};
pub use crate::shape::{Kind, Shape, Trace, Verdict, alone, whole};
pub use crate::spec::told::{Judged, LookForConfig, LookForMetric, LookNoFurther, Probe, by_type, named};
pub use crate::spec::{Declaration, Spec, data_of, model_of, opened};
pub use crate::training::Training;
