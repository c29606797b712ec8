//! Pooling of images and of sequences, which are images of one row: what their layers share.

use candle_core::Tensor;

use super::window::Window;
use crate::error::{Error, Result};
use crate::shape::{CheckError, CheckResult, Shape};

/// The largest exponent of power-average pooling: beyond it, powers of ordinary values leave the range of f32.
const MAX_EXPONENT: usize = 32;

/// Checks the exponent of power-average pooling.
pub(super) const fn exponent(p: usize) -> CheckResult {
    if p >= 1 && p <= MAX_EXPONENT {
        return Ok(());
    }
    Err(CheckError::new("p is ").number(p).text("; expected a whole number from 1 to ").number(MAX_EXPONENT))
}

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
    let (_, _, height, width) = x.dims4()?;
    // A position in the padding is moved to the nearest pixel, which is in the same window: that changes
    // neither the maximum nor which pixel is the first to have it.
    let inside = |axis: usize, length: usize| -> Vec<Vec<u32>> {
        let padding = window.padding[axis][0];
        let nearest = |place: usize| place.saturating_sub(padding).min(length - 1) as u32;
        let offsets = 0..window.kernel[axis];
        offsets.map(|offset| window.positions(axis, offset, places[axis]).map(nearest).collect()).collect()
    };
    let y = largest_at(&x, &inside(0, height), &inside(1, width))?;
    result(window, y.reshape((batch, channels, places[0], places[1]))?)
}

/// The largest value of each of `out` windows along each axis.
pub(super) fn adaptive_largest(out: [usize; 2], x: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let at = |length: usize, out: usize| -> Vec<Vec<u32>> {
        let windows = divided(length, out);
        let most = windows.iter().map(|(first, end)| end - first).max().unwrap_or(0);
        // A shorter window repeats its last element.
        let offsets = 0..most;
        offsets
            .map(|offset| windows.iter().map(|(first, end)| (first + offset).min(end - 1) as u32).collect())
            .collect()
    };
    let y = largest_at(x, &at(height, out[0]), &at(width, out[1]))?;
    Ok(y.reshape((batch, channels, out[0], out[1]))?)
}

/// The mean of each of `out` windows along each axis.
pub(super) fn adaptive_means(out: [usize; 2], x: &Tensor) -> Result<Tensor> {
    let (.., height, width) = x.dims4()?;
    let shares = |length: usize, out: usize| -> Vec<Vec<(usize, f64)>> {
        let share = |(first, end): (usize, usize)| {
            (first..end).map(|place| (place, 1.0 / (end - first) as f64)).collect()
        };
        divided(length, out).into_iter().map(share).collect()
    };
    weighted(x, &shares(height, out[0]), &shares(width, out[1]))
}

/// The starts and ends of `out` windows that divide an axis.
fn divided(length: usize, out: usize) -> Vec<(usize, usize)> {
    (0..out).map(|place| (place * length / out, ((place + 1) * length).div_ceil(out))).collect()
}

/// Weighted sums of rows and columns: for each row and column of the output those of the input, with their weights.
pub(super) fn weighted(
    x: &Tensor,
    rows: &[Vec<(usize, f64)>],
    columns: &[Vec<(usize, f64)>],
) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    // [inputs, outputs]
    let matrix = |terms: &[Vec<(usize, f64)>], inputs: usize| -> Result<Tensor> {
        let outputs = terms.len();
        let mut weights = vec![0.0; inputs * outputs];
        for (output, terms) in terms.iter().enumerate() {
            for (input, weight) in terms {
                weights[input * outputs + output] += weight;
            }
        }
        Ok(Tensor::from_vec(weights, (inputs, outputs), x.device())?.to_dtype(x.dtype())?)
    };
    let y = x.reshape((batch * channels * height, width))?.matmul(&matrix(columns, width)?)?;
    let y = y.reshape((batch * channels, height, columns.len()))?.transpose(1, 2)?;
    let y = y.reshape((batch * channels * columns.len(), height))?.matmul(&matrix(rows, height)?)?;
    let y = y.reshape((batch, channels, columns.len(), rows.len()))?;
    Ok(y.transpose(2, 3)?.contiguous()?)
}

/// The largest value along an axis.
pub(super) fn largest_along(x: &Tensor, axis: usize) -> Result<Tensor> {
    let (detached, length) = (x.detach(), x.dim(axis)?);
    let mut largest = detached.narrow(axis, 0, 1)?.contiguous()?;
    let mut winners = largest.zeros_like()?.to_dtype(candle_core::DType::U32)?;
    for place in 1..length {
        let values = detached.narrow(axis, place, 1)?.contiguous()?;
        let beats = (values.gt(&largest)? + values.ne(&values)?)?;
        // Nothing beats NaN.
        let beats = (beats * largest.eq(&largest)?)?;
        let here = Tensor::full(place as u32, values.shape(), x.device())?;
        (largest, winners) = (beats.where_cond(&values, &largest)?, beats.where_cond(&here, &winners)?);
    }
    Ok(x.contiguous()?.gather(&winners, axis)?.squeeze(axis)?)
}

/// The largest of the values at all offsets, `[batch, channels, outputs]`: for each offset along an axis the positions of all
/// outputs.
fn largest_at(x: &Tensor, rows: &[Vec<u32>], columns: &[Vec<u32>]) -> Result<Tensor> {
    let winners = winners(&x.detach(), rows, columns)?;
    // The only operation that candle differentiates: the gradient goes to the maxima and nowhere else.
    Ok(x.flatten_from(2)?.contiguous()?.gather(&winners, 2)?)
}

/// The position of each first maximum in its image, `[batch, channels, rows * columns]`.
fn winners(x: &Tensor, all_rows: &[Vec<u32>], all_columns: &[Vec<u32>]) -> Result<Tensor> {
    let (batch, channels, _, width) = x.dims4()?;
    let [rows, columns] = [all_rows, all_columns].map(|offsets| offsets.first().map_or(0, Vec::len));
    let mut best: Option<(Tensor, Tensor)> = None;
    for rows_at in all_rows {
        let bands = x.index_select(&Tensor::new(rows_at.as_slice(), x.device())?, 2)?;
        for columns_at in all_columns {
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

/// The `p`-th root of the sum of the `p`-th powers of each window, with the sign of the sum.
pub(super) fn powers(window: &Window, p: usize, x: &Tensor) -> Result<Tensor> {
    let p = p as f64;
    let sums = sums(window, &x.powf(p)?)?;
    // Computed here, since the slope of the root is infinite at 0.
    let at = sums.detach();
    let sizes = at.abs()?.powf(1.0 / p)?;
    let values = at.lt(0.0)?.where_cond(&sizes.neg()?, &sizes)?;
    let slopes = (sizes.powf(1.0 - p)? / p)?;
    let slopes = at.eq(0.0)?.where_cond(&slopes.zeros_like()?, &slopes)?;
    Ok(((sums - &at)? * slopes)?.add(&values)?)
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
