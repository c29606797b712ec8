//! Reads the static facts of a value of any type from generated code.
//!
//! A constant can call inherent functions of concrete types, and read constants of traits; it cannot call a trait's
//! functions. So a literal's own `check` is called, and [`CheckReturn`] has an inherent function for each type that it may
//! return. The facts of its type are found by a closure that never runs: its return type encodes whether the value is a
//! metric of the run ([`Metric`]), an augmentation ([`Augment`]), another configuration, or neither, and provides the facts as a constant.

use std::marker::PhantomData;

use crate::config::Config;
use crate::data::augment::Augment;
use crate::keys::{Facts, Label, Takes};
use crate::loss::TargetKinds;
use crate::metric::{Metric, On};
use crate::model::Model;
use crate::shape::{CheckResult, Kind};
use crate::spec::Spec;

/// The result of a literal's `check`.
///
/// It is generic over the whole result, so that rustc does not report more errors for a literal of an unknown type.
pub struct CheckReturn<R>(pub R);

impl CheckReturn<CheckResult> {
    /// No facts.
    pub const fn known(&self) -> Facts {
        Facts::NOTHING
    }
}

impl CheckReturn<CheckResult<Facts>> {
    /// The facts; none after an error, which is reported at the literal.
    pub const fn known(&self) -> Facts {
        match self.0 {
            Ok(known) => known,
            Err(_) => Facts::NOTHING,
        }
    }
}

/// The facts of a literal, with its name.
pub const fn named<C: Config>(_: &C, known: Facts) -> Facts {
    Facts { name: C::NAME, ..known }
}

/// Adds the facts of a value's type, which `look` returns, to the facts of the value.
pub const fn by_type<M: Model, T: TargetKinds, R: ByType, F: Copy + FnOnce(KindsOf<M::Output, T>) -> R>(
    _: &Spec<M, T>,
    known: Facts,
    _: F,
) -> Facts {
    let label = match known.label {
        None if !R::LABEL.is_empty() => Some(Label::new(R::LABEL)),
        label => label,
    };
    Facts {
        name: R::NAME,
        label: match label {
            Some(label) if R::OUTPUT < M::OUTPUTS.len() => {
                Some(Label::new(M::OUTPUTS[R::OUTPUT]).text("_").text(label.as_str()))
            }
            label => label,
        },
        output: R::OUTPUT,
        is_table: R::IS_TABLE,
        takes: R::TAKES,
        list: R::LIST,
        ..known
    }
}

/// The kinds of the model's outputs and of the data's targets.
pub struct KindsOf<Output, Target>(PhantomData<(Output, Target)>);

/// A value of which only the type is used.
pub struct Probe<Output, Target, V>(PhantomData<(Output, Target, V)>);

impl<Output, Target, V> Probe<Output, Target, V> {
    /// Only its type is used: this never runs.
    pub fn of(_: KindsOf<Output, Target>, _: &V) -> Self {
        Self(PhantomData)
    }
}

/// The facts of a type.
pub trait ByType {
    /// [`Config::NAME`]
    const NAME: &'static str = "";
    /// [`Metric::LABEL`]
    const LABEL: &'static str = "";
    /// [`Metric::IS_TABLE`]
    const IS_TABLE: bool = false;
    /// The index of the output that a metric compares.
    const OUTPUT: usize = 0;
    /// [`Augment::TAKES`]
    const TAKES: Option<Takes> = None;
    /// The index of the list of an augmentation in a tuple of lists.
    const LIST: Option<usize> = None;
}

/// A type without facts.
pub struct Neither;

/// A configuration type.
pub struct OfConfig<V>(PhantomData<V>);

/// A metric type.
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

/// `(&&&probe).__look()` resolves to the first of these traits that applies.
pub trait LookForMetric {
    /// The facts.
    type Found;
    /// Looks up a metric, or an augmentation.
    fn __look(&self) -> Self::Found;
}

