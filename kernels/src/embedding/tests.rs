use proptest::prelude::*;

use super::reference::Rows;
use super::{BLOCK, Embedding, PositionEmbedding};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

fn words(count: usize, key: u32) -> Vec<u32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words
}

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let each = |word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32;
    words(count, key).into_iter().map(each).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// One of the two kernels with its data.
enum Kernel {
    Token(Embedding, Vec<u32>),
    Position(PositionEmbedding),
}

use Kernel::{Position, Token};

impl Kernel {
    fn token(places: usize, vocabulary: usize, features: usize) -> Self {
        // Small tokens are more frequent than large ones, as in a language.
        let token = |word: u32| (((u64::from(word) * u64::from(word)) >> 32) * vocabulary as u64) >> 32;
        let tokens = words(places, 9).into_iter().map(|word| token(word) as u32).collect();
        Token(Embedding { vocabulary, features }, tokens)
    }

    fn position(batch: usize, length: usize, features: usize) -> Self {
        Position(PositionEmbedding { batch, length, features })
    }

    /// The row of each position, the number of rows, and their length.
    fn reference(&self) -> (Rows, usize, usize) {
        match self {
            Token(embedding, tokens) => {
                let rows = tokens.iter().map(|&token| token as usize).collect();
                (Rows(rows), embedding.vocabulary, embedding.features)
            }
            Position(positions) => {
                let rows = (0..positions.batch).flat_map(|_| 0..positions.length).collect();
                (Rows(rows), positions.length, positions.features)
            }
        }
    }

    fn forward(&self, table: &[f32], y: &mut [f32], onto: WriteMode) {
        match self {
            Token(embedding, tokens) => embedding.forward(tokens, table, y, onto),
            Position(positions) => positions.forward(table, y, onto),
        }
    }

    fn backward(&self, dy: &[f32], d_table: (&mut [f32], WriteMode)) {
        match self {
            Token(embedding, tokens) => embedding.backward(tokens, dy, d_table),
            Position(positions) => positions.backward(dy, d_table),
        }
    }

    /// The table, and the gradient of `y`.
    fn data(&self) -> (Vec<f32>, Vec<f32>) {
        let (rows, count, features) = self.reference();
        (numbers(count * features, 1), numbers(rows.0.len() * features, 2))
    }

    /// `y` overwritten and accumulated, then the gradient of the table, both ways.
    fn run(&self) -> [Vec<f32>; 4] {
        let (table, dy) = self.data();
        // The previous contents of the results must not affect them where they are overwritten.
        let (mut y, mut y_added) = (vec![f32::NAN; dy.len()], dy.clone());
        self.forward(&table, &mut y, WriteMode::Overwrite);
        self.forward(&table, &mut y_added, WriteMode::Accumulate);
        let (mut d_table, mut d_table_added) = (vec![f32::NAN; table.len()], table.clone());
        self.backward(&dy, (&mut d_table, WriteMode::Overwrite));
        self.backward(&dy, (&mut d_table_added, WriteMode::Accumulate));
        [y, y_added, d_table, d_table_added]
    }

