use proptest::prelude::*;

use super::WeightNorm;
use crate::matmul::WriteMode;
use crate::reduce::testing::{ROUNDING, compare, differentiate, numbers, same_bits, widen};

/// In f64: the weight.
fn weight(columns: usize, g: &[f64], v: &[f64]) -> Vec<f64> {
    let rows = v.chunks(columns).zip(g);
    rows.flat_map(|(v, g)| {
        let square: f64 = v.iter().map(|v| v * v).sum();
        let norm = if square == 0.0 { 1.0 } else { square.sqrt() };
        v.iter().map(move |v| g * v / norm)
    })
    .collect()
}

/// In f64: the gradients of `g` and `v`.
fn gradients(columns: usize, g: &[f64], v: &[f64], d: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut dg, mut dv) = (Vec::new(), Vec::new());
    for ((v, d), g) in v.chunks(columns).zip(d.chunks(columns)).zip(g) {
        let square: f64 = v.iter().map(|v| v * v).sum();
        let norm = if square == 0.0 { 1.0 } else { square.sqrt() };
        let product: f64 = v.iter().zip(d).map(|(v, d)| v * d).sum();
        dg.push(product / norm);
        dv.extend(v.iter().zip(d).map(|(v, d)| g / norm * (d - v * product / (norm * norm))));
    }
    (dg, dv)
}

fn data(norm: WeightNorm) -> [Vec<f32>; 3] {
    let count = norm.rows * norm.columns;
    [numbers(norm.rows, 1), numbers(count, 2), numbers(count, 3)]
}

fn run(norm: WeightNorm, onto: WriteMode) -> Vec<Vec<f32>> {
    let [g, v, d] = data(norm);
    // The previous contents must not affect what is overwritten.
    let before = if onto == WriteMode::Overwrite { f32::NAN } else { 1.0 };
    let (mut w, mut dg, mut dv) = (vec![f32::NAN; v.len()], vec![before; g.len()], vec![before; v.len()]);
    norm.forward(&g, &v, &mut w);
    norm.backward(&g, &v, &d, (&mut dg, &mut dv), onto);
    vec![w, dg, dv]
}

/// A sum of squares has 36 roundings, its root half of them; a product of two rows has 36 of the product of their norms.
fn check(norm: WeightNorm) {
    let [g, v, d] = data(norm);
    let found = run(norm, WriteMode::Overwrite);
    let columns = norm.columns;
    let (g, v, d) = (widen(&g), widen(&v), widen(&d));
    let expected = weight(columns, &g, &v);
    let off: Vec<f64> = expected.iter().map(|w| w.abs() * 22.0 * ROUNDING).collect();
    compare("w", &found[0], &expected, &off);
    let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    let (dg, dv) = gradients(columns, &g, &v, &d);
    let lengths: Vec<[f64; 2]> =
        v.chunks(columns).zip(d.chunks(columns)).map(|(v, d)| [length(v), length(d)]).collect();
    let off: Vec<f64> = lengths.iter().map(|[_, d]| d * 60.0 * ROUNDING).collect();
    compare("dg", &found[1], &dg, &off);
    let off: Vec<f64> = (0..v.len())
        .map(|place| {
            let [of_v, of_d] = lengths[place / columns];
            g[place / columns].abs() / of_v * (d[place].abs() + of_d) * 100.0 * ROUNDING
        })
        .collect();
    compare("dv", &found[2], &dv, &off);
    let added = run(norm, WriteMode::Accumulate);
    for (added, found) in added[1..].iter().flatten().zip(found[1..].iter().flatten()) {
        assert_eq!(added.to_bits(), (1.0 + found).to_bits());
    }
}

proptest! {
    #[test]
    fn matches_f64(rows in 1..40_usize, columns in 1..200_usize) {
        check(WeightNorm { rows, columns });
    }
}

const LARGE: WeightNorm = WeightNorm { rows: 301, columns: 577 };

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    check(LARGE);
    same_bits(|| run(LARGE, WriteMode::Overwrite));
}

#[test]
fn reference_gradients_match_finite_differences() {
    let norm = WeightNorm { rows: 3, columns: 4 };
    let [g, v, d] = data(norm).map(|values| widen(&values));
    let loss = |g: &[f64], v: &[f64]| weight(4, g, v).iter().zip(&d).map(|(w, d)| w * d).sum();
    let (dg, dv) = gradients(4, &g, &v, &d);
    differentiate(&mut g.clone(), &dg, 1e-7, |g| loss(g, &v));
    differentiate(&mut v.clone(), &dv, 1e-6, |v| loss(&g, v));
}

#[test]
fn norms_restore_the_weight() {
    let [_, v, _] = data(LARGE);
    let (mut g, mut w) = (vec![f32::NAN; LARGE.rows], vec![f32::NAN; v.len()]);
    LARGE.norms(&v, &mut g);
    LARGE.forward(&g, &v, &mut w);
    let off: Vec<f64> = v.iter().map(|v| 2.0 * ROUNDING * f64::from(v.abs())).collect();
    compare("w", &w, &widen(&v), &off);
}

#[test]
#[expect(clippy::float_cmp, reason = "exact values")]
fn row_of_zeros_counts_as_norm_1() {
    let norm = WeightNorm { rows: 1, columns: 2 };
    let (mut w, mut dg, mut dv) = ([f32::NAN; 2], [f32::NAN], [f32::NAN; 2]);
    norm.forward(&[3.0], &[0.0; 2], &mut w);
    norm.backward(&[3.0], &[0.0; 2], &[1.0, -2.0], (&mut dg, &mut dv), WriteMode::Overwrite);
    assert!(w.iter().all(|&w| w == 0.0) && dg[0] == 0.0, "{w:?}, {dg:?}");
    assert_eq!(dv, [3.0, -6.0]);
}

#[test]
fn overflowing_row_is_nan() {
    let norm = WeightNorm { rows: 2, columns: 1 };
    let mut w = [0.0; 2];
    norm.forward(&[1.0; 2], &[1e30, 2.0], &mut w);
    assert!(w[0].is_nan() && w[1].to_bits() == 1.0_f32.to_bits());
}

#[test]
fn empty_weight_is_accepted() {
    assert_eq!(run(WeightNorm { rows: 0, columns: 3 }, WriteMode::Overwrite), vec![Vec::<f32>::new(); 3]);
}

#[test]
#[should_panic(expected = "g is [rows]")]
fn lengths_are_checked() {
    WeightNorm { rows: 2, columns: 1 }.forward(&[1.0], &[1.0; 2], &mut [0.0; 2]);
}