impl<Output: Kind, Target: Kind, V: Metric<Output, Target>> LookForMetric for &&Probe<Output, Target, V> {
    type Found = OfMetric<Output, Target, V>;

    fn __look(&self) -> Self::Found {
        OfMetric(PhantomData)
    }
}

/// An augmentation type.
pub struct OfAugment<V>(PhantomData<V>);

impl<V: Augment> ByType for OfAugment<V> {
    const NAME: &'static str = V::NAME;
    const TAKES: Option<Takes> = Some(V::TAKES);
}

// One more reference than for a metric, so that the two do not overlap: it comes after a metric and before another configuration.
impl<Output, Target, V: Augment> LookForMetric for &&&Probe<Output, Target, V> {
    type Found = OfAugment<V>;

    fn __look(&self) -> Self::Found {
        OfAugment(PhantomData)
    }
}

/// An augmentation type for one input of several.
pub struct OfInput<const INPUT: usize, V>(PhantomData<V>);

impl<const INPUT: usize, V: Augment> ByType for OfInput<INPUT, V> {
    const NAME: &'static str = V::NAME;
    const TAKES: Option<Takes> = Some(V::TAKES);
    const LIST: Option<usize> = Some(INPUT);
}

impl<Output, Target, const INPUT: usize, V: Augment> LookForMetric
    for &&&Probe<Output, Target, On<INPUT, V>>
{
    type Found = OfInput<INPUT, V>;

    fn __look(&self) -> Self::Found {
        OfInput(PhantomData)
    }
}

/// A metric type on one output of several.
pub struct OfOutput<const OUTPUT: usize, R>(PhantomData<R>);

impl<const OUTPUT: usize, R: ByType> ByType for OfOutput<OUTPUT, R> {
    const NAME: &'static str = R::NAME;
    const LABEL: &'static str = R::LABEL;
    const IS_TABLE: bool = R::IS_TABLE;
    const OUTPUT: usize = OUTPUT;
}

macro_rules! outputs {
    ($(($($output:ident $target:ident $place:literal),*))*) => { $(
        outputs! { @ [$($output $target),*] $(($output $target $place))* }
    )* };
    (@ $all:tt $($one:tt)*) => { $(outputs! { # $all $one })* };
    (# [$($all_o:ident $all_t:ident),*] ($output:ident $target:ident $place:literal)) => {
        impl<V: Metric<$output, $target>, $($all_o: Kind, $all_t: Kind),*> LookForMetric
            for &&Probe<($($all_o,)*), ($($all_t,)*), On<$place, V>>
        {
            type Found = OfOutput<$place, OfMetric<$output, $target, V>>;

            fn __look(&self) -> Self::Found {
                OfOutput(PhantomData)
            }
        }
    };
}

outputs! {
    (O0 T0 0, O1 T1 1)
    (O0 T0 0, O1 T1 1, O2 T2 2)
    (O0 T0 0, O1 T1 1, O2 T2 2, O3 T3 3)
    (O0 T0 0, O1 T1 1, O2 T2 2, O3 T3 3, O4 T4 4)
    (O0 T0 0, O1 T1 1, O2 T2 2, O3 T3 3, O4 T4 4, O5 T5 5)
}

/// The second choice.
pub trait LookForConfig {
    /// The facts.
    type Found;
    /// Looks up a configuration.
    fn __look(&self) -> Self::Found;
}

impl<Output, Target, V: Config> LookForConfig for &Probe<Output, Target, V> {
    type Found = OfConfig<V>;

    fn __look(&self) -> Self::Found {
        OfConfig(PhantomData)
    }
}

/// The last choice.
pub trait LookNoFurther {
    /// Any other type.
    fn __look(&self) -> Neither;
}

impl<Output, Target, V> LookNoFurther for Probe<Output, Target, V> {
    fn __look(&self) -> Neither {
        Neither
    }
}
