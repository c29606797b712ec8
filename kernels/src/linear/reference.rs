//! A fully connected layer as plain loops in f64, with the identity as epilogue.

/// `y`, and for each element the sum of the absolute values of its terms.
pub(super) fn forward(inputs: usize, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<(f64, f64)> {
    let rows = x.chunks_exact(inputs);
    let outputs = |row| weight.chunks_exact(inputs).zip(bias).map(move |(w, &bias)| affine(row, w, bias));
    rows.flat_map(outputs).collect()
}

fn affine(x: &[f64], weight: &[f64], bias: f64) -> (f64, f64) {
    let terms = x.iter().zip(weight).map(|(x, w)| x * w);
    terms.fold((bias, bias.abs()), |(sum, size), term| (sum + term, size + term.abs()))
}

/// The gradients of `x`, the weight and the bias of the sum of `y` times `dy`, with the sizes of their terms.
pub(super) fn backward(inputs: usize, x: &[f64], weight: &[f64], dy: &[f64]) -> [Vec<(f64, f64)>; 3] {
    let outputs = weight.len() / inputs;
    let mut dx = vec![(0.0, 0.0); x.len()];
    let mut d_weight = vec![(0.0, 0.0); weight.len()];
    let mut d_bias = vec![(0.0, 0.0); outputs];
    let add = |to: &mut (f64, f64), term: f64| *to = (to.0 + term, to.1 + term.abs());
    for (number, &dy) in dy.iter().enumerate() {
        let (row, output) = (number / outputs, number % outputs);
        add(&mut d_bias[output], dy);
        for input in 0..inputs {
            add(&mut dx[row * inputs + input], dy * weight[output * inputs + input]);
            add(&mut d_weight[output * inputs + input], dy * x[row * inputs + input]);
        }
    }
    [dx, d_weight, d_bias]
}
