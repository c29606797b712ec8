use super::*;
use crate::fixture;

/// The graph has a weight, a bias and a statistic of three elements each.
fn store() -> HostStore {
    HostStore::new(&fixture::graph(), vec![vec![1.0; 3], vec![2.0; 3], vec![3.0; 3]], true).unwrap()
}

/// Sets each trained gradient to one value.
fn set(store: &mut HostStore, values: [f32; 2]) {
    store
        .edit(&mut |host| {
            for (gradient, value) in host.gradients.iter_mut().zip(values) {
                gradient.fill(value);
            }
        })
        .unwrap();
}

#[test]
fn gradients_of_trained_parameters_are_adjacent() {
    let mut store = store();
    set(&mut store, [0.5, 0.25]);
    assert_eq!(store.gradients.flat(), [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
    assert_eq!(store.gradients().unwrap(), [vec![0.5; 3], vec![0.25; 3], vec![]]);
    let mut sums = [f64::NAN; 3];
    store.squares(&mut sums).unwrap();
    assert_eq!(sums.map(f64::to_bits), [0.75, 0.1875, 0.0].map(f64::to_bits));
}

#[test]
fn scale_multiplies_and_then_bounds() {
    let mut store = store();
    set(&mut store, [0.5, -4.0]);
    assert!(store.exceeds(&[1.0, 1.0, 1.0], 3.0).unwrap() && !store.exceeds(&[1.0, 0.5, 1.0], 3.0).unwrap());
    store.scale(&[0.5, 2.0, 1.0], 3.0).unwrap();
    assert_eq!(store.gradients().unwrap()[..2], [vec![0.25; 3], vec![-3.0; 3]]);
    set(&mut store, [0.5, f32::NAN]);
    assert_eq!(store.first_non_finite().unwrap(), Some(1));
}

#[test]
fn average_moves_trained_weights_and_copies_statistics() {
    let mut store = store();
    store.copy(WeightCopy::Average).unwrap();
    store.set_weights(vec![vec![3.0; 3], vec![2.0; 3], vec![7.0; 3]]).unwrap();
    store.average(0.25).unwrap();
    let average = [vec![1.5; 3], vec![2.0; 3], vec![7.0; 3]];
    assert_eq!(store.copied(WeightCopy::Average).unwrap().as_deref(), Some(&average[..]));
    store.swap(WeightCopy::Average).unwrap();
    assert_eq!(store.weights().unwrap().as_ref(), average);
    assert_eq!(store.copied(WeightCopy::Average).unwrap().unwrap()[0], [3.0; 3]);
    // There is no other copy.
    store.swap(WeightCopy::Best).unwrap();
    assert_eq!(store.weights().unwrap().as_ref(), average);
    assert!(store.copied(WeightCopy::Best).unwrap().is_none());
}

/// Of a world of one process. `tests/world` has several.
#[test]
fn sum_over_processes_replaces_gradients() {
    let (mut store, world) = (store(), World::single());
    assert!(store.finish_sum().is_err(), "no sum was started");
    store.begin_sum().unwrap();
    set(&mut store, [1.0, -0.0]);
    store.add_to_sum(&world, true).unwrap();
    set(&mut store, [4.0, 4.0]);
    store.add_to_sum(&world, false).unwrap();
    store.finish_sum().unwrap();
    assert_eq!(store.gradients().unwrap()[0], [1.0; 3]);
    assert_eq!(store.gradients().unwrap()[1][0].to_bits(), (-0.0_f32).to_bits());
    store.begin_sum().unwrap();
    store.add_to_sum(&world, true).unwrap();
    store.finish_sum().unwrap();
    assert_eq!(store.gradients().unwrap()[0], [1.0; 3], "the next sum starts from 0");
}

#[test]
fn values_of_another_graph_are_rejected() {
    let mut store = store();
    assert!(store.set_weights(vec![vec![1.0; 3]; 2]).is_err());
    assert!(store.set_copy(WeightCopy::Best, vec![vec![1.0; 4]; 3]).is_err());
    assert!(store.set_optimizer_state(vec![vec![vec![0.0; 3]]; 2]).is_err());
    assert!(store.edit(&mut |host| host.parameters[1].push(0.0)).is_err());
}

/// The row of a padding token must stay 0; the other elements have the noise that they have without one.
#[test]
fn noise_leaves_row_of_padding_token_unchanged() {
    let noisy = |zero_row| {
        let mut graph = fixture::graph();
        graph.parameters[0].shape = crate::shape::Shape::of(&[3, 1]);
        graph.parameters[0].zero_row = zero_row;
        let mut store = HostStore::new(&graph, vec![vec![1.0; 3], vec![2.0; 3], vec![3.0; 3]], true).unwrap();
        set(&mut store, [0.0, 0.0]);
        let stream = Stream::new(1, crate::rng::Purpose::GradientNoise, "noise");
        store.add_noise(1.0, &[stream; 3], StepIndex::default()).unwrap();
        store.gradients().unwrap()[0].clone()
    };
    let (all, padded) = (noisy(None), noisy(Some(1)));
    assert!(all.iter().all(|&noise| noise != 0.0));
    assert_eq!(padded, [all[0], 0.0, all[2]]);
}

/// A norm above the bound is scaled to it; at the bound and below it no bit changes.
#[test]
fn units_are_clipped_by_data_or_on_the_host() {
    let mut store = store();
    set(&mut store, [4.0, 0.25]);
    store.clip_units(UnitClip::Adaptive { factor: 1.0, eps: 0.5 }, &[]).unwrap();
    let gradients = store.gradients().unwrap();
    // The weights are units of 3 elements of size 1, and of size 2.
    assert!(gradients[0].iter().all(|g| (g - 1.0).abs() < 1e-6), "{gradients:?}");
    assert_eq!(gradients[1], [0.25; 3]);
    let double = |unit: Unit<'_>| unit.gradient.iter_mut().for_each(|g| *g *= unit.weights[0]);
    let except = [NodeParameter { name: "weight", index: 0 }];
    store.clip_units(UnitClip::Host(&double), &except).unwrap();
    assert_eq!(store.gradients().unwrap()[1], [0.5; 3]);
    assert_eq!(store.gradients().unwrap()[0], gradients[0]);
}
