//! The spec: the declared run.
//!
//! `train!` builds a [`Spec`], a constant made of the user's own values. [`TrainConfig`] is the same
//! at run time: it contains every default, and the command line can change it.

mod averaging;
mod bound;
pub(crate) mod check;
mod checkpoint;
mod declaration;
mod device;
mod early_stop;
mod init_from;
mod key;
mod keys;
mod loss_scale;
mod model_keys;
mod non_finite;
mod precision;
mod schedule;
mod serde_message;
mod train_config;
pub(crate) mod value;

pub use crate::keys::Monitor;
#[doc(hidden)]
pub use crate::loss::BoundLoss;
#[doc(hidden)]
pub(crate) use averaging::{constrained_average, falling_rate, second_average};
pub use bound::BoundMetric;
#[doc(hidden)]
pub use check::Rules;
pub use checkpoint::Checkpoint;
pub(crate) use declaration::AnySpec;
#[doc(hidden)]
pub use declaration::Declaration;
pub use device::Device;
pub use early_stop::EarlyStop;
pub use init_from::{AnyInitFrom, InitFrom, Rename};
pub use key::Losses;
pub(crate) use keys::NOT_GIVEN;
pub use keys::{Spec, TrainConfig};
pub use loss_scale::{Dynamic, LossScale, Static};
pub use model_keys::{AnyModel, ModelKeys};
#[doc(hidden)]
pub use model_keys::{model_keys, shapes_of};
pub use non_finite::{OnNonFinite, Skip, Stop};
pub use precision::{AnyPrecision, Bf16, F16, F32, Precision};
pub(crate) use schedule::{at_largest, scaled_in_vain};
#[doc(hidden)]
pub use train_config::{canonical, hash};

use std::marker::PhantomData;

use crate::data::{AnyDataset, Dataset, IntoDataset};
use crate::error::Result;
use crate::graph::Graph;
use crate::loss::TargetKinds;
use crate::model::Fits;
use crate::model::Model;
use crate::shape::{InputKinds, Kinds, OutputKinds, Shape};

#[doc(hidden)]
/// The model of a spec, and the same without its type.
pub struct Declared<M> {
    pub(crate) model: Option<Keyed<M>>,
    /// The shapes of its inputs; none without a model.
    pub(crate) inputs: &'static [Shape],
}

/// A model with its keys, and how to take its type away.
type Keyed<M> = (M, fn(M) -> ModelKeys);

#[doc(hidden)]
/// A model that can be trained: its input is a data kind, and a loss accepts its output.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used in `train!`",
    label = "expected a model with inputs of data kinds and outputs that a loss accepts",
    note = "an input is `Image<C, H, W>`, `Series<C, L>`, `Features<N>` or `Tokens<V, T>`",
    note = "an output is `Logits<C>` (also where the target is `Class<C>` or `Labels<C>`), `Values<N>`, `TokenLogits<V>`, \
            `LogProbabilities<C>`, `Gaussians<N>` or `Embeddings<K, D>`"
)]
pub trait Trainable: Model {
    /// One sample's shapes of the inputs.
    const INPUTS: &'static [Shape];

    /// [`Model::graph_of`]
    ///
    /// # Errors
    /// If a check of the model fails.
    fn build_graph(&self) -> Result<Graph>;
}

#[diagnostic::do_not_recommend]
impl<M: Model> Trainable for M
where
    M::Input: InputKinds,
    M::Output: OutputKinds,
{
    const INPUTS: &'static [Shape] = <M::Input as Kinds>::SHAPES;

    fn build_graph(&self) -> Result<Graph> {
        self.graph_of()
    }
}

#[doc(hidden)]
/// The value of the key `model`.
pub const fn model_of<M: Trainable>(model: M) -> Declared<M> {
    Declared { model: Some((model, ModelKeys::of::<M>)), inputs: <M as Trainable>::INPUTS }
}

#[doc(hidden)]
/// The data of a spec: how to open them.
pub struct Source<T> {
    /// The expression, as it is written.
    pub(crate) text: &'static str,
    pub(crate) open: Option<fn() -> Result<Opened<T>>>,
}

#[doc(hidden)]
/// An opened data set whose targets are of kind `T`.
pub struct Opened<T> {
    pub(crate) data: Box<dyn AnyDataset>,
    target: PhantomData<fn() -> T>,
}

#[doc(hidden)]
/// Opens the data for model `M`.
///
/// # Errors
/// If they cannot be opened.
pub fn opened<M: Model, R: IntoDataset>(data: R) -> Result<Opened<<R::Data as Dataset>::Target>>
where
    <R::Data as Dataset>::Input: Fits<M::Input>,
{
    Ok(Opened { data: Box::new(data.into_dataset()?), target: PhantomData })
}

#[doc(hidden)]
/// The value of the key `data`.
pub const fn data_of<T: TargetKinds>(open: fn() -> Result<Opened<T>>, text: &'static str) -> Source<T> {
    Source { text, open: Some(open) }
}
