//! Brightness, contrast and saturation of an image, as in torchvision.

use super::Sample;

/// The weights of red, green and blue in a shade of gray, as in ITU-R BT.601 and torchvision.
const GRAY: [f64; 3] = [0.2989, 0.587, 0.114];

impl Sample<'_> {
    /// Multiplies the distance of each value from [black](Sample::black) by this factor, and limits the values to the declared range.
    /// 1 changes nothing.
    pub fn adjust_brightness(&mut self, factor: f64) {
        let black = f64::from(self.black());
        self.values().iter_mut().for_each(|value| blend(value, black, factor));
        self.clamp();
    }

    /// Multiplies the distance of each value from the mean shade of gray of the image by this factor, and limits the values to the
    /// declared range. 1 changes nothing, 0 leaves a gray area.
    ///
    /// The gray of three channels is `0.2989 red + 0.587 green + 0.114 blue`, as in torchvision; of another number of channels it is their mean.
    pub fn adjust_contrast(&mut self, factor: f64) {
        let means: Vec<f64> = self.channels().map(|channel| mean(channel)).collect();
        let gray = match means.as_slice() {
            [red, green, blue] => gray([*red, *green, *blue]),
            means => {
                let known = means.iter().filter(|mean| !mean.is_nan());
                known.clone().sum::<f64>() / known.count().max(1) as f64
            }
        };
        if gray.is_nan() {
            return;
        }
        self.values().iter_mut().for_each(|value| blend(value, gray, factor));
        self.clamp();
    }

    /// Multiplies the distance of each pixel from its shade of gray by this factor, and limits the values to the declared range. 1 changes
    /// nothing, 0 leaves shades of gray. Images without three channels are left unchanged.
    pub fn adjust_saturation(&mut self, factor: f64) {
        let &[3, height, width] = self.shape().axes() else { return };
        let (red, rest) = self.values().split_at_mut(height * width);
        let (green, blue) = rest.split_at_mut(height * width);
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let gray = gray([f64::from(*red), f64::from(*green), f64::from(*blue)]);
            for value in [red, green, blue] {
                blend(value, gray, factor);
            }
        }
        self.clamp();
    }
}

/// The shade of gray of a color.
fn gray(color: [f64; 3]) -> f64 {
    color.iter().zip(GRAY).map(|(value, weight)| value * weight).sum()
}

/// `factor * value + (1 - factor) * other`
fn blend(value: &mut f32, other: f64, factor: f64) {
    *value = (factor * f64::from(*value) + (1.0 - factor) * other) as f32;
}

/// The mean of the values that are not missing; NaN if all are.
fn mean(values: &[f32]) -> f64 {
    let known = values.iter().filter(|value| !value.is_nan());
    let (sum, count) = known.fold((0.0, 0_u64), |(sum, count), value| (sum + f64::from(*value), count + 1));
    sum / count as f64
}
