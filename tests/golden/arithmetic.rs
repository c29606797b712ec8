//! Arithmetic on values and layers that move them, compared with PyTorch: outputs, and gradients through a linear layer.

use trainspec::prelude::*;

use super::file::parse;
use super::sharing::agrees;

#[model]
fn Functions(x: Features<3>) -> Values<48> {
    let h = x.linear(out = 4);
    let y = h.abs().concat(h.square()).concat((0.5 * h).exp()).concat((1.0 + h.square()).log());
    let y = y.concat((h.square() + 1.0).sqrt()).concat(h.clamp(min = -0.5, max = 0.75));
    let y = y.concat(h.clamp(min = 0.0)).concat(2.0 / (2.0 + h.square())).concat(-h);
    y.concat(h * 2.0 - 1.0).concat(3.0 - h).concat(h / 4.0)
}

#[model]
fn Broadcast(x: Value) -> Value {
    let wide = x.linear(out = 4);
    let narrow = x.linear(out = 1);
    let first = wide[0..1];
    let positive = 1.0 + narrow.square();
    let y = (wide + narrow).concat(narrow - wide, axis = 1).concat(wide - first, axis = 1);
    let y =
        y.concat(wide * narrow, axis = 1).concat(first * wide, axis = 1).concat(wide / positive, axis = 1);
    y.concat(positive / (1.0 + wide.square()), axis = 1).concat(wide / (1.0 + wide.square()), axis = 1)
}

#[model]
fn Layout(x: Value) -> Value {
    let h = x.linear(out = 6);
    let (q, k, v) = h.chunk(axis = 1);
    let (s, t) = h.split(sizes = [2, 3]);
    let y = h[1..4].flatten().concat(h.slice(axis = 1, start = 2, end = 5).flatten());
    let y = y.concat(h[3]).concat(h.select(axis = 0, index = 4));
    let y = y.concat((q * v - k).flatten()).concat(s.exp().flatten()).concat(t.transpose().flatten());
    let y = y.concat(h.reshape(to = [5, 3, 2]).permute(axes = [2, 0, 1]).flatten());
    let y = y.concat(h.pad(before = 1, after = 2, value = 0.5).flatten());
    let y = y.concat(h.pad(axis = 1, before = 2).flatten());
    y.concat(q.stack(k).flatten()).concat(q.stack(v, axis = 2).flatten())
}

/// An input of a shape that no kind of input has.
macro_rules! graph {
    ($model:ident, $shape:expr) => {
        trainspec::graph::Graph::of(&<$model as trainspec::Config>::DEFAULT, &[trainspec::Shape::of(&$shape)])
            .unwrap()
    };
}

#[test]
fn functions_and_numbers_match_pytorch() {
    agrees(&graph!(Functions, [3]), &parse(include_str!("arithmetic.json"))["functions"], &[]);
}

#[test]
fn repeated_operands_match_pytorch() {
    agrees(&graph!(Broadcast, [2, 3]), &parse(include_str!("arithmetic.json"))["broadcast"], &[]);
}

#[test]
fn moved_values_match_pytorch() {
    agrees(&graph!(Layout, [5, 4]), &parse(include_str!("arithmetic.json"))["layout"], &[]);
}
