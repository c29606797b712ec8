//! The AVX2 micro-kernel: up to 6 rows by 16 columns, which is 12 running sums in the 16 registers.

use std::arch::x86_64::{
    __m256, __m256i, _MM_HINT_T1, _mm_prefetch, _mm256_add_ps, _mm256_broadcast_ss, _mm256_castpd_ps,
    _mm256_castps_pd, _mm256_cmpgt_epi32, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_maskload_ps,
    _mm256_maskstore_ps, _mm256_permute2f128_ps, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_ps,
    _mm256_storeu_ps, _mm256_unpackhi_pd, _mm256_unpackhi_ps, _mm256_unpacklo_pd, _mm256_unpacklo_ps,
};

use super::kernel::{Kernel, Left, NARROW, Tile};

pub(super) struct Avx2;

impl Kernel for Avx2 {
    const ROWS: usize = 6;
    const LANES: usize = 8;
    const PANELS: usize = 2;

    #[inline]
    unsafe fn row(tile: &Tile, apart: usize) {
        // SAFETY: as the caller promises.
        unsafe { row(tile, apart) }
    }

    #[inline]
    unsafe fn tile(tile: &Tile) {
        let table = if tile.left == Left::Rows { &TILES[0] } else { &TILES[1] };
        for start in (0..tile.columns).step_by(NARROW) {
            // SAFETY: the caller promises the features, and that the tile describes its memory correctly; this is a part of it.
            unsafe {
                table[tile.rows - 1](&Tile {
                    b: tile.b.add(start),
                    c: tile.c.add(start),
                    columns: (tile.columns - start).min(NARROW),
                    ..*tile
                });
            }
        }
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

/// By layout, then by the number of rows less 1.
static TILES: [[unsafe fn(&Tile); 6]; 2] = [
    [
        tile::<1, false>,
        tile::<2, false>,
        tile::<3, false>,
        tile::<4, false>,
        tile::<5, false>,
        tile::<6, false>,
    ],
    [tile::<1, true>, tile::<2, true>, tile::<3, true>, tile::<4, true>, tile::<5, true>, tile::<6, true>],
];

/// # Safety
/// The processor has AVX2 and FMA, and the tile satisfies the requirements of [`Tile`], with `ROWS` rows and at most 16 columns.
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const ROWS: usize, const COLUMNS: bool>(tile: &Tile) {
    let (row, step) = if COLUMNS { (1, tile.a_step) } else { (tile.a_step, 1) };
    // Few pointers, from which 0, 1 or 2 rows on can be read at once.
    let mut a = [tile.a, tile.a.wrapping_add(3 * row)];
    let mut b = tile.b;
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    // SAFETY: `a` and `b` have `depth` rows of these sizes, and `c` has the rows and columns of the tile, as the
    // caller promises; the vectors of an incomplete row of `c` are masked.
    unsafe {
        for _ in 0..tile.depth {
            let right = [_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8))];
            for (number, sums) in sums.iter_mut().enumerate() {
                let left = _mm256_broadcast_ss(&*a[number / 3].add(number % 3 * row));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = _mm256_fmadd_ps(left, right, *sum);
                }
            }
            a = a.map(|a| a.wrapping_add(step));
            b = b.add(tile.b_stride);
        }
        for (number, sums) in sums.into_iter().enumerate() {
            let c = tile.c.add(number * tile.c_stride);
            for (start, mut sum) in [(0, sums[0]), (8, sums[1])] {
                if tile.columns >= start + 8 {
                    let c = c.add(start);
                    if tile.adds {
                        sum = _mm256_add_ps(_mm256_loadu_ps(c), sum);
                    }
                    _mm256_storeu_ps(c, sum);
                } else if tile.columns > start {
                    let (c, mask) = (c.add(start), first(tile.columns - start));
                    if tile.adds {
                        sum = _mm256_add_ps(_mm256_maskload_ps(c, mask), sum);
                    }
                    _mm256_maskstore_ps(c, mask, sum);
                }
            }
        }
    }
}

