//! What generated code asks of a user's types, so that a type which cannot answer is told of once.
//!
//! A `const` calls a type's own `check` and `output` by name. A type that is no layer has neither, and rustc would say so of each
//! call, besides that it is no layer. So generated code passes every value through a function of this module, whose result is an
//! associated type: of a type without it that type is in error, and rustc says nothing more of what is done with it.

use super::Judged;
use crate::config::Config;
use crate::graph::Module;
use crate::keys::Facts;
use crate::shape::{CheckResult, Shape};

/// What can stand as `Name { … }` in a spec: any configuration.
///
/// There are two ways, so that rustc has to look whether one holds before it takes the associated type from it; nothing goes the
/// second.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration",
    label = "this is neither a layer nor another part of a spec",
    note = "a type becomes one by implementing `trainspec::Config`"
)]
pub trait Configuration<Way> {
    /// The type.
    type Itself;
    /// [`Config::DEFAULT`]
    const DEFAULT: Self;
}

/// What can be called on a value in a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a layer nor a model",
    label = "this cannot be called on a value",
    note = "a type becomes a layer by implementing `trainspec::layer::Layer`, a function becomes a model by `#[model]`"
)]
pub trait Callable<Way> {
    /// The type.
    type Itself;
    /// [`Config::DEFAULT`]
    const DEFAULT: Self;
}

/// The way that is gone.
pub struct ByTrait;

/// The way that is not.
pub struct ByNothing;

/// Of no type.
pub trait Nothing {}

#[diagnostic::do_not_recommend]
impl<C: Config> Configuration<ByTrait> for C {
    type Itself = C;
    const DEFAULT: C = C::DEFAULT;
}

#[diagnostic::do_not_recommend]
impl<C: Config + Nothing> Configuration<ByNothing> for C {
    type Itself = C;
    const DEFAULT: C = C::DEFAULT;
}

#[diagnostic::do_not_recommend]
impl<M: Module> Callable<ByTrait> for M {
    type Itself = M;
    const DEFAULT: M = <M as Config>::DEFAULT;
}

#[diagnostic::do_not_recommend]
impl<M: Module + Nothing> Callable<ByNothing> for M {
    type Itself = M;
    const DEFAULT: M = <M as Config>::DEFAULT;
}

/// A configuration, as it is.
pub const fn part<C, Way>(configuration: C) -> <C as Configuration<Way>>::Itself
where
    C: Configuration<Way, Itself = C>,
{
    configuration
}

/// A layer or model, as it is.
pub const fn called<M, Way>(module: M) -> <M as Callable<Way>>::Itself
where
    M: Callable<Way, Itself = M>,
{
    module
}

/// What can stand after `model:` in `train!`; `#[model]` alone implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "expected a model: a function under `#[model]`",
    note = "write the name of such a function, as in `#[model] fn Net(x: Features<4>) -> Logits<3> {{ … }}` and `model: Net`"
)]
pub trait DeclaredModel {
    /// The type.
    type Itself;
    /// The shape that it gives for inputs of its own kinds, with its default keys.
    const SHAPES: CheckResult<Shape>;
}

/// What the `check` of a configuration may return.
#[diagnostic::on_unimplemented(
    message = "the `check` of a configuration returns `{Self}`",
    label = "the `check` of this type must return a `CheckResult`",
    note = "declare it as `pub const fn check(&self) -> CheckResult`, and return `Ok(())` or `Err(CheckError::new(\"…\"))`"
)]
pub trait Checked {
    /// The type.
    type Itself;
    /// What it told can be read of this.
    type Told;
}

impl Checked for CheckResult {
    type Itself = Self;
    type Told = Judged<Self>;
}

impl Checked for CheckResult<Facts> {
    type Itself = Self;
    type Told = Judged<Self>;
}

/// What a `check` returned, as it is.
pub const fn judged<R>(returned: R) -> <R as Checked>::Itself
where
    R: Checked<Itself = R>,
{
    returned
}

/// What can be read of what a `check` returned, as [`judged`] gave it.
pub const fn told<R>(returned: R) -> <R as Checked>::Told
where
    R: Checked<Told = Judged<R>>,
{
    Judged(returned)
}
