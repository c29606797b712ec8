//! How generated code finds out what a value tells of itself, whatever its type.
//!
//! A constant can call inherent functions of concrete types, and read constants of traits; it cannot call a trait's
//! functions. So a literal's own `check` is called, and [`Judged`] has an inherent function for each thing that it may
//! return. What its type alone tells is found by a closure that never runs: its return type says whether the value is a
//! metric of the run ([`Metric`]), another configuration, or neither, and has it as a constant.

use std::marker::PhantomData;

use crate::config::Config;
use crate::keys::{Facts, Label};
use crate::metric::Metric;
use crate::model::Model;
use crate::shape::{CheckResult, Kind};
use crate::spec::Spec;

/// What the `check` of a literal returned.
///
/// It is generic over the whole of it: of a literal whose type does not exist rustc then says nothing more.
pub struct Judged<R>(pub R);

impl Judged<CheckResult> {
    /// That it holds.
    pub const fn known(&self) -> Facts {
        Facts::NOTHING
    }
}

impl Judged<CheckResult<Facts>> {
    /// What it told; nothing after a mistake, which is reported where the literal stands.
    pub const fn known(&self) -> Facts {
        match self.0 {
            Ok(known) => known,
            Err(_) => Facts::NOTHING,
        }
    }
}

/// What a literal told, with its name.
pub const fn named<C: Config>(_: &C, known: Facts) -> Facts {
    Facts { name: C::NAME, ..known }
}

/// Adds to what a value told what is known by its type, which `look` returns.
pub const fn by_type<M: Model, T: Kind, R: ByType, F: Copy + FnOnce(Kinds<M::Output, T>) -> R>(
    _: &Spec<M, T>,
    known: Facts,
    _: F,
) -> Facts {
    Facts {
        name: R::NAME,
        label: match known.label {
            None if !R::LABEL.is_empty() => Some(Label::new(R::LABEL)),
            label => label,
        },
        is_table: R::IS_TABLE,
        ..known
    }
}

/// What the model gives and the data expect.
pub struct Kinds<Output, Target>(PhantomData<(Output, Target)>);

/// A value of which the type matters.
pub struct Probe<Output, Target, V>(PhantomData<(Output, Target, V)>);

impl<Output, Target, V> Probe<Output, Target, V> {
    /// Only its type matters: this never runs.
    pub fn of(_: Kinds<Output, Target>, _: &V) -> Self {
        Self(PhantomData)
    }
}

/// What a type tells.
pub trait ByType {
    /// [`Config::NAME`]
    const NAME: &'static str = "";
    /// [`Metric::LABEL`]
    const LABEL: &'static str = "";
    /// [`Metric::IS_TABLE`]
    const IS_TABLE: bool = false;
}

/// Nothing.
pub struct Neither;

/// Of a configuration.
pub struct OfConfig<V>(PhantomData<V>);

/// Of a metric.
pub struct OfMetric<Output, Target, V>(PhantomData<(Output, Target, V)>);

impl ByType for Neither {}

impl<V: Config> ByType for OfConfig<V> {
    const NAME: &'static str = V::NAME;
}

impl<Output: Kind, Target: Kind, V: Metric<Output, Target>> ByType for OfMetric<Output, Target, V> {
    const NAME: &'static str = V::NAME;
    const LABEL: &'static str = V::LABEL;
    const IS_TABLE: bool = V::IS_TABLE;
}

/// `(&&&probe).__look()` finds the first of these that there is.
pub trait LookForMetric {
    /// What is found.
    type Found;
    /// It is a metric.
    fn __look(&self) -> Self::Found;
}

impl<Output: Kind, Target: Kind, V: Metric<Output, Target>> LookForMetric for &&Probe<Output, Target, V> {
    type Found = OfMetric<Output, Target, V>;

    fn __look(&self) -> Self::Found {
        OfMetric(PhantomData)
    }
}

/// The second.
pub trait LookForConfig {
    /// What is found.
    type Found;
    /// It is a configuration.
    fn __look(&self) -> Self::Found;
}

impl<Output, Target, V: Config> LookForConfig for &Probe<Output, Target, V> {
    type Found = OfConfig<V>;

    fn __look(&self) -> Self::Found {
        OfConfig(PhantomData)
    }
}

/// The last.
pub trait LookNoFurther {
    /// It is something else.
    fn __look(&self) -> Neither;
}

impl<Output, Target, V> LookNoFurther for Probe<Output, Target, V> {
    fn __look(&self) -> Neither {
        Neither
    }
}
