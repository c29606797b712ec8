use super::ChannelFactor;
use crate::matmul::WriteMode;
use crate::simd::{self, Level};

fn values(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|place| ((place + salt) * 7919 % 2001) as f32 / 1000.0 - 1.0).collect()
}

/// `y`, `dx` and the gradient of the factors.
fn run(sizes: &ChannelFactor, outer: usize, before: Option<f32>) -> [Vec<f32>; 3] {
    let count = outer * sizes.channels * sizes.inner;
    let (x, factors, dy) = (values(count, 1), values(sizes.channels, 2), values(count, 3));
    let onto = if before.is_some() { WriteMode::Accumulate } else { WriteMode::Overwrite };
    let start = before.unwrap_or(f32::NAN);
    let (mut y, mut dx, mut d) = (vec![f32::NAN; count], vec![start; count], vec![start; sizes.channels]);
    sizes.forward(&x, &factors, &mut y);
    sizes.backward_input(&x, &factors, &dy, (&mut dx, onto));
    sizes.backward_factors(&x, &dy, (&mut d, onto));
    [y, dx, d]
}

/// One rounding for each product, and for a factor's gradient one for each of up to 600 sums of terms up to 1.
#[test]
fn results_match_definition() {
    for only_below in [false, true] {
        for (channels, inner, outer) in [(1, 1, 5), (7, 1, 60), (3, 50, 4), (20, 33, 2), (1, 100, 6)] {
            let sizes = ChannelFactor { channels, inner, only_below };
            let count = outer * channels * inner;
            let (x, factors, dy) = (values(count, 1), values(channels, 2), values(count, 3));
            let [y, dx, d] = run(&sizes, outer, Some(2.0));
            let mut sums = vec![0.0_f64; channels];
            for place in 0..count {
                let channel = place / inner % channels;
                let keeps = only_below && x[place] > 0.0;
                let factor = if keeps { 1.0 } else { factors[channel] };
                assert_eq!(y[place].to_bits(), (x[place] * factor).to_bits());
                assert_eq!(dx[place].to_bits(), (2.0 + dy[place] * factor).to_bits());
                if !keeps {
                    sums[channel] += f64::from(x[place]) * f64::from(dy[place]);
                }
            }
            for (found, sum) in d.iter().zip(sums) {
                assert!((f64::from(*found) - 2.0 - sum).abs() < 600.0 * 100.0 * 6e-8, "{found} {sum}");
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for (channels, inner) in [(70, 1), (5, 77)] {
        let sizes = ChannelFactor { channels, inner, only_below: true };
        let bits = || run(&sizes, 9, None).concat().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let expected = bits();
        for &level in Level::available() {
            assert_eq!(simd::at_level(level, bits), expected, "{level:?}");
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert_eq!(pool.install(bits), expected, "{threads}");
        }
    }
}

#[test]
#[should_panic(expected = "a factor for each channel")]
fn lengths_are_checked() {
    ChannelFactor { channels: 2, inner: 1, only_below: false }.forward(&[0.0; 2], &[0.0; 3], &mut [0.0; 2]);
}
