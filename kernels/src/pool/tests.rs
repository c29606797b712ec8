use proptest::prelude::*;

use super::{Pool, global_average, global_average_backward, reference};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

/// Values from -1 to 1 in steps of 1/8, so that some are equal; each sum of some thousand is exact.
pub(super) fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word % 17) / 8.0 - 1.0) as f32).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn size(pool: &Pool) -> (usize, usize) {
    (pool.planes * pool.height * pool.width, pool.planes * pool.out_height() * pool.out_width())
}

/// The results of each function: the maxima and the means, the winners, and the gradients of both, overwritten
/// and added to 1.
#[derive(Debug, PartialEq)]
struct Found {
    winners: Vec<u32>,
    values: [Vec<u32>; 7],
}

fn run(pool: &Pool, x: &[f32], dy: &[f32]) -> Found {
    let (inputs, outputs) = size(pool);
    let mut winners = vec![u32::MAX; outputs];
    let [mut max, mut max_alone, mut mean] = [(); 3].map(|()| vec![f32::NAN; outputs]);
    pool.max_forward(x, &mut max, Some(&mut winners));
    pool.max_forward(x, &mut max_alone, None);
    pool.average_forward(x, &mut mean);
    let mut gradients = Vec::new();
    for onto in [WriteMode::Overwrite, WriteMode::Accumulate] {
        let start = if onto == WriteMode::Overwrite { f32::NAN } else { 1.0 };
        let [mut of_max, mut of_mean] = [(); 2].map(|()| vec![start; inputs]);
        pool.max_backward(&winners, dy, (&mut of_max, onto));
        pool.average_backward(dy, (&mut of_mean, onto));
        gradients.extend([of_max, of_mean]);
    }
    let [max_replaced, mean_replaced, max_added, mean_added] = gradients.try_into().expect("four");
    let values = [max, max_alone, mean, max_replaced, mean_replaced, max_added, mean_added];
    Found { winners, values: values.map(|values| values.iter().map(|value| value.to_bits()).collect()) }
}

fn near(name: &str, found: &[u32], expected: &[f64], added: f64, steps: f64) {
    assert_eq!(found.len(), expected.len());
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let (found, expected) = (f64::from(f32::from_bits(found)), expected + added);
        // Terms of at most 1, each rounded once, and so is each sum of them.
        let tolerance = steps * f64::from(f32::EPSILON) * (1.0 + steps);
        assert!((found - expected).abs() <= tolerance, "{name}[{index}] is {found}, not {expected}");
    }
}

fn check(pool: &Pool) {
    let (inputs, outputs) = size(pool);
    let (x, dy) = (numbers(inputs, 1), numbers(outputs, 2));
    let found = run(pool, &x, &dy);
    let (max, winners) = reference::max(pool, &widen(&x));
    assert_eq!(found.winners, winners, "{pool:?}");
    let mut of_max = vec![0.0; inputs];
    reference::each(pool, |number, first, _| {
        of_max[first + winners[number] as usize] += f64::from(dy[number]);
    });
    let mean = reference::average(pool, &widen(&x));
    let of_mean = reference::average_backward(pool, &widen(&dy));
    let [max_found, max_alone, mean_found, max_replaced, mean_replaced, max_added, mean_added] =
        &found.values;
    near("max", max_found, &max, 0.0, 0.0);
    near("max without winners", max_alone, &max, 0.0, 0.0);
    // Sums are exact; then the factor and the product.
    near("mean", mean_found, &mean, 0.0, 2.0);
    near("gradient of the maximum", max_replaced, &of_max, 0.0, 0.0);
    near("gradient of the maximum, added", max_added, &of_max, 1.0, 0.0);
    let steps = (pool.kernel[0] * pool.kernel[1]) as f64 + 2.0;
    near("gradient of the mean", mean_replaced, &of_mean, 0.0, steps);
    near("gradient of the mean, added", mean_added, &of_mean, 1.0, steps);
}

