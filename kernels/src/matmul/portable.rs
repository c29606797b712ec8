//! The portable micro-kernel, with plain loops: up to 4 rows by 16 columns.

use super::kernel::{Kernel, Left, NARROW, Tile};

pub(super) struct Portable;

impl Kernel for Portable {
    const ROWS: usize = 4;
    const LANES: usize = 4;

    unsafe fn tile(tile: &Tile) {
        let (row, step) = if tile.left == Left::Columns { (1, tile.a_step) } else { (tile.a_step, 1) };
        for start in (0..tile.columns).step_by(NARROW) {
            let columns = (tile.columns - start).min(NARROW);
            let mut sums = [[0.0_f32; NARROW]; Self::ROWS];
            // SAFETY: `a` and `b` have `depth` rows of these sizes, and `c` has the rows and columns of the tile, as the
            // caller promises.
            unsafe {
                for at in 0..tile.depth {
                    let right = *tile.b.add(at * tile.b_stride + start).cast::<[f32; NARROW]>();
                    for (number, sums) in sums.iter_mut().enumerate().take(tile.rows) {
                        let left = *tile.a.add(number * row + at * step);
                        for (sum, right) in sums.iter_mut().zip(right) {
                            *sum = left.mul_add(right, *sum);
                        }
                    }
                }
                for (number, sums) in sums.iter().enumerate().take(tile.rows) {
                    let c = tile.c.add(number * tile.c_stride + start);
                    let c = std::slice::from_raw_parts_mut(c, columns);
                    for (c, sum) in c.iter_mut().zip(sums) {
                        *c = if tile.adds { *c + sum } else { *sum };
                    }
                }
            }
        }
    }

    unsafe fn columns(
        from: *const f32,
        stride: usize,
        tiles: &[(usize, usize)],
        depth: usize,
        into: *mut f32,
        room: usize,
    ) {
        for at in 0..depth {
            for (number, &(start, rows)) in tiles.iter().enumerate() {
                for row in 0..rows {
                    // SAFETY: these are within `from` and `into`, as the caller promises.
                    unsafe {
                        *into.add(number * room + at * Self::LANES + row) =
                            *from.add(at * stride + start + row);
                    }
                }
            }
        }
    }

    unsafe fn transpose(
        from: *const f32,
        stride: usize,
        columns: usize,
        depth: usize,
        into: *mut f32,
        width: usize,
    ) {
        for at in 0..depth {
            for column in 0..width {
                // SAFETY: these are within `from` and `into`, as the caller promises.
                unsafe {
                    let value = if column < columns { *from.add(column * stride + at) } else { 0.0 };
                    *into.add(at * width + column) = value;
                }
            }
        }
    }
}
