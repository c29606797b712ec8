//! Attention as plain loops in f64, with the full matrix of weights.

use super::Attention;
use crate::philox;

/// The result of the reference, and the magnitude of each sum: the sum of the absolute values of its terms.
pub(super) struct Found {
    pub(super) values: Vec<f64>,
    pub(super) magnitudes: Vec<f64>,
}

/// One head of one sample.
struct Table<'a> {
    attention: &'a Attention,
    sample: usize,
    head: usize,
    qkv: &'a [f64],
}

impl Table<'_> {
    fn at(&self, part: usize, place: usize, feature: usize) -> usize {
        let Attention { length, heads, width, .. } = *self.attention;
        (((self.sample * length + place) * 3 + part) * heads + self.head) * width + feature
    }

    fn part(&self, part: usize, place: usize, feature: usize) -> f64 {
        self.qkv[self.at(part, place, feature)]
    }

    fn in_y(&self, place: usize, feature: usize) -> usize {
        let Attention { length, heads, width, .. } = *self.attention;
        ((self.sample * length + place) * heads + self.head) * width + feature
    }

    fn scale(&self) -> f64 {
        1.0 / (self.attention.width as f64).sqrt()
    }

    fn score(&self, query: usize, key: usize) -> f64 {
        let sum = |feature| self.part(0, query, feature) * self.part(1, key, feature);
        (0..self.attention.width).map(sum).sum::<f64>() * self.scale()
    }

    fn seen(&self, query: usize) -> std::ops::Range<usize> {
        0..if self.attention.causal { query + 1 } else { self.attention.length }
    }

    fn log_sum(&self, query: usize) -> f64 {
        self.seen(query).map(|key| self.score(query, key).exp()).sum::<f64>().ln()
    }

    /// A weight, and its dropout factor.
    fn weight(&self, query: usize, key: usize) -> (f64, f64) {
        let Attention { length, heads, dropout, .. } = *self.attention;
        let weight = (self.score(query, key) - self.log_sum(query)).exp();
        let factor = dropout.map_or(1.0, |dropout| {
            let index = ((self.sample * heads + self.head) * length + query) * length + key;
            let [a, b, c] = dropout.place;
            let word = philox::block([(index / 4) as u32, a, b, c], dropout.key)[index % 4];
            if word < dropout.threshold { 0.0 } else { f64::from(dropout.scale) }
        });
        (weight, factor)
    }
}

fn tables<'a>(attention: &'a Attention, qkv: &'a [f64]) -> impl Iterator<Item = Table<'a>> {
    let heads = (0..attention.batch).flat_map(|sample| (0..attention.heads).map(move |head| (sample, head)));
    heads.map(move |(sample, head)| Table { attention, sample, head, qkv })
}

/// `y` and `log_sums`.
pub(super) fn forward(attention: &Attention, qkv: &[f64]) -> (Found, Vec<f64>) {
    let mut y = Found { values: vec![0.0; qkv.len() / 3], magnitudes: vec![0.0; qkv.len() / 3] };
    let mut log_sums = Vec::new();
    for table in tables(attention, qkv) {
        for query in 0..attention.length {
            log_sums.push(table.log_sum(query));
            for key in table.seen(query) {
                let (weight, factor) = table.weight(query, key);
                for feature in 0..attention.width {
                    let term = weight * factor * table.part(2, key, feature);
                    y.values[table.in_y(query, feature)] += term;
                    y.magnitudes[table.in_y(query, feature)] += term.abs();
                }
            }
        }
    }
    (y, log_sums)
}

/// The gradient of `qkv`.
pub(super) fn backward(attention: &Attention, qkv: &[f64], dy: &[f64]) -> Found {
    let (y, _) = forward(attention, qkv);
    let mut found = Found { values: vec![0.0; qkv.len()], magnitudes: vec![0.0; qkv.len()] };
    let mut add = |index: usize, value: f64, magnitude: f64| {
        found.values[index] += value;
        found.magnitudes[index] += magnitude;
    };
    for table in tables(attention, qkv) {
        for query in 0..attention.length {
            let features = 0..attention.width;
            let dy_at = |feature| dy[table.in_y(query, feature)];
            let mean: f64 = features.clone().map(|f| dy_at(f) * y.values[table.in_y(query, f)]).sum();
            let mean_size: f64 =
                features.clone().map(|f| dy_at(f).abs() * y.magnitudes[table.in_y(query, f)]).sum();
            for key in table.seen(query) {
                let (weight, factor) = table.weight(query, key);
                let products = features.clone().map(|f| dy_at(f) * table.part(2, key, f));
                let d_weight: f64 = products.clone().sum::<f64>() * factor;
                let d_weight_size: f64 = products.map(f64::abs).sum::<f64>() * factor;
                let d_score = weight * (d_weight - mean) * table.scale();
                let size = weight * (d_weight_size + mean_size) * table.scale();
                for feature in features.clone() {
                    let (q, k) = (table.part(0, query, feature), table.part(1, key, feature));
                    add(table.at(0, query, feature), d_score * k, size * k.abs());
                    add(table.at(1, key, feature), d_score * q, size * q.abs());
                    let term = weight * factor * dy_at(feature);
                    add(table.at(2, key, feature), term, term.abs());
                }
            }
        }
    }
    found
}
