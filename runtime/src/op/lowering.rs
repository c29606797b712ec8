//! How the planned engine executes a layer.

use std::any::Any;
use std::fmt::Debug;
use std::ops::{Deref, Range};
use std::sync::Arc;

use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue};
use trainspec_kernels::half::{self, Format};
use trainspec_kernels::matmul::WriteMode;

use crate::error::Result;
use crate::rng::{StepIndex, Stream};
use crate::shape::Numbers;

/// The maximum number of inputs of a layer.
pub const MAX_INPUTS: usize = 4;

/// The lowering of a layer: how it is computed and differentiated without a tape.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lowering {
    /// The reference implementation, executed with candle operations. Works for every layer, but is slow.
    Fallback,
    /// No work: the output has the input's values under another shape.
    Alias,
    /// An elementwise function, fused into the preceding kernel if that [supports](EpilogueSupport) it.
    Activation(Activation),
    /// Inverted dropout, fused into the preceding kernel if that supports it.
    Dropout {
        /// The probability that an element is dropped.
        p: f64,
        /// The number of consecutive elements that are dropped together, at least 1: 1 for dropout, all of a sample for
        /// stochastic depth.
        each: usize,
    },
    /// The sum of two values, fused into the kernel that computes the later one if that supports it.
    Add,
    /// A kernel.
    Kernel(Arc<dyn Kernel>),
}

impl Lowering {
    /// A kernel.
    #[must_use]
    pub fn kernel(kernel: impl Kernel + 'static) -> Self {
        Self::Kernel(Arc::new(kernel))
    }
}

/// A layer's forward and backward pass on slices.
///
/// A kernel allocates nothing in a steady state: it declares the tensor-sized memory that it [needs](Kernel::needs) and
/// receives it. Each thread keeps the small temporary buffers of its loops. In evaluation the output of a sample must not
/// depend on the other samples: predictions compute a large batch in parts.
///
/// ```
/// use trainspec::op::{Backward, Lowering, Forward, Kernel, WriteMode};
///
/// /// `y = x^2`
/// #[derive(Debug)]
/// struct Square;
///
/// impl Kernel for Square {
///     fn forward(&self, pass: &mut Forward<'_>) -> trainspec::Result<()> {
///         for (y, x) in pass.output.iter_mut().zip(pass.inputs[0].floats()) {
///             *y = x * x;
///         }
///         Ok(())
///     }
///
///     fn backward(&self, pass: &mut Backward<'_>) {
///         let Some((dx, onto)) = pass.d_inputs[0].take() else { return };
///         for ((dx, d), x) in dx.iter_mut().zip(&*pass.d).zip(pass.inputs[0].floats()) {
///             let gradient = 2.0 * x * d;
///             *dx = if onto == WriteMode::Accumulate { *dx + gradient } else { gradient };
///         }
///     }
/// }
///
/// // What a layer's `form` returns.
/// let form = Lowering::kernel(Square);
/// # let Lowering::Kernel(_) = form else { panic!() };
/// ```
pub trait Kernel: Debug + Send + Sync {
    /// Which part of an epilogue the kernel applies in its own passes.
    fn epilogue_support(&self) -> EpilogueSupport {
        EpilogueSupport::Nothing
    }

    /// The memory that it needs for a micro-batch of `batch` samples in addition to its inputs and output.
    fn needs(&self, batch: usize) -> Workspace {
        let _ = batch;
        Workspace::default()
    }

