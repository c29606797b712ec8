//! Channels that become pixels.

use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::threads;

/// The sizes of a pixel shuffle.
///
/// ```
/// use trainspec_kernels::upsample::PixelShuffle;
///
/// let shuffle = PixelShuffle { planes: 1, height: 1, width: 2, scale: 2 };
/// let mut y = [0.0; 8];
/// shuffle.forward(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut y);
/// assert_eq!(y, [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PixelShuffle {
    /// The number of planes of the result: images times channels.
    pub planes: usize,
    /// The rows of a plane of the input.
    pub height: usize,
    /// The columns of a plane of the input.
    pub width: usize,
    /// The factor of rows and columns, at least 1.
    pub scale: usize,
}

impl PixelShuffle {
    /// Writes the shuffled planes to `y`.
    ///
    /// # Shapes
    /// `x`: `[planes scale^2, height, width]`; `y`: `[planes, height scale, width scale]`.
    ///
    /// # Panics
    /// If a slice has the wrong length or the factor is 0.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        self.run(y, x, |scale, y, x| {
            for (y, x) in y.iter_mut().step_by(scale).zip(x) {
                *y = *x;
            }
        });
    }

    /// Writes the gradient of `x` to `dx`, from that of `y`, `dy`.
    ///
    /// # Panics
    /// As [`PixelShuffle::forward`].
    pub fn backward(&self, dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        let Self { height, width, scale, .. } = *self;
        self.check(dx.len(), dy.len());
        let each = height * width * scale * scale;
        if each == 0 {
            return;
        }
        let block = self.block();
        threads::chunks(dx, block * each, |number, dx| {
            for (plane, dx) in (number * block..).zip(dx.chunks_exact_mut(each)) {
                let dy = &dy[plane * each..][..each];
                for (row, dx) in dx.chunks_exact_mut(width).enumerate() {
                    let (part, i) = (row / height, row % height);
                    let (a, b) = (part / scale, part % scale);
                    let dy = dy[(i * scale + a) * width * scale + b..].iter().step_by(scale);
                    for (dx, dy) in dx.iter_mut().zip(dy) {
                        *dx = if onto == WriteMode::Accumulate { *dx + dy } else { *dy };
                    }
                }
            }
        });
    }

    /// Runs `run` for each row of `y` and each of its remainders, with the row of `x` that it consists of.
    fn run(&self, y: &mut [f32], x: &[f32], run: impl Fn(usize, &mut [f32], &[f32]) + Sync) {
        let Self { height, width, scale, .. } = *self;
        self.check(x.len(), y.len());
        let each = height * width * scale * scale;
        if each == 0 {
            return;
        }
        let block = self.block();
        threads::chunks(y, block * each, |number, y| {
            for (plane, y) in (number * block..).zip(y.chunks_exact_mut(each)) {
                let x = &x[plane * each..][..each];
                for (row, y) in y.chunks_exact_mut(width * scale).enumerate() {
                    let (i, a) = (row / scale, row % scale);
                    for b in 0..scale {
                        let x = &x[((a * scale + b) * height + i) * width..][..width];
                        run(scale, &mut y[b..], x);
                    }
                }
            }
        });
    }

    fn check(&self, x: usize, y: usize) {
        let Self { planes, height, width, scale } = *self;
        assert!(scale > 0, "the factor is at least 1");
        let all = elements([planes, scale, scale, height, width]);
        assert_eq!(x, all, "x is [planes scale^2, height, width]");
        assert_eq!(y, all, "y is [planes, height scale, width scale]");
    }

    /// The number of planes of the result per block.
    fn block(&self) -> usize {
        let each = self.height * self.width * self.scale * self.scale;
        (threads::block(self.planes * each, each) / each).max(1)
    }
}
