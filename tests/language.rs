//! The model language: what `#[model]` accepts, and the parameter paths that it gives.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::graph::Graph;
use trainspec::prelude::*;

fn paths(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.path.as_str()).collect()
}

/// A constant like any other.
const WIDTH: usize = 24;

/// Configuration, constants, arithmetic, branches, a loop, and named layers.
#[model]
fn Everything<const DEPTH: usize, const DEEP: bool>(x: Features<16>) -> Logits<10> {
    const HALF: usize = WIDTH / 2;
    let narrow = HALF - 4;
    let (small, _) = (narrow / 2, 0);
    let stem = x.linear(out = WIDTH);
    let mut x = stem.relu();
    for i in 1..=DEPTH {
        let inner = x.linear(out = narrow * i, bias = false).gelu();
        x = x + inner.linear(out = WIDTH);
    }
    if DEEP {
        x = x.linear(out = WIDTH);
    } else if DEPTH > 100 {
        x = x.linear(out = WIDTH + 1);
    }
    let gate = if DEEP { x.linear(out = WIDTH).sigmoid() } else { x.tanh() };
    let joined = {
        let left = x * gate;
        left - stem
    };
    joined.concat(x, axis = 0).linear(out = small).linear(out = 10)
}

#[test]
fn a_body_is_built_as_it_reads() {
    let graph = Everything::<2, true>::graph().unwrap();
    assert_eq!(
        paths(&graph),
        [
            "stem",
            "relu_1",
            "linear_1",
            "gelu_1",
            "linear_2",
            "add_1",
            "linear_3",
            "gelu_2",
            "linear_4",
            "add_2",
            "linear_5",
            "linear_6",
            "sigmoid_1",
            "mul_1",
            "sub_1",
            "concat_1",
            "linear_7",
            "linear_8"
        ]
    );
    let shallow = Everything::<0, false>::graph().unwrap();
    assert_eq!(
        paths(&shallow),
        ["stem", "relu_1", "tanh_1", "mul_1", "sub_1", "concat_1", "linear_1", "linear_2"]
    );
}

/// A part with a default of its own.
#[model]
fn Residual(
    x: Value,
    /// The width of the hidden layer.
    hidden: usize,
    #[default(0.0)] p: f64,
) -> Value {
    let width = 8;
    x + x.linear(out = hidden).relu().dropout(p = p).linear(out = width)
}

/// A part with two values.
#[model]
fn Gate(x: Value, by: Value) -> Value {
    x * by.sigmoid()
}

#[model]
fn Composed(x: Features<8>) -> Values<8> {
    let first = x.residual(hidden = 16);
    let second = first.residual(hidden = 16, p = 0.5);
    let mut y = second.gate(first);
    for _ in 0..2 {
        y = y.residual(hidden = 4);
    }
    y
}

#[test]
fn models_are_called_like_layers() {
    let graph = Composed::graph().unwrap();
    assert_eq!(
        paths(&graph),
        [
            "first.linear_1",
            "first.relu_1",
            "first.dropout_1",
            "first.linear_2",
            "first.add_1",
            "second.linear_1",
            "second.relu_1",
            "second.dropout_1",
            "second.linear_2",
            "second.add_1",
            "gate.0.sigmoid_1",
            "gate.0.mul_1",
            "residual.0.linear_1",
            "residual.0.relu_1",
            "residual.0.dropout_1",
            "residual.0.linear_2",
            "residual.0.add_1",
            "residual.1.linear_1",
            "residual.1.relu_1",
            "residual.1.dropout_1",
            "residual.1.linear_2",
            "residual.1.add_1",
        ]
    );
    let parameters: Vec<_> = graph.parameters.iter().map(|parameter| parameter.path.as_str()).collect();
    assert_eq!(parameters[..2], ["first.linear_1.weight", "first.linear_1.bias"]);
}

/// Declarations work inside functions and modules, with names of the user's own that shadow ours.
mod hygiene {
    #![deny(warnings, missing_docs, unsafe_code)]
    #![allow(dead_code, unreachable_pub)]

    struct Result;
    struct Option;
    struct Vec;
    struct Shape;
    struct Config;

    mod inner {
        use trainspec::prelude::{
            Class, CrossEntropy, Features, InMemory, Logits, linear, model, relu, train,
        };

        /// A model.
        #[model]
        pub fn Net(x: Features<2>) -> Logits<2> {
            x.linear(out = 4).relu().linear(out = 2)
        }

        train! {
            /// A run.
            pub Run {
                model: Net,
                data: InMemory::<Features<2>, Class<2>>::new(vec![0.0; 40], vec![1; 20]),
                loss: CrossEntropy,
                epochs: 1,
            }
        }
    }

    #[test]
    fn inside_a_function() {
        use trainspec::prelude::*;

        #[model]
        fn Local(x: Features<2>) -> Values<1> {
            x.net().linear(out = 1)
        }
        use inner::net;
        assert_eq!(Local::graph().unwrap().nodes.len(), 4);
        assert!(inner::Run::training().without_folder().run().is_ok());
    }
}