    /// Which values its backward pass reads.
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::INPUT
    }

    /// Whether its backward pass skips parameter gradients whose slice is empty, which is the case if all of the layer's
    /// parameters are frozen. A kernel that does not skip them receives a slice for each, which is discarded.
    fn skips_frozen(&self) -> bool {
        false
    }

    /// Computes from the parameters of a trained model what its predictions need of them: a weight in the order in which its
    /// product reads it, for example. `None`, the default, if that gains nothing.
    ///
    /// It is called once for a model, before the first prediction. Every prediction, of any batch size, then receives the
    /// result as [`Forward::prepared`]. In training and in the evaluations of a run there is none, since parameters change;
    /// the output must have the same bits with and without it. Other predictions wait meanwhile, so it must not wait for
    /// other threads.
    fn prepare(&self, parameters: &[Vec<f32>]) -> Option<Prepared> {
        let _ = parameters;
        None
    }

    /// Computes the output from the inputs.
    ///
    /// # Errors
    /// If the layer cannot process the batch.
    fn forward(&self, pass: &mut Forward<'_>) -> Result<()>;

    /// Computes the gradients of the inputs and the parameters from that of the output.
    fn backward(&self, pass: &mut Backward<'_>);
}

/// What a kernel [prepared](Kernel::prepare) from the parameters of a trained model: a value of any type.
///
/// ```
/// use trainspec::op::Prepared;
///
/// let prepared = Prepared::new(vec![1.0_f32, 2.0]);
/// assert_eq!(prepared.get::<Vec<f32>>(), Some(&vec![1.0, 2.0]));
/// assert_eq!(prepared.get::<String>(), None);
/// ```
#[derive(Debug)]
pub struct Prepared(Box<dyn Any + Send + Sync>);

impl Prepared {
    /// Keeps a value.
    #[must_use]
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self(Box::new(value))
    }

    /// The value, if it has this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

/// Which part of an epilogue a kernel applies itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpilogueSupport {
    /// None: it never receives an epilogue.
    Nothing,
    /// It applies the epilogue, and stores the value before it in [`Forward::pre`] if that is present. Its
    /// backward pass starts from the gradient of that value, and cannot [read](SavedForBackward) the output, which is the value
    /// after it.
    Forward,
    /// It applies the epilogue and differentiates it. Its backward pass starts from the gradient before the residual was
    /// added, and turns it into the gradient of the value before the epilogue, in place.
    Both,
}

/// Memory for a kernel, in f32 elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Kept from the forward to the backward pass, in training.
    pub saved: usize,
    /// How many leading elements of `saved` are values of the layer. In 16-bit precision they are rounded after the
    /// forward pass and kept in half the memory. The others (statistics, indices) stay in 32 bits.
    pub values: usize,
    /// Scratch of the forward pass in training.
    pub forward: usize,
    /// Scratch of the backward pass.
    pub backward: usize,
    /// Scratch of a forward pass in evaluation mode.
    pub evaluation: usize,
}

/// Which values a backward pass reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedForBackward {
    /// The inputs.
    pub inputs: bool,
    /// The output.
    pub output: bool,
}

impl SavedForBackward {
    /// Neither.
    pub const NOTHING: Self = Self { inputs: false, output: false };
    /// The inputs.
    pub const INPUT: Self = Self { inputs: true, output: false };
    /// The output.
    pub const OUTPUT: Self = Self { inputs: false, output: true };
    /// Both.
    pub const BOTH: Self = Self { inputs: true, output: true };
}

/// A value: floating-point elements or tokens.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// Floating-point elements.
    Float(&'a [f32]),
    /// Tokens.
    Int(&'a [u32]),
}

impl<'a> From<Numbers<'a>> for Data<'a> {
    fn from(numbers: Numbers<'a>) -> Self {
        match numbers {
            Numbers::Float(reals) => Self::Float(reals),
            Numbers::Int(wholes) => Self::Int(wholes),
        }
    }
}

impl Default for Data<'_> {
    fn default() -> Self {
        Self::Float(&[])
    }
}

impl<'a> Data<'a> {
    /// The floating-point elements; empty for tokens.
    #[must_use]
    pub fn floats(self) -> &'a [f32] {
        match self {
            Self::Float(reals) => reals,
            Self::Int(_) => &[],
        }
    }

    /// The tokens; empty for floating-point elements.
    #[must_use]
    pub fn tokens(self) -> &'a [u32] {
        match self {
            Self::Float(_) => &[],
            Self::Int(wholes) => wholes,
        }
    }
}

/// The random numbers of a layer in one pass.
#[derive(Clone, Copy, Debug)]
pub struct RngState {
    /// The layer's own stream for dropout.
    pub stream: Stream,
    /// The time of the draw.
    pub at: StepIndex,
    /// Whether the pass draws random numbers.
    pub training: bool,
}

impl RngState {
    /// Dropout with probability `p`, if this pass applies dropout.
    #[must_use]
    pub fn dropout(self, p: f64) -> Option<Dropout> {
        (self.training && p > 0.0).then(|| self.stream.dropout(p, self.at))
    }
}

/// Rounds `values` to `format`, if there is one. A kernel composed of several kernels uses it for the values that pass
/// between them.
///
/// ```
/// use trainspec::op::{Format, round};
///
/// let mut values = [1.001];
/// round(None, &mut values);
/// assert_eq!(values, [1.001]);
/// round(Some(Format::Bf16), &mut values);
/// assert_eq!(values, [1.0]);
/// ```
pub fn round(format: Option<Format>, values: &mut [f32]) {
    if let Some(format) = format {
        half::round(format, values);
    }
}

