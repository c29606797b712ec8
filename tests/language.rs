//! The model language: what `#[model]` accepts, and the resulting parameter paths.

#![allow(missing_docs, clippy::unwrap_used)]

use trainspec::graph::Graph;
use trainspec::prelude::*;

fn paths(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.path.as_str()).collect()
}

/// A plain constant.
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
fn model_body_is_built_in_source_order() {
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

/// A sub-model with a default.
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

/// A sub-model with two inputs.
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
fn sub_model_is_called_like_a_layer() {
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

/// Branches and blocks are accepted wherever a value is: at the end, as an operand, as a receiver, nested.
#[model]
fn Branches(x: Value, deep: bool, wide: bool) -> Value {
    let mut h = x;
    let y = {
        h = h.relu();
        h
    } + h.tanh();
    let z = y + if deep { y.sigmoid() } else { y };
    let z = (if wide { z.gelu() } else { z }).silu();
    let z = z * {
        let inner = z.softmax();
        inner - z
    };
    if deep { if wide { z.linear(out = 8) } else { z.linear(out = 8, bias = false) } } else { z }
}

#[model]
fn AllBranches(x: Features<8>) -> Values<8> {
    let a = x.branches(deep = true, wide = true);
    let b = a.branches(deep = true, wide = false);
    b.branches(deep = false, wide = false)
}

#[test]
fn branch_is_accepted_in_every_value_position() {
    let graph = AllBranches::graph().unwrap();
    let of = |part: &str| -> Vec<String> {
        paths(&graph).iter().filter_map(|path| Some(path.strip_prefix(part)?.to_owned())).collect()
    };
    assert_eq!(
        of("a."),
        [
            "relu_1",
            "tanh_1",
            "add_1",
            "sigmoid_1",
            "add_2",
            "gelu_1",
            "silu_1",
            "inner",
            "sub_1",
            "mul_1",
            "linear_1"
        ]
    );
    assert_eq!(of("b.").len(), 10);
    assert_eq!(of("branches.0.").len(), 8);
    // The right operand sees the assignment of the left block: `tanh` takes the value of `relu`.
    let node = |path: &str| graph.nodes.iter().find(|node| node.path == path).unwrap();
    assert_eq!(node("a.tanh_1").inputs, [node("a.relu_1").output]);
    let bias = |part: &str| {
        graph.parameters.iter().any(|parameter| parameter.path == format!("{part}.linear_1.bias"))
    };
    assert!(bias("a") && !bias("b"));
}

/// The left operand keeps its value from before the assignment in the right block.
#[model]
fn Order(x: Features<8>) -> Values<8> {
    let mut h = x.tanh();
    h + {
        h = h.relu();
        h
    }
}

#[test]
fn operands_are_evaluated_left_to_right() {
    let graph = Order::graph().unwrap();
    let [tanh, relu, add] = &graph.nodes[..] else { panic!("{:?}", paths(&graph)) };
    assert_eq!(add.inputs, [tanh.output, relu.output]);
}

/// An inclusive range may end at the largest number of its type.
#[model]
fn Closed(x: Features<8>) -> Values<8> {
    let mut x = x;
    for _ in 254..=255_u8 {
        x = x.relu();
    }
    x
}

#[test]
fn inclusive_range_includes_its_end() {
    assert_eq!(Closed::graph().unwrap().nodes.len(), 2);
}

/// A `let` with the name of a numbered layer does not collide with it.
#[model]
fn Numbered(x: Features<8>) -> Values<8> {
    let linear_1 = x.linear(out = 4);
    linear_1.relu().linear(out = 8)
}

#[test]
fn numbered_layer_names_do_not_collide() {
    assert_eq!(paths(&Numbered::graph().unwrap()), ["linear_1", "relu_1", "linear_2"]);
}

/// Declarations work inside functions and modules, with user names that shadow ours.
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
    fn model_and_run_compile_inside_a_function() {
        use trainspec::prelude::*;

        #[model]
        fn Local(x: Features<2>) -> Values<1> {
            x.net().linear(out = 1)
        }
        use inner::net;
        assert_eq!(Local::graph().unwrap().nodes.len(), 4);
        assert!(inner::Run::experiment().without_folder().run().is_ok());
    }
}

/// A single value is accepted where a list is expected.
mod lists {
    use trainspec::Config;
    use trainspec::prelude::*;
    use trainspec::schedule::AnyPhase;

    #[model]
    fn Net(image: Image<1, 8, 8>) -> Logits<10> {
        image.flatten().linear(out = 10)
    }

    train! {
        Single {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: F1,
            groups: Group { pattern: "**.bias", lr: 0.5 },
            schedule: Cosine { floor: 1e-5 },
            allow: Advice::NoWeightDecay,
        }
    }

    train! {
        Listed {
            model: Net,
            data: Digits8x8::embedded(),
            metrics: [F1],
            groups: [Group { pattern: "**.bias", lr: 0.5 }],
            schedule: [Cosine { floor: 1e-5 }],
            allow: [Advice::NoWeightDecay],
        }
    }

    const PHASES: &[&dyn AnyPhase] = &[&Warmup { steps: 5, ..Warmup::DEFAULT }, &Cosine];

    train! {
        Constant { model: Net, data: Digits8x8::embedded(), schedule: PHASES }
    }

    #[test]
    fn single_value_is_accepted_as_list() {
        assert_eq!(json_of(&mut Single::experiment()), json_of(&mut Listed::experiment()));
        assert_eq!(Constant::experiment().settings().unwrap().schedule.len(), 2);
    }

    /// Every key that takes a list takes a single value: the macro and the settings have the same keys.
    #[test]
    fn every_list_key_is_covered() {
        let settings = json_of(&mut Listed::experiment());
        let lists: Vec<_> =
            settings.as_object().unwrap().iter().filter(|(_, value)| value.is_array()).collect();
        let names: Vec<_> = lists.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(names, ["allow", "groups", "metrics", "schedule"]);
    }

    fn json_of<M: Model>(training: &mut trainspec::Experiment<M>) -> serde_json::Value {
        training.settings().unwrap().to_json()
    }
}
