use super::*;
use crate::philox;
use crate::simd::{self, Level};

/// Every rule, each with every option, and the number of values that it stores.
fn rules() -> Vec<(UpdateRule, usize)> {
    let sgd = Sgd { lr: 0.1, momentum: 0.9, share: 0.75, nesterov: false };
    let adam = Adam { size: 0.02, root: 0.3, eps: 1e-3, b1_rest: 0.1, b2: 0.9, b2_rest: 0.1 };
    let rms =
        RmsProp { lr: 0.1, alpha: 0.9, rest: 0.1, eps: 1e-3, momentum: 0.5, moves: true, centered: true };
    let rectified = RAdam {
        lr: 0.1,
        correction: 0.2,
        is_rectified: true,
        root: 0.3,
        rectification: 0.4,
        eps: 1e-3,
        b1_rest: 0.1,
        b2: 0.9,
        b2_rest: 0.1,
    };
    let nesterov = NAdam {
        of_gradient: -0.1,
        of_momentum: -0.2,
        correction: 0.3,
        eps: 1e-3,
        b1_rest: 0.6,
        b2: 0.9,
        b2_rest: 0.1,
    };
    let lamb =
        Lamb { step: 0.1, size: 1.5, root: 0.3, eps: 1e-3, decay: 0.01, b1_rest: 0.1, b2: 0.9, b2_rest: 0.1 };
    let free = ScheduleFreeAdamW {
        lr: 0.1,
        share: 0.75,
        pull: -0.08,
        decay: 0.01,
        correction: 0.3,
        eps: 1e-3,
        b2: 0.9,
        b2_rest: 0.1,
    };
    vec![
        (UpdateRule::Sgd(Sgd { momentum: 0.0, ..sgd }), 0),
        (UpdateRule::Sgd(sgd), 1),
        (UpdateRule::Sgd(Sgd { nesterov: true, ..sgd }), 1),
        (UpdateRule::SignSgd(SignSgd { lr: 0.1, momentum: 0.5, rest: 0.5 }), 1),
        (UpdateRule::Lion(Lion { lr: 0.1, b1: 0.9, b1_rest: 0.1, b2: 0.99, b2_rest: 0.01 }), 1),
        (UpdateRule::Adam(adam), 2),
        (UpdateRule::Adam(adam), 3),
        (UpdateRule::NAdam(nesterov), 2),
        (UpdateRule::RAdam(rectified), 2),
        (UpdateRule::RAdam(RAdam { is_rectified: false, ..rectified }), 2),
        (UpdateRule::Adamax(Adamax { size: 0.1, eps: 1e-3, b1_rest: 0.1, b2: 0.9 }), 2),
        (UpdateRule::RmsProp(RmsProp { moves: false, centered: false, ..rms }), 1),
        (UpdateRule::RmsProp(RmsProp { moves: false, ..rms }), 2),
        (UpdateRule::RmsProp(RmsProp { centered: false, ..rms }), 2),
        (UpdateRule::RmsProp(rms), 3),
        (UpdateRule::AdaGrad(AdaGrad { lr: 0.1, eps: 1e-3 }), 1),
        (UpdateRule::AdaDelta(AdaDelta { lr: 0.1, rho: 0.9, rest: 0.1, eps: 1e-3 }), 2),
        (UpdateRule::Lamb(lamb), 2),
        (UpdateRule::Lars(Lars { lr: 0.1, trust: 0.2, momentum: 0.9, decay: 0.01 }), 1),
        (UpdateRule::Lookahead(Lookahead { alpha: 0.75 }), 1),
        (UpdateRule::ScheduleFreeSgd(ScheduleFreeSgd { lr: 0.1, share: 0.25, pull: -0.03, decay: 0.01 }), 1),
        (UpdateRule::ScheduleFreeAdamW(free), 2),
    ]
}

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

/// State of `slots` values for each element; not negative, as second moments are.
fn state(slots: usize, count: usize) -> Vec<Vec<f32>> {
    (0..slots).map(|slot| numbers(count, 7 + slot as u32).into_iter().map(f32::abs).collect()).collect()
}

const TRANSFORMS: [GradientTransform; 2] = [
    GradientTransform { scale: 0.5, keep: 0.75, ..GradientTransform::UNCHANGED },
    GradientTransform { scale: 2.0, bound: 0.5, l1: 0.01, l2: 0.02, keep: 1.0 },
];

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The update of each block is that of its elements one by one, at every SIMD level and for every length.
#[test]
fn block_has_bits_of_its_elements() {
    for (rule, slots) in rules() {
        for incoming in TRANSFORMS {
            for count in [1, 15, 16, 100] {
                let (mut weights, gradients) = (numbers(count, 1), numbers(count, 2));
                let mut expected_state = state(slots, count);
                let expected: Vec<f32> = (0..count)
                    .map(|place| {
                        let mut element: Vec<f32> = expected_state.iter().map(|slot| slot[place]).collect();
                        let (w, g) = (weights[place], gradients[place] * incoming.scale);
                        let g = if incoming.only_scales() { g } else { incoming.gradient(w, g) };
                        let new = rule.update_element(w * incoming.keep, g, &mut element);
                        for (slot, value) in expected_state.iter_mut().zip(element) {
                            slot[place] = value;
                        }
                        new
                    })
                    .collect();
                let first = std::mem::take(&mut weights);
                for &level in Level::available() {
                    let (mut weights, mut state) = (first.clone(), state(slots, count));
                    let mut slices: Vec<&mut [f32]> = state.iter_mut().map(Vec::as_mut_slice).collect();
                    simd::at_level(level, || {
                        rule.update_block(incoming, &mut weights, &gradients, &mut slices);
                    });
                    assert_eq!(bits(&weights), bits(&expected), "{rule:?}, {level:?}, {count}");
                    assert_eq!(bits(&state.concat()), bits(&expected_state.concat()), "{rule:?}, {level:?}");
                }
            }
        }
    }
}

/// The sums are those of the elements, within the rounding of sums in f64.
#[test]
fn measured_norms_are_those_of_weights_and_directions() {
    for (rule, slots) in rules() {
        let (weights, gradients, count) = (numbers(100, 1), numbers(100, 2), 100);
        let (mut state, incoming) = (state(slots, count), TRANSFORMS[0]);
        let mut expected = [0.0, 0.0];
        for place in 0..count {
            let mut element: Vec<f32> = state.iter().map(|slot| slot[place]).collect();
            let (w, g) = (weights[place] * incoming.keep, gradients[place] * incoming.scale);
            let direction = f64::from(rule.element_direction(w, g, &mut element));
            expected[0] += f64::from(weights[place]).powi(2);
            expected[1] += direction * direction;
        }
        let mut slices: Vec<&mut [f32]> = state.iter_mut().map(Vec::as_mut_slice).collect();
        let found = rule.measure_block(incoming, &weights, &gradients, &mut slices);
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 100.0 * f64::EPSILON * expected,
                "{rule:?}: {found}, {expected}"
            );
        }
    }
}
