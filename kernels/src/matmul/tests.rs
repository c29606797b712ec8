use std::sync::Mutex;

use proptest::prelude::*;

use super::{Packed, PackedMatrix, View, WriteMode, column_sums, product, product_then, serial};
use crate::philox;
use crate::simd::{self, Level};

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The layout of a matrix in memory.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Rows,
    Columns,
    /// Rows with a gap between them.
    Apart,
    /// Elements with a gap between them.
    Sparse,
}

const LIES: [Lie; 4] = [Lie::Rows, Lie::Columns, Lie::Apart, Lie::Sparse];

impl Lie {
    /// Memory for a matrix, with NaN where nothing should be read.
    fn matrix(self, rows: usize, columns: usize, key: u32) -> (Vec<f32>, [usize; 2]) {
        let [row, column] = match self {
            Self::Rows => [columns, 1],
            Self::Columns => [1, rows],
            Self::Apart => [columns + 3, 1],
            Self::Sparse => [2 * columns + 1, 2],
        };
        let empty = rows == 0 || columns == 0;
        let length = if empty { 0 } else { (rows - 1) * row + (columns - 1) * column + 1 };
        let mut data = vec![f32::NAN; length];
        for (number, value) in numbers(rows * columns, key).into_iter().enumerate() {
            data[number / columns * row + number % columns * column] = value;
        }
        (data, [row, column])
    }
}

fn view(data: &[f32], [row_stride, column_stride]: [usize; 2], rows: usize, columns: usize) -> View<'_> {
    View { data, rows, columns, row_stride, column_stride }
}

/// The documented result of the blocks, one element at a time.
fn expected(a: &View<'_>, b: &View<'_>, there: Option<f32>, i: usize, j: usize) -> f32 {
    let depth = a.columns;
    let block = depth.div_ceil(depth.div_ceil(256).max(1)).next_multiple_of(16).max(1);
    let mut total = there;
    for start in (0..depth).step_by(block) {
        let mut sum = 0.0_f32;
        for at in start..depth.min(start + block) {
            let (a_place, b_place) =
                (i * a.row_stride + at * a.column_stride, at * b.row_stride + j * b.column_stride);
            sum = a.data[a_place].mul_add(b.data[b_place], sum);
        }
        total = Some(total.map_or(sum, |total| total + sum));
    }
    total.unwrap_or(0.0)
}

