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

macro_rules! outputs {
    ($(($($output:ident $target:ident $place:literal),*))*) => { $(
        outputs! { @ [$($output $target),*] $(($output $target $place))* }
    )* };
    (@ $all:tt $($one:tt)*) => { $(outputs! { # $all $one })* };
    (# [$($all_o:ident $all_t:ident),*] ($output:ident $target:ident $place:literal)) => {
        #[diagnostic::do_not_recommend]
        impl<M: Metric<$output, $target>, $($all_o: Kind, $all_t: Kind),*>
            AnyMetric<($($all_o,)*), ($($all_t,)*)> for On<$place, M>
        {
            fn label(&self) -> &'static str {
                accumulator::lasting(self.0.label())
            }

            fn output(&self) -> usize {
                $place
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
                Box::new(accumulator::Gathered::<M, $output, $target>::new(self.0, label))
            }

            fn boxed(&self) -> Box<dyn AnyMetric<($($all_o,)*), ($($all_t,)*)>> {
                Box::new(*self)
            }

            fn with(
                &self,
                json: &serde_json::Value,
            ) -> Result<Box<dyn AnyMetric<($($all_o,)*), ($($all_t,)*)>>, String> {
                let mut json = json.clone();
                let output = json.as_object_mut().and_then(|keys| keys.remove("output"));
                if output.is_some_and(|output| output != $place) {
                    return Err(format!("the output of a metric is fixed at compile time; it is {}", $place));
                }
                Ok(Box::new(Self(from_json(&json)?)))
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
