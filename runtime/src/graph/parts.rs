//! Calls that return several values: `let (a, b) = x.part();`.

use super::shared::Tie;
use super::{Bound, Module, Scope, Value};
use crate::error::{Error, Result};
use crate::layer::{Chunk, Split};

/// A layer or model that returns several values, one for each name in `let (a, b) = …`.
///
/// It has an inherent `const fn outputs<const N: usize>(&self, …) -> CheckResult<[Shape; N]>`.
pub trait InParts: Module {
    /// Calls it for `N` values; one that is not wanted may be any value.
    ///
    /// # Errors
    /// As [`Scope::call_tied`], or if it returns more or fewer values.
    fn call_parts<const N: usize>(
        self,
        scope: &mut Scope<'_>,
        inputs: &[Value],
        ties: &[Tie],
        wanted: [bool; N],
    ) -> Result<[Value; N]> {
        let _ = wanted;
        let bound = scope.declare(None, self, ties)?;
        scope.apply_all(&bound, inputs)
    }

    /// The same for one that is bound to a name.
    ///
    /// # Errors
    /// As [`InParts::call_parts`].
    fn apply_parts<const N: usize>(
        bound: &Bound<Self>,
        scope: &mut Scope<'_>,
        inputs: &[Value],
        wanted: [bool; N],
    ) -> Result<[Value; N]> {
        let _ = wanted;
        scope.apply_all(bound, inputs)
    }
}

/// These consist of a layer for each part.
macro_rules! layers_in_parts {
    ($($layer:ty, [$($generics:tt)*];)*) => { $(
        impl<$($generics)*> InParts for $layer {
            fn call_parts<const N: usize>(
                self,
                scope: &mut Scope<'_>,
                inputs: &[Value],
                ties: &[Tie],
                wanted: [bool; N],
            ) -> Result<[Value; N]> {
                let any = *inputs.first().ok_or_else(|| Error::arity(<Self as crate::config::Config>::NAME, 1, 0))?;
                let mut values = [any; N];
                for (part, value) in values.iter_mut().enumerate().filter(|(part, _)| wanted[*part]) {
                    *value = scope.call_tied(None, self.part(part, N), inputs, ties)?;
                }
                Ok(values)
            }

            fn apply_parts<const N: usize>(
                bound: &Bound<Self>,
                scope: &mut Scope<'_>,
                inputs: &[Value],
                wanted: [bool; N],
            ) -> Result<[Value; N]> {
                bound.module().call_parts(scope, inputs, &[], wanted)
            }
        }
    )* };
}

layers_in_parts! {
    Chunk, [];
    Split<PARTS>, [const PARTS: usize];
}

impl Scope<'_> {
    /// Calls a layer or a model that returns several values.
    ///
    /// # Errors
    /// As [`Scope::call_tied`].
    pub fn call_parts<M: InParts, const N: usize>(
        &mut self,
        module: M,
        inputs: &[Value],
        ties: &[Tie],
        wanted: [bool; N],
    ) -> Result<[Value; N]> {
        module.call_parts(self, inputs, ties, wanted)
    }

    /// Calls a bound layer or model that returns several values.
    ///
    /// # Errors
    /// As [`Scope::apply`].
    pub fn apply_parts<M: InParts, const N: usize>(
        &mut self,
        bound: &Bound<M>,
        inputs: &[Value],
        wanted: [bool; N],
    ) -> Result<[Value; N]> {
        M::apply_parts(bound, self, inputs, wanted)
    }
}