/// Each element against its definition, to the bit, at every level and by every function.
fn check([rows, depth, columns]: [usize; 3], lies: [Lie; 2], onto: WriteMode) {
    let (a, a_strides) = lies[0].matrix(rows, depth, 1);
    let (b, b_strides) = lies[1].matrix(depth, columns, 2);
    let (a, b) = (view(&a, a_strides, rows, depth), view(&b, b_strides, depth, columns));
    let there = numbers(rows * columns, 3);
    let there = if onto == WriteMode::Accumulate { there } else { vec![f32::NAN; rows * columns] };
    let mut sums = Vec::new();
    for i in 0..rows {
        for j in 0..columns {
            let there = (onto == WriteMode::Accumulate).then(|| there[i * columns + j]);
            sums.push(expected(&a, &b, there, i, j));
        }
    }

    // At the best level, for all levels.
    let kept = PackedMatrix::new(b);
    for &level in Level::available() {
        simd::at_level(level, || {
            let mut c = there.clone();
            product(a, b, &mut c, onto);
            assert_eq!(bits(&c), bits(&sums), "product {rows} {depth} {columns} {lies:?} {onto:?} {level:?}");
            let mut c = there.clone();
            product(a, kept.packed(), &mut c, onto);
            assert_eq!(bits(&c), bits(&sums), "packed {rows} {depth} {columns} {lies:?} {onto:?} {level:?}");

            // With a gap between the rows, which must be unchanged.
            let stride = columns + 5;
            let mut wide = vec![7.0; rows * stride];
            for (row, there) in wide.chunks_exact_mut(stride).zip(there.chunks_exact(columns.max(1))) {
                row[..columns].copy_from_slice(there);
            }
            let mut packed_wide = wide.clone();
            serial(a, b, &mut wide, stride, onto);
            let mut room = vec![f32::NAN; Packed::size(depth, columns)];
            Packed::new(b, &mut room).serial(a, &mut packed_wide, stride, onto);
            for c in [wide, packed_wide] {
                for (row, sums) in c.chunks_exact(stride).zip(sums.chunks_exact(columns.max(1))) {
                    assert_eq!(
                        bits(&row[..columns]),
                        bits(sums),
                        "{rows} {depth} {columns} {lies:?} {level:?}"
                    );
                    assert_eq!(row[columns..], [7.0; 5]);
                }
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_element_equals_its_dot_product(
        rows in 0..40_usize,
        depth in 0..40_usize,
        columns in 0..70_usize,
        a in 0..4_usize,
        b in 0..4_usize,
        adds: bool,
    ) {
        check([rows, depth, columns], [LIES[a], LIES[b]], if adds { WriteMode::Accumulate } else { WriteMode::Overwrite });
    }
}

#[test]
fn block_boundaries_match_f64() {
    for sizes in [
        [1, 257, 1],
        [3, 513, 33],
        [15, 256, 16],
        [29, 300, 4],
        [130, 5, 5],
        [113, 17, 70],
        [2, 16, 530],
        [120, 8, 520],
        [600, 3, 3],
        // Rows of `a` that share sets of the cache; panels of `b` that are read where they are.
        [30, 1030, 20],
        [40, 300, 96],
        // One row: several panels at once, one, and a narrow one.
        [1, 530, 300],
        [1, 40, 128],
        [1, 3, 77],
    ] {
        for (number, a) in LIES.into_iter().enumerate() {
            check(sizes, [a, LIES[(number + sizes[0]) % 4]], WriteMode::Overwrite);
            check(sizes, [LIES[(number + sizes[1]) % 4], a], WriteMode::Accumulate);
        }
    }
}

/// Against f64: a sum of `k` elements in a fused chain is off by at most `k` roundings of 2^-24 of the sum of the
/// absolute values (and of terms of higher order, here below 1e-3 of it); blocks make it better.
#[test]
fn matches_f64() {
    let (rows, depth, columns) = (20, 700, 40);
    let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
    let mut c = vec![f32::NAN; rows * columns];
    product(View::new(&a, rows, depth), View::new(&b, depth, columns), &mut c, WriteMode::Overwrite);
    for i in 0..rows {
        for j in 0..columns {
            let terms = (0..depth).map(|k| f64::from(a[i * depth + k]) * f64::from(b[k * columns + j]));
            let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
            let tolerance = 1.001 * depth as f64 * size * f64::from(f32::EPSILON) / 2.0;
            assert!((f64::from(c[i * columns + j]) - sum).abs() <= tolerance);
        }
    }
}

/// Large enough for many blocks.
const LARGE: [usize; 3] = [150, 300, 260];

#[test]
fn results_do_not_depend_on_threads() {
    let [rows, depth, columns] = LARGE;
    let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
    let (a, b) = (View::new(&a, rows, depth), View::new(&b, columns, depth).transposed());
    let (height, width) = super::blocks(rows, columns, depth);
    assert!(height < rows || width < columns);
    let mut one = vec![f32::NAN; rows * columns];
    serial(a, b, &mut one, columns, WriteMode::Overwrite);
    let kept = PackedMatrix::new(b);
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let [mut c, mut packed] = [(); 2].map(|()| vec![f32::NAN; rows * columns]);
        pool.install(|| product(a, b, &mut c, WriteMode::Overwrite));
        pool.install(|| product(a, kept.packed(), &mut packed, WriteMode::Overwrite));
        assert_eq!(bits(&c), bits(&one), "{threads}");
        assert_eq!(bits(&packed), bits(&one), "{threads}");
    }
}

#[test]
fn row_result_does_not_depend_on_other_rows() {
    let [rows, depth, columns] = [70, 300, 37];
    let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
    let b = View::new(&b, depth, columns);
    let mut all = vec![f32::NAN; rows * columns];
    product(View::new(&a, rows, depth), b, &mut all, WriteMode::Overwrite);
    for (row, expected) in all.chunks_exact(columns).enumerate() {
        let mut alone = vec![f32::NAN; columns];
        product(View::new(&a[row * depth..][..depth], 1, depth), b, &mut alone, WriteMode::Overwrite);
        assert_eq!(bits(&alone), bits(expected), "{row}");
    }
}

#[test]
fn epilogue_visits_every_finished_element_once() {
    for ([rows, depth, columns], adds) in
        [(LARGE, false), ([40, 0, 3], false), ([40, 0, 3], true), ([40, 5, 3], true), ([2, 300, 600], false)]
    {
        let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
        let (a, b) = (View::new(&a, rows, depth), View::new(&b, depth, columns));
        let onto = if adds { WriteMode::Accumulate } else { WriteMode::Overwrite };
        let mut plain = vec![1.0; rows * columns];
        product(a, b, &mut plain, onto);
        let seen = Mutex::new(vec![0.0; rows * columns]);
        let mut c = vec![1.0; rows * columns];
        product_then(a, b, &mut c, onto, |row, first, run| {
            let mut seen = seen.lock().expect("no thread panics");
            for (value, seen) in run.iter_mut().zip(&mut seen[row * columns + first..]) {
                *seen += *value;
                *value = -*value;
            }
        });
        assert_eq!(bits(&seen.into_inner().expect("no thread panics")), bits(&plain));
        let negative: Vec<f32> = plain.iter().map(|value| -value).collect();
        assert_eq!(bits(&c), bits(&negative));
    }
}

#[test]
fn packed_parts_match_their_columns() {
    let [rows, depth, columns] = [5, 270, 150];
    let (a, b) = (numbers(rows * depth, 1), numbers(depth * columns, 2));
    let (a, b) = (View::new(&a, rows, depth), View::new(&b, depth, columns));
    let mut all = vec![f32::NAN; rows * columns];
    serial(a, b, &mut all, columns, WriteMode::Overwrite);
    let mut room = vec![f32::NAN; Packed::size(depth, columns)];
    let packed = Packed::new(b, &mut room);
    for part in [0..64, 32..96, 64..150, 128..150, 96..96, 0..150] {
        let mut c = vec![f32::NAN; rows * part.len()];
        packed.part(part.clone()).serial(a, &mut c, part.len(), WriteMode::Overwrite);
        for (c, all) in c.chunks_exact(part.len().max(1)).zip(all.chunks_exact(columns)) {
            assert_eq!(bits(c), bits(&all[part.clone()]));
        }
    }
    let part = packed.part(32..150).part(32..118);
    let mut c = vec![f32::NAN; rows * 86];
    part.serial(a, &mut c, 86, WriteMode::Overwrite);
    assert_eq!(bits(&c[86..172]), bits(&all[columns + 64..2 * columns]));
}

#[test]
#[should_panic(expected = "whole panels")]
fn packed_part_within_panel_is_rejected() {
    let b = [0.0; 100];
    let mut room = vec![0.0; Packed::size(1, 100)];
    let _ = Packed::new(View::new(&b, 1, 100), &mut room).part(0..33);
}

#[test]
fn nan_and_infinity_propagate() {
    let mut a = numbers(20 * 9, 1);
    (a[3 * 9 + 2], a[5 * 9 + 8]) = (f32::NAN, f32::INFINITY);
    let mut c = vec![0.0; 20 * 3];
    serial(View::new(&a, 20, 9), View::new(&[1.0; 27], 9, 3), &mut c, 3, WriteMode::Overwrite);
    for (number, c) in c.into_iter().enumerate() {
        assert_eq!((c.is_nan(), c.is_infinite()), (number / 3 == 3, number / 3 == 5));
    }
}

#[test]
fn blocks_cover_the_whole_output() {
    for sizes in
        [[1, 1, 1], [0, 5, 5], [128, 1024, 784], [2048, 256, 1024], [2048, 2048, 2048], [100_000, 1, 1000]]
    {
        let [rows, columns, depth] = sizes;
        let (height, width) = super::blocks(rows, columns, depth);
        assert!(height > 0 && width > 0, "{sizes:?}");
        assert!(rows.div_ceil(height) * columns.div_ceil(width) <= 4096, "{sizes:?}");
    }
    assert_eq!(super::blocks(32, 64, 64), (32, 64));
}

#[test]
fn column_sums_are_computed() {
    for (rows, columns, stride) in [(0, 3, 3), (1, 1, 4), (130, 33, 40), (2000, 150, 150)] {
        let matrix = numbers(rows * stride, 1);
        let mut sums = vec![f32::NAN; columns];
        column_sums(&matrix, rows, stride, &mut sums, WriteMode::Overwrite);
        let mut twice = sums.clone();
        column_sums(&matrix, rows, stride, &mut twice, WriteMode::Accumulate);
        for (column, (&sum, &twice)) in sums.iter().zip(&twice).enumerate() {
            let terms = (0..rows).map(|row| f64::from(matrix[row * stride + column]));
            let (exact, size) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
            // 64 roundings in a block, then one for each block, of the sum of the absolute values.
            let tolerance = (65.0 + rows as f64 / 64.0) * size * f64::from(f32::EPSILON) / 2.0;
            assert!((f64::from(sum) - exact).abs() <= tolerance, "{column}: {sum}, not {exact}");
            assert_eq!(twice.to_bits(), (sum + sum).to_bits());
        }
        for &level in Level::available() {
            let mut found = vec![f32::NAN; columns];
            simd::at_level(level, || column_sums(&matrix, rows, stride, &mut found, WriteMode::Overwrite));
            assert_eq!(bits(&found), bits(&sums), "{level:?}");
        }
    }
}

#[test]
#[should_panic(expected = "a has as many columns as b has rows")]
fn depths_are_checked() {
    product(View::new(&[1.0; 2], 1, 2), View::new(&[1.0; 3], 3, 1), &mut [0.0], WriteMode::Overwrite);
}

#[test]
#[should_panic(expected = "b lies in its data")]
fn operands_are_checked() {
    product(View::new(&[1.0; 2], 1, 2), View::new(&[1.0; 3], 2, 2), &mut [0.0; 2], WriteMode::Overwrite);
}

#[test]
#[should_panic(expected = "c has room for the result")]
fn result_length_is_checked() {
    serial(View::new(&[1.0; 2], 2, 1), View::new(&[1.0; 2], 1, 2), &mut [0.0; 4], 3, WriteMode::Overwrite);
}

#[test]
#[should_panic(expected = "rows of c do not overlap")]
fn stride_is_checked() {
    serial(View::new(&[1.0; 2], 2, 1), View::new(&[1.0; 2], 1, 2), &mut [0.0; 4], 1, WriteMode::Overwrite);
}
