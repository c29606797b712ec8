use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::blocks::BLOCK;
use super::{Slots, for_each_block, sum_of_blocks};
use crate::philox;
use crate::simd::{self, Level};

#[test]
fn each_element_updates_its_own_state() {
    let mut weights = vec![1.0, 2.0, 3.0];
    let mut state = [vec![0.0, 10.0, 20.0]];
    <[f32; 1]>::update_block(&mut weights, &[1.0, 1.0, 2.0], 0.5, &mut [&mut state[0]], |w, g, [m]| {
        *m += g;
        w - *m
    });
    assert_eq!(state[0], [0.5, 10.5, 21.0]);
    assert_eq!(weights, [0.5, -8.5, -18.0]);
}

#[test]
fn rule_without_state_updates_weights() {
    let mut weights = vec![1.0, 2.0];
    <[f32; 0]>::update_block(&mut weights, &[1.0, 1.0], 1.0, &mut [], |w, g, []| w - g);
    assert_eq!(weights, [0.0, 1.0]);
}

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

/// `AdamW`'s rule with the values of an early step: products, sums, a root and two quotients.
fn adam(w: f32, g: f32, [m, v]: &mut [f32; 2]) -> f32 {
    *m += 0.1 * (g - *m);
    *v = 0.999 * *v + 0.001 * g * g;
    w * 0.9999 - (0.01 * *m) / (v.sqrt() / 0.03 + 1e-8)
}

/// A rule of which every slot shows in the weight and in all other slots.
fn ring<const N: usize>(w: f32, g: f32, slots: &mut [f32; N]) -> f32 {
    let mut carried = g + 0.25 * w;
    for slot in slots {
        let old = *slot;
        *slot = 0.5 * *slot + carried;
        carried = old - 0.125 * carried;
    }
    w - carried
}

/// A model: weights, gradients and state.
#[derive(Clone, PartialEq, Debug)]
struct Model {
    weights: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    state: Vec<Vec<Vec<f32>>>,
}

impl Model {
    fn new(lengths: &[usize], slots: u32) -> Self {
        let each = |key: u32| move |(&length, tensor): (&usize, u32)| numbers(length, 100 * key + tensor);
        let slot = |(length, tensor): (&usize, u32)| -> Vec<Vec<f32>> {
            // Second moments are not negative.
            let positive = |key| each(key)((length, tensor)).into_iter().map(f32::abs).collect();
            (0..slots).map(|slot| positive(2 + slot)).collect()
        };
        let tensors = || lengths.iter().zip(0..);
        Self {
            weights: tensors().map(each(0)).collect(),
            gradients: tensors().map(each(1)).collect(),
            state: tensors().map(slot).collect(),
        }
    }

    /// The update of each element by itself.
    fn plainly<const N: usize>(mut self, scale: f32, rule: impl Fn(f32, f32, &mut [f32; N]) -> f32) -> Self {
        for ((weights, gradients), state) in self.weights.iter_mut().zip(&self.gradients).zip(&mut self.state)
        {
            for (index, (weight, gradient)) in weights.iter_mut().zip(gradients).enumerate() {
                let mut element = std::array::from_fn(|slot| state[slot][index]);
                *weight = rule(*weight, gradient * scale, &mut element);
                for (slot, value) in state.iter_mut().zip(element) {
                    slot[index] = value;
                }
            }
        }
        self
    }

    fn in_blocks<const N: usize>(
        mut self,
        scale: f32,
        rule: impl Fn(f32, f32, &mut [f32; N]) -> f32 + Sync,
    ) -> Self {
        for_each_block(
            &mut self.weights,
            self.gradients.as_slice(),
            &mut self.state,
            |_, weights, gradients, state| {
                <[f32; N]>::update_block(weights, gradients, scale, state, &rule);
            },
        );
        self
    }

