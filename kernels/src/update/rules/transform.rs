//! What happens to weights and gradients before a rule.

/// The preprocessing of weights and gradients before the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientTransform {
    /// Multiplies each element of the gradient.
    pub scale: f32,
    /// The bound on the magnitude of an element after that; infinite if there is none.
    pub bound: f32,
    /// Multiplies the sign of the weight, which is added then.
    pub l1: f32,
    /// Multiplies the weight, which is added then.
    pub l2: f32,
    /// The factor for the weight.
    pub keep: f32,
}

impl GradientTransform {
    /// Changes nothing.
    pub const UNCHANGED: Self = Self { scale: 1.0, bound: f32::INFINITY, l1: 0.0, l2: 0.0, keep: 1.0 };

    /// Returns whether the gradient is only scaled.
    #[must_use]
    pub fn only_scales(self) -> bool {
        self.bound == f32::INFINITY && self.l1 == 0.0 && self.l2 == 0.0
    }

    /// Returns the gradient for the rule at the weight `w`, from the scaled gradient.
    #[inline]
    #[must_use]
    pub fn gradient(self, w: f32, g: f32) -> f32 {
        let sign = if w == 0.0 { 0.0 } else { 1.0_f32.copysign(w) };
        // Not `clamp`, which panics if the bound is NaN.
        let g = if g > self.bound {
            self.bound
        } else if g < -self.bound {
            -self.bound
        } else {
            g
        };
        g + self.l2 * w + self.l1 * sign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_gradient_stays_nan() {
        let incoming = GradientTransform { bound: 1.0, ..GradientTransform::UNCHANGED };
        assert!(incoming.gradient(1.0, f32::NAN).is_nan());
    }
}
