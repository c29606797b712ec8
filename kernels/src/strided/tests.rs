use super::*;
use crate::reduce::testing::{numbers, same_bits};

/// The copy, element by element.
fn plain(lengths: &[usize], from: Place, into: Place, x: &[f32], y: &mut [f32], onto: WriteMode) {
    let count: usize = lengths.iter().product();
    for number in 0..count {
        let (mut rest, mut f, mut i) = (number, from.start, into.start);
        for axis in (0..lengths.len()).rev() {
            let at = rest % lengths[axis];
            rest /= lengths[axis];
            f += at * from.strides[axis];
            i += at * into.strides[axis];
        }
        put(&mut y[i], x[f], onto);
    }
}

/// Boxes within samples of 2 x 3 x 4 x 5 and permuted axes.
fn cases() -> Vec<(Vec<usize>, Place, Place, usize, usize)> {
    let axes = [20, 30, 7, 3];
    let all: usize = axes.iter().product();
    let rows = Place::rows(&axes);
    let mut cases = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 2, 3], [0, 2, 1, 3], [2, 3, 0, 1], [0, 1, 3, 2]] {
        let lengths = order.map(|axis| axes[axis]);
        let strides = order.map(|axis| rows.stride(axis));
        cases.push((lengths.to_vec(), Place::new(0, &strides), Place::rows(&lengths), all, all));
    }
    for (lengths, start) in [
        ([5, 30, 7, 3], 630),
        ([20, 4, 7, 3], 42),
        ([20, 30, 2, 3], 3),
        ([20, 30, 7, 1], 2),
        ([2, 2, 2, 2], 0),
    ] {
        let size = lengths.iter().product();
        cases.push((lengths.to_vec(), rows.from(start), Place::rows(&lengths), all, size));
    }
    cases.push((vec![], Place::new(1, &[]), Place::new(0, &[]), 3, 1));
    cases
}

#[test]
fn copies_match_plain_loops() {
    for (lengths, from, into, from_size, into_size) in cases() {
        let strided = Strided::new(&lengths, from, into);
        for batch in [1, 3] {
            for onto in [WriteMode::Overwrite, WriteMode::Accumulate] {
                let x = numbers(batch * from_size, 1);
                let mut y = numbers(batch * into_size, 2);
                let mut expected = y.clone();
                strided.copy((&x, from_size), (&mut y, into_size), onto);
                for (x, y) in x.chunks(from_size).zip(expected.chunks_mut(into_size)) {
                    plain(&lengths, from, into, x, y, onto);
                }
                assert_eq!(y, expected, "{lengths:?} {onto:?}");
                let mut back = numbers(batch * from_size, 3);
                let mut expected = back.clone();
                strided.reversed().copy((&y, into_size), (&mut back, from_size), onto);
                for (y, back) in y.chunks(into_size).zip(expected.chunks_mut(from_size)) {
                    plain(&lengths, into, from, y, back, onto);
                }
                assert_eq!(back, expected, "{lengths:?} {onto:?} back");
            }
        }
    }
}

#[test]
fn copies_do_not_depend_on_threads() {
    for (lengths, from, into, from_size, into_size) in cases() {
        let strided = Strided::new(&lengths, from, into);
        same_bits(|| {
            let x = numbers(9 * from_size, 1);
            let mut y = vec![0.0; 9 * into_size];
            strided.copy((&x, from_size), (&mut y, into_size), WriteMode::Overwrite);
            vec![y]
        });
    }
}

#[test]
#[should_panic(expected = "the box is inside a sample")]
fn box_outside_sample_is_rejected() {
    let strided = Strided::new(&[4], Place::new(1, &[1]), Place::rows(&[4]));
    strided.copy((&[0.0; 4], 4), (&mut [0.0; 4], 4), WriteMode::Overwrite);
}
