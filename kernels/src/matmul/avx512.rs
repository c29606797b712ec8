//! The AVX-512 micro-kernel: up to 14 rows by 32 columns, which is 28 running sums in the 32 registers.

use std::arch::x86_64::{
    __mmask16, _MM_HINT_ET0, _MM_HINT_T1, _mm_loadu_ps, _mm_prefetch, _mm512_add_ps, _mm512_castpd_ps,
    _mm512_castps_pd, _mm512_castps128_ps512, _mm512_fmadd_ps, _mm512_insertf32x4, _mm512_loadu_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};

use super::kernel::{Kernel, Left, Tile, WIDE};

pub(super) struct Avx512;

impl Kernel for Avx512 {
    const ROWS: usize = 14;
    const LANES: usize = 16;
    const PANELS: usize = 4;

    #[inline]
    unsafe fn row(tile: &Tile, apart: usize) {
        // SAFETY: as the caller promises.
        unsafe { row(tile, apart) }
    }

    #[inline]
    unsafe fn tile(tile: &Tile) {
        let table = match (tile.left, tile.width) {
            (Left::Rows, WIDE) => &TILES[0],
            (Left::Rows, _) => &TILES[1],
            (Left::Columns, WIDE) => &TILES[2],
            (Left::Columns, _) => &TILES[3],
        };
        // SAFETY: the caller promises the features, and that the tile describes its memory correctly.
        unsafe { table[tile.rows - 1](tile) }
    }

    #[inline]
    fn fetch(place: *const f32) {
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) };
    }

    #[inline]
    unsafe fn columns(
        from: *const f32,
        stride: usize,
        tiles: &[(usize, usize)],
        depth: usize,
        into: *mut f32,
        room: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe { columns(from, stride, tiles, depth, into, room) }
    }

    #[inline]
    unsafe fn transpose(
        from: *const f32,
        stride: usize,
        columns: usize,
        depth: usize,
        into: *mut f32,
        width: usize,
    ) {
        // SAFETY: as the caller promises.
        unsafe { transpose(from, stride, columns, depth, into, width) }
    }
}

macro_rules! table {
    ($vectors:literal, $left:literal; $($rows:literal)*) => { [$(tile::<$rows, $vectors, $left>),*] };
}

