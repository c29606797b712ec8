//! Attention as plain loops in f64, with the full matrix of weights.

use super::{Attention, GroupedAttention};
use crate::philox;

/// The result of the reference, and the magnitude of each sum: the sum of the absolute values of its terms.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) values: Vec<f64>,
    pub(super) magnitudes: Vec<f64>,
}

impl Found {
    fn zeros(length: usize) -> Self {
        Self { values: vec![0.0; length], magnitudes: vec![0.0; length] }
    }

    fn add(&mut self, index: usize, value: f64, magnitude: f64) {
        self.values[index] += value;
        self.magnitudes[index] += magnitude;
    }
}

/// Queries, keys and values, and which keys are attended to.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) parts: [Vec<f64>; 3],
    pub(super) mask: Option<Vec<f64>>,
}

/// One head of one sample.
struct Table<'a> {
    attention: &'a GroupedAttention,
    sample: usize,
    head: usize,
    given: &'a Given,
}

impl Table<'_> {
    fn at(&self, part: usize, place: usize, feature: usize) -> usize {
        let GroupedAttention { queries, keys, heads, kv_heads, width, .. } = *self.attention;
        let (length, of, head) = match part {
            0 => (queries, heads, self.head),
            _ => (keys, kv_heads, self.head / (heads / kv_heads)),
        };
        ((self.sample * length + place) * of + head) * width + feature
    }

    fn part(&self, part: usize, place: usize, feature: usize) -> f64 {
        self.given.parts[part][self.at(part, place, feature)]
    }

    fn scale(&self) -> f64 {
        1.0 / (self.attention.width as f64).sqrt()
    }

    fn score(&self, query: usize, key: usize) -> f64 {
        let sum = |feature| self.part(0, query, feature) * self.part(1, key, feature);
        (0..self.attention.width).map(sum).sum::<f64>() * self.scale()
    }

    fn seen(&self, query: usize) -> impl Iterator<Item = usize> + Clone {
        let GroupedAttention { keys, causal, .. } = *self.attention;
        let is_seen = move |key: &usize| {
            let mask = self.given.mask.as_ref();
            (!causal || *key <= query) && mask.is_none_or(|mask| mask[self.sample * keys + key] > 0.0)
        };
        (0..keys).filter(is_seen)
    }

    fn log_sum(&self, query: usize) -> f64 {
        let sum = self.seen(query).map(|key| self.score(query, key).exp()).sum::<f64>();
        if sum == 0.0 { 0.0 } else { sum.ln() }
    }

    /// A weight, and its dropout factor.
    fn weight(&self, query: usize, key: usize) -> (f64, f64) {
        let GroupedAttention { queries, keys, heads, dropout, .. } = *self.attention;
        let weight = (self.score(query, key) - self.log_sum(query)).exp();
        let factor = dropout.map_or(1.0, |dropout| {
            let index = ((self.sample * heads + self.head) * queries + query) * keys + key;
            let [a, b, c] = dropout.place;
            let word = philox::block([(index / 4) as u32, a, b, c], dropout.key)[index % 4];
            if word < dropout.threshold { 0.0 } else { f64::from(dropout.scale) }
        });
        (weight, factor)
    }
}

fn tables<'a>(attention: &'a GroupedAttention, given: &'a Given) -> impl Iterator<Item = Table<'a>> {
    let heads = (0..attention.batch).flat_map(|sample| (0..attention.heads).map(move |head| (sample, head)));
    heads.map(move |(sample, head)| Table { attention, sample, head, given })
}

/// `y` and `log_sums`.
pub(super) fn grouped_forward(attention: &GroupedAttention, given: &Given) -> (Found, Vec<f64>) {
    let mut y = Found::zeros(given.parts[0].len());
    let mut log_sums = Vec::new();
    for table in tables(attention, given) {
        for query in 0..attention.queries {
            log_sums.push(table.log_sum(query));
            for key in table.seen(query) {
                let (weight, factor) = table.weight(query, key);
                for feature in 0..attention.width {
                    let term = weight * factor * table.part(2, key, feature);
                    y.add(table.at(0, query, feature), term, term.abs());
                }
            }
        }
    }
    (y, log_sums)
}

/// The gradients of queries, keys and values.
pub(super) fn grouped_backward(attention: &GroupedAttention, given: &Given, dy: &[f64]) -> [Found; 3] {
    let (y, _) = grouped_forward(attention, given);
    let mut found = given.parts.each_ref().map(|part| Found::zeros(part.len()));
    for table in tables(attention, given) {
        for query in 0..attention.queries {
            let features = 0..attention.width;
            let at = |feature| table.at(0, query, feature);
            let mean: f64 = features.clone().map(|f| dy[at(f)] * y.values[at(f)]).sum();
            let mean_size: f64 = features.clone().map(|f| dy[at(f)].abs() * y.magnitudes[at(f)]).sum();
            for key in table.seen(query) {
                let (weight, factor) = table.weight(query, key);
                let products = features.clone().map(|f| dy[at(f)] * table.part(2, key, f));
                let d_weight: f64 = products.clone().sum::<f64>() * factor;
                let d_weight_size: f64 = products.map(f64::abs).sum::<f64>() * factor;
                let d_score = weight * (d_weight - mean) * table.scale();
                let size = weight * (d_weight_size + mean_size) * table.scale();
                for feature in features.clone() {
                    let (q, k) = (table.part(0, query, feature), table.part(1, key, feature));
                    found[0].add(table.at(0, query, feature), d_score * k, size * k.abs());
                    found[1].add(table.at(1, key, feature), d_score * q, size * q.abs());
                    let term = weight * factor * dy[at(feature)];
                    found[2].add(table.at(2, key, feature), term, term.abs());
                }
            }
        }
    }
    found
}

/// The same attention with separate queries, keys and values.
fn separate(attention: &Attention) -> GroupedAttention {
    let Attention { batch, length, heads, width, causal, dropout } = *attention;
    GroupedAttention { batch, queries: length, keys: length, heads, kv_heads: heads, width, causal, dropout }
}

fn split(attention: &Attention, qkv: &[f64]) -> Given {
    let row = (attention.heads * attention.width).max(1);
    let part = |part| qkv.chunks(row).skip(part).step_by(3).flatten().copied().collect();
    Given { parts: [part(0), part(1), part(2)], mask: None }
}

/// `y` and `log_sums`.
pub(super) fn forward(attention: &Attention, qkv: &[f64]) -> (Found, Vec<f64>) {
    grouped_forward(&separate(attention), &split(attention, qkv))
}

/// The gradient of `qkv`.
pub(super) fn backward(attention: &Attention, qkv: &[f64], dy: &[f64]) -> Found {
    let parts = grouped_backward(&separate(attention), &split(attention, qkv), dy);
    let row = (attention.heads * attention.width).max(1);
    let mut found = Found::zeros(qkv.len());
    for (part, gradient) in parts.iter().enumerate() {
        let rows = gradient.values.chunks(row).zip(gradient.magnitudes.chunks(row)).enumerate();
        for (place, (values, magnitudes)) in rows {
            let first = (3 * place + part) * row;
            found.values[first..first + row].copy_from_slice(values);
            found.magnitudes[first..first + row].copy_from_slice(magnitudes);
        }
    }
    found
}
