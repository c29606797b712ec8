//! A metric of one output of several.

use super::{Accumulator, AnyMetric, Direction, Metric, accumulator};
use crate::config::{Setting, from_json};
use crate::shape::{CheckResult, Kind};

/// The metric `M` on the output with index `OUTPUT`; `train!` writes it for the elements of a tuple of lists.
#[derive(Clone, Copy, Debug)]
pub struct On<const OUTPUT: usize, M>(pub M);

impl<const OUTPUT: usize, M: Setting> Setting for On<OUTPUT, M> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn to_json(&self) -> serde_json::Value {
        let mut json = self.0.to_json();
        json["output"] = OUTPUT.into();
        json
    }

    fn validate(&self) -> CheckResult {
        self.0.validate()
    }
}

/// A tuple of kinds, of which one has this index.
#[diagnostic::on_unimplemented(message = "there is no output with the index {PLACE}, from 0")]
pub trait KindAt<const PLACE: usize> {
    /// That kind.
    type Kind: Kind;
}

macro_rules! places {
    ($([$($kind:ident),*] $($one:ident $place:literal),*;)*) => { $(
        places! { @ [$($kind),*] $($one $place),* }
    )* };
    (@ $all:tt $($one:ident $place:literal),*) => { $(places! { # $all $one $place })* };
    (# [$($kind:ident),*] $one:ident $place:literal) => {
        impl<$($kind: Kind),*> KindAt<$place> for ($($kind,)*) {
            type Kind = $one;
        }
    };
}

places! {
    [A, B] A 0, B 1;
    [A, B, C] A 0, B 1, C 2;
    [A, B, C, D] A 0, B 1, C 2, D 3;
    [A, B, C, D, E] A 0, B 1, C 2, D 3, E 4;
    [A, B, C, D, E, F] A 0, B 1, C 2, D 3, E 4, F 5;
}

// One implementation for each number of outputs, for every place: a metric that does not fit is then reported by its own name, with the
// kinds of its output and target.
macro_rules! outputs {
    ($([$($output:ident),*] [$($target:ident),*];)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<const OUTPUT: usize, M, $($output: Kind, $target: Kind),*>
            AnyMetric<($($output,)*), ($($target,)*)> for On<OUTPUT, M>
        where
            ($($output,)*): KindAt<OUTPUT>,
            ($($target,)*): KindAt<OUTPUT>,
            M: Metric<<($($output,)*) as KindAt<OUTPUT>>::Kind, <($($target,)*) as KindAt<OUTPUT>>::Kind>,
        {
            fn label(&self) -> &'static str {
                accumulator::lasting(self.0.label())
            }

            fn output(&self) -> usize {
                OUTPUT
            }

            fn direction(&self) -> Direction {
                M::DIRECTION
            }

            fn is_defined_by_targets(&self) -> bool {
                M::DEFINED_BY_TARGETS
            }

            fn fits(&self) -> CheckResult {
                self.0.fits().map_err(|problem| problem.of(M::NAME))
            }

            fn start_as(&self, label: &'static str) -> Box<dyn Accumulator> {
                type Of<const OUTPUT: usize, Kinds> = <Kinds as KindAt<OUTPUT>>::Kind;
                let state = accumulator::Gathered::<M, Of<OUTPUT, ($($output,)*)>, Of<OUTPUT, ($($target,)*)>>::new(
                    self.0, label,
                );
                Box::new(state)
            }

            fn boxed(&self) -> Box<dyn AnyMetric<($($output,)*), ($($target,)*)>> {
                Box::new(*self)
            }

            fn with(
                &self,
                json: &serde_json::Value,
            ) -> Result<Box<dyn AnyMetric<($($output,)*), ($($target,)*)>>, String> {
                let mut json = json.clone();
                let output = json.as_object_mut().and_then(|keys| keys.remove("output"));
                if output.is_some_and(|output| output != OUTPUT) {
                    return Err(format!("the output of a metric is fixed at compile time; it is {OUTPUT}"));
                }
                Ok(Box::new(Self(from_json(&json)?)))
            }
        }
    )* };
}

outputs! {
    [A, B] [T, U];
    [A, B, C] [T, U, V];
    [A, B, C, D] [T, U, V, W];
    [A, B, C, D, E] [T, U, V, W, X];
    [A, B, C, D, E, F] [T, U, V, W, X, Y];
}
