//! Random draws from a counter-based stream: for mixing, augmenting and drawing samples.

use trainspec_kernels::philox;

use crate::rng::{StepIndex, Stream};

/// The random values of a stream at one moment, drawn in sequence, as many as needed.
#[derive(Debug)]
pub struct SampleRng {
    key: [u32; 2],
    place: [u32; 3],
    /// The index of the next block of four words.
    block: u32,
}

impl SampleRng {
    /// Starts the draws of `stream` at that moment.
    #[must_use]
    pub fn new(stream: Stream, at: StepIndex) -> Self {
        Self { key: stream.key(), place: at.place(), block: 0 }
    }

    /// Two values uniform in (0, 1), on a grid of 2^-53.
    fn pair(&mut self) -> [f64; 2] {
        let [x, y, z] = self.place;
        let [a, b, c, d] = philox::block([self.block, x, y, z], self.key);
        self.block = self.block.wrapping_add(1);
        [[a, b], [c, d]].map(|[low, high]| {
            let word = u64::from(low) | u64::from(high) << 32;
            ((word >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
        })
    }

    /// A value uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.pair()[0]
    }

    /// An integer below `count`, uniform except for a bias of `count / 2^52`; 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }

    /// A value uniform in (`from`, `to`).
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.uniform()
    }

    /// Whether an event of this probability happens: never for 0, always for 1.
    pub fn happens(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Puts the items in a random order. All orders are equally likely up to the bias of [`SampleRng::below`] (Fisher and Yates, in
    /// Durstenfeld's form).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// A value of the normal distribution with mean 0 and standard deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        self.normals()[0]
    }

    /// Two independent values of the normal distribution.
    pub fn normals(&mut self) -> [f64; 2] {
        let [u, v] = self.pair();
        let radius = (-2.0 * u.ln()).sqrt();
        let angle = std::f64::consts::TAU * v;
        [radius * angle.cos(), radius * angle.sin()]
    }

    /// The logarithm of a value of the gamma distribution with this shape and scale 1 (Marsaglia and Tsang 2000; for a
    /// shape below 1, a value of the next higher shape times `u^(1 / shape)`, as in the paper). The logarithm is used
    /// because for small shapes most values underflow f64.
    fn ln_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = self.uniform().ln() / shape;
            return self.ln_gamma(shape + 1.0) + power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d.ln() + v.ln();
            }
        }
    }

    /// A value of the beta distribution: `x / (x + y)` with `x` and `y` of the gamma distributions of shapes `a` and `b`,
    /// both above 0.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.ln_gamma(a), self.ln_gamma(b));
        1.0 / (1.0 + (y - x).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    const COUNT: usize = 40_000;

    fn draws(key: u64) -> SampleRng {
        SampleRng::new(Stream::new(key, Purpose::Augment, "test"), StepIndex::default())
    }

    /// Raw moments: the mean of `x^k` has the standard deviation `sqrt((m(2k) - m(k)^2) / n)`; five of them are exceeded
    /// once in 2 million seeds.
    fn check(what: &str, values: &[f64], moment: impl Fn(i32) -> f64) {
        for k in 1..=3 {
            let mean = values.iter().map(|value| value.powi(k)).sum::<f64>() / values.len() as f64;
            let deviation = ((moment(2 * k) - moment(k).powi(2)) / values.len() as f64).sqrt();
            assert!(
                (mean - moment(k)).abs() < 5.0 * deviation,
                "{what}: moment {k} is {mean}, not {}",
                moment(k)
            );
        }
    }

    /// Moment k of the beta distribution is the product of `(a + i) / (a + b + i)` for i below k; that of the gamma is the
    /// product of
    /// `a + i`.
    #[test]
    fn draws_match_distribution_moments() {
        let rising = |a: f64, k: i32| (0..k).map(|i| a + f64::from(i)).product::<f64>();
        for (key, (a, b)) in (0..).zip([(0.2, 0.2), (1.0, 1.0), (0.05, 0.05), (4.0, 4.0), (2.5, 0.5)]) {
            let mut draws = draws(key);
            let values: Vec<f64> = (0..COUNT).map(|_| draws.beta(a, b)).collect();
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            check("beta", &values, |k| rising(a, k) / rising(a + b, k));
        }
        for (key, shape) in (10..).zip([0.3, 1.0, 7.5]) {
            let mut draws = draws(key);
            let values: Vec<f64> = (0..COUNT).map(|_| draws.ln_gamma(shape).exp()).collect();
            check("gamma", &values, |k| rising(shape, k));
        }
        let mut draws = draws(20);
        let values: Vec<f64> = (0..COUNT).map(|_| draws.uniform()).collect();
        check("uniform", &values, |k| 1.0 / f64::from(k + 1));
    }

    #[test]
    fn shuffled_items_are_a_permutation() {
        let mut items: Vec<_> = (0..50).collect();
        draws(32).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
        // Each of 4 items is first in a quarter of 4000 orders, to five standard deviations of sqrt(4000 * 3 / 16).
        let mut rng = draws(33);
        let mut first = [0; 4];
        for _ in 0..4000 {
            let mut items = [0, 1, 2, 3];
            rng.shuffle(&mut items);
            first[items[0]] += 1;
        }
        assert!(first.iter().all(|count: &i32| (count - 1000).abs() < 138), "{first:?}");
        assert!((0..100).all(|_| !rng.happens(0.0) && rng.happens(1.0)));
    }

    #[test]
    fn smallest_shape_parameters_draw_in_range() {
        let mut draws = draws(30);
        let ends =
            (0..1000).map(|_| draws.beta(1e-4, 1e-4)).filter(|share| (0.0..=1.0).contains(share)).count();
        assert_eq!(ends, 1000);
    }

    #[test]
    fn integer_draws_are_below_count() {
        let mut draws = draws(31);
        let mut counts = [0; 7];
        (0..7000).for_each(|_| counts[draws.below(7)] += 1);
        // Five standard deviations of sqrt(7000 * 6 / 49).
        assert!(counts.iter().all(|count: &i32| (count - 1000).abs() < 147), "{counts:?}");
        assert_eq!(draws.below(0), 0);
    }
}
