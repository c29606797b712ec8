//! The optimizer's pass over a parameter: weight, gradient and state are read once and written once.
//!
//! An optimizer gives a *rule* for one element; the pass carries it over the slices. It is generic over
//! the rule, so each optimizer gets its own compiled loop.

/// What an optimizer keeps for each element: `[f32; N]`, for instance first and second moment.
pub trait Slots: Copy + Send + Sync + 'static {
    /// How many numbers an element has.
    const COUNT: usize;

    /// Applies `rule` to each element.
    ///
    /// `scale` multiplies each gradient before the rule sees it (averaging and clipping). `state` holds
    /// [`Slots::COUNT`] slices as long as the weights; what it holds beyond that is not touched.
    ///
    /// # Panics
    /// If a slice is shorter than `weights`.
    fn update(
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [Vec<f32>],
        rule: impl Fn(f32, f32, &mut Self) -> f32,
    );
}

impl<const N: usize> Slots for [f32; N] {
    const COUNT: usize = N;

    fn update(
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [Vec<f32>],
        rule: impl Fn(f32, f32, &mut Self) -> f32,
    ) {
        let count = weights.len();
        let gradients = &gradients[..count];
        // One length for all slices, so that the loop has no bounds to check.
        let mut slices: [&mut [f32]; N] = {
            let mut state = state.iter_mut();
            std::array::from_fn(|_| match state.next() {
                Some(slot) => &mut slot[..count],
                None => panic!("the optimizer's state has fewer slots than its rule"),
            })
        };
        for i in 0..count {
            let mut slots: [f32; N] = std::array::from_fn(|slot| slices[slot][i]);
            weights[i] = rule(weights[i], gradients[i] * scale, &mut slots);
            for (slice, slot) in slices.iter_mut().zip(slots) {
                slice[i] = slot;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_has_its_own_state() {
        let mut weights = vec![1.0, 2.0, 3.0];
        let mut state = vec![vec![0.0, 10.0, 20.0]];
        <[f32; 1]>::update(&mut weights, &[1.0, 1.0, 2.0], 0.5, &mut state, |w, g, [m]| {
            *m += g;
            w - *m
        });
        assert_eq!(state[0], [0.5, 10.5, 21.0]);
        assert_eq!(weights, [0.5, -8.5, -18.0]);
    }

    #[test]
    fn a_rule_without_state() {
        let mut weights = vec![1.0, 2.0];
        <[f32; 0]>::update(&mut weights, &[1.0, 1.0], 1.0, &mut [], |w, g, []| w - g);
        assert_eq!(weights, [0.0, 1.0]);
    }
}
