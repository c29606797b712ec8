//! A training sample while it is augmented.

use super::Affine;
use crate::shape::Shape;

/// One input of a training sample, before normalization, with the target maps that belong to it.
///
/// Values are in the units of the data. A *channel* is an index of the first axis: the colors of an image, the channels of a series; each
/// feature is one.
///
/// ```
/// use trainspec::Shape;
/// use trainspec::data::augment::{Affine, Sample};
///
/// let mut values = [1.0, 2.0, 3.0, 4.0];
/// let mut image = Sample::new(Shape::of(&[1, 2, 2]), &mut values);
/// image.warp(Affine::shift(1.0, 0.0));
/// assert_eq!(values, [0.0, 0.0, 1.0, 2.0]);
/// ```
#[derive(Debug)]
pub struct Sample<'a> {
    shape: Shape,
    values: &'a mut [f32],
    maps: Vec<Map<'a>>,
    about: About<'a>,
}

/// A target with a class for each pixel.
#[derive(Debug)]
struct Map<'a> {
    classes: &'a mut [u32],
    /// The class of pixels that are not known.
    fill: Option<u32>,
}

/// What is known about an input besides its values.
#[derive(Clone, Copy, Debug)]
struct About<'a> {
    low: f32,
    high: f32,
    /// Mean and deviation of each channel.
    channels: &'a [(f32, f32)],
}

impl<'a> Sample<'a> {
    /// A sample of this shape; `values` has as many elements, in the order of its axes. It has no declared range and no statistics.
    #[must_use]
    pub const fn new(shape: Shape, values: &'a mut [f32]) -> Self {
        let about = About { low: f32::NEG_INFINITY, high: f32::INFINITY, channels: &[] };
        Self { shape, values, maps: Vec::new(), about }
    }

    /// The same with the declared range of the values.
    #[must_use]
    pub const fn with_range(mut self, low: f32, high: f32) -> Self {
        (self.about.low, self.about.high) = (low, high);
        self
    }

    /// The same with mean and standard deviation of each channel over the training samples.
    #[must_use]
    pub const fn with_channels(mut self, channels: &'a [(f32, f32)]) -> Self {
        self.about.channels = channels;
        self
    }

    /// The same with a target that has a class for each pixel of the image. `fill` is the class of pixels that are not known.
    #[must_use]
    pub fn with_map(mut self, classes: &'a mut [u32], fill: Option<u32>) -> Self {
        self.maps.push(Map { classes, fill });
        self
    }

    /// The shape.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The values, in the order of the shape's axes. NaN is a missing value.
    #[must_use]
    pub const fn values(&mut self) -> &mut [f32] {
        self.values
    }

    /// The values of each channel.
    pub fn channels(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let each = self.channel_size();
        self.values.chunks_mut(each)
    }

    /// The mean of a channel over the training samples, before normalization; 0 if it is not known.
    #[must_use]
    pub fn mean(&self, channel: usize) -> f32 {
        self.about.channels.get(channel).map_or(0.0, |(mean, _)| *mean)
    }

    /// The standard deviation of a channel over the training samples, before normalization; 1 if it is not known.
    #[must_use]
    pub fn deviation(&self, channel: usize) -> f32 {
        self.about.channels.get(channel).map_or(1.0, |(_, deviation)| *deviation)
    }

    /// The value of black, of pixels that enter an image: the lower end of the data's [`input_range`](crate::Dataset::input_range) if it
    /// is finite, otherwise 0.
    #[must_use]
    pub const fn black(&self) -> f32 {
        if self.about.low.is_finite() { self.about.low } else { 0.0 }
    }

    /// Limits the values to the data's [`input_range`](crate::Dataset::input_range), if it is declared. Missing values stay missing.
    pub fn clamp(&mut self) {
        let About { low, high, .. } = self.about;
        for value in &mut *self.values {
            if *value < low {
                *value = low;
            } else if *value > high {
                *value = high;
            }
        }
    }

    /// Moves whole pixels of an image and of its maps: the pixel at (row, column) becomes the one at `source(row, column)`. If there is none,
    /// it becomes [black](Sample::black), and its class that of unknown pixels. Other shapes are left unchanged.
    pub fn move_pixels(&mut self, source: impl Fn(usize, usize) -> Option<(usize, usize)>) {
        let &[_, height, width] = self.shape.axes() else { return };
        let places: Vec<Option<usize>> = (0..height * width)
            .map(|place| {
                let (row, column) = source(place / width, place % width)?;
                (row < height && column < width).then_some(row * width + column)
            })
            .collect();
        let black = self.black();
        for channel in self.channels() {
            let before = channel.to_vec();
            for (value, place) in channel.iter_mut().zip(&places) {
                *value = place.and_then(|place| before.get(place).copied()).unwrap_or(black);
            }
        }
        for Map { classes, fill } in &mut self.maps {
            let before = classes.to_vec();
            for (class, place) in classes.iter_mut().zip(&places) {
                let known = place.and_then(|place| before.get(place).copied());
                *class = known.or(*fill).unwrap_or(*class);
            }
        }
    }

    /// Transforms an image and its maps about the center of the image. Values are interpolated between the four nearest pixels, classes are
    /// those of the nearest pixel. Outside the image is [black](Sample::black), and the class of unknown pixels. Other shapes are left
    /// unchanged.
    pub fn warp(&mut self, affine: Affine) {
        let &[_, height, width] = self.shape.axes() else { return };
        let center = [(height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0];
        let sources: Vec<[f64; 2]> = (0..height * width)
            .map(|place| {
                let from = [(place / width) as f64 - center[0], (place % width) as f64 - center[1]];
                let [row, column] = affine.source(from);
                [row + center[0], column + center[1]]
            })
            .collect();
        let black = f64::from(self.black());
        let place = |row: f64, column: f64| {
            let is_within = row >= 0.0 && column >= 0.0 && row < height as f64 && column < width as f64;
            is_within.then(|| row as usize * width + column as usize)
        };
        for channel in self.channels() {
            let before = channel.to_vec();
            let at = |row, column| {
                let value = place(row, column).and_then(|place| before.get(place).copied());
                value.map_or(black, f64::from)
            };
            for (value, &[row, column]) in channel.iter_mut().zip(&sources) {
                let (top, left) = (row.floor(), column.floor());
                let (down, right) = (row - top, column - left);
                let corners = [
                    ((1.0 - down) * (1.0 - right), top, left),
                    ((1.0 - down) * right, top, left + 1.0),
                    (down * (1.0 - right), top + 1.0, left),
                    (down * right, top + 1.0, left + 1.0),
                ];
                *value =
                    corners.iter().map(|&(weight, row, column)| weight * at(row, column)).sum::<f64>() as f32;
            }
        }
        for Map { classes, fill } in &mut self.maps {
            let before = classes.to_vec();
            for (class, &[row, column]) in classes.iter_mut().zip(&sources) {
                let nearest = place((row + 0.5).floor(), (column + 0.5).floor());
                let known = nearest.and_then(|place| before.get(place).copied());
                *class = known.or(*fill).unwrap_or(*class);
            }
        }
    }

    /// The number of values of a channel, at least 1.
    fn channel_size(&self) -> usize {
        let channels = self.shape.axes().first().copied().unwrap_or(1).max(1);
        (self.shape.elements() / channels).max(1)
    }
}