    fn bits(&self) -> Vec<u32> {
        let state = self.state.iter().flatten().flatten();
        self.weights.iter().flatten().chain(state).map(|value| value.to_bits()).collect()
    }
}

/// No state.
const NONE: Vec<Vec<f32>> = Vec::new();

const LENGTHS: &[usize] = &[0, 5, 3 * BLOCK + 77, 1, BLOCK, 40_000, 40_000, 0, 40_000, BLOCK + 1, 17];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// For all vector and block sizes: bit-identical to the elementwise result.
    #[test]
    fn matches_scalar_rule(lengths in prop::collection::vec(0..100_usize, 0..6), scale in -2.0_f32..2.0) {
        let two = Model::new(&lengths, 2);
        prop_assert_eq!(two.clone().in_blocks(scale, adam).bits(), two.plainly(scale, adam).bits());
        let none = Model::new(&lengths, 0);
        prop_assert_eq!(none.clone().in_blocks(scale, ring::<0>).bits(), none.plainly(scale, ring::<0>).bits());
        let five = Model::new(&lengths, 5);
        prop_assert_eq!(five.clone().in_blocks(scale, ring::<5>).bits(), five.plainly(scale, ring::<5>).bits());
    }
}

#[test]
fn many_blocks_match_scalar_rule() {
    let model = Model::new(LENGTHS, 2);
    assert_eq!(model.clone().in_blocks(0.5, adam).bits(), model.plainly(0.5, adam).bits());
    let many = Model::new(&LENGTHS[..4], 9);
    assert_eq!(many.clone().in_blocks(0.5, ring::<9>).bits(), many.plainly(0.5, ring::<9>).bits());
}

#[test]
fn results_do_not_depend_on_simd_level() {
    let model = Model::new(LENGTHS, 2);
    let expected = model.clone().in_blocks(0.5, adam).bits();
    for &level in Level::available() {
        let found = simd::at_level(level, || model.clone().in_blocks(0.5, adam));
        assert_eq!(found.bits(), expected, "{level:?}");
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let model = Model::new(LENGTHS, 2);
    let expected = model.clone().in_blocks(0.5, adam).bits();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| model.clone().in_blocks(0.5, adam)).bits(), expected, "{threads}");
    }
}

#[test]
fn blocks_receive_tensor_index_and_are_bounded() {
    let mut model = Model::new(LENGTHS, 1);
    let seen: Vec<_> = LENGTHS.iter().map(|_| AtomicUsize::new(0)).collect();
    for_each_block(
        &mut model.weights,
        model.gradients.as_slice(),
        &mut model.state,
        |tensor, weights, gradients, state| {
            assert_eq!((gradients.len(), state.len()), (weights.len(), 1));
            assert_eq!(state[0].len(), weights.len());
            assert!(weights.len() <= BLOCK);
            seen[tensor].fetch_add(weights.len(), Ordering::Relaxed);
        },
    );
    assert_eq!(seen.into_iter().map(AtomicUsize::into_inner).collect::<Vec<_>>(), LENGTHS);
}

#[test]
fn slices_of_slices_are_accepted() {
    let (mut one, mut other) = ([1.0, 2.0], [3.0]);
    let mut weights = [&mut one[..], &mut other[..]];
    let gradients = [&[1.0, 1.0][..], &[1.0]];
    for_each_block(&mut weights, gradients.as_slice(), &mut [NONE, NONE], |_, weights, gradients, state| {
        <[f32; 0]>::update_block(weights, gradients, 1.0, state, |w, g, []| w - g);
    });
    assert_eq!((one, other), ([0.0, 1.0], [2.0]));
}

#[test]
fn nan_propagates() {
    let mut model = Model::new(&[40], 2);
    model.gradients[0][37] = f32::NAN;
    let model = model.in_blocks(1.0, adam);
    let shows =
        |values: &[f32]| values.iter().enumerate().all(|(index, value)| value.is_nan() == (index == 37));
    assert!(shows(&model.weights[0]) && model.state[0].iter().all(|slot| shows(slot)));
}

