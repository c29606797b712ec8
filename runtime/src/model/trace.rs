//! Traces shapes through a model, in const evaluation.
//!
//! `#[model]` emits the body of a model a second time over [`Shape`]s instead of tensors; each call of a
//! layer passes its check results through a [`Trace`], which decides whether and where to report them.

mod arithmetic;
mod parts;

pub use parts::named_outputs;

use super::Model;
use super::sharing::{FirstCall, parameters_of, tied, tied_init};
use crate::config::Config;
use crate::graph::Module;
use crate::graph::other_parameters;
use crate::layer::{AsLast, Axis, ParameterAxes, folded};
use crate::shape::{CheckError, CheckResult, Kinds, Shape, contains, same_text};

/// Traces the shapes of one model.
///
/// A model without parameters is traced in its own `const`, where the first error is a compile
/// error on the layer that causes it. The others are traced by a `const fn` for each use; there the
/// first error is kept, and becomes the result for the call of the model.
#[derive(Clone, Copy)]
pub struct Trace {
    first: CheckResult,
    speaks: bool,
    /// The layer that was traced last, which returns the output.
    last: &'static str,
    /// Whether a model that returns logits may end in it.
    as_last: AsLast,
    /// The output of the layer that needs the largest batch.
    asks: Shape,
    /// The fingerprint of the shapes of all parameters.
    parameters: u64,
    /// The number of traced layers and operators.
    steps: usize,
    /// The first layer that maps the last of several axes, if its output was not flattened since.
    unflattened: Option<Unflattened>,
    /// The error of a quiet trace of the same model, if it is to be reported at an earlier step.
    blamed: CheckError,
}

/// A layer that maps the last of several axes.
#[derive(Clone, Copy)]
struct Unflattened {
    step: usize,
    layer: &'static str,
    input: Shape,
}

/// Whether a layer's first parameter is a matrix from the last axis of its input to that of its output.
const fn maps_last_axis(parameters: ParameterAxes) -> bool {
    !parameters.is_empty() && matches!(parameters[0].1, [Axis::LastOfOutput, Axis::LastOfInput])
}

impl Trace {
    /// Keeps the first error for [`Trace::finish`].
    pub const QUIET: Self = Self {
        first: Ok(()),
        speaks: false,
        last: "",
        as_last: AsLast::Allowed,
        asks: Shape::UNKNOWN,
        parameters: Shape::NO_PARAMETERS,
        steps: 0,
        unflattened: None,
        blamed: CheckError::SILENT,
    };

    /// Reports each error where it occurs. An error at the end of a model that concerns an earlier layer, such as a missing
    /// `flatten` before it, is known from a quiet trace.
    pub const fn speaking(quiet: CheckResult<Shape>) -> Self {
        let blamed = match quiet {
            Err(problem) if problem.step() > 0 => problem,
            _ => CheckError::SILENT,
        };
        Self { speaks: true, blamed, ..Self::QUIET }
    }

    /// The shape of an input of which only the kind's shape is known.
    pub const fn kind(&mut self, kind: Shape) -> Shape {
        if kind.is_unknown() {
            self.fall_silent();
        }
        kind
    }

    /// The shape of an input of a kind, as passed by the caller.
    ///
    /// The kind is passed as its name and shape and not as a type, so that a type that is not a kind is reported only once.
    pub const fn input(&mut self, name: &str, kind: (&str, Shape), given: Shape) -> Shape {
        let (kind_name, kind) = kind;
        if self.first.is_err() || kind.is_unknown() || given.is_unknown() {
            return given;
        }
        let fits = given.matches(kind)
            && match (given.vocabulary(), kind.vocabulary()) {
                (None, None) => true,
                (Some(given), Some(known)) => given <= known,
                _ => false,
            };
        if !fits {
            self.first = Err(CheckError::new("`")
                .text(name)
                .text("` is ")
                .shape(given)
                .text("; expected ")
                .text(kind_name)
                .text(" ")
                .shape(kind));
        }
        given
    }

    /// A layer whose configuration is constant and checked by [`alone`]: only its shapes are checked here.
    #[track_caller]
    pub const fn layer<M: Module, T: Copy>(
        &mut self,
        configuration: &M,
        given: &[&str],
        check: CheckResult<T>,
        input: Shape,
        output: CheckResult<Shape>,
    ) -> Shape {
        if holds(configuration, given, check).is_err() {
            self.fall_silent();
        }
        self.called::<M>(input, output)
    }

