//! Prodigy compared with the paper's algorithm in f64: a matrix and a bias. See `prodigy.py`.
//!
//! Meant to detect: the estimate of this step in the step, a sum over each parameter by itself, a numerator that does not decay, an estimate that
//! starts anew for each parameter.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use trainspec::engine::{Engine, Planned, Tape};
use trainspec::graph::Graph;
use trainspec::layer::{Init, Layer, OutputRule, Parameter, Role};
use trainspec::optim::{AnyOptimizer, ParameterConfig, Prodigy, Update};
use trainspec::{CheckResult, Config, Pass, Result, Setting, Shape};

use super::file::{numbers, parse, singles};
use super::muon::{Sum, split};

/// Parameters that are not used in a computation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Two {}

impl Config for Two {
    const NAME: &'static str = "two";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
}

impl Layer for Two {
    const OUTPUT: OutputRule<Self> = OutputRule::One(|_, input: Shape| Ok(input));

    fn parameters(&self, _: &[Shape]) -> Vec<Parameter> {
        vec![
            Parameter::new("matrix", &[4, 5], Role::Matrix, Init::Zeros),
            Parameter::new("bias", &[3], Role::Bias, Init::Zeros),
        ]
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        Ok(inputs[0].clone())
    }
}

/// An estimate is a quotient of sums whose terms have about 10 roundings each, and each step multiplies by it; so after 12 steps the weights
/// are off by at most some 12 * 12 * 10 roundings of the largest so far.
#[test]
fn prodigy_matches_the_paper() {
    let file = parse(include_str!("prodigy.json"));
    let graph = Graph::of(&Two {}, &[Shape::of(&[1])]).expect("a graph");
    for case in file["cases"].as_array().expect("cases") {
        let mut json = Prodigy::DEFAULT.to_json();
        json.as_object_mut().expect("keys").extend(case["keys"].as_object().expect("keys").clone());
        let optimizer = Prodigy::DEFAULT.with(&json).expect("keys of the optimizer");
        let treatments = ParameterConfig::of_all(&graph.parameters, &*optimizer);
        let mut engines: [Box<dyn Engine>; 2] = [
            Box::new(Planned::new(graph.clone(), Box::new(Sum), 0).expect("an engine")),
            Box::new(Tape::new(graph.clone(), Box::new(Sum), 0, Device::Cpu).expect("an engine")),
        ];
        let first = singles(&file["first"]);
        for engine in &mut engines {
            let edited = engine
                .store_mut()
                .edit(&mut |host| split(&first, host.parameters.iter_mut().map(Vec::as_mut_slice)));
            edited.expect("an edit");
        }
        let mut size = 0.0_f64;
        for (t, gradients) in (1..).zip(file["gradients"].as_array().expect("gradients")) {
            let gradients = singles(gradients);
            let lr = if t <= 8 { optimizer.lr() } else { optimizer.lr() / 4.0 };
            let mut found = Vec::new();
            for engine in &mut engines {
                let into = &mut |host: trainspec::optim::HostParameters<'_>| {
                    split(&gradients, host.gradients.iter_mut().map(|own| &mut **own));
                };
                engine.open_window(&[]).expect("a window");
                engine.store_mut().edit(into).expect("an edit");
                let update = Update {
                    optimizer: &*optimizer,
                    t,
                    lr,
                    treatments: &treatments,
                    scales: &[1.0; 2],
                    bound: f64::INFINITY,
                    share: 0.0,
                    starts: &[],
                };
                engine.update(&update).expect("an update");
                found.push(engine.store().weights().expect("weights").concat());
            }
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found[0]), bits(&found[1]), "the engines differ");
            let expected = numbers(&case["steps"][t as usize - 1]);
            size = expected.iter().fold(size, |size, value| size.max(value.abs()));
            let relative = 12.0 * 12.0 * 10.0 * f64::from(f32::EPSILON) / 2.0;
            for (&found, expected) in found[0].iter().zip(expected) {
                let off = (f64::from(found) - expected).abs();
                assert!(off <= relative * size, "{}, step {t}: {found}, not {expected}", case["keys"]);
            }
            let state = engines[0].store().optimizer_state().expect("a state");
            let estimate = |parameter: usize| -> f64 {
                let values = &state[parameter][4];
                f64::from(values[0]) + f64::from(values[1])
            };
            let expected = case["estimates"][t as usize - 1].as_f64().expect("a number");
            assert!((estimate(0) - expected).abs() <= relative * expected, "{}, not {expected}", estimate(0));
            assert_eq!(estimate(0).to_bits(), estimate(1).to_bits());
        }
    }
}
