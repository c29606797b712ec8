//! What generated code requires of a user's types, so that a type which does not qualify is reported once.
//!
//! A `const` calls a type's own `check` and `output` by name. A type that is not a layer has neither, and rustc would report each
//! call in addition to the missing trait. So generated code passes every value through a function of this module, whose result is
//! an associated type: without the trait, that type is an error type, and rustc does not report further uses of it.

use super::CheckReturn;
use crate::config::Config;
use crate::graph::{InParts, Module};
use crate::keys::Facts;
use crate::shape::{CheckResult, Shape};

/// A type that can be written as `Name { … }` in a spec: any configuration.
///
/// There are two `Way`s, so that rustc has to prove the bound before it uses the associated type; no type implements the
/// second.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a configuration",
    label = "expected a layer or another configuration type",
    note = "implement `trainspec::Config` for this type"
)]
pub trait Configuration<Way> {
    /// The type.
    type Itself;
    /// [`Config::DEFAULT`]
    const DEFAULT: Self;
}

/// A type that can be called on a value in a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer or a model",
    label = "this cannot be called on a value",
    note = "implement `trainspec::layer::Layer` to make a type a layer, or put `#[model]` on a function to make it a model"
)]
pub trait Callable<Way> {
    /// The type.
    type Itself;
    /// [`Config::DEFAULT`]
    const DEFAULT: Self;
}

/// The way that is used.
pub struct ByTrait;

/// The way that is never used.
pub struct ByNothing;

/// Implemented by no type.
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

/// Returns a configuration unchanged.
pub const fn part<C, Way>(configuration: C) -> <C as Configuration<Way>>::Itself
where
    C: Configuration<Way, Itself = C>,
{
    configuration
}

/// Returns a layer or model unchanged.
pub const fn called<M, Way>(module: M) -> <M as Callable<Way>>::Itself
where
    M: Callable<Way, Itself = M>,
{
    module
}

/// A layer or model that can be bound to several names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` returns one value, not several",
    label = "write `let name = …`",
    note = "`chunk` and `split` return several values"
)]
pub trait Parted<Way> {
    /// The type.
    type Itself;
}

#[diagnostic::do_not_recommend]
impl<L: InParts> Parted<ByTrait> for L {
    type Itself = L;
}

#[diagnostic::do_not_recommend]
impl<L: InParts + Nothing> Parted<ByNothing> for L {
    type Itself = L;
}

/// Returns a layer with several values unchanged.
pub const fn parted<L, Way>(layer: L) -> <L as Parted<Way>>::Itself
where
    L: Parted<Way, Itself = L>,
{
    layer
}

/// What a call that is bound to one name may return.
#[diagnostic::on_unimplemented(
    message = "a call that returns several values is used as one value",
    label = "this returns several values; bind them as in `let (a, b) = …;`"
)]
pub trait OneValue {
    /// The type.
    type Itself;
}

impl OneValue for CheckResult<Shape> {
    type Itself = Self;
}

/// Returns the shape of one value unchanged.
pub const fn one_value<R>(returned: R) -> <R as OneValue>::Itself
where
    R: OneValue<Itself = R>,
{
    returned
}

/// Returns a number in a model unchanged: an error in it is the same in both copies of the body.
pub const fn number(number: f64) -> f64 {
    number
}

/// A type that can follow `model:` in `train!`; only `#[model]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "expected a model: a function under `#[model]`",
    note = "write the name of such a function, as in `#[model] fn Net(x: Features<4>) -> Logits<3> {{ … }}` and `model: Net`"
)]
pub trait DeclaredModel {
    /// The type.
    type Itself;
}

/// A type that the `check` of a configuration may return.
#[diagnostic::on_unimplemented(
    message = "the `check` of a configuration returns `{Self}`",
    label = "the `check` of this type must return a `CheckResult`",
    note = "declare it as `pub const fn check(&self) -> CheckResult`, and return `Ok(())` or `Err(CheckError::new(\"…\"))`"
)]
pub trait Checked {
    /// The type.
    type Itself;
    /// The type from which its facts can be read.
    type WithFacts;
}

impl Checked for CheckResult {
    type Itself = Self;
    type WithFacts = CheckReturn<Self>;
}

impl Checked for CheckResult<Facts> {
    type Itself = Self;
    type WithFacts = CheckReturn<Self>;
}

/// Returns the result of a `check` unchanged.
pub const fn check_returned<R>(returned: R) -> <R as Checked>::Itself
where
    R: Checked<Itself = R>,
{
    returned
}

/// Wraps the result of a `check`, as returned by [`check_returned`], to read its facts.
pub const fn with_facts<R>(returned: R) -> <R as Checked>::WithFacts
where
    R: Checked<WithFacts = CheckReturn<R>>,
{
    CheckReturn(returned)
}
