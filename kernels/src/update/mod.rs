//! The optimizer's pass over the parameters: weight, gradient and state are read once and written once.
//!
//! An optimizer provides a *rule* for one element; the pass applies it to the slices. An [`UpdateRule`] is data: the constants of a
//! rule that every device has a kernel for. Any other rule is a closure, which only the CPU can run. Each has its own compiled
//! loops. A rule rounds as written, at every SIMD level
//! (a product and a sum are fused only by `mul_add`), so that updates are bit-identical everywhere.
//!
//! [`for_each_block`] divides the parameters of a model among threads; [`Slots::update_block`] updates a block on
//! the calling thread:
//!
//! ```
//! use trainspec_kernels::update::{Slots, for_each_block};
//!
//! let mut weights = vec![vec![1.0, 2.0], vec![3.0]];
//! let gradients = vec![vec![2.0, 2.0], vec![4.0]];
//! let mut state = vec![vec![vec![0.0; 2]], vec![vec![1.0]]];
//! for_each_block(&mut weights, gradients.as_slice(), &mut state, |tensor, weights, gradients, state| {
//!     let rate = if tensor == 0 { 1.0 } else { 0.5 };
//!     <[f32; 1]>::update_block(weights, gradients, 0.5, state, |w, g, [v]| {
//!         *v += g;
//!         w - rate * *v
//!     });
//! });
//! assert_eq!(weights, [vec![0.0, 1.0], vec![1.5]]);
//! ```

mod blocks;
mod dense;
mod factored;
mod newton_schulz;
mod prodigy;
mod rules;
pub(crate) mod split;

#[cfg(test)]
mod tests;

pub use crate::ema::lerp as interpolate;
pub use blocks::{for_each_block, for_each_part, sum_of_blocks};
pub use dense::{add_multiple, multiply, transform};
pub use factored::{FactoredMoment, normalize};
pub use newton_schulz::{orthogonalize, scratch_length};
pub use prodigy::{ProdigyMoments, ProdigyStep};
pub use rules::{
    AdaDelta, AdaGrad, Adam, Adamax, GradientTransform, Lamb, Lars, Lion, Lookahead, NAdam, RAdam, RmsProp,
    RuleChain, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd, SignSgd, UpdateRule,
};

use crate::simd;

/// The number of elements that a rule is applied to at once.
const LANES: usize = 16;

/// The optimizer state of each element: `[f32; N]`, for instance first and second moment.
pub trait Slots: Copy + Send + Sync + 'static {
    /// The number of state values per element.
    const COUNT: usize;

    /// Applies `rule` to each element, on this thread.
    ///
    /// `scale` multiplies each gradient before the rule sees it (averaging and clipping). `state` holds up to
    /// [`Slots::COUNT`] slices at least as long as the weights; what it holds beyond that is not touched. A
    /// missing slot reads as 0 for each element, and writes to it are discarded: so an optimizer
    /// pays only for the options that it uses. The rule must be a pure function of its arguments: it may be called for
    /// elements that do not exist, with all values 0.
    ///
    /// # Panics
    /// If a slice is shorter than `weights`.
    fn update_block(
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [&mut [f32]],
        rule: impl Fn(f32, f32, &mut Self) -> f32,
    );

    /// The sums of the squares of a block's weights and of the results of `direction` for its elements, on this thread.
    ///
    /// For rules that need the size of a whole parameter and of its update. Otherwise like
    /// [`Slots::update_block`]; `direction` may change the state. The squares are summed in f64, by lanes.
    ///
    /// # Panics
    /// If a slice is shorter than `weights`.
    fn measure_block(
        weights: &[f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [&mut [f32]],
        direction: impl Fn(f32, f32, &mut Self) -> f32,
    ) -> [f64; 2];
}

impl<const N: usize> Slots for [f32; N] {
    const COUNT: usize = N;

    fn update_block(
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [&mut [f32]],
        rule: impl Fn(f32, f32, &mut Self) -> f32,
    ) {
        let state = state.iter_mut().map(|slot| &mut **slot);
        apply(weights, gradients, scale, first(state, weights.len()), &rule);
    }

