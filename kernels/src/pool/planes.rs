//! The loops over planes and windows, which poolings with a stride and adaptive ones share.

use std::ops::Range;

use super::max::beats;
use crate::matmul::WriteMode;
use crate::threads;

/// Planes, each with windows of rows and columns.
pub(super) trait Windows: Sync {
    /// The number of planes.
    fn planes(&self) -> usize;
    /// The rows and the columns of a plane.
    fn sides(&self) -> [usize; 2];
    /// The rows and the columns of a plane of the result.
    fn out_sides(&self) -> [usize; 2];
    /// The rows of the windows of an output row, inside of the plane.
    fn rows(&self, row: usize) -> Range<usize>;
    /// The columns of the windows of an output column, inside of the plane.
    fn columns(&self, column: usize) -> Range<usize>;

    /// The elements of a plane.
    fn places(&self) -> usize {
        self.sides().iter().product()
    }

    /// The elements of a plane of the result.
    fn outputs(&self) -> usize {
        self.out_sides().iter().product()
    }

    /// The number of planes per block.
    fn block(&self) -> usize {
        let places = self.places().max(1);
        (threads::block(self.planes() * places, places) / places).max(1)
    }

    /// The rows and the columns of the window of an output.
    fn window(&self, output: usize) -> (Range<usize>, Range<usize>) {
        let [_, columns] = self.out_sides();
        (self.rows(output / columns), self.columns(output % columns))
    }

    /// Runs `run` for each plane and its results.
    fn each_plane(&self, x: &[f32], y: &mut [f32], run: impl Fn(&[f32], &mut [f32]) + Sync + Send) {
        let (places, outputs, block) = (self.places(), self.outputs().max(1), self.block());
        threads::chunks(y, block * outputs, |number, y| {
            for (plane, y) in (number * block..).zip(y.chunks_exact_mut(outputs)) {
                run(&x[plane * places..][..places], y);
            }
        });
    }

    /// Runs `run` for each plane, its results and where they were found, if that is to be kept.
    fn each_search(
        &self,
        x: &[f32],
        y: &mut [f32],
        winners: Option<&mut [u32]>,
        run: impl Fn(&[f32], &mut [f32], Option<&mut [u32]>) + Sync + Send,
    ) {
        let Some(winners) = winners else {
            return self.each_plane(x, y, |x, y| run(x, y, None));
        };
        assert_eq!(winners.len(), y.len(), "winners are as many as the results");
        let (places, outputs, block) = (self.places(), self.outputs().max(1), self.block());
        threads::chunks2((y, block * outputs), (winners, block * outputs), |number, y, winners| {
            let results = y.chunks_exact_mut(outputs).zip(winners.chunks_exact_mut(outputs));
            for (plane, (y, winners)) in (number * block..).zip(results) {
                run(&x[plane * places..][..places], y, Some(winners));
            }
        });
    }

    /// Runs `run` for each plane of a gradient of `x`, with the indices of its outputs.
    fn each_gradient(&self, dx: &mut [f32], run: impl Fn(Range<usize>, &mut [f32]) + Sync + Send) {
        let (places, outputs, block) = (self.places().max(1), self.outputs(), self.block());
        threads::chunks(dx, block * places, |number, dx| {
            for (plane, dx) in (number * block..).zip(dx.chunks_exact_mut(places)) {
                run(plane * outputs..(plane + 1) * outputs, dx);
            }
        });
    }

    /// Writes the largest value of each window of a plane, and the place of the first of equal ones.
    fn largest(&self, x: &[f32], y: &mut [f32], mut winners: Option<&mut [u32]>) {
        let [_, width] = self.sides();
        for (output, y) in y.iter_mut().enumerate() {
            let (rows, columns) = self.window(output);
            let mut winner = rows.start * width + columns.start;
            for row in rows {
                for place in row * width + columns.start..row * width + columns.end {
                    if beats(x[place], x[winner]) {
                        winner = place;
                    }
                }
            }
            *y = x[winner];
            if let Some(winners) = &mut winners {
                winners[output] = winner as u32;
            }
        }
    }

    /// Writes to `y` what `finish` makes of the sum of each window of a plane, in order, and of its size inside of the plane.
    fn sums(&self, x: &[f32], y: &mut [f32], finish: impl Fn(f32, usize) -> f32) {
        let [_, width] = self.sides();
        for (output, y) in y.iter_mut().enumerate() {
            let (rows, columns) = self.window(output);
            let count = rows.len() * columns.len();
            let mut sum = 0.0;
            for row in rows {
                for x in &x[row * width..][columns.clone()] {
                    sum += x;
                }
            }
            *y = finish(sum, count);
        }
    }

    /// Adds to each element of a window of a plane what `share` makes of the gradient of its sum, and of its size inside of the plane.
    fn spread(&self, dy: &[f32], dx: &mut [f32], onto: WriteMode, share: impl Fn(f32, usize) -> f32) {
        clear(dx, onto);
        let [_, width] = self.sides();
        for (output, &dy) in dy.iter().enumerate() {
            let (rows, columns) = self.window(output);
            let part = share(dy, rows.len() * columns.len());
            for row in rows {
                for dx in &mut dx[row * width..][columns.clone()] {
                    *dx += part;
                }
            }
        }
    }
}

/// Adds the gradient of each maximum of a plane to its place.
pub(super) fn assign(winners: &[u32], dy: &[f32], dx: &mut [f32], onto: WriteMode) {
    clear(dx, onto);
    for (&winner, dy) in winners.iter().zip(dy) {
        dx[winner as usize] += dy;
    }
}

/// Zeros in a gradient that is to be overwritten.
fn clear(dx: &mut [f32], onto: WriteMode) {
    if onto == WriteMode::Overwrite {
        dx.fill(0.0);
    }
}
