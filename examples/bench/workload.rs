//! The workloads.

mod gpt;
pub(crate) mod image;
pub(crate) mod mlp;
mod optimizer;
mod recurrent;
mod resnet;

use serde_json::Value;
use trainspec::Result;

use crate::measure::{Clock, Measured};
use crate::predict::Prediction;

/// A model with its data and training configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum Workload {
    /// A network of two small layers
    W0,
    /// A network of three large layers, with dropout
    W1,
    /// A small convolutional network
    W2,
    /// W2 after 500 steps on one batch, when most gradients have vanished
    W2Converged,
    /// ResNet-20
    W3,
    /// A transformer for characters
    W4,
    /// An LSTM for characters
    W5,
    /// The optimizer alone, with 25 million parameters
    W6,
}

impl Workload {
    /// Measures its steps.
    pub(crate) fn measure(self, clock: &Clock) -> Result<Measured> {
        match self {
            Self::W0 => clock.steps(mlp::W0::experiment()),
            Self::W1 => clock.steps(mlp::W1::experiment()),
            Self::W2 => clock.steps(image::W2::experiment()),
            Self::W2Converged => clock.later_steps(image::W2::experiment(), 500),
            Self::W3 => clock.steps(resnet::W3::experiment()),
            Self::W4 => clock.steps(gpt::W4::experiment()),
            Self::W5 => clock.steps(recurrent::W5::experiment()),
            Self::W6 => clock.updates(optimizer::W6::experiment()),
        }
    }

    /// Measures predictions of its model, if it has one. (Those of `W2Converged` are those of `W2`.)
    pub(crate) fn predict(self, prediction: &Prediction) -> Option<Result<Value>> {
        let real = |i: usize| (i % 251) as f32 / 125.0 - 1.0;
        let token = |i: usize| (i * 7919 % 65) as u32;
        Some(match self {
            Self::W0 => prediction.measure(mlp::W0::experiment(), "W0", real),
            Self::W1 => prediction.measure(mlp::W1::experiment(), "W1", real),
            Self::W2 => prediction.measure(image::W2::experiment(), "W2", real),
            Self::W3 => prediction.measure(resnet::W3::experiment(), "W3", real),
            Self::W4 => prediction.measure(gpt::W4::experiment(), "W4", token),
            Self::W5 => prediction.measure(recurrent::W5::experiment(), "W5", token),
            Self::W2Converged | Self::W6 => return None,
        })
    }

    /// Returns the floating-point operations of a step: those of matrix products, of which backward has twice as many as forward.
    /// The formulas are those of `peers.py`.
    pub(crate) fn operations(self) -> f64 {
        let products: u64 = match self {
            Self::W0 => 32 * (64 * 64 + 64 * 10),
            Self::W1 => 128 * (784 * 1024 + 1024 * 1024 + 1024 * 10),
            Self::W2 | Self::W2Converged => {
                64 * (28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 3136 * 128 + 128 * 10)
            }
            // 40.8 million for an image (He et al. 2016).
            Self::W3 => 64 * 40_800_000,
            // The last term is attention; its masked half is counted, too.
            Self::W4 => 16 * 128 * ((4 * 12 * 256 * 256 + 256 * 65) + 2 * 4 * 128 * 256),
            Self::W5 => 32 * 64 * (4 * 256 * (64 + 256) + 256 * 65),
            Self::W6 => 0,
        };
        6.0 * products as f64
    }
}

#[cfg(test)]
mod tests {
    use trainspec::{Experiment, Model};

    use super::*;

    /// The parameter counts match those in `peers.py`; W6 has 48 tensors.
    #[test]
    fn the_models_have_as_many_parameters_as_their_peers() {
        fn elements<M: Model>(training: &Experiment<M>) -> usize {
            training.graph().expect("a graph").trained_elements()
        }
        assert_eq!(elements(&mlp::W0::experiment()), 4_810);
        assert_eq!(elements(&mlp::W1::experiment()), 1_863_690);
        assert_eq!(elements(&image::W2::experiment()), 421_834);
        assert_eq!(elements(&resnet::W3::experiment()), 272_474);
        assert_eq!(elements(&gpt::W4::experiment()), 3_225_665);
        assert_eq!(elements(&recurrent::W5::experiment()), 350_593);
        assert_eq!(elements(&optimizer::W6::experiment()), 25_021_632);
        assert_eq!(optimizer::W6::experiment().graph().expect("a graph").parameters.len(), 48);
    }

    #[test]
    fn the_smallest_predicts() {
        let line = Workload::W0.predict(&Prediction { samples: 3, seconds: 0.0 }).expect("a model");
        assert_eq!(line.expect("a measurement")["workload"], "W0, 3 predicted");
    }

    #[test]
    fn the_smallest_takes_steps() {
        assert!(Workload::W0.measure(&Clock { seconds: 0.0, precision: "F32".to_owned() }).is_ok());
    }
}