    /// A layer whose configuration depends on the model's parameters or on a loop.
    #[track_caller]
    pub const fn dependent<M: Module, T: Copy>(
        &mut self,
        configuration: &M,
        given: &[&str],
        check: CheckResult<T>,
        input: Shape,
        output: CheckResult<Shape>,
    ) -> Shape {
        match holds(configuration, given, check) {
            Err(problem) => self.step("", Err(problem)),
            Ok(()) => self.called::<M>(input, output),
        }
    }

    /// A call of a layer or model with parameters of its own.
    #[track_caller]
    const fn called<M: Module>(&mut self, input: Shape, output: CheckResult<Shape>) -> Shape {
        if let Ok(shape) = output {
            self.parameters = folded(self.parameters, parameters_of::<M>(input, shape));
        }
        self.layer_step::<M>(input, output)
    }

    /// A layer with a constant configuration that is bound to a name and not called here.
    pub const fn binds<M: Module, T: Copy>(
        &mut self,
        configuration: &M,
        given: &[&str],
        check: CheckResult<T>,
    ) {
        if holds(configuration, given, check).is_err() {
            self.fall_silent();
        }
    }

    /// The same for a configuration that depends on the model's parameters or on a loop.
    #[track_caller]
    pub const fn binds_dependent<M: Module, T: Copy>(
        &mut self,
        configuration: &M,
        given: &[&str],
        check: CheckResult<T>,
    ) {
        if let Err(problem) = holds(configuration, given, check) {
            self.step("", Err(problem));
        }
    }

    /// A call of a bound layer, which must have the same parameters as its first call.
    #[track_caller]
    pub const fn bound<M: Module>(
        &mut self,
        first: &mut FirstCall,
        name: &str,
        _: &M,
        input: Shape,
        output: CheckResult<Shape>,
    ) -> Shape {
        let Ok(shape) = output else {
            return self.layer_step::<M>(input, output);
        };
        let parameters = parameters_of::<M>(input, shape);
        if !first.was_called {
            *first = FirstCall { was_called: true, input, output: shape, parameters, axes: M::PARAMETERS };
            return self.called::<M>(input, output);
        }
        if first.parameters != parameters && self.first.is_ok() {
            return self.step(M::NAME, Err(other_parameters(name, first.input, input)));
        }
        self.layer_step::<M>(input, output)
    }

    /// A call of a layer of type `M` whose parameter `own` is `parameter` of the bound layer `name`.
    #[track_caller]
    pub const fn tie<M: Module>(
        &mut self,
        own: &str,
        _: &M,
        (input, output): (Shape, Shape),
        (name, first): (&str, &FirstCall),
        parameter: &str,
    ) {
        if self.first.is_err() {
            return;
        }
        if let Err(problem) = tied::<M>(own, (input, output), (name, first), parameter) {
            self.step(M::NAME, Err(problem));
        }
    }

    /// Checks that the key `init` of a layer, which takes these parameters from others, applies to one of its own.
    #[track_caller]
    pub const fn tied_init<M: Module>(&mut self, _: &M, ties: &[&str]) {
        if self.first.is_ok()
            && let Err(problem) = tied_init(M::PARAMETERS, ties)
        {
            self.step(M::NAME, Err(problem));
        }
    }

    /// Checks that output `place` of model `M` may end in the layer that was called last.
    #[track_caller]
    pub const fn ends<M: Model>(&mut self, place: usize) {
        if let Some(&name) = kind(<M::Output as Kinds>::NAMES, place)
            && let Err(problem) = last_layer(name, self.last, self.as_last)
        {
            self.step("", Err(problem));
        }
    }

    /// Output `place` of model `M`, which must be of its kind.
    #[track_caller]
    pub const fn output_of<M: Model>(&mut self, place: usize, shape: Shape) -> Shape {
        let (names, shapes) = (<M::Output as Kinds>::NAMES, <M::Output as Kinds>::SHAPES);
        let (Some(&name), Some(&expected)) = (kind(names, place), kind(shapes, place)) else {
            return shape;
        };
        if expected.is_unknown() || shape.matches(expected) {
            // Of several outputs, the layer that was called last computes only one.
            if names.len() > 1 {
                return shape;
            }
            return match last_layer(name, self.last, self.as_last) {
                Ok(()) => shape,
                Err(problem) => self.step("", Err(problem)),
            };
        }
        self.step("", Err(self.wrong_output(shape, name, expected)))
    }