prop_compose! {
    fn pools()(kernel in [1..5_usize, 1..5])(
        planes in 0..4_usize,
        height in 0..9_usize,
        width in 0..12_usize,
        kernel in Just(kernel),
        stride in [1..4_usize, 1..4],
        padding in [0..=kernel[0] / 2, 0..=kernel[1] / 2],
    ) -> Pool {
        Pool { planes, height, width, kernel, stride, padding }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn matches_reference(pool in pools()) {
        check(&pool);
    }

    #[test]
    fn matches_reference_for_adjacent_windows(
        planes in 1..4_usize,
        height in 0..7_usize,
        width in 0..80_usize,
    ) {
        check(&Pool { planes, height, width, kernel: [2; 2], stride: [2; 2], padding: [0; 2] });
    }
}

/// Large enough for several blocks.
const LARGE: [Pool; 3] = [
    Pool { planes: 70, height: 28, width: 28, kernel: [2; 2], stride: [2; 2], padding: [0; 2] },
    Pool { planes: 90, height: 15, width: 14, kernel: [2; 2], stride: [2; 2], padding: [0; 2] },
    Pool { planes: 90, height: 15, width: 14, kernel: [3; 2], stride: [2; 2], padding: [1; 2] },
];

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for pool in &LARGE {
        let (inputs, outputs) = size(pool);
        let (x, dy) = (numbers(inputs, 1), numbers(outputs, 2));
        let expected = simd::at_level(Level::Portable, || run(pool, &x, &dy));
        for &level in Level::available() {
            assert!(simd::at_level(level, || run(pool, &x, &dy)) == expected, "{level:?}");
        }
        for threads in [1, 2, 3] {
            let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert!(threads.install(|| run(pool, &x, &dy)) == expected, "{threads:?}");
        }
    }
}

#[test]
fn large_pools_match_reference() {
    LARGE.iter().for_each(check);
}

#[test]
fn max_pool_selects_first_nan() {
    for (width, kernel, padding) in [(2, 2, 0), (3, 3, 1), (16, 2, 0), (32, 2, 0), (64, 2, 0)] {
        let pool =
            Pool { planes: 1, height: 2, width, kernel: [kernel; 2], stride: [2; 2], padding: [padding; 2] };
        let mut x = vec![f32::INFINITY; 2 * width];
        (x[1], x[width]) = (f32::NAN, f32::NAN);
        let outputs = pool.out_width();
        let (mut y, mut winners) = (vec![0.0; outputs], vec![0; outputs]);
        pool.max_forward(&x, &mut y, Some(&mut winners));
        assert!(y[0].is_nan() && winners[0] == 1, "{pool:?}: {y:?} {winners:?}");
        let at = if kernel == 2 { 2 } else { 1 };
        assert!(y[1..].iter().all(|y| y.is_nan() == (kernel == 3)), "{y:?}");
        assert_eq!(winners.get(1).copied(), (outputs > 1).then_some(at), "{winners:?}");
    }
}

#[test]
fn max_pool_tie_selects_first_even_at_minus_infinity() {
    for width in [2, 8, 16, 32] {
        let pool = Pool { planes: 1, height: 2, width, kernel: [2; 2], stride: [2; 2], padding: [0; 2] };
        let mut winners = vec![9; width / 2];
        pool.max_forward(&vec![f32::NEG_INFINITY; 2 * width], &mut vec![0.0; width / 2], Some(&mut winners));
        assert!(winners.iter().enumerate().all(|(index, &winner)| winner as usize == 2 * index));
    }
}

#[test]
fn global_average_equals_window_of_full_size() {
    for (planes, places) in [(3, 64), (2, 7), (1, 1), (0, 5), (2000, 49)] {
        let x = numbers(planes * places, 3);
        let mut y = vec![f32::NAN; planes];
        global_average(&x, planes, places, &mut y);
        let mut dx = vec![f32::NAN; x.len()];
        global_average_backward(&y, planes, places, (&mut dx, WriteMode::Overwrite));
        let mut added = vec![1.0; x.len()];
        global_average_backward(&y, planes, places, (&mut added, WriteMode::Accumulate));
        for (plane, &y) in y.iter().enumerate() {
            let part = plane * places..(plane + 1) * places;
            // Sums of eighths are exact, so that the division alone rounds.
            let mean = (x[part.clone()].iter().map(|&x| f64::from(x)).sum::<f64>() / places as f64) as f32;
            let share = mean / places as f32;
            assert_eq!(y.to_bits(), mean.to_bits());
            assert!(dx[part.clone()].iter().all(|dx| dx.to_bits() == share.to_bits()));
            assert!(added[part].iter().all(|dx| dx.to_bits() == (1.0 + share).to_bits()));
        }
        for &level in Level::available() {
            let mut at_level = vec![f32::NAN; planes];
            simd::at_level(level, || global_average(&x, planes, places, &mut at_level));
            assert_eq!(at_level, y);
        }
    }
    let mut y = [0.0];
    global_average(&[], 1, 0, &mut y);
    assert!(y[0].is_nan());
    global_average_backward(&y, 1, 0, (&mut [], WriteMode::Overwrite));
}

#[test]
#[should_panic(expected = "x is [planes, height, width]")]
fn lengths_are_checked() {
    LARGE[0].max_forward(&[1.0], &mut [0.0], None);
}

#[test]
#[should_panic(expected = "padding is at most half of the kernel")]
fn padding_is_checked() {
    Pool { padding: [1, 2], ..LARGE[2] }.average_forward(&[], &mut []);
}
