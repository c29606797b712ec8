//! Pooling of images and of sequences, which are images of one row: what their layers share.

use candle_core::Tensor;

use super::window::Window;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The images, and the rows and columns of the result: a sequence `[batch, channels, length]` is an image of one row.
fn images(window: &Window, x: &Tensor) -> Result<(Tensor, [usize; 2])> {
    let x = if window.is_flat { x.unsqueeze(2)? } else { x.clone() };
    let (_, channels, height, width) = x.dims4()?;
    let axes = if window.is_flat { vec![channels, width] } else { vec![channels, height, width] };
    let (rows, columns) = window.places(Shape::of(&axes))?;
    Ok((x, [rows, columns]))
}

/// The result `[batch, channels, rows, columns]`, without the row of a sequence.
fn result(window: &Window, y: Tensor) -> Result<Tensor> {
    Ok(if window.is_flat { y.squeeze(2)? } else { y })
}

/// The largest value of each window.
pub(super) fn largest(window: &Window, x: &Tensor) -> Result<Tensor> {
    let (x, places) = images(window, x)?;
    let (batch, channels, ..) = x.dims4()?;
    let winners = winners(window, &x.detach(), places)?;
    // The only operation that candle differentiates: the gradient goes to the maxima and nowhere else.
    let y = x.flatten_from(2)?.contiguous()?.gather(&winners, 2)?;
    result(window, y.reshape((batch, channels, places[0], places[1]))?)
}

/// The position of each window's first maximum in its image, `[batch, channels, rows * columns]`.
fn winners(window: &Window, x: &Tensor, [rows, columns]: [usize; 2]) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    // A position in the padding is moved to the nearest pixel, which is in the same window: that changes
    // neither the maximum nor which pixel is the first to have it.
    let inside = |axis: usize, offset, places, length: usize| -> Vec<u32> {
        let padding = window.padding[axis][0];
        let nearest = |place: usize| place.saturating_sub(padding).min(length - 1) as u32;
        window.positions(axis, offset, places).map(nearest).collect()
    };
    let mut best: Option<(Tensor, Tensor)> = None;
    for u in 0..window.kernel[0] {
        let rows_at = inside(0, u, rows, height);
        let bands = x.index_select(&Tensor::new(rows_at.as_slice(), x.device())?, 2)?;
        for v in 0..window.kernel[1] {
            let columns_at = inside(1, v, columns, width);
            let values = bands.index_select(&Tensor::new(columns_at.as_slice(), x.device())?, 3)?;
            let places: Vec<u32> = rows_at
                .iter()
                .flat_map(|row| columns_at.iter().map(move |column| row * width as u32 + column))
                .collect();
            let places =
                Tensor::from_vec(places, (1, 1, rows, columns), x.device())?.broadcast_as(values.shape())?;
            best = Some(match best {
                None => (values, places.contiguous()?),
                Some((largest, winners)) => {
                    // NaN, which is not equal to itself, beats every other value.
                    let beats = (values.gt(&largest)? + values.ne(&values)?)?;
                    (beats.where_cond(&values, &largest)?, beats.where_cond(&places, &winners)?)
                }
            });
        }
    }
    let (_, winners) = best.ok_or(Error::Internal("a window without elements"))?;
    Ok(winners.reshape((batch, channels, rows * columns))?)
}

/// The mean of each window; the padding counts.
pub(super) fn means(window: &Window, x: &Tensor) -> Result<Tensor> {
    // The sum of a window is the sum of its row sums.
    let sums = sums(window, x)?;
    Ok(sums.affine(1.0 / window.area() as f64, 0.0)?)
}

/// The sum of each window.
pub(super) fn sums(window: &Window, x: &Tensor) -> Result<Tensor> {
    let (x, [rows, columns]) = images(window, x)?;
    let bands = sums_along(window, &x, 0, rows)?;
    result(window, sums_along(window, &bands, 1, columns)?)
}

/// The sums over a window of one row or column that slides along an axis of the image.
fn sums_along(window: &Window, x: &Tensor, axis: usize, places: usize) -> Result<Tensor> {
    let (kernel, stride, [before, after]) = (window.kernel[axis], window.stride[axis], window.padding[axis]);
    let dim = axis + 2;
    let padded = x.pad_with_zeros(dim, before, after)?;
    let windows = if stride == kernel {
        padded.narrow(dim, 0, places * kernel)?
    } else {
        // All windows in order, each with all its elements.
        let positions: Vec<u32> = (0..places)
            .flat_map(|place| (0..kernel).map(move |offset| (place, offset)))
            .map(|(place, offset)| (place * stride + offset) as u32)
            .collect();
        padded.contiguous()?.index_select(&Tensor::new(positions.as_slice(), x.device())?, dim)?
    };
    let mut axes = windows.dims().to_vec();
    if let Some(length) = axes.get_mut(dim) {
        *length = places;
    }
    axes.insert(dim + 1, kernel);
    Ok(windows.reshape(axes)?.sum(dim + 1)?)
}