#[test]
fn excess_state_is_not_modified() {
    let mut weights = [1.0];
    let (mut m, mut rest) = ([0.0, 7.0], [8.0]);
    let rule = |w: f32, g: f32, [m]: &mut [f32; 1]| {
        *m += g;
        w - *m
    };
    <[f32; 1]>::update_block(&mut weights, &[2.0, 3.0], 1.0, &mut [&mut m, &mut rest], rule);
    assert_eq!((weights, m, rest), ([-1.0], [2.0, 7.0], [8.0]));
}

#[test]
fn missing_slot_is_zero_and_discarded() {
    let (mut weights, gradients) = (vec![1.0; 37], vec![1.0; 37]);
    let mut kept = vec![0.0; 37];
    for _ in 0..2 {
        <[f32; 2]>::update_block(&mut weights, &gradients, 1.0, &mut [&mut kept], |w, g, [kept, missing]| {
            *kept += g;
            *missing += g;
            w - *missing
        });
    }
    assert_eq!((kept, weights), (vec![2.0; 37], vec![-1.0; 37]));
}

/// The sums are those of the elements by themselves: each has one rounding in f64 for its square and one for
/// each of the additions on its way.
#[test]
fn squares_are_summed_across_blocks() {
    for length in [0, 1, 15, 16, 17, BLOCK, 3 * BLOCK + 5] {
        let (weights, gradients) = (numbers(length, 1), numbers(length, 2));
        let direction = |w: f32, g: f32, [m]: &mut [f32; 1]| {
            *m = 0.5 * *m + g;
            *m + 0.25 * w
        };
        let found = |level| {
            let mut state = numbers(length, 3);
            let sums = simd::at_level(level, || {
                sum_of_blocks(&weights, &gradients, &mut [&mut state], &|weights, gradients, state| {
                    <[f32; 1]>::measure_block(weights, gradients, 0.5, state, direction)
                })
            });
            (sums, state)
        };
        let mut state = numbers(length, 3);
        let mut expected = [0.0, 0.0];
        for ((&w, &g), m) in weights.iter().zip(&gradients).zip(&mut state) {
            let mut element = [*m];
            let u = direction(w, g * 0.5, &mut element);
            [*m] = element;
            expected[0] += f64::from(w) * f64::from(w);
            expected[1] += f64::from(u) * f64::from(u);
        }
        let (sums, moved) = found(simd::level());
        assert_eq!(moved, state);
        for (sum, expected) in sums.iter().zip(expected) {
            assert!(
                (sum - expected).abs() <= (length + 1) as f64 * f64::EPSILON * expected,
                "{sum}, {expected}"
            );
        }
        for &level in Level::available() {
            assert_eq!(found(level).0.map(f64::to_bits), sums.map(f64::to_bits), "{level:?}");
        }
    }
}

#[test]
#[should_panic(expected = "gradients of tensor 1")]
fn gradient_length_is_checked() {
    let mut weights = [vec![1.0], vec![1.0]];
    for_each_block(&mut weights, [vec![1.0], vec![1.0, 2.0]].as_slice(), &mut [NONE, NONE], |_, _, _, _| ());
}

#[test]
fn weights_without_gradients_are_skipped() {
    let mut weights = [vec![1.0], vec![2.0]];
    for_each_block(
        &mut weights,
        [vec![], vec![1.0]].as_slice(),
        &mut [NONE, NONE],
        |number, weights, _, _| {
            assert_eq!(number, 1);
            weights[0] = 3.0;
        },
    );
    assert_eq!(weights, [vec![1.0], vec![3.0]]);
}

#[test]
#[should_panic(expected = "state of tensor 0")]
fn state_length_is_checked() {
    for_each_block(&mut [vec![1.0]], [vec![1.0]].as_slice(), &mut [vec![vec![]]], |_, _, _, _| ());
}