/// By layout and width, then by the number of rows less 1.
static TILES: [[unsafe fn(&Tile); 14]; 4] = [
    table!(2, false; 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
    table!(1, false; 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
    table!(2, true; 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
    table!(1, true; 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
];

/// Adds the products of one column of the left-hand side with one row of the right-hand side.
macro_rules! rows {
    ($sums:ident, $right:ident, |$number:ident| $left:expr; $($row:literal)*) => { $(
        if let Some(sums) = $sums.get_mut($row) {
            let $number = $row;
            let left = _mm512_set1_ps($left);
            for (sum, right) in sums.iter_mut().zip($right) {
                *sum = _mm512_fmadd_ps(left, right, *sum);
            }
        }
    )* };
}

/// # Safety
/// The processor has AVX-512, and the tile satisfies the requirements of [`Tile`], with `ROWS` rows and `16 VECTORS` columns of
/// width.
#[target_feature(enable = "avx512f")]
unsafe fn tile<const ROWS: usize, const VECTORS: usize, const COLUMNS: bool>(tile: &Tile) {
    let (row, step) = if COLUMNS { (1, tile.a_step) } else { (tile.a_step, 1) };
    // Few pointers, from which 0, 1 or 2 rows on can be read at once.
    let mut a: [_; 5] = std::array::from_fn(|group| tile.a.wrapping_add(3 * group * row));
    let mut b = tile.b;
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
    // SAFETY: `a` and `b` have `depth` rows of these sizes, and `c` has the rows and columns of the tile, as the
    // caller promises; the last vector of a row of `c` is masked.
    unsafe {
        for number in 0..if tile.depth < 64 { 0 } else { ROWS } {
            for vector in 0..VECTORS {
                _mm_prefetch::<_MM_HINT_ET0>(
                    tile.c.wrapping_add(number * tile.c_stride + vector * 16).cast::<i8>(),
                );
            }
        }
        for _ in 0..tile.depth {
            let mut right = [_mm512_setzero_ps(); VECTORS];
            for (number, right) in right.iter_mut().enumerate() {
                *right = _mm512_loadu_ps(b.add(number * 16));
            }
            // Written out: the compiler would not unroll a loop with so many rows, and keep its sums in memory.
            rows!(sums, right, |number| *a[number / 3].add(number % 3 * row); 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            a = a.map(|a| a.wrapping_add(step));
            b = b.add(tile.b_stride);
        }
        let last = first(tile.columns - 16 * (VECTORS - 1));
        for (number, sums) in sums.into_iter().enumerate() {
            let c = tile.c.add(number * tile.c_stride);
            for (number, mut sum) in sums.into_iter().enumerate() {
                let c = c.add(number * 16);
                let mask = if number + 1 == VECTORS { last } else { !0 };
                if tile.adds {
                    sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, c), sum);
                }
                _mm512_mask_storeu_ps(c, mask, sum);
            }
        }
    }
}

/// See [`Kernel::row`].
///
/// # Safety
/// The processor has AVX-512; the rest is that of [`Kernel::row`].
#[target_feature(enable = "avx512f")]
unsafe fn row(tile: &Tile, apart: usize) {
    let mut sums = [[_mm512_setzero_ps(); 2]; Avx512::PANELS];
    // SAFETY: `a` has `depth` elements, each panel of `b` as many rows, and `c` the columns of all panels, as the caller promises.
    unsafe {
        for at in 0..tile.depth {
            let left = _mm512_set1_ps(*tile.a.add(at));
            let b = tile.b.add(at * tile.b_stride);
            for (panel, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    let right = _mm512_loadu_ps(b.add(panel * apart + vector * 16));
                    *sum = _mm512_fmadd_ps(left, right, *sum);
                }
            }
        }
        for (vector, mut sum) in sums.into_iter().flatten().enumerate() {
            let c = tile.c.add(vector * 16);
            if tile.adds {
                sum = _mm512_add_ps(_mm512_loadu_ps(c), sum);
            }
            _mm512_storeu_ps(c, sum);
        }
    }
}

/// The first `count` lanes, at most 16.
#[inline]
fn first(count: usize) -> __mmask16 {
    (u32::MAX >> (32 - count)) as u16
}

/// See [`Kernel::columns`].
///
/// # Safety
/// The processor has AVX-512; the rest is that of [`Kernel::columns`].
#[target_feature(enable = "avx512f")]
unsafe fn columns(
    from: *const f32,
    stride: usize,
    tiles: &[(usize, usize)],
    depth: usize,
    into: *mut f32,
    room: usize,
) {
    for at in 0..depth {
        // SAFETY: these are within `from` and `into`, as the caller promises; other lanes are masked.
        unsafe {
            let (column, into) = (from.add(at * stride), into.add(at * Avx512::LANES));
            for (number, &(start, rows)) in tiles.iter().enumerate() {
                let part = _mm512_maskz_loadu_ps(first(rows), column.add(start));
                _mm512_storeu_ps(into.add(number * room), part);
            }
        }
    }
}

/// See [`Kernel::transpose`].
///
/// # Safety
/// The processor has AVX-512; the rest is that of [`Kernel::transpose`].
#[target_feature(enable = "avx512f")]
unsafe fn transpose(
    from: *const f32,
    stride: usize,
    columns: usize,
    depth: usize,
    into: *mut f32,
    width: usize,
) {
    for column in (0..width).step_by(16) {
        // The padding after the last column is never read: the last column again.
        let count = (columns - column).min(16);
        let from = from.wrapping_add(column * stride);
        // SAFETY: `into` has these columns.
        let into = unsafe { into.add(column) };
        let fours = depth / 4 * 4;
        for start in (0..fours).step_by(4) {
            // SAFETY: `count` columns of 4 elements are within `from`, and 4 rows within `into`.
            unsafe {
                let (from, into) = (from.add(start), into.add(start * width));
                if count == 16 {
                    transpose_four(|column| from.add(column * stride), into, width);
                } else {
                    transpose_four(|column| from.add(column.min(count - 1) * stride), into, width);
                }
            }
        }
        for start in fours..depth {
            for number in 0..16 {
                // SAFETY: these are within `from` and `into`.
                unsafe {
                    *into.add(start * width + number) = *from.add(number.min(count - 1) * stride + start);
                };
            }
        }
    }
}

/// Writes 4 elements of each of 16 columns as 4 rows.
///
/// # Safety
/// The processor has AVX-512; `from` points to the elements of each column, and `into` has the rows, `width` apart.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn transpose_four(from: impl Fn(usize) -> *const f32, into: *mut f32, width: usize) {
    // Quarter q of vector i is of column 4 q + i.
    let mut vectors = [_mm512_setzero_ps(); 4];
    for (number, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: `from` points to 4 elements.
        unsafe {
            let quarter = |quarter: usize| _mm_loadu_ps(from(4 * quarter + number));
            let first = _mm512_castps128_ps512(quarter(0));
            let second = _mm512_insertf32x4::<1>(first, quarter(1));
            let third = _mm512_insertf32x4::<2>(second, quarter(2));
            *vector = _mm512_insertf32x4::<3>(third, quarter(3));
        }
    }
    let [a, b, c, d] = vectors;
    let low = [_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpacklo_ps(c, d))];
    let high = [_mm512_castps_pd(_mm512_unpackhi_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(c, d))];
    // SAFETY: the rows are within `into`.
    unsafe {
        _mm512_storeu_ps(into, _mm512_castpd_ps(_mm512_unpacklo_pd(low[0], low[1])));
        _mm512_storeu_ps(into.add(width), _mm512_castpd_ps(_mm512_unpackhi_pd(low[0], low[1])));
        _mm512_storeu_ps(into.add(2 * width), _mm512_castpd_ps(_mm512_unpacklo_pd(high[0], high[1])));
        _mm512_storeu_ps(into.add(3 * width), _mm512_castpd_ps(_mm512_unpackhi_pd(high[0], high[1])));
    }
}
