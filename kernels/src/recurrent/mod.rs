//! The shared part of the recurrent layers [`lstm`](crate::lstm) and [`gru`](crate::gru).
//!
//! Both process a sequence in the same way. The input's contribution to all gates is one product over
//! the entire sequence; then blocks of samples run through it independently, each on one thread, with one product per
//! step. The gradients of the weights and of the input are again products over the entire sequence.

mod cell;

#[cfg(test)]
pub(crate) mod testing;

pub use cell::Cell;
pub(crate) use cell::{Kept, Steps};

use crate::matmul::{Packed, PackedMatrix, View, WriteMode, column_sums, product};
use crate::sizes::elements;
use crate::{scratch, threads};

/// The number of samples per block.
pub(crate) const SAMPLES: usize = 16;

/// The parameters of a recurrent layer with `gates` gates, as in PyTorch: the rows of all gates, gate by
/// gate.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// `[gates * hidden, inputs]`
    pub input: &'a [f32],
    /// `[gates * hidden, hidden]`
    pub hidden: &'a [f32],
    /// `[gates * hidden]` twice: that of the input and that of the hidden state.
    pub biases: Option<[&'a [f32]; 2]>,
}

/// The destinations of the gradients of [`Weights`], with their write modes.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[gates * hidden, inputs]`
    pub input: (&'a mut [f32], WriteMode),
    /// `[gates * hidden, hidden]`
    pub hidden: (&'a mut [f32], WriteMode),
    /// `[gates * hidden]` twice.
    pub biases: Option<[(&'a mut [f32], WriteMode); 2]>,
}

/// [`Weights`] in the order in which the steps read them: from [`Cell::pack`].
#[derive(Debug)]
pub struct PackedWeights {
    pub(crate) input: PackedMatrix,
    pub(crate) hidden: PackedMatrix,
    pub(crate) bias: Vec<f32>,
}

impl PackedWeights {
    pub(crate) fn prepared(&self) -> Prepared<'_> {
        Prepared { input: Some(self.input.packed()), hidden: self.hidden.packed(), bias: &self.bias }
    }
}

/// The weights that all blocks of samples share: packed, with the biases combined.
pub(crate) struct Prepared<'a> {
    /// `None` where the steps do not read it, since the input's part was computed for all of them.
    pub(crate) input: Option<Packed<'a>>,
    pub(crate) hidden: Packed<'a>,
    pub(crate) bias: &'a [f32],
}

/// The sizes of a recurrent layer, and its checks.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) length: usize,
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    pub(crate) gates: usize,
}

impl Sizes {
    /// All steps of all samples.
    pub(crate) fn steps(&self) -> usize {
        elements([self.batch, self.length])
    }

    /// The gates of one step.
    pub(crate) fn row(&self) -> usize {
        elements([self.gates, self.hidden])
    }

    pub(crate) fn check(&self, x: &[f32], weights: &Weights<'_>, y: &[f32]) {
        self.check_values(x, y);
        self.check_weights(weights);
    }

    pub(crate) fn check_values(&self, x: &[f32], y: &[f32]) {
        assert_eq!(x.len(), elements([self.steps(), self.inputs]), "x is [batch, length, inputs]");
        assert_eq!(y.len(), elements([self.steps(), self.hidden]), "y is [batch, length, hidden]");
    }

    pub(crate) fn check_weights(&self, weights: &Weights<'_>) {
        let rows = self.row();
        assert_eq!(
            weights.input.len(),
            elements([rows, self.inputs]),
            "the input's weight is [gates hidden, inputs]"
        );
        assert_eq!(
            weights.hidden.len(),
            elements([rows, self.hidden]),
            "the state's weight is [gates hidden, hidden]"
        );
        if let Some(biases) = weights.biases {
            assert!(biases.iter().all(|bias| bias.len() == rows), "a bias is [gates hidden]");
        }
    }

    pub(crate) fn check_packed(&self, weights: &PackedWeights) {
        let PackedWeights { input, hidden, .. } = weights;
        let sizes = [input, hidden].map(PackedMatrix::size);
        let row = self.row();
        assert_eq!(sizes, [[self.inputs, row], [self.hidden, row]], "the packed weights are of this layer");
    }

    pub(crate) fn check_gradients(&self, gradients: &Gradients<'_>) {
        let rows = self.row();
        assert_eq!(
            gradients.input.0.len(),
            elements([rows, self.inputs]),
            "the gradient is as long as the weight"
        );
        assert_eq!(
            gradients.hidden.0.len(),
            elements([rows, self.hidden]),
            "the gradient is as long as the weight"
        );
        if let Some(biases) = &gradients.biases {
            assert!(biases.iter().all(|(bias, _)| bias.len() == rows), "a bias is [gates hidden]");
        }
    }

    /// The input's part of all gates of all steps.
    pub(crate) fn project(&self, x: &[f32], weights: &Weights<'_>, gates: &mut [f32]) {
        let x = View::new(x, self.steps(), self.inputs);
        product(x, self.transposed(weights.input, self.inputs), gates, WriteMode::Overwrite);
    }

    /// A weight with as many columns, as the right-hand side of the product with a row at every step.
    fn transposed<'a>(&self, weight: &'a [f32], columns: usize) -> View<'a> {
        View::new(weight, self.row(), columns).transposed()
    }

    /// The weights, packed, with a combined bias.
    pub(crate) fn pack(&self, weights: &Weights<'_>, bias: Vec<f32>) -> PackedWeights {
        PackedWeights {
            input: PackedMatrix::new(self.transposed(weights.input, self.inputs)),
            hidden: PackedMatrix::new(self.transposed(weights.hidden, self.hidden)),
            bias,
        }
    }

    /// Passes `run` a weight with as many columns, packed for the product with a row at every step.
    pub(crate) fn with_packed(&self, weight: &[f32], columns: usize, run: impl FnOnce(&Packed<'_>)) {
        let weight = self.transposed(weight, columns);
        scratch::with(Packed::size(weight.rows, weight.columns), |room| run(&Packed::new(weight, room)));
    }

    /// Passes `run` the state's weight, packed for the product with the gradient of a row at every step.
    pub(crate) fn with_packed_back(&self, weight: &[f32], run: impl FnOnce(&Packed<'_>)) {
        let weight = View::new(weight, self.row(), self.hidden);
        scratch::with(Packed::size(weight.rows, weight.columns), |room| run(&Packed::new(weight, room)));
    }

    /// The outputs of the step before each, 0 before the first.
    pub(crate) fn previous(&self, y: &[f32], previous: &mut [f32]) {
        let sample = self.length * self.hidden;
        if y.is_empty() {
            return;
        }
        threads::chunks(previous, sample, |number, previous| {
            let (first, others) = previous.split_at_mut(self.hidden);
            first.fill(0.0);
            others.copy_from_slice(&y[number * sample..][..sample - self.hidden]);
        });
    }

    /// The gradients of both biases, which are the same, from those of all gates of all steps.
    pub(crate) fn biases(&self, gates: &[f32], gradients: [(&mut [f32], WriteMode); 2]) {
        scratch::with(self.row(), |sums| {
            column_sums(gates, self.steps(), self.row(), sums, WriteMode::Overwrite);
            for (bias, onto) in gradients {
                match onto {
                    WriteMode::Overwrite => bias.copy_from_slice(sums),
                    WriteMode::Accumulate => bias.iter_mut().zip(&*sums).for_each(|(bias, sum)| *bias += sum),
                }
            }
        });
    }
}
