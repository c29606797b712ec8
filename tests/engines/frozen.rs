//! Frozen parameters have no gradient and do not change; the others train as if nothing were frozen.

use trainspec::optim::{AdamW, ParameterConfig, Update};

use super::*;

/// Checks gradients, parameters and state after two steps of a model with some parameters frozen.
fn trained(model: RandomModel, is_frozen: impl Fn(usize) -> bool) {
    let mut graph = model.graph();
    let full = graph.clone();
    for (place, parameter) in graph.parameters.iter_mut().enumerate() {
        parameter.frozen = is_frozen(place);
    }
    if graph.trained_elements() == 0 {
        return;
    }
    let adam = AdamW { weight_decay: 0.1, ..AdamW::DEFAULT };
    let treatments = ParameterConfig::of_all(&graph.parameters, &adam);
    let scales = vec![1.0; treatments.len()];
    let update = |t| Update {
        optimizer: &adam,
        t,
        lr: 1e-3,
        treatments: &treatments,
        scales: &scales,
        bound: f64::INFINITY,
        share: 0.0,
        starts: &[],
    };
    let batch = batch(model, 4, 0);
    let engines = |graph: &Graph| -> [Box<dyn Engine>; 2] {
        [
            Box::new(Planned::new(graph.clone(), Goal::boxed(true), SEED).unwrap()),
            Box::new(Tape::new(graph.clone(), Goal::boxed(false), SEED, Device::Cpu).unwrap()),
        ]
    };
    for (mut frozen, mut free) in engines(&graph).into_iter().zip(engines(&full)) {
        let first = frozen.parameters().unwrap();
        for t in 1..=2 {
            let at = StepIndex { step: t - 1, micro_batch: 0 };
            let loss = frozen.accumulate(&batch, at).unwrap()[0].loss;
            if t == 1 {
                let expected = free.accumulate(&batch, at).unwrap()[0].loss;
                assert_eq!(loss.to_bits(), expected.to_bits());
                for (place, parameter) in graph.parameters.iter().enumerate() {
                    let (found, all) = (
                        &frozen.store().gradients().unwrap()[place],
                        &free.store().gradients().unwrap()[place],
                    );
                    // The remaining gradients are equal.
                    let expected: &[f32] = if parameter.is_trained() { all } else { &[] };
                    assert_eq!(found, expected, "{model:?}: {}", parameter.path);
                }
            }
            frozen.update(&update(t)).unwrap();
        }
        let end = frozen.parameters().unwrap();
        for (place, parameter) in graph.parameters.iter().enumerate().filter(|(_, p)| p.frozen) {
            let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            if full.parameters[place].is_trained() {
                assert_eq!(numbers(&first[place]), numbers(&end[place]), "{}", parameter.path);
                assert!(frozen.store().optimizer_state().unwrap()[place].iter().all(Vec::is_empty));
            }
        }
    }
}

#[test]
fn frozen_parameters_are_excluded_from_training() {
    for seed in 0..24 {
        for input in Input::ALL {
            let model = RandomModel { input, seed, layers: 5, knot: None };
            let count = model.graph().parameters.len();
            trained(model, |place| place < count / 2);
            trained(model, |place| place >= count / 2);
            trained(model, |place| place % 2 == seed as usize % 2);
        }
    }
}