/// The parameters and running statistics that a forward pass reads; derefs to a slice of them.
///
/// In training the pass has exclusive access, since it updates running statistics. In evaluation nothing changes, so any
/// number of passes can read the same parameters at the same time.
#[derive(Debug)]
pub enum Parameters<'a> {
    /// Other passes may read them at the same time.
    Shared(&'a [Vec<f32>]),
    /// This pass has exclusive access.
    Exclusive(&'a mut [Vec<f32>]),
}

impl Parameters<'_> {
    /// The parameters, mutably; `None` if they are shared, which is never the case in training.
    pub fn exclusive(&mut self) -> Option<&mut [Vec<f32>]> {
        match self {
            Self::Shared(_) => None,
            Self::Exclusive(all) => Some(all),
        }
    }

    /// The parameters with these indices.
    pub(crate) fn range(&mut self, range: Range<usize>) -> Parameters<'_> {
        match self {
            Self::Shared(all) => Parameters::Shared(&all[range]),
            Self::Exclusive(all) => Parameters::Exclusive(&mut all[range]),
        }
    }
}

impl Deref for Parameters<'_> {
    type Target = [Vec<f32>];

    fn deref(&self) -> &[Vec<f32>] {
        match self {
            Self::Shared(all) => all,
            Self::Exclusive(all) => all,
        }
    }
}

/// The arguments of a kernel's forward pass.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The number of samples.
    pub batch: usize,
    /// The format to which values are rounded between kernels; `None` for f32. Inputs and weights
    /// are rounded before the kernel reads them, and its output afterwards; a kernel composed of several
    /// [rounds](round) between them.
    pub format: Option<Format>,
    /// Whether the pass trains.
    pub training: bool,
    /// The inputs; unused entries are empty.
    pub inputs: [Data<'a>; MAX_INPUTS],
    /// The layer's parameters and running statistics, in its order. Only statistics may change, and only in
    /// training.
    pub parameters: Parameters<'a>,
    /// What the kernel [prepared](Kernel::prepare) from these parameters, in the predictions of a trained model.
    pub prepared: Option<&'a Prepared>,
    /// The epilogue to apply to the output; the identity unless the kernel [supports](EpilogueSupport) epilogues.
    pub epilogue: Epilogue<'a>,
    /// Receives the value before the epilogue, if the backward pass needs it.
    pub pre: Option<&'a mut [f32]>,
    /// Memory kept for the backward pass: [`Workspace::saved`] elements in training, none in evaluation.
    pub saved: &'a mut [f32],
    /// Scratch: [`Workspace::forward`] elements in training, [`Workspace::evaluation`] otherwise. Initial contents are unspecified.
    pub scratch: &'a mut [f32],
    /// The output.
    pub output: &'a mut [f32],
    /// The layer's random numbers.
    pub draws: RngState,
}

/// The arguments of a kernel's backward pass.
#[derive(Debug)]
pub struct Backward<'a> {
    /// The number of samples.
    pub batch: usize,
    /// Like [`Forward::format`]. Gradients of inputs are rounded, those of parameters are not.
    pub format: Option<Format>,
    /// The inputs; empty unless the kernel [reads](SavedForBackward) them.
    pub inputs: [Data<'a>; MAX_INPUTS],
    /// The output; empty unless the kernel, or the epilogue that it differentiates, reads it.
    pub output: &'a [f32],
    /// The layer's parameters and running statistics.
    pub parameters: &'a [Vec<f32>],
    /// The epilogue, for a kernel that differentiates it; otherwise the identity.
    pub epilogue: Epilogue<'a>,
    /// The memory kept by the forward pass.
    pub saved: &'a mut [f32],
    /// Scratch: [`Workspace::backward`] elements. Initial contents are unspecified.
    pub scratch: &'a mut [f32],
    /// The gradient that the pass starts from. Only a kernel that differentiates its epilogue may change it.
    pub d: &'a mut [f32],
    /// Receives the gradients of the inputs, each with its write mode; `None` where a gradient is not needed.
    pub d_inputs: [Option<(&'a mut [f32], WriteMode)>; MAX_INPUTS],
    /// Receives the gradients of the parameters; empty for a statistic.
    pub gradients: &'a mut [&'a mut [f32]],
    /// The write mode of the parameter gradients.
    pub onto: WriteMode,
    /// The layer's random numbers.
    pub draws: RngState,
}
