//! The exponential function, and parts that other functions share.

/// Beyond these, `exp` is 0 and infinity.
pub(super) const LEAST: f32 = -104.0;
const MOST: f32 = 89.0;

/// `exp(x)`
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    let x = if x < LEAST { LEAST } else { x };
    let x = if x > MOST { MOST } else { x };
    let reduced = Reduced::new(x);
    let [one, two] = reduced.powers();
    reduced.exp() * one * two
}

/// `x = n ln 2 + r` with a whole `n` and `|r| <= ln 2 / 2`.
#[derive(Clone, Copy)]
pub(super) struct Reduced {
    /// `n`, in the low bits.
    shifted: f32,
    r: f32,
}

impl Reduced {
    /// Adding it leaves a whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// `ln 2` in two parts; the first has so few bits that its products with `n` are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Of `(exp(r) - 1 - r) / r^2`, from the highest power on: the error of `exp(r)` is at most 3.2e-9 of it.
    const FACTORS: [f32; 5] = [0.001_382_104_2, 0.008_368_671, 0.041_668_262, 0.166_665_21, 0.499_999_94];

    /// Of an `x` within 1e6.
    #[inline(always)]
    pub(super) fn new(x: f32) -> Self {
        let shifted = x.mul_add(std::f32::consts::LOG2_E, Self::ROUND);
        let n = shifted - Self::ROUND;
        Self { shifted, r: n.mul_add(-Self::LN_2[1], n.mul_add(-Self::LN_2[0], x)) }
    }

    /// Of `x + rest`, with a small `rest`.
    #[inline(always)]
    pub(super) fn with_rest(x: f32, rest: f32) -> Self {
        let reduced = Self::new(x);
        Self { r: reduced.r + rest, ..reduced }
    }

    /// `(exp(r) - 1 - r) / r^2`
    #[inline(always)]
    fn curve(self) -> f32 {
        let [first, others @ ..] = Self::FACTORS;
        others.into_iter().fold(first, |sum, factor| self.r.mul_add(sum, factor))
    }

    /// `exp(r)`
    #[inline(always)]
    pub(super) fn exp(self) -> f32 {
        self.r.mul_add(self.r.mul_add(self.curve(), 1.0), 1.0)
    }

    /// `exp(r) - 1`
    #[inline(always)]
    pub(super) fn exp_m1(self) -> f32 {
        (self.r * self.r).mul_add(self.curve(), self.r)
    }

    /// `2^n` for `n` from -126 to 127.
    #[inline(always)]
    pub(super) fn power(self) -> f32 {
        f32::from_bits((self.shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
    }

    /// Two powers of 2, of which the product is `2^n`, for `n` from -252 to 254. Where they are multiplied one after the
    /// other, the result is rounded once, even if it is subnormal.
    #[inline(always)]
    pub(super) fn powers(self) -> [f32; 2] {
        let biased = self.shifted.to_bits().wrapping_sub(Self::ROUND.to_bits() - 2 * 127);
        let half = (biased >> 1) & 0xff;
        [half, biased.wrapping_sub(half) & 0xff].map(|exponent| f32::from_bits(exponent << 23))
    }
}