    fn measure_block(
        weights: &[f32],
        gradients: &[f32],
        scale: f32,
        state: &mut [&mut [f32]],
        direction: impl Fn(f32, f32, &mut Self) -> f32,
    ) -> [f64; 2] {
        let state = state.iter_mut().map(|slot| &mut **slot);
        measure(weights, gradients, scale, first(state, weights.len()), &direction)
    }
}

/// The first `N` slices of a state, the first `count` elements of each; a slot that is missing is empty.
fn first<'a, const N: usize>(
    mut state: impl Iterator<Item = &'a mut [f32]>,
    count: usize,
) -> [&'a mut [f32]; N] {
    std::array::from_fn(|_| state.next().map_or(&mut [][..], |slot| &mut slot[..count]))
}

simd! {
    fn apply[const N: usize, F: Fn(f32, f32, &mut [f32; N]) -> f32][N, F](
        weights: &mut [f32],
        gradients: &[f32],
        scale: f32,
        slots: [&mut [f32]; N],
        rule: &F,
    ) {
        let count = weights.len();
        let gradients = &gradients[..count];
        let mut slots = slots;
        let whole = count - count % LANES;
        for start in (0..whole).step_by(LANES) {
            let (weights, gradients) = (&mut weights[start..start + LANES], &gradients[start..start + LANES]);
            let (_, made) = lanes(weights, gradients, scale, &mut slots, start..start + LANES, rule);
            weights.copy_from_slice(&made);
        }
        if whole < count {
            let (weights, gradients) = (&mut weights[whole..], &gradients[whole..]);
            let (_, made) = lanes(weights, gradients, scale, &mut slots, whole..count, rule);
            weights.copy_from_slice(&made[..count - whole]);
        }
    }
}

simd! {
    fn measure[const N: usize, F: Fn(f32, f32, &mut [f32; N]) -> f32][N, F](
        weights: &[f32],
        gradients: &[f32],
        scale: f32,
        slots: [&mut [f32]; N],
        direction: &F,
    ) -> [f64; 2] {
        let count = weights.len();
        let gradients = &gradients[..count];
        let mut slots = slots;
        let mut sums = [[0.0; LANES]; 2];
        for start in (0..count).step_by(LANES) {
            let here = start..count.min(start + LANES);
            let (w, u) = lanes(&weights[here.clone()], &gradients[here.clone()], scale, &mut slots, here, direction);
            for lane in 0..LANES {
                sums[0][lane] += f64::from(w[lane]) * f64::from(w[lane]);
                sums[1][lane] += f64::from(u[lane]) * f64::from(u[lane]);
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

/// Applies `rule` to the elements `here`, at most [`LANES`], whose weights and gradients these are. Returns the previous
/// weights and the results of the rule, both followed by its results for zeros. They are copied first, so that no
/// slice can alias another.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
fn lanes<const N: usize, F: Fn(f32, f32, &mut [f32; N]) -> f32>(
    weights: &[f32],
    gradients: &[f32],
    scale: f32,
    slots: &mut [&mut [f32]; N],
    here: std::ops::Range<usize>,
    rule: &F,
) -> ([f32; LANES], [f32; LANES]) {
    let count = here.len();
    let mut w = [0.0; LANES];
    w[..count].copy_from_slice(weights);
    let mut g = [0.0; LANES];
    g[..count].copy_from_slice(gradients);
    let mut s = [[0.0; LANES]; N];
    for (s, slot) in s.iter_mut().zip(&*slots) {
        if !slot.is_empty() {
            s[..count].copy_from_slice(&slot[here.clone()]);
        }
    }
    let mut made = [0.0; LANES];
    for lane in 0..LANES {
        let mut element: [f32; N] = std::array::from_fn(|slot| s[slot][lane]);
        made[lane] = rule(w[lane], g[lane] * scale, &mut element);
        for (s, value) in s.iter_mut().zip(element) {
            s[lane] = value;
        }
    }
    for (s, slot) in s.iter().zip(slots) {
        if !slot.is_empty() {
            slot[here.clone()].copy_from_slice(&s[..count]);
        }
    }
    (w, made)
}
