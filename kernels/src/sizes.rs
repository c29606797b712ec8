//! Products of sizes.

/// The number of elements of a tensor of these sizes; `usize::MAX` if the product overflows.
///
/// No slice is that long, so a kernel that compares slice lengths with it rejects sizes that overflow. An unchecked product
/// could equal the length of a slice that is far too short.
#[inline]
pub(crate) fn elements<const N: usize>(sizes: [usize; N]) -> usize {
    sizes.into_iter().fold(1, usize::saturating_mul)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::Attention;
    use crate::conv2d::Conv2d;
    use crate::epilogue::Epilogue;
    use crate::linear::Linear;

    #[test]
    fn element_count_saturates() {
        assert_eq!(elements([3, 4, 5]), 60);
        assert_eq!(elements([]), 1);
        assert_eq!(elements([1 << 40, 1 << 24]), usize::MAX);
        assert_eq!(elements([usize::MAX, 2, 0]), 0);
    }

    /// 2^64 elements wrap to 0.
    #[test]
    #[should_panic(expected = "qkv is [batch, length, 3 heads width]")]
    fn attention_rejects_overflowing_sizes() {
        let (batch, length, heads, width) = (1 << 32, 1 << 16, 1 << 8, 1 << 8);
        Attention { batch, length, heads, width, causal: false, dropout: None }.forward(
            &[],
            &mut [],
            &mut [],
        );
    }

    #[test]
    #[should_panic(expected = "x is [batch, channels, height, width]")]
    fn conv2d_rejects_overflowing_sizes() {
        let conv = Conv2d {
            batch: 1 << 48,
            channels: 1,
            height: 1 << 8,
            width: 1 << 8,
            out: 1,
            kernel: [1; 2],
            stride: [1; 2],
            padding: [[0; 2]; 2],
            dilation: [1; 2],
            groups: 1,
        };
        conv.forward(&[], &[0.0], None, &Epilogue::NONE, None, &mut []);
    }

    /// The image is 1x1, and so is its result; but the padded image would have 2^66 elements, which is 2^2 modulo
    /// 2^64.
    #[test]
    #[should_panic(expected = "an image with its padding has fewer than 2^31 elements")]
    fn conv2d_rejects_overflowing_padding() {
        let conv = Conv2d {
            batch: 1,
            channels: 1,
            height: 1,
            width: 1,
            out: 1,
            kernel: [2; 2],
            stride: [1 << 40; 2],
            padding: [[1 << 32; 2]; 2],
            dilation: [1 << 33; 2],
            groups: 1,
        };
        assert_eq!(conv.out_height(), 1);
        conv.forward(&[1.0], &[0.0; 4], None, &Epilogue::NONE, None, &mut [0.0]);
    }

    #[test]
    #[should_panic(expected = "[rows, outputs]")]
    fn linear_rejects_overflowing_sizes() {
        let linear = Linear { rows: 1 << 32, inputs: 0, outputs: 1 << 32 };
        linear.forward(&[], &[], None, &Epilogue::NONE, None, &mut []);
    }
}
