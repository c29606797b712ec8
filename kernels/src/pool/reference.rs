//! Pooling as plain loops in f64.

use super::Pool;

/// The positions of the window of an output, row by row.
pub(super) fn window(pool: &Pool, row: usize, column: usize) -> Vec<usize> {
    let mut places = Vec::new();
    for u in 0..pool.kernel[0] {
        for v in 0..pool.kernel[1] {
            let at = [(0, row, u), (1, column, v)]
                .map(|(axis, place, tap)| (place * pool.stride[axis] + tap).checked_sub(pool.padding[axis]));
            if let [Some(row), Some(column)] = at
                && row < pool.height
                && column < pool.width
            {
                places.push(row * pool.width + column);
            }
        }
    }
    places
}

/// Runs `run` for each output, with its index, the first position of its plane and the positions of its window.
pub(super) fn each(pool: &Pool, mut run: impl FnMut(usize, usize, &[usize])) {
    let mut number = 0;
    for plane in 0..pool.planes {
        for row in 0..pool.out_height() {
            for column in 0..pool.out_width() {
                run(number, plane * pool.height * pool.width, &window(pool, row, column));
                number += 1;
            }
        }
    }
}

pub(super) fn max(pool: &Pool, x: &[f64]) -> (Vec<f64>, Vec<u32>) {
    let mut found = (Vec::new(), Vec::new());
    each(pool, |_, first, places| {
        let nan = places.iter().find(|&&place| x[first + place].is_nan());
        let largest = places.iter().map(|&place| x[first + place]).fold(f64::NEG_INFINITY, f64::max);
        let winner = nan.or_else(|| places.iter().find(|&&place| x[first + place] >= largest));
        let winner = *winner.expect("a window has a place");
        found.0.push(x[first + winner]);
        found.1.push(winner as u32);
    });
    found
}

pub(super) fn average(pool: &Pool, x: &[f64]) -> Vec<f64> {
    let mut y = Vec::new();
    let places_of_a_window = (pool.kernel[0] * pool.kernel[1]) as f64;
    each(pool, |_, first, places| {
        y.push(places.iter().map(|place| x[first + place]).sum::<f64>() / places_of_a_window);
    });
    y
}

pub(super) fn average_backward(pool: &Pool, dy: &[f64]) -> Vec<f64> {
    let mut dx = vec![0.0; pool.planes * pool.height * pool.width];
    let places_of_a_window = (pool.kernel[0] * pool.kernel[1]) as f64;
    each(pool, |number, first, places| {
        for place in places {
            dx[first + place] += dy[number] / places_of_a_window;
        }
    });
    dx
}
