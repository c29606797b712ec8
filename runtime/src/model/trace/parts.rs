//! Calls that return several values.

use super::super::sharing::{FirstCall, parameters_of};
use super::{Trace, holds};
use crate::graph::Module;
use crate::layer::folded;
use crate::shape::{CheckError, CheckResult, Shape};

impl Trace {
    /// [`Trace::layer`] for a call that returns several values.
    #[track_caller]
    pub const fn parts<M: Module, T: Copy, const N: usize>(
        &mut self,
        configuration: &M,
        given: &[&str],
        check: CheckResult<T>,
        input: Shape,
        outputs: CheckResult<[Shape; N]>,
    ) -> [Shape; N] {
        if holds(configuration, given, check).is_err() {
            self.fall_silent();
        }
        self.called_parts::<M, N>(input, outputs)
    }

    /// [`Trace::dependent`] for a call that returns several values.
    #[track_caller]
    pub const fn dependent_parts<M: Module, T: Copy, const N: usize>(
        &mut self,
        configuration: &M,
        given: &[&str],
        check: CheckResult<T>,
        input: Shape,
        outputs: CheckResult<[Shape; N]>,
    ) -> [Shape; N] {
        match holds(configuration, given, check) {
            Err(problem) => [self.step("", Err(problem)); N],
            Ok(()) => self.called_parts::<M, N>(input, outputs),
        }
    }

    #[track_caller]
    const fn called_parts<M: Module, const N: usize>(
        &mut self,
        input: Shape,
        outputs: CheckResult<[Shape; N]>,
    ) -> [Shape; N] {
        if let Ok(shapes) = outputs
            && N > 0
        {
            self.parameters = folded(self.parameters, parameters_of::<M>(input, shapes[0]));
        }
        self.step_of_parts(M::NAME, outputs)
    }

    /// [`Trace::bound`] for a call that returns several values.
    #[track_caller]
    pub const fn bound_parts<M: Module, const N: usize>(
        &mut self,
        first: &mut FirstCall,
        name: &str,
        module: &M,
        input: Shape,
        outputs: CheckResult<[Shape; N]>,
    ) -> [Shape; N] {
        let Ok(shapes) = outputs else { return self.step_of_parts(M::NAME, outputs) };
        let one = self.bound(first, name, module, input, Ok(if N > 0 { shapes[0] } else { Shape::UNKNOWN }));
        if one.is_unknown() { [one; N] } else { self.step_of_parts(M::NAME, outputs) }
    }

    /// Records the steps of a call that returns several values.
    #[track_caller]
    const fn step_of_parts<const N: usize>(
        &mut self,
        name: &'static str,
        outputs: CheckResult<[Shape; N]>,
    ) -> [Shape; N] {
        let mut shapes = match outputs {
            Ok(shapes) => shapes,
            Err(problem) => return [self.step(name, Err(problem)); N],
        };
        let mut i = 0;
        while i < N {
            shapes[i] = self.step(name, Ok(shapes[i]));
            i += 1;
        }
        shapes
    }
}

/// The output shapes of a model, for as many names.
///
/// # Errors
/// The error, if there is one, or if there are more or fewer names.
pub const fn named_outputs<const N: usize, const NAMES: usize>(
    shapes: CheckResult<[Shape; N]>,
) -> CheckResult<[Shape; NAMES]> {
    let shapes = match shapes {
        Ok(shapes) => shapes,
        Err(problem) => return Err(problem),
    };
    if N != NAMES {
        return Err(CheckError::new("it returns ")
            .number(N)
            .text(" values, but there are ")
            .number(NAMES)
            .text(" names; expected a name for each value, or `_`"));
    }
    let (mut named, mut i) = ([Shape::UNKNOWN; NAMES], 0);
    while i < N {
        named[i] = shapes[i];
        i += 1;
    }
    Ok(named)
}