/// See [`Kernel::row`].
///
/// # Safety
/// The processor has AVX2 and FMA; the rest is that of [`Kernel::row`].
#[target_feature(enable = "avx2,fma")]
unsafe fn row(tile: &Tile, apart: usize) {
    let mut sums = [[_mm256_setzero_ps(); 4]; Avx2::PANELS];
    // SAFETY: `a` has `depth` elements, each panel of `b` as many rows, and `c` the columns of all panels, as the caller promises.
    unsafe {
        for at in 0..tile.depth {
            let left = _mm256_broadcast_ss(&*tile.a.add(at));
            let b = tile.b.add(at * tile.b_stride);
            for (panel, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    let right = _mm256_loadu_ps(b.add(panel * apart + vector * 8));
                    *sum = _mm256_fmadd_ps(left, right, *sum);
                }
            }
        }
        for (vector, mut sum) in sums.into_iter().flatten().enumerate() {
            let c = tile.c.add(vector * 8);
            if tile.adds {
                sum = _mm256_add_ps(_mm256_loadu_ps(c), sum);
            }
            _mm256_storeu_ps(c, sum);
        }
    }
}

/// The first `count` lanes, at most 8.
#[target_feature(enable = "avx2")]
#[inline]
fn first(count: usize) -> __m256i {
    let count = _mm256_set1_epi32(i32::from(count.min(8) as u8));
    _mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
}

/// See [`Kernel::columns`].
///
/// # Safety
/// The processor has AVX2; the rest is that of [`Kernel::columns`].
#[target_feature(enable = "avx2,fma")]
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
            let (column, into) = (from.add(at * stride), into.add(at * Avx2::LANES));
            for (number, &(start, rows)) in tiles.iter().enumerate() {
                let part = _mm256_maskload_ps(column.add(start), first(rows));
                _mm256_storeu_ps(into.add(number * room), part);
            }
        }
    }
}

/// See [`Kernel::transpose`].
///
/// # Safety
/// The processor has AVX2; the rest is that of [`Kernel::transpose`].
#[target_feature(enable = "avx2,fma")]
unsafe fn transpose(
    from: *const f32,
    stride: usize,
    columns: usize,
    depth: usize,
    into: *mut f32,
    width: usize,
) {
    for column in (0..width).step_by(8) {
        let count = columns.saturating_sub(column).min(8);
        for start in (0..depth).step_by(8) {
            let steps = (depth - start).min(8);
            let mut block = [_mm256_setzero_ps(); 8];
            // SAFETY: these columns and steps are within `from`, other lanes are masked; these rows are within `into`.
            unsafe {
                for (number, vector) in block.iter_mut().enumerate().take(count) {
                    *vector = _mm256_maskload_ps(from.add((column + number) * stride + start), first(steps));
                }
                for (number, vector) in transposed(block).into_iter().enumerate().take(steps) {
                    _mm256_storeu_ps(into.add((start + number) * width + column), vector);
                }
            }
        }
    }
}

/// Transposes a block of 8 by 8.
#[target_feature(enable = "avx2")]
#[inline]
fn transposed(rows: [__m256; 8]) -> [__m256; 8] {
    let mut fours = [_mm256_setzero_ps(); 8];
    for group in 0..2 {
        let [a, b, c, d] = [rows[4 * group], rows[4 * group + 1], rows[4 * group + 2], rows[4 * group + 3]];
        let low = [_mm256_castps_pd(_mm256_unpacklo_ps(a, b)), _mm256_castps_pd(_mm256_unpacklo_ps(c, d))];
        let high = [_mm256_castps_pd(_mm256_unpackhi_ps(a, b)), _mm256_castps_pd(_mm256_unpackhi_ps(c, d))];
        fours[4 * group] = _mm256_castpd_ps(_mm256_unpacklo_pd(low[0], low[1]));
        fours[4 * group + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low[0], low[1]));
        fours[4 * group + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high[0], high[1]));
        fours[4 * group + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high[0], high[1]));
    }
    let mut columns = [_mm256_setzero_ps(); 8];
    for place in 0..4 {
        columns[place] = _mm256_permute2f128_ps::<0x20>(fours[place], fours[4 + place]);
        columns[4 + place] = _mm256_permute2f128_ps::<0x31>(fours[place], fours[4 + place]);
    }
    columns
}
