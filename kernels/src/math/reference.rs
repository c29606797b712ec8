//! The functions in f64, to about 1e-14 of their values, for comparison.

/// Mills' ratio `m(t) = (1 - Phi(t)) / phi(t)` for `0 <= t <= 16`, from Taylor polynomials a sixteenth apart.
pub(crate) struct Mills(Vec<[f64; 14]>);

impl Mills {
    /// By `m' = t m - 1` from the continued fraction at 16 downwards, in which direction errors die out.
    pub(crate) fn new() -> Self {
        let mut value = 1.0 / (1..200).rev().fold(16.0, |below, k| 16.0 + f64::from(k) / below);
        let mut nodes: Vec<_> = (0..=256)
            .rev()
            .map(|node| {
                let t = f64::from(node) / 16.0;
                let mut terms = [0.0; 14];
                terms[0] = value;
                terms[1] = t * value - 1.0;
                for k in 1..13 {
                    terms[k + 1] = (t * terms[k] + terms[k - 1]) / (k + 1) as f64;
                }
                value = at(&terms, -1.0 / 16.0);
                terms
            })
            .collect();
        nodes.reverse();
        Self(nodes)
    }

    fn ratio(&self, t: f64) -> f64 {
        let node = (t * 16.0).round();
        at(&self.0[node as usize], t - node / 16.0)
    }

    /// `Phi(-t)` for `t >= 0`.
    pub(crate) fn tail(&self, t: f64) -> f64 {
        if t.is_nan() {
            t
        } else if t > 16.0 {
            0.0
        } else {
            density(t) * self.ratio(t)
        }
    }

    pub(crate) fn phi(&self, x: f64) -> f64 {
        if x < 0.0 { self.tail(-x) } else { 1.0 - self.tail(x) }
    }

    pub(crate) fn erf(&self, x: f64) -> f64 {
        if x.abs() > 0.5 {
            return (1.0 - 2.0 * self.tail(x.abs() * std::f64::consts::SQRT_2)).copysign(x);
        }
        let mut term = x;
        let mut sum = x;
        for k in 1..16 {
            term *= -x * x / f64::from(k);
            sum += term / f64::from(2 * k + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }
}

fn at(terms: &[f64], step: f64) -> f64 {
    terms.iter().rev().fold(0.0, |sum, term| sum * step + term)
}

pub(crate) fn density(x: f64) -> f64 {
    const FACTOR: f64 = 0.398_942_280_401_432_7;
    FACTOR * (-0.5 * x * x).exp()
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    let small = (-x.abs()).exp();
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

pub(crate) fn softplus(x: f64) -> f64 {
    // `max` drops a NaN.
    (if x > 0.0 { x } else { 0.0 }) + (-x.abs()).exp().ln_1p()
}

/// `tanh(softplus(x))`, and its difference from 1.
pub(crate) fn mish_gate(x: f64) -> [f64; 2] {
    let small = (-x.abs()).exp();
    let (numerator, rest) =
        if x > 0.0 { (1.0 + 2.0 * small, 2.0 * small * small) } else { (small * (2.0 + small), 2.0) };
    [numerator / (numerator + rest), rest / (numerator + rest)]
}

/// `tanh'`
pub(crate) fn tanh_slope(x: f64) -> f64 {
    let small = (-2.0 * x.abs()).exp();
    4.0 * small / (1.0 + small).powi(2)
}

/// The argument of the sigmoid in the approximation of GELU, and its derivative.
pub(crate) fn inner(x: f64) -> (f64, f64) {
    let factor = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
    (factor * (x + 0.044_715 * x * x * x), factor * (1.0 + 3.0 * 0.044_715 * x * x))
}
