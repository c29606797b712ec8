//! Layers that are called several times, in const evaluation: each call must have the parameters of the first.

use crate::graph::{Module, init_of_tied};
use crate::layer::{ParameterAxes, fingerprint, shape_of};
use crate::shape::{CheckError, CheckResult, Shape, contains};

/// The first call of a layer that is bound to a name.
#[derive(Clone, Copy)]
pub struct FirstCall {
    pub(super) was_called: bool,
    pub(super) input: Shape,
    pub(super) output: Shape,
    /// The fingerprint of the shapes of its parameters.
    pub(super) parameters: u64,
    pub(super) axes: ParameterAxes,
}

impl FirstCall {
    /// Before it.
    pub const NONE: Self = Self {
        was_called: false,
        input: Shape::UNKNOWN,
        output: Shape::UNKNOWN,
        parameters: Shape::NO_PARAMETERS,
        axes: &[],
    };
}

/// The fingerprint of the shapes of the parameters of a call; that of a model comes with its output.
pub(super) const fn parameters_of<M: Module>(input: Shape, output: Shape) -> u64 {
    if M::IS_MODEL { output.parameters() } else { fingerprint(M::PARAMETERS, input, output) }
}

/// Checks that the parameter `own` of a layer can be `parameter` of the bound layer `name`.
pub(super) const fn tied<M: Module>(
    own: &str,
    (input, output): (Shape, Shape),
    (name, first): (&str, &FirstCall),
    parameter: &str,
) -> CheckResult {
    if M::IS_MODEL {
        return Err(CheckError::new("only a layer can take a parameter of another, not a model"));
    }
    if !first.was_called {
        return Err(CheckError::new("`")
            .text(name)
            .text("` has no parameters before its first call; call it before its `")
            .text(parameter)
            .text("` is used"));
    }
    // The axes of a custom layer may be unknown; they are checked when the graph is built.
    let Some(expected) = shape_of(M::PARAMETERS, own, input, output) else {
        return unknown(own, M::PARAMETERS);
    };
    let Some(found) = shape_of(first.axes, parameter, first.input, first.output) else {
        return unknown(parameter, first.axes);
    };
    if expected.is_unknown() || found.is_unknown() || expected.same(found) {
        return Ok(());
    }
    Err(CheckError::new(own)
        .text(" is ")
        .shape(expected)
        .text(", but `")
        .text(name)
        .text(".")
        .text(parameter)
        .text("` is ")
        .shape(found))
}

/// Checks that an initializer, which applies to matrices and tables, applies to one that is not taken from another layer. The
/// parameters of a custom layer may be unknown; they are checked when the graph is built.
pub(super) const fn tied_init(parameters: ParameterAxes, ties: &[&str]) -> CheckResult {
    let (mut i, mut is_tied) = (0, false);
    while i < parameters.len() {
        let (name, axes) = parameters[i];
        if axes.len() > 1 {
            if !contains(ties, name) {
                return Ok(());
            }
            is_tied = true;
        }
        i += 1;
    }
    if is_tied { Err(init_of_tied(ties[0])) } else { Ok(()) }
}

/// The error for a name that is not that of a parameter, if the parameters are known.
const fn unknown(name: &str, parameters: ParameterAxes) -> CheckResult {
    if parameters.is_empty() {
        return Ok(());
    }
    let mut problem = CheckError::new("there is no parameter `").text(name).text("`; expected ");
    let mut i = 0;
    while i < parameters.len() {
        let separator = match i {
            0 => "`",
            i if i + 1 == parameters.len() => " or `",
            _ => ", `",
        };
        problem = problem.text(separator).text(parameters[i].0).text("`");
        i += 1;
    }
    Err(problem)
}
