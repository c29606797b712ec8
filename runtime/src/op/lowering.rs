//! What the planned engine does for a layer.

use std::fmt::Debug;
use std::ops::{Deref, Range};
use std::sync::Arc;

use trainspec_kernels::epilogue::{Activation, Dropout, Epilogue};
use trainspec_kernels::half::{self, Format};
use trainspec_kernels::matmul::WriteMode;

use crate::error::Result;
use crate::rng::{StepIndex, Stream};
use crate::shape::Numbers;

/// The most values that a layer takes.
pub const MAX_INPUTS: usize = 3;

/// The planned form of a layer: how it is computed and differentiated without a tape.
#[derive(Clone, Debug)]
pub enum Lowering {
    /// By its reference form, as an island of candle operations: what every layer can do, slowly.
    Fallback,
    /// By nothing: the output is the input's numbers under another shape.
    Alias,
    /// A function of each number, done in the pass of the kernel before it if that [joins](EpilogueSupport) it.
    Activation(Activation),
    /// Inverted dropout, done in the pass of the kernel before it if that joins it.
    Dropout {
        /// The probability that a number is dropped.
        p: f64,
        /// How many numbers behind each other are dropped together, at least 1: 1 for dropout, all of a sample for
        /// stochastic depth.
        each: usize,
    },
    /// The sum of two values, done in the pass of the kernel that gives the later one if that joins it.
    Add,
    /// By a kernel.
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
/// A kernel allocates nothing in a steady state: it says what memory of a tensor's size it [needs](Kernel::needs), and is
/// given it; what its loops need for a moment, each thread keeps.
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
///         for (y, x) in pass.output.iter_mut().zip(pass.inputs[0].real()) {
///             *y = x * x;
///         }
///         Ok(())
///     }
///
///     fn backward(&self, pass: &mut Backward<'_>) {
///         let Some((dx, onto)) = pass.d_inputs[0].take() else { return };
///         for ((dx, d), x) in dx.iter_mut().zip(&*pass.d).zip(pass.inputs[0].real()) {
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
    /// What of an epilogue the kernel does in its own passes.
    fn joins(&self) -> EpilogueSupport {
        EpilogueSupport::Nothing
    }

    /// The memory it needs for a micro-batch of `batch` samples besides its inputs and its output.
    fn needs(&self, batch: usize) -> Workspace {
        let _ = batch;
        Workspace::default()
    }

    /// Which values its backward pass reads.
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::INPUT
    }

    /// Whether its backward pass leaves gradients out whose place is empty, where all of the layer's parameters are
    /// frozen. A kernel that does not is given a place for each, which nobody reads.
    fn leaves_out(&self) -> bool {
        false
    }

    /// From the inputs to the output.
    ///
    /// # Errors
    /// If the batch is one that the layer cannot compute with.
    fn forward(&self, pass: &mut Forward<'_>) -> Result<()>;

    /// From the gradient of the output to those of the inputs and the parameters.
    fn backward(&self, pass: &mut Backward<'_>);
}

/// What of an epilogue a kernel does itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpilogueSupport {
    /// Nothing: no epilogue is given to it.
    Nothing,
    /// It applies the epilogue, and keeps the value before it in [`Forward::pre`] when that is given. Its
    /// backward pass begins at the gradient of that value, and cannot [read](SavedForBackward) the output, which is the value
    /// after it.
    Forward,
    /// It applies the epilogue and undoes it. Its backward pass begins at the gradient before the residual was
    /// added, and turns it into the gradient of the value before the epilogue, in place.
    Both,
}

/// Memory for a kernel, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// In training, kept from the forward to the backward pass.
    pub saved: usize,
    /// How many numbers of `saved`, the first ones, are values of the layer: computing in 16 bits rounds them when the
    /// forward pass is over, and keeps them in half the memory. The others stay as they are: statistics, places.
    pub values: usize,
    /// For the forward pass of training alone.
    pub forward: usize,
    /// For the backward pass alone.
    pub backward: usize,
    /// For a forward pass in evaluation mode.
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

/// A value of either sort.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// Real numbers.
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

