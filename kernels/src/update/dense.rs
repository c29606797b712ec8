//! Passes over one tensor, for rules that read entire parameters: blocks on all threads, each element by itself.

use super::GradientTransform;
use crate::simd;
use crate::threads;

/// Elements per block.
const BLOCK: usize = 32 * 1024;

/// Writes the gradient that a rule receives to `to`: scaled, bounded, and with the penalties at the weights before the step.
///
/// # Panics
/// If the slices are not equally long.
pub fn transform(incoming: GradientTransform, weights: &[f32], gradients: &[f32], to: &mut [f32]) {
    assert!(weights.len() == to.len() && gradients.len() == to.len(), "one gradient for each weight");
    threads::chunks(to, BLOCK, |number, to| {
        let here = number * BLOCK..number * BLOCK + to.len();
        let (weights, gradients) = (&weights[here.clone()], &gradients[here]);
        if incoming.only_scales() {
            scaled(to, gradients, incoming.scale);
        } else {
            transformed(to, weights, gradients, incoming);
        }
    });
}

/// Multiplies each value by `factor`.
pub fn multiply(values: &mut [f32], factor: f32) {
    threads::chunks(values, BLOCK, |_, values| multiplied(values, factor));
}

/// Adds `factor` times a direction to the weights.
///
/// # Panics
/// If there are not as many directions as weights.
///
/// ```
/// let mut weights = [1.0, 2.0];
/// trainspec_kernels::update::add_multiple(&mut weights, &[4.0, 8.0], -0.25);
/// assert_eq!(weights, [0.0, 0.0]);
/// ```
pub fn add_multiple(weights: &mut [f32], directions: &[f32], factor: f32) {
    assert_eq!(weights.len(), directions.len(), "one direction for each weight");
    threads::chunks(weights, BLOCK, |number, weights| {
        added(weights, &directions[number * BLOCK..][..weights.len()], factor);
    });
}

simd! {
    fn scaled(to: &mut [f32], gradients: &[f32], scale: f32) {
        for (to, gradient) in to.iter_mut().zip(gradients) {
            *to = gradient * scale;
        }
    }
}

simd! {
    fn transformed(to: &mut [f32], weights: &[f32], gradients: &[f32], incoming: GradientTransform) {
        for ((to, weight), gradient) in to.iter_mut().zip(weights).zip(gradients) {
            *to = incoming.gradient(*weight, gradient * incoming.scale);
        }
    }
}

simd! {
    fn multiplied(values: &mut [f32], factor: f32) {
        for value in values {
            *value *= factor;
        }
    }
}

simd! {
    fn added(weights: &mut [f32], directions: &[f32], factor: f32) {
        for (weight, direction) in weights.iter_mut().zip(directions) {
            *weight += factor * direction;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "exact values")]
    fn penalties_use_weights_before_the_step() {
        let incoming = GradientTransform { scale: 2.0, bound: 3.0, l1: 0.5, l2: 0.25, keep: 0.5 };
        let mut to = [0.0; 3];
        transform(incoming, &[4.0, -4.0, 0.0], &[1.0, 1.0, -2.0], &mut to);
        assert_eq!(to, [2.0 + 1.0 + 0.5, 2.0 - 1.0 - 0.5, -3.0]);
        transform(GradientTransform::UNCHANGED, &[4.0; 3], &[1.0, -1.0, 0.5], &mut to);
        assert_eq!(to, [1.0, -1.0, 0.5]);
    }

    #[test]
    fn blocks_cover_every_element() {
        let count = 2 * BLOCK + 5;
        let (mut weights, directions) = (vec![1.0; count], vec![0.5; count]);
        add_multiple(&mut weights, &directions, 2.0);
        multiply(&mut weights, 0.25);
        assert!(weights.iter().all(|&weight| weight.to_bits() == 0.5_f32.to_bits()));
    }
}
