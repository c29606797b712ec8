use super::Rotary;
use crate::matmul::WriteMode;
use crate::simd::{self, Level};

const SIZES: Rotary = Rotary { length: 70, heads: 3, width: 10, interleaved: false };

fn values(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|place| ((place + salt) * 7919 % 2001) as f32 / 1000.0 - 1.0).collect()
}

/// The tables of angles that differ by position and pair.
fn table(sizes: &Rotary) -> Vec<f32> {
    let angles = (0..sizes.length * sizes.width / 2).map(|place| (place * 31 % 97) as f32 / 10.0);
    let angles: Vec<f32> = angles.collect();
    angles.iter().map(|angle| angle.cos()).chain(angles.iter().map(|angle| angle.sin())).collect()
}

/// The same in f64, one pair at a time; `sign` is that of the angle.
fn reference(sizes: &Rotary, x: &[f32], table: &[f32], sign: f64) -> Vec<f64> {
    let Rotary { length, heads, width, interleaved } = *sizes;
    let half = width / 2;
    let mut y = vec![0.0; x.len()];
    for head in 0..x.len() / width {
        let position = head / heads % length;
        for pair in 0..half {
            let (i, j) = if interleaved { (2 * pair, 2 * pair + 1) } else { (pair, pair + half) };
            let (u, v) = (f64::from(x[head * width + i]), f64::from(x[head * width + j]));
            let place = position * half + pair;
            let (cos, sin) = (f64::from(table[place]), sign * f64::from(table[length * half + place]));
            y[head * width + i] = u * cos - v * sin;
            y[head * width + j] = u * sin + v * cos;
        }
    }
    y
}

/// Two roundings of terms up to 1 each.
#[test]
fn rotation_matches_reference() {
    for interleaved in [false, true] {
        let sizes = Rotary { interleaved, ..SIZES };
        let (x, table) = (values(2 * 70 * 30, 1), table(&sizes));
        let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![2.0; x.len()]);
        sizes.forward(&x, &table, &mut y);
        sizes.backward(&x, &table, (&mut dx, WriteMode::Accumulate));
        for (sign, found, plus) in [(1.0, &y, 0.0), (-1.0, &dx, 2.0)] {
            for (found, expected) in found.iter().zip(reference(&sizes, &x, &table, sign)) {
                assert!((f64::from(*found) - plus - expected).abs() < 4e-7, "{found} {expected}");
            }
        }
    }
}

/// The rotated gradient of a rotation is the gradient.
#[test]
fn backward_undoes_forward() {
    let (x, table) = (values(70 * 30, 3), table(&SIZES));
    let (mut y, mut back) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    SIZES.forward(&x, &table, &mut y);
    SIZES.backward(&y, &table, (&mut back, WriteMode::Overwrite));
    assert!(x.iter().zip(&back).all(|(x, back)| (x - back).abs() < 1e-6));
}

#[test]
fn results_do_not_depend_on_simd_level() {
    for interleaved in [false, true] {
        let sizes = Rotary { interleaved, ..SIZES };
        let (x, table) = (values(70 * 30, 5), table(&sizes));
        let run = || {
            let mut y = vec![0.0; x.len()];
            sizes.forward(&x, &table, &mut y);
            y.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        let expected = simd::at_level(Level::Portable, run);
        for &level in Level::available() {
            assert_eq!(simd::at_level(level, run), expected, "{level:?}");
        }
    }
}

#[test]
#[should_panic(expected = "two tables of [length, width / 2]")]
fn lengths_are_checked() {
    Rotary { length: 1, heads: 1, width: 2, interleaved: false }.forward(&[0.0; 2], &[0.0; 4], &mut [0.0; 2]);
}
