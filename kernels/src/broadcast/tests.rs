use super::*;
use crate::reduce::testing::{numbers, same_bits};

const OPERATORS: [Operator; 4] = [Operator::Add, Operator::Sub, Operator::Mul, Operator::Div];

/// Axes of the full and the small value.
const CASES: [(&[usize], &[usize]); 9] = [
    (&[3, 4, 5], &[3, 1, 1]),
    (&[3, 4, 5], &[1, 4, 5]),
    (&[3, 4, 5], &[3, 1, 5]),
    (&[3, 4, 5], &[1, 4, 1]),
    (&[2, 3, 1, 40], &[1, 3, 1, 1]),
    (&[7, 33], &[7, 1]),
    (&[40], &[1]),
    (&[3, 4], &[3, 4]),
    (&[1], &[1]),
];

fn index(full: &[usize], small: &[usize], mut number: usize) -> usize {
    let (mut at, mut stride) = (0, 1);
    for (&length, &own) in full.iter().zip(small).rev() {
        let place = number % length;
        number /= length;
        if own == length {
            at += place * stride;
        }
        stride *= own;
    }
    at
}

/// The value, and the derivatives by the full and by the small value.
fn exact(operator: Operator, is_swapped: bool, full: f64, small: f64) -> [f64; 3] {
    match (operator, is_swapped) {
        (Operator::Add, _) => [full + small, 1.0, 1.0],
        (Operator::Sub, false) => [full - small, 1.0, -1.0],
        (Operator::Sub, true) => [small - full, -1.0, 1.0],
        (Operator::Mul, _) => [full * small, small, full],
        (Operator::Div, false) => [full / small, 1.0 / small, -full / (small * small)],
        (Operator::Div, true) => [small / full, -small / (full * full), 1.0 / full],
    }
}

/// Numbers that can be divided by.
fn divisors(count: usize, key: u32) -> Vec<f32> {
    numbers(count, key).into_iter().map(|number| number + 0.5_f32.copysign(number)).collect()
}

#[test]
fn values_and_gradients_match_f64() {
    const BATCH: usize = 3;
    for (full_axes, small_axes) in CASES {
        for operator in OPERATORS {
            for is_swapped in [false, true] {
                let broadcast = Broadcast::new(operator, full_axes, small_axes, is_swapped);
                let [size, own]: [usize; 2] = [full_axes, small_axes].map(|axes| axes.iter().product());
                let (full, small) = (divisors(BATCH * size, 1), divisors(BATCH * own, 2));
                let dy = numbers(BATCH * size, 3);
                let mut y = vec![f32::NAN; BATCH * size];
                broadcast.forward(&full, &small, &mut y);
                for onto in [WriteMode::Overwrite, WriteMode::Accumulate] {
                    let before = if onto == WriteMode::Accumulate { 1.0 } else { 0.0 };
                    let (mut d_full, mut d_small) = (vec![1.0; BATCH * size], vec![1.0; BATCH * own]);
                    broadcast.backward_full(&full, &small, &dy, (&mut d_full, onto));
                    broadcast.backward_small(&full, &small, &dy, (&mut d_small, onto));
                    let mut sums = vec![(before, 1.0); BATCH * own];
                    let unit = f64::from(f32::EPSILON);
                    for (i, &dy) in dy.iter().enumerate() {
                        let at = i / size * own + index(full_axes, small_axes, i % size);
                        let dy = f64::from(dy);
                        let [value, by_full, by_small] =
                            exact(operator, is_swapped, full[i].into(), small[at].into());
                        assert!((f64::from(y[i]) - value).abs() <= unit * (value.abs() + 1.0));
                        let off = f64::from(d_full[i]) - before - dy * by_full;
                        assert!(off.abs() <= 4.0 * unit * ((dy * by_full).abs() + 1.0), "{operator:?}");
                        sums[at].0 += dy * by_small;
                        sums[at].1 += (dy * by_small).abs();
                    }
                    for (found, (sum, terms)) in d_small.iter().zip(sums) {
                        assert!((f64::from(*found) - sum).abs() <= 32.0 * unit * terms, "{operator:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_threads_or_simd_level() {
    for operator in OPERATORS {
        let broadcast = Broadcast::new(operator, &[30, 700], &[30, 1], false);
        same_bits(|| {
            let (full, small) = (divisors(9 * 21_000, 1), divisors(9 * 30, 2));
            let (mut y, mut d_full, mut d_small) = (full.clone(), full.clone(), small.clone());
            broadcast.forward(&full, &small, &mut y);
            broadcast.backward_full(&full, &small, &y, (&mut d_full, WriteMode::Overwrite));
            broadcast.backward_small(&full, &small, &y, (&mut d_small, WriteMode::Accumulate));
            vec![y, d_full, d_small]
        });
    }
}