    /// Forward is a copy, so that `y` is exact, and a sum with something else is rounded once. A sum of `n` rows is
    /// rounded `n` times at most, each time by half a unit of what the absolute values sum to at most.
    fn check(&self) {
        let (rows, count, features) = self.reference();
        let (table, dy) = self.data();
        let [y, y_added, d_table, d_table_added] = self.run();
        let expected_y: Vec<f32> =
            rows.forward(&widen(&table), count, features).into_iter().map(|value| value as f32).collect();
        assert_eq!(y, expected_y);
        let expected_sum: Vec<f32> = dy.iter().zip(&expected_y).map(|(dy, y)| dy + y).collect();
        assert_eq!(y_added, expected_sum);

        let expected = rows.backward(&widen(&dy), count, features);
        let absolute: Vec<f32> = dy.iter().map(|value| value.abs()).collect();
        let sizes = rows.backward(&widen(&absolute), count, features);
        for index in 0..table.len() {
            let hits = rows.0.iter().filter(|&&row| row == index / features).count() as f64;
            for (found, before) in [(d_table[index], 0.0), (d_table_added[index], f64::from(table[index]))] {
                let expected = expected[index] + before;
                let tolerance = hits * (sizes[index] + before.abs()) * f64::from(f32::EPSILON) / 2.0;
                assert!(
                    (f64::from(found) - expected).abs() <= tolerance,
                    "{found}, not {expected}, at {index}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn matches_reference(a in 0..600_usize, b in 1..12_usize, features in 0..40_usize) {
        Kernel::token(a, b, features).check();
        Kernel::position(b, a / 20, features).check();
        Kernel::position(0, b, features).check();
    }
}

/// Many blocks, with a last one that is shorter.
fn large() -> [Kernel; 4] {
    [
        Kernel::token(5000, 13, 70),
        Kernel::token(300, 1500, 201),
        Kernel::position(70, 33, 65),
        Kernel::position(3, 1, 2 * BLOCK + 100),
    ]
}

#[test]
fn matches_reference_over_many_blocks() {
    large()[..3].iter().for_each(Kernel::check);
    // The reference takes too long for sums of such a long row: one position is enough.
    let [y, ..] = large()[3].run();
    let (table, _) = large()[3].data();
    assert!(y.chunks_exact(table.len()).all(|row| row == table));
}

/// A linear map and its transpose: `dy (W t) = (W^T dy) t`.
#[test]
fn reference_gradient_matches_finite_differences() {
    for kernel in [Kernel::token(50, 7, 3), Kernel::position(4, 5, 3)] {
        let (rows, count, features) = kernel.reference();
        let (table, dy) = kernel.data();
        let (table, dy) = (widen(&table), widen(&dy));
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let one = dot(&dy, &rows.forward(&table, count, features));
        let other = dot(&rows.backward(&dy, count, features), &table);
        assert!((one - other).abs() < 1e-12, "{one} {other}");
    }
}

#[test]
fn results_do_not_depend_on_simd_level() {
    for kernel in large() {
        let expected = kernel.run().map(|values| bits(&values));
        for &level in Level::available() {
            let found = simd::at_level(level, || kernel.run());
            assert!(found.map(|values| bits(&values)) == expected, "{level:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    for kernel in large() {
        let expected = kernel.run().map(|values| bits(&values));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let found = pool.install(|| kernel.run());
            assert!(found.map(|values| bits(&values)) == expected, "{threads}");
        }
    }
}

/// Rows are summed in the order of positions: another order would change whether the small value is lost.
#[test]
fn gradient_rows_are_summed_in_position_order() {
    let embedding = Embedding { vocabulary: 2, features: 1 };
    let (large, small) = (1e8, 1.0);
    for (dy, expected) in [([large, small, 5.0, -large], 0.0), ([large, -large, 5.0, small], 1.0)] {
        let mut d_table = [f32::NAN; 2];
        embedding.backward(&[1, 1, 0, 1], &dy, (&mut d_table, WriteMode::Overwrite));
        assert_eq!(bits(&d_table), bits(&[5.0, expected]));
    }
    let positions = PositionEmbedding { batch: 3, length: 1, features: 1 };
    for (dy, expected) in [([large, small, -large], 0.0), ([large, -large, small], 1.0)] {
        let mut d_table = [f32::NAN];
        positions.backward(&dy, (&mut d_table, WriteMode::Overwrite));
        assert_eq!(bits(&d_table), bits(&[expected]));
    }
}

#[test]
fn nan_propagates() {
    for kernel in [Kernel::token(50, 7, 3), Kernel::position(4, 5, 3)] {
        let (mut table, mut dy) = kernel.data();
        let mut y = vec![0.0; dy.len()];
        (table[0], dy[1]) = (f32::NAN, f32::NAN);
        kernel.forward(&table, &mut y, WriteMode::Overwrite);
        let rows = kernel.reference().0.0;
        assert_eq!(y.iter().filter(|y| y.is_nan()).count(), rows.iter().filter(|&&row| row == 0).count());
        kernel.backward(&dy, (&mut table, WriteMode::Overwrite));
        assert_eq!(table.iter().position(|d| d.is_nan()), Some(rows[0] * 3 + 1));
        assert_eq!(table.iter().filter(|d| d.is_nan()).count(), 1);
    }
}

#[test]
fn empty_input_is_accepted() {
    for kernel in [
        Token(Embedding { vocabulary: 0, features: 3 }, vec![]),
        Token(Embedding { vocabulary: 3, features: 0 }, vec![1, 2]),
        Token(Embedding { vocabulary: 3, features: 2 }, vec![]),
        Kernel::position(0, 3, 2),
        Kernel::position(2, 0, 2),
        Kernel::position(2, 3, 0),
    ] {
        kernel.check();
    }
}

#[test]
#[should_panic(expected = "token 3 is not in a vocabulary of 3")]
fn tokens_are_checked() {
    let embedding = Embedding { vocabulary: 3, features: 1 };
    embedding.backward(&[0, 3, 1], &[0.0; 3], (&mut [0.0; 3], WriteMode::Accumulate));
}

#[test]
#[should_panic(expected = "the table is [vocabulary, features]")]
fn table_length_is_checked() {
    Embedding { vocabulary: 3, features: 1 }.forward(&[], &[0.0], &mut [], WriteMode::Overwrite);
}

#[test]
#[should_panic(expected = "y is [places, features]")]
fn output_length_is_checked() {
    Embedding { vocabulary: 1, features: 1 }.forward(&[0], &[0.0], &mut [], WriteMode::Overwrite);
}

#[test]
#[should_panic(expected = "y is [batch, length, features]")]
fn positions_length_is_checked() {
    PositionEmbedding { batch: 2, length: 1, features: 1 }
        .backward(&[0.0], (&mut [0.0], WriteMode::Accumulate));
}
