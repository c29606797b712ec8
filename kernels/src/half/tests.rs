//! Against the `half` crate: all 65,536 16-bit values, what lies between each two, and f32 of every kind.

use bytemuck::{cast_slice, cast_slice_mut};
use proptest::prelude::*;

use super::*;
use crate::simd::{Level, at_level};

const FORMATS: [Format; 2] = [Format::Bf16, Format::F16];

fn told_wide(format: Format, bits: u16) -> u32 {
    match format {
        Format::Bf16 => bf16::from_bits(bits).to_f32().to_bits(),
        Format::F16 => f16::from_bits(bits).to_f32().to_bits(),
    }
}

fn told_narrow(format: Format, value: f32) -> u16 {
    match format {
        Format::Bf16 => bf16::from_f32(value).to_bits(),
        Format::F16 => f16::from_f32(value).to_bits(),
    }
}

fn pack_bits(format: Format, from: &[f32], into: &mut [u16]) {
    match format {
        Format::Bf16 => pack::<bf16>(from, cast_slice_mut(into)),
        Format::F16 => pack::<f16>(from, cast_slice_mut(into)),
    }
}

fn unpack_bits(format: Format, from: &[u16], into: &mut [f32]) {
    match format {
        Format::Bf16 => unpack::<bf16>(cast_slice(from), into),
        Format::F16 => unpack::<f16>(cast_slice(from), into),
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Compares every function with the expected results, at every level.
fn check(format: Format, values: &[f32]) {
    let narrow: Vec<u16> = values.iter().map(|&value| told_narrow(format, value)).collect();
    let wide: Vec<u32> = narrow.iter().map(|&bits| told_wide(format, bits)).collect();
    let all = || {
        let mut kept = vec![1; values.len()];
        pack_bits(format, values, &mut kept);
        assert_eq!(kept, narrow);
        let mut found = vec![f32::NAN; values.len()];
        unpack_bits(format, &kept, &mut found);
        assert_eq!(bits(&found), wide);
        found.fill(f32::NAN);
        rounded(format, values, &mut found);
        assert_eq!(bits(&found), wide);
        let mut found = values.to_vec();
        round(format, &mut found);
        assert_eq!(bits(&found), wide);
        let mut found = values.to_vec();
        kept.fill(1);
        match format {
            Format::Bf16 => pack_and_round::<bf16>(&mut found, cast_slice_mut(&mut kept)),
            Format::F16 => pack_and_round::<f16>(&mut found, cast_slice_mut(&mut kept)),
        }
        assert_eq!((kept, bits(&found)), (narrow.clone(), wide.clone()));
    };
    all();
    for &level in Level::available() {
        at_level(level, all);
    }
}

#[test]
fn every_16_bit_value_round_trips() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    for format in FORMATS {
        let told: Vec<u32> = all.iter().map(|&bits| told_wide(format, bits)).collect();
        for &level in Level::available() {
            let mut values = vec![0.0; all.len()];
            at_level(level, || unpack_bits(format, &all, &mut values));
            assert_eq!(bits(&values), told);
            let mut again = vec![0; all.len()];
            at_level(level, || pack_bits(format, &values, &mut again));
            for (&before, (&after, value)) in all.iter().zip(again.iter().zip(&values)) {
                // A NaN is made quiet.
                let quiet = if format == Format::Bf16 { 0x40 } else { 0x200 };
                let expected = if value.is_nan() { before | quiet } else { before };
                assert_eq!(after, expected, "{format:?} {before:#x}");
            }
        }
    }
}

/// Each 16-bit value, half the way to the next, and one step of f32 to either side of both.
#[test]
fn rounding_is_to_nearest_with_ties_to_even() {
    for format in FORMATS {
        let fraction = if format == Format::Bf16 { 1 << 16 } else { 1 << 13 };
        let values: Vec<f32> = (0..=u16::MAX)
            .flat_map(|bits| {
                let first = told_wide(format, bits);
                let next = told_wide(format, bits.wrapping_add(1));
                let middle = f32::midpoint(f32::from_bits(first), f32::from_bits(next));
                let around = |bits: u32| [bits.wrapping_sub(1), bits, bits.wrapping_add(1)];
                around(first).into_iter().chain(around(middle.to_bits())).chain(around(first + fraction / 2))
            })
            .map(f32::from_bits)
            .collect();
        check(format, &values);
    }
}

#[test]
fn range_limits_are_converted() {
    let values =
        [0.0, -0.0, f32::INFINITY, -f32::INFINITY, f32::NAN, f32::MAX, -f32::MAX, f32::MIN_POSITIVE, 1e-45];
    let of_f16 =
        [65_504.0, 65_519.996, 65_520.0, 5.960_464_5e-8, 2.980_232_2e-8, 2.980_232_6e-8, 6.103_515_6e-5];
    for format in FORMATS {
        check(format, &values);
        check(format, &of_f16);
        check(format, &[]);
    }
    let mut found = of_f16;
    round(Format::F16, &mut found);
    let least = 5.960_464_5e-8;
    let told = [65_504.0, 65_504.0, f32::INFINITY, least, 0.0, least, 6.103_515_6e-5];
    assert_eq!(bits(&found), bits(&told));
}

proptest! {
    #[test]
    fn random_f32_values_are_converted(bits in prop::collection::vec(any::<u32>(), 0..100)) {
        let values: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
        for format in FORMATS {
            check(format, &values);
        }
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let values: Vec<f32> =
        (0..3 * BLOCK as u32 + 77).map(|n| f32::from_bits(n.wrapping_mul(2_654_435_769))).collect();
    for threads in 1..=3 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for format in FORMATS {
                check(format, &values);
            }
        });
    }
}

#[test]
#[should_panic(expected = "`into` is as long as the values")]
fn lengths_are_checked() {
    pack::<f16>(&[1.0], &mut []);
}

#[test]
fn epsilon_is_the_gap_above_one() {
    for format in FORMATS {
        let next = told_wide(format, told_narrow(format, 1.0) + 1);
        assert_eq!((f32::from_bits(next) - 1.0).to_bits(), format.epsilon().to_bits());
    }
}
