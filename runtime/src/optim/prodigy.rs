//! Prodigy: Adam with a learning rate that is estimated during training.

use trainspec_kernels::update::{ProdigyMoments, ProdigyStep, for_each_part, sum_of_blocks};

use super::declaration::optimizer;
use super::math::correction;
use super::rules::{self, hold, penalties};
use super::{AnyOptimizer, ModelRule, ModelStep, Penalties, StepSize, UsualRates};
use crate::config::with_changes;
use crate::keys::Facts;
use crate::layer::GraphParameter;
use crate::shape::{CheckError, CheckResult};

optimizer! {
    /// Prodigy: Adam whose learning rate is multiplied by an estimate `d` of the distance to the solution, so that `lr` can stay 1.
    ///
    /// At step `t`, with learning rate `eta`, gradient `g` and the first weights `w0`, over all parameters, `b3 = sqrt(b2)` and
    /// `a = d * eta`:
    /// `r = b3*r + (d / d0) * a * sum(g * (w0 - w))`; `s = b3*s + (d / d0) * a * g`; `m = b1*m + (1 - b1)*d*g`; `v = b2*v + (1 - b2)*d^2*g^2`;
    /// `D = d_coef * r / sum(|s|)`; `d` becomes the largest `D` so far, at most `growth_rate * d`; `w -= a * weight_decay * w`;
    /// `w -= a * m / (sqrt(v) + d * eps)`.
    ///
    /// `d` starts at `d0`, and never falls. The sums over all parameters have a fixed order. A schedule such as
    /// [`Cosine`](struct@crate::schedule::Cosine) multiplies `lr`, as usual. There is one estimate for all parameters, so a
    /// [group](super::Group) cannot have its own learning rate.
    ///
    /// The state is four values for each element, `m`, `v`, `s` and `first`, and `estimate`: `d`, the largest `D` and `r`, each as the sum of two
    /// numbers, stored with each parameter. The rule runs on the host.
    ///
    /// ```
    /// use trainspec::prelude::*;
    /// # #[model]
    /// # fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    /// #     image.flatten().linear(out = 10)
    /// # }
    ///
    /// train! {
    ///     Digits { model: Net, data: Digits8x8::embedded(), batch: 64, epochs: 2, optimizer: Prodigy, schedule: [Cosine] }
    /// }
    /// # assert!(Digits::experiment().check().is_ok());
    /// ```
    ///
    /// # Source
    /// Mishchenko & Defazio 2023, "Prodigy: an expeditiously adaptive parameter-free learner", in the form of the authors' code.
    pub struct Prodigy {
        /// The factor on the estimated learning rate, above 0; 1 by default, which should rarely be changed.
        pub lr: f64 = 1.0,
        /// The decay rates of the moments, each `0 <= beta < 1`; (0.9, 0.999) by default.
        pub betas: (f64, f64) = (0.9, 0.999),
        /// Added to the denominator for numerical stability, times `d`, above 0; 1e-8 by default.
        pub eps: f64 = 1e-8,
        /// The first estimate, above 0; 1e-6 by default. It should be below the distance to the solution.
        pub d0: f64 = 1e-6,
        /// Multiplies the estimate, above 0; 1 by default. The way to make steps larger or smaller.
        pub d_coef: f64 = 1.0,
        /// The most by which the estimate grows in a step, above 1; without a limit by default. 1.02 is a kind of warmup.
        pub growth_rate: f64 = f64::MAX,
        /// Multiplies `a` by `sqrt(1 - b2^t) / (1 - b1^t)`, as Adam; false by default.
        pub bias_correction: bool = false,
        /// Leaves the learning rate out of `s`, so that a warmup does not make the estimate too large; false by default.
        pub safeguard_warmup: bool = false,
    }
    /// Decoupled weight decay, multiplied by the estimated learning rate, 0 or more; 0 by default.
    weight_decay = 0.0
}

impl Prodigy {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult<Facts> {
        hold!(rules::above_zero("d0", self.d0));
        if self.eps > 0.0 && ((self.d0 * self.eps) as f32) < f32::MIN_POSITIVE {
            return Err(CheckError::new("d0 is ").float(self.d0).text(
                "; expected a number whose product with `eps` is at least 1.2e-38, in the range of f32",
            ));
        }
        hold!(rules::above_zero("d_coef", self.d_coef));
        if !(self.growth_rate > 1.0 && self.growth_rate.is_finite()) {
            return Err(CheckError::new("growth_rate is ")
                .float(self.growth_rate)
                .text("; expected a factor above 1, or no key for no limit"));
        }
        rules::moments(self.lr, self.betas, self.eps, penalties!(self))
    }
}

/// What is estimated over all parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Estimate {
    d: f64,
    /// The largest estimate so far.
    largest: f64,
    numerator: f64,
}

impl Estimate {
    /// The number of values that store it.
    const LENGTH: usize = 6;

    /// Reads stored values; all are 0 before the first step.
    fn of(values: &[f32], d0: f64) -> Self {
        let of = |place: usize| {
            let part = |at: usize| values.get(2 * place + at).map_or(0.0, |&value| f64::from(value));
            part(0) + part(1)
        };
        match [of(0), of(1), of(2)] {
            [0.0, ..] => Self { d: d0, largest: d0, numerator: 0.0 },
            [d, largest, numerator] => Self { d, largest, numerator },
        }
    }

    /// Stores it, each number as a sum of two.
    fn write(self, values: &mut [f32]) {
        let Self { d, largest, numerator } = self;
        for (parts, value) in values.chunks_mut(2).zip([d, largest, numerator]) {
            if let [high, low] = parts {
                *high = value as f32;
                *low = (value - f64::from(*high)) as f32;
            }
        }
    }

