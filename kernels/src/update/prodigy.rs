//! The two passes of Prodigy over a block: the moments with the sums that its estimate needs, then the step.

use super::{GradientTransform, LANES};
use crate::simd;

/// The constants of the first pass. State of a block, in this order: `m`, `v`, `s`, and the first weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProdigyMoments {
    /// The decay rate of `m`.
    pub b1: f32,
    /// The factor of the gradient in `m`.
    pub of_m: f32,
    /// The decay rate of `v`.
    pub b2: f32,
    /// The factor of the squared gradient in `v`.
    pub of_v: f32,
    /// The decay rate of `s`.
    pub b3: f32,
    /// The factor of the gradient in `s`.
    pub of_s: f32,
}

impl ProdigyMoments {
    /// Updates the moments of a block, on this thread. Returns the sum of products of the gradients with what the weights have moved towards
    /// their first values, and the sum of the magnitudes of `s`. The sums are f64, by lanes.
    ///
    /// # Panics
    /// If there are not four slots, or a slice is shorter than `weights`.
    pub fn measure_block(
        self,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        state: &mut [&mut [f32]],
    ) -> [f64; 2] {
        assert_eq!(state.len(), 4, "four slots");
        let [m, v, s, first] = state else { return [0.0; 2] };
        measure(self, incoming, weights, gradients, [m, v, s], first)
    }
}

/// The constants of the second pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProdigyStep {
    /// The learning rate, times the estimate.
    pub lr: f32,
    /// Added to the root of `v`.
    pub eps: f32,
    /// The weight decay, times `lr`.
    pub decay: f32,
}

impl ProdigyStep {
    /// Updates a block, on this thread: `w -= decay * w`; `w -= lr * m / (sqrt(v) + eps)`.
    ///
    /// # Panics
    /// If there are not four slots, or a slice is shorter than `weights`.
    pub fn update_block(self, weights: &mut [f32], state: &[&mut [f32]]) {
        assert_eq!(state.len(), 4, "four slots");
        if let [m, v, ..] = state {
            step(self, weights, m, v);
        }
    }
}

simd! {
    fn measure(
        rule: ProdigyMoments,
        incoming: GradientTransform,
        weights: &[f32],
        gradients: &[f32],
        moments: [&mut [f32]; 3],
        first: &[f32],
    ) -> [f64; 2] {
        let count = weights.len();
        let ProdigyMoments { b1, of_m, b2, of_v, b3, of_s } = rule;
        let [m, v, s] = moments;
        let (m, v, s) = (&mut m[..count], &mut v[..count], &mut s[..count]);
        let (gradients, first) = (&gradients[..count], &first[..count]);
        let (mut products, mut sizes) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        for start in (0..count).step_by(LANES) {
            for (lane, at) in (start..count.min(start + LANES)).enumerate() {
                let g = incoming.gradient(weights[at], gradients[at] * incoming.scale);
                products[lane] += f64::from(g) * f64::from(first[at] - weights[at]);
                m[at] = b1 * m[at] + of_m * g;
                v[at] = b2 * v[at] + of_v * g * g;
                s[at] = b3 * s[at] + of_s * g;
                sizes[lane] += f64::from(s[at].abs());
            }
        }
        [products.iter().sum(), sizes.iter().sum()]
    }
}

simd! {
    fn step(rule: ProdigyStep, weights: &mut [f32], m: &[f32], v: &[f32]) {
        let ProdigyStep { lr, eps, decay } = rule;
        for ((weight, m), v) in weights.iter_mut().zip(m).zip(v) {
            let kept = *weight - decay * *weight;
            *weight = kept - lr * (m / (v.sqrt() + eps));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{self, Level};

    /// The same bits at every level, for every length, and sums of the elements.
    #[test]
    fn passes_are_those_of_single_elements() {
        let rule = ProdigyMoments { b1: 0.9, of_m: 0.01, b2: 0.99, of_v: 0.001, b3: 0.95, of_s: 0.5 };
        let apply = ProdigyStep { lr: 0.1, eps: 1e-3, decay: 0.01 };
        let incoming = GradientTransform { scale: 0.5, l2: 0.125, ..GradientTransform::UNCHANGED };
        for count in [1, 15, 16, 100] {
            let numbers = |key: f32| -> Vec<f32> { (0..count).map(|at| (key + at as f32).sin()).collect() };
            let (weights, gradients, first) = (numbers(0.0), numbers(1.0), numbers(2.0));
            let mut results = Vec::new();
            for &level in Level::available() {
                let (mut weights, mut state) = (weights.clone(), vec![vec![0.25; count]; 3]);
                state.push(first.clone());
                let mut slots: Vec<&mut [f32]> = state.iter_mut().map(Vec::as_mut_slice).collect();
                let sums = simd::at_level(level, || {
                    let sums = rule.measure_block(incoming, &weights, &gradients, &mut slots);
                    apply.update_block(&mut weights, &slots);
                    sums
                });
                results.push((weights, state, sums.map(f64::to_bits)));
            }
            assert!(results.iter().all(|result| *result == results[0]), "{count}");
            let (_, state, sums) = &results[0];
            let mut expected = [0.0, 0.0];
            for at in 0..count {
                let g = gradients[at] * 0.5 + 0.125 * weights[at];
                expected[0] += f64::from(g) * f64::from(first[at] - weights[at]);
                expected[1] += f64::from(state[2][at].abs());
            }
            for (found, expected) in sums.iter().zip(expected) {
                assert!((f64::from_bits(*found) - expected).abs() <= 1e-12, "{count}");
            }
        }
    }
}
