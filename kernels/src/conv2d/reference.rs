//! Convolution as seven plain loops in f64.

use super::Conv2d;

/// The result of the reference, and the magnitude of each sum: the sum of the absolute values of its terms.
pub(super) struct Found {
    pub(super) values: Vec<f64>,
    pub(super) sizes: Vec<f64>,
}

impl Found {
    fn new(length: usize) -> Self {
        Self { values: vec![0.0; length], sizes: vec![0.0; length] }
    }

    fn add(&mut self, index: usize, term: f64) {
        self.values[index] += term;
        self.sizes[index] += term.abs();
    }
}

/// Runs `run` for each product of the convolution, with the indices of its elements in `x`, `weight` and `pre`.
fn each(conv: &Conv2d, mut run: impl FnMut(usize, usize, usize)) {
    let Conv2d { batch, channels, height, width, out, kernel, stride, padding, dilation, groups } = *conv;
    let (rows, columns) = (conv.out_height(), conv.out_width());
    let (ins, outs) = (channels / groups, out / groups);
    let inside = |axis: usize, place: usize, tap: usize| {
        let at = (place * stride[axis] + tap * dilation[axis]).checked_sub(padding[axis][0]);
        at.filter(|&at| at < [height, width][axis])
    };
    for n in 0..batch {
        for o in 0..out {
            for i in 0..rows {
                for j in 0..columns {
                    for c in 0..ins {
                        for u in 0..kernel[0] {
                            for v in 0..kernel[1] {
                                let at = [inside(0, i, u), inside(1, j, v)];
                                let [Some(y), Some(x)] = at else { continue };
                                run(
                                    ((n * channels + o / outs * ins + c) * height + y) * width + x,
                                    ((o * ins + c) * kernel[0] + u) * kernel[1] + v,
                                    ((n * out + o) * rows + i) * columns + j,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn forward(conv: &Conv2d, x: &[f64], weight: &[f64], bias: &[f64]) -> Found {
    let places = conv.out_height() * conv.out_width();
    let mut pre = Found::new(conv.batch * conv.result());
    for index in 0..pre.values.len() {
        pre.add(index, bias[index / places % conv.out]);
    }
    each(conv, |at, tap, result| pre.add(result, x[at] * weight[tap]));
    pre
}

/// The gradients of `x`, of the weights and of the bias.
pub(super) fn backward(conv: &Conv2d, x: &[f64], weight: &[f64], d_pre: &[f64]) -> [Found; 3] {
    let places = conv.out_height() * conv.out_width();
    let [mut dx, mut d_weight, mut d_bias] = [x.len(), weight.len(), conv.out].map(Found::new);
    each(conv, |at, tap, result| {
        dx.add(at, d_pre[result] * weight[tap]);
        d_weight.add(tap, d_pre[result] * x[at]);
    });
    for (index, &d) in d_pre.iter().enumerate() {
        d_bias.add(index / places % conv.out, d);
    }
    [dx, d_weight, d_bias]
}