    /// The error for a model whose output of this shape is not of its kind.
    const fn wrong_output(&self, shape: Shape, name: &str, kind: Shape) -> CheckError {
        let problem = CheckError::new("the model returns ").shape(shape);
        if kind.vocabulary().is_some() {
            let problem = problem
                .text(", but `")
                .text(name)
                .text("` is a kind of target; a model returns one value for each class: write `");
            return match shape.rank() {
                1 => problem.text("Logits<").number(shape.last()).text(">`"),
                2 => problem.text("TokenLogits<").number(shape.last()).text(">`"),
                3 => problem
                    .text("LogitMap<")
                    .number(shape.axis(0))
                    .text(", ")
                    .number(shape.axis(1))
                    .text(", ")
                    .number(shape.axis(2))
                    .text(">`"),
                _ => problem.text("Logits<C>`"),
            };
        }
        if let Some(Unflattened { step, layer, input }) = self.unflattened
            && kind.rank() == 1
        {
            return CheckError::new(layer)
                .text(": maps only the last axis of ")
                .shape(input)
                .text(", so the model returns ")
                .shape(shape)
                .text(" where `")
                .text(name)
                .text("` is ")
                .shape(kind)
                .text("; put `flatten` before it")
                .about_step(step);
        }
        let problem = problem.text(", but `").text(name).text("` is ").shape(kind);
        if kind.rank() == 1 && shape.rank() > 1 && kind.last() != Shape::ANY {
            return problem.text("; end with `.flatten().linear(out = ").number(kind.last()).text(")`");
        }
        problem.text("; change one of them")
    }

    /// The result for a model with an error that is reported elsewhere.
    pub const fn unsaid<T>(self) -> CheckResult<T> {
        Err(CheckError::SILENT)
    }

    /// The result for a model that was traced quietly; its caller adds the model's name.
    ///
    /// # Errors
    /// The first error.
    pub const fn finish(self, output: Shape) -> CheckResult<Shape> {
        match self.first {
            Ok(()) => Ok(output
                .for_batches_of(self.asks.least_batch())
                .asked(self.asks.asked_by())
                .with_parameters(self.parameters)),
            Err(problem) => Err(problem),
        }
    }

    /// The same for a model with several outputs.
    ///
    /// # Errors
    /// The first error.
    pub const fn finish_all<const N: usize>(self, mut outputs: [Shape; N]) -> CheckResult<[Shape; N]> {
        let mut i = 0;
        while i < N {
            outputs[i] = match self.finish(outputs[i]) {
                Ok(output) => output,
                Err(problem) => return Err(problem),
            };
            i += 1;
        }
        Ok(outputs)
    }

    /// Records the step of a layer, whose first input is known.
    #[track_caller]
    const fn layer_step<M: Module>(&mut self, input: Shape, output: CheckResult<Shape>) -> Shape {
        let (name, parameters) = (M::NAME, M::PARAMETERS);
        let shape = self.step(name, output);
        self.as_last = M::AS_LAST;
        if shape.rank() < 2 {
            self.unflattened = None;
        } else if self.unflattened.is_none() && maps_last_axis(parameters) && input.rank() > 1 {
            self.unflattened = Some(Unflattened { step: self.steps, layer: name, input });
        }
        shape
    }

    #[track_caller]
    const fn step(&mut self, name: &'static str, output: CheckResult<Shape>) -> Shape {
        (self.last, self.as_last) = (name, AsLast::Allowed);
        self.steps += 1;
        if self.blamed.step() == self.steps {
            speak(self.blamed);
        }
        match output {
            _ if self.first.is_err() => Shape::UNKNOWN,
            Ok(shape) => {
                if shape.least_batch() > self.asks.least_batch() {
                    self.asks = shape.asked(name);
                }
                shape.bare()
            }
            Err(problem) if problem.is_silent() => {
                self.first = Err(problem);
                Shape::UNKNOWN
            }
            Err(problem) => {
                let problem = problem.of(name);
                if self.speaks {
                    speak(problem);
                }
                self.first = Err(problem);
                Shape::UNKNOWN
            }
        }
    }