impl<'a> Data<'a> {
    /// The real numbers; none for tokens.
    #[must_use]
    pub fn real(self) -> &'a [f32] {
        match self {
            Self::Float(reals) => reals,
            Self::Int(_) => &[],
        }
    }

    /// The tokens; none for real numbers.
    #[must_use]
    pub fn whole(self) -> &'a [u32] {
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
    /// When it is drawn.
    pub at: StepIndex,
    /// Whether anything is drawn at all.
    pub training: bool,
}

impl RngState {
    /// Dropout with probability `p`, if this pass drops anything.
    #[must_use]
    pub fn dropout(self, p: f64) -> Option<Dropout> {
        (self.training && p > 0.0).then(|| self.stream.dropout(p, self.at))
    }
}

/// Rounds `values` to `format`, if there is one: what a kernel that is made of several does to what passes between
/// these.
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
/// In training the pass has them to itself, since it moves running statistics. In evaluation nothing changes, so that any
/// number of passes read the same parameters at the same time.
#[derive(Debug)]
pub enum Parameters<'a> {
    /// Other passes may read them at the same time.
    Shared(&'a [Vec<f32>]),
    /// This pass alone has them.
    Exclusive(&'a mut [Vec<f32>]),
}

impl Parameters<'_> {
    /// The same to be changed; `None` where they are shared, which they never are in training.
    pub fn exclusive(&mut self) -> Option<&mut [Vec<f32>]> {
        match self {
            Self::Shared(_) => None,
            Self::Exclusive(all) => Some(all),
        }
    }

    /// Those of these numbers.
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

/// What a kernel's forward pass is given.
#[derive(Debug)]
pub struct Forward<'a> {
    /// The number of samples.
    pub batch: usize,
    /// What values are rounded to where they pass from one kernel to another; `None` for f32. Inputs and weights
    /// are rounded before the kernel sees them, its output after it; a kernel that is made of several
    /// [rounds](round) between them.
    pub format: Option<Format>,
    /// Whether the pass trains.
    pub training: bool,
    /// The inputs; those that the layer does not take are empty.
    pub inputs: [Data<'a>; MAX_INPUTS],
    /// The layer's parameters and running statistics, in its order. Only statistics may change, and only in
    /// training.
    pub parameters: Parameters<'a>,
    /// What is applied to the output; changes nothing unless the kernel [joins](EpilogueSupport).
    pub epilogue: Epilogue<'a>,
    /// Where the value before the epilogue goes, if backward needs it.
    pub pre: Option<&'a mut [f32]>,
    /// What is kept for backward: [`Workspace::saved`] numbers in training, none in evaluation.
    pub saved: &'a mut [f32],
    /// [`Workspace::forward`] numbers in training, [`Workspace::evaluation`] otherwise, which hold anything.
    pub scratch: &'a mut [f32],
    /// The output.
    pub output: &'a mut [f32],
    /// The layer's random numbers.
    pub draws: RngState,
}

/// What a kernel's backward pass is given.
#[derive(Debug)]
pub struct Backward<'a> {
    /// The number of samples.
    pub batch: usize,
    /// As [`Forward::format`]. Gradients of inputs are rounded, those of parameters are not.
    pub format: Option<Format>,
    /// The inputs; empty unless the kernel [reads](SavedForBackward) them.
    pub inputs: [Data<'a>; MAX_INPUTS],
    /// The output; empty unless the kernel, or the epilogue that it undoes, reads it.
    pub output: &'a [f32],
    /// The layer's parameters and running statistics.
    pub parameters: &'a [Vec<f32>],
    /// The epilogue, for a kernel that undoes it; else one that changes nothing.
    pub epilogue: Epilogue<'a>,
    /// What the forward pass kept.
    pub saved: &'a mut [f32],
    /// [`Workspace::backward`] numbers, which hold anything.
    pub scratch: &'a mut [f32],
    /// The gradient that the pass begins at. Only a kernel that undoes its epilogue may change it.
    pub d: &'a mut [f32],
    /// Where the gradients of the inputs go, and what they do to what is there; `None` where nobody asks.
    pub d_inputs: [Option<(&'a mut [f32], WriteMode)>; MAX_INPUTS],
    /// Where the gradients of the parameters go; empty for a statistic.
    pub gradients: &'a mut [Vec<f32>],
    /// What they do to what is there.
    pub onto: WriteMode,
    /// The layer's random numbers.
    pub draws: RngState,
}