    /// The estimate after sums over all parameters.
    fn next(self, of: &Prodigy, products: f64, sizes: f64) -> Self {
        let found = of.d_coef * products / sizes;
        // The first one, perhaps as it was stored.
        let is_first = self.d <= of.d0 * (1.0 + 1e-12);
        let d = if is_first { self.d.max(found) } else { self.d };
        let largest = self.largest.max(found);
        Self { d: largest.min(d * of.growth_rate), largest, numerator: products }
    }
}

const ESTIMATE: usize = 4;

#[diagnostic::do_not_recommend]
impl AnyOptimizer for Prodigy {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn state_names(&self) -> &'static [&'static str] {
        &["m", "v", "s", "first", "estimate"]
    }

    fn starts_at_weights(&self, slot: usize) -> bool {
        slot == 3
    }

    fn penalties(&self) -> Penalties {
        penalties!(self)
    }

    fn decays_itself(&self) -> bool {
        true
    }

    fn has_one_rate(&self) -> bool {
        true
    }

    fn step_size(&self) -> StepSize {
        StepSize::SecondMoment { rectified: false }
    }

    fn usual_rates(&self) -> Option<UsualRates> {
        Some(UsualRates { lowest: 0.1, highest: 4.0, source: "Mishchenko & Defazio 2023: 1" })
    }

    fn model_rule(&self) -> Option<&dyn ModelRule> {
        Some(self)
    }

    with_changes!(dyn AnyOptimizer);
}

impl ModelRule for Prodigy {
    fn slot_length(&self, slot: usize, parameter: &GraphParameter) -> usize {
        if slot == ESTIMATE { Estimate::LENGTH } else { parameter.shape.elements() }
    }

    fn update(&self, mut step: ModelStep<'_>) {
        let (b1, b2) = self.betas;
        let b3 = b2.sqrt();
        let t = step.update.t;
        let mut before = None;
        step.each(|parameter| {
            before = before.or_else(|| Some(Estimate::of(parameter.state.get(ESTIMATE)?, self.d0)));
        });
        let Some(before) = before else { return };
        let d = before.d;
        let correction =
            if self.bias_correction { correction(b2, t).sqrt() / correction(b1, t) } else { 1.0 };
        let rate = d * step.update.lr * correction;
        let of_s = d / self.d0 * if self.safeguard_warmup { d } else { rate };
        let moments = ProdigyMoments {
            b1: b1 as f32,
            of_m: (d * (1.0 - b1)) as f32,
            b2: b2 as f32,
            of_v: (d * d * (1.0 - b2)) as f32,
            b3: b3 as f32,
            of_s: of_s as f32,
        };
        let (mut products, mut sizes) = (0.0, 0.0);
        step.each(|parameter| {
            let Some(mut state) = elements(parameter.state) else { return };
            let incoming = parameter.incoming;
            let measure = |weights: &[f32], gradients: &[f32], state: &mut [&mut [f32]]| {
                moments.measure_block(incoming, weights, gradients, state)
            };
            let sums = sum_of_blocks(parameter.weights, parameter.gradients, &mut state, &measure);
            products += sums[0];
            sizes += sums[1];
        });
        if sizes <= 0.0 {
            // Every gradient so far is 0.
            return;
        }
        let products = b3 * before.numerator + d / self.d0 * rate * products;
        let after = before.next(self, products, sizes);
        step.each(|parameter| {
            let rule = ProdigyStep {
                lr: rate as f32,
                eps: (after.d * self.eps) as f32,
                decay: (parameter.step.weight_decay * rate) as f32,
            };
            if let Some(mut state) = elements(parameter.state) {
                let update = |weights: &mut [f32], _: &[f32], state: &mut [&mut [f32]]| {
                    rule.update_block(weights, state);
                };
                for_each_part(parameter.weights, parameter.gradients, &mut state, &update);
            }
            if let Some(estimate) = parameter.state.get_mut(ESTIMATE) {
                after.write(estimate);
            }
        });
    }
}

/// The slots with a value for each element.
fn elements(state: &mut [Vec<f32>]) -> Option<[&mut [f32]; ESTIMATE]> {
    let [m, v, s, first, ..] = state else { return None };
    Some([m, v, s, first].map(Vec::as_mut_slice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// Two numbers of f32 have 48 bits.
    #[test]
    fn estimate_is_stored_with_48_bits() {
        let mut values = [0.0; Estimate::LENGTH];
        assert_eq!(Estimate::of(&values, 0.5), Estimate { d: 0.5, largest: 0.5, numerator: 0.0 });
        let estimate = Estimate { d: 1.0 / 3.0, largest: 0.7, numerator: -1e-12 };
        estimate.write(&mut values);
        let back = Estimate::of(&values, 0.5);
        for (found, expected) in
            [(back.d, estimate.d), (back.largest, estimate.largest), (back.numerator, estimate.numerator)]
        {
            assert!(
                (found - expected).abs() <= expected.abs() * 2.0_f64.powi(-47),
                "{found}, not {expected}"
            );
        }
        let mut again = values;
        back.write(&mut again);
        assert_eq!(again.map(f32::to_bits), values.map(f32::to_bits), "storing it again changes nothing");
    }

    #[test]
    fn keys_are_range_checked() {
        let said = |prodigy: Prodigy| prodigy.check().unwrap_err().as_str().to_owned();
        let usual = Prodigy::DEFAULT;
        assert!(usual.check().is_ok());
        assert!(said(Prodigy { d0: 0.0, ..usual }).starts_with("d0 is 0; expected a number above 0"));
        assert!(said(Prodigy { d_coef: -1.0, ..usual }).starts_with("d_coef is -1"));
        assert!(
            said(Prodigy { growth_rate: 1.0, ..usual })
                .starts_with("growth_rate is 1; expected a factor above 1")
        );
    }
}