    /// After an error all shapes are unknown, and no further errors are reported.
    const fn fall_silent(&mut self) {
        if self.first.is_ok() {
            self.first = Err(CheckError::SILENT);
        }
    }
}

/// The first of several shapes.
///
/// # Errors
/// The error, if there is one.
pub const fn first_of<const N: usize>(shapes: CheckResult<[Shape; N]>) -> CheckResult<Shape> {
    match shapes {
        Ok(shapes) if N > 0 => Ok(shapes[0]),
        Ok(_) => Ok(Shape::UNKNOWN),
        Err(problem) => Err(problem),
    }
}

/// An element of a list, if there is one with this index.
const fn kind<T>(list: &[T], place: usize) -> Option<&T> {
    if place < list.len() { Some(&list[place]) } else { None }
}

/// Checks that a model's last layer may return its output: logits come before any softmax, and a final dropout would zero
/// outputs.
pub(crate) const fn last_layer(kind: &str, layer: &str, as_last: AsLast) -> CheckResult {
    if !same_text(kind, "Logits") && !same_text(kind, "TokenLogits") && !same_text(kind, "LogitMap") {
        return Ok(());
    }
    let problem = CheckError::new("`").text(layer);
    match as_last {
        AsLast::Allowed => Ok(()),
        AsLast::Probabilities => Err(problem
            .text("` is the last layer, but `")
            .text(kind)
            .text("` are the values before it, which their losses expect; remove `")
            .text(layer)
            .text("`")),
        AsLast::ZeroesAtRandom => {
            Err(problem.text("` is the last layer, so it zeroes outputs; put it before the last `linear`"))
        }
    }
}

/// Checks a configuration: every required key is set, and its own check passes.
///
/// # Errors
/// The first failed check, prefixed with the configuration's name.
pub(crate) const fn holds<C: Config, T: Copy>(_: &C, given: &[&str], check: CheckResult<T>) -> CheckResult {
    let mut i = 0;
    while i < C::REQUIRED.len() {
        let (key, meaning) = C::REQUIRED[i];
        if !contains(given, key) {
            return Err(CheckError::new(C::NAME).text(" needs `").text(key).text("`, ").text(meaning));
        }
        i += 1;
    }
    match check {
        Ok(_) => Ok(()),
        Err(problem) => Err(problem.of(C::NAME)),
    }
}

/// Replaces an error that is reported elsewhere with a silent one.
///
/// # Errors
/// If there is one.
pub const fn silent(verdict: CheckResult<Shape>) -> CheckResult<Shape> {
    match verdict {
        Ok(shape) => Ok(shape),
        Err(_) => Err(CheckError::SILENT),
    }
}

/// Reports arguments without a key as a compile error on the caller, with the corrected call.
#[track_caller]
pub const fn name_keys<C: Config>(_: &C, given: &[&str], values: &[&str]) {
    let mut call = CheckError::new("").text(C::NAME).text("(");
    let mut wanted = 0;
    let mut i = 0;
    while i < values.len() {
        while wanted < C::REQUIRED.len() && contains(given, C::REQUIRED[wanted].0) {
            wanted += 1;
        }
        if wanted == C::REQUIRED.len() {
            let first = CheckError::new(C::NAME).text(": `").text(values[i]);
            speak(first.text("` is missing its key; write `key = value`"));
        }
        let separator = if i == 0 { "" } else { ", " };
        call = call.text(separator).text(C::REQUIRED[wanted].0).text(" = ").text(values[i]);
        wanted += 1;
        i += 1;
    }
    let end = if given.is_empty() { ")`" } else { ", …)`" };
    let problem = CheckError::new(C::NAME).text(": keys are passed by name; write `").text(call.as_str());
    speak(problem.text(end))
}

/// Checks that every required key is set and that the configuration's own check passes, or reports a compile error on the
/// caller.
#[track_caller]
pub const fn alone<C: Config, T: Copy>(configuration: &C, given: &[&str], check: CheckResult<T>) {
    whole(holds(configuration, given, check));
}

/// Reports the error of a whole model or spec as a compile error on the caller.
#[track_caller]
pub const fn whole<T: Copy>(verdict: CheckResult<T>) {
    if let Err(problem) = verdict
        && !problem.is_silent()
    {
        speak(problem);
    }
}

#[track_caller]
const fn speak(problem: CheckError) -> ! {
    panic!("{}", problem.as_str())
}
