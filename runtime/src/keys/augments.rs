//! Which inputs a rule of augmentation applies to, and whether it moves pixels.

use crate::shape::{CheckError, CheckResult, Shape};

/// The inputs that an augmentation can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// All real inputs: images, series and features.
    Reals,
    /// Images `[channels, height, width]`.
    Images,
    /// Series `[channels, steps]`.
    Series,
}

impl Takes {
    /// Checks that an input has such a shape.
    ///
    /// # Errors
    /// If it has not.
    pub const fn check(self, input: Shape) -> CheckResult {
        let (rank, expected) = match self {
            Self::Reals => (input.rank(), "real numbers"),
            Self::Images => (3, "an image [channels, height, width]"),
            Self::Series => (2, "a series [channels, steps]"),
        };
        if input.vocabulary().is_some() {
            return Err(CheckError::new("the input ")
                .shape(input)
                .text(" holds tokens, which cannot be augmented; expected ")
                .text(expected)
                .text(", or remove it"));
        }
        if input.rank() == rank {
            return Ok(());
        }
        let other = match input.rank() {
            1 => ", or use `GaussianNoise`",
            2 => ", or use `TimeMask` or `GaussianNoise`",
            3 => ", or use a rule for images, such as `FlipHorizontal`",
            _ => "",
        };
        Err(CheckError::new("the input is ").shape(input).text("; expected ").text(expected).text(other))
    }
}

/// What an augmentation moves. Targets that are maps are then moved together with the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Nothing: each value stays where it is.
    Nothing,
    /// Values within the input: every one is still there.
    Within,
    /// Values into and out of the input, so that the class of a new pixel is not known.
    AcrossEdges,
}

/// The index of the input that an element of the key `augment` applies to: that of its list in a tuple of lists, or of the only
/// input.
///
/// # Errors
/// If there is no such input, or if there are several and no tuple.
pub(crate) const fn augmented_input(list: Option<usize>, inputs: usize) -> CheckResult<usize> {
    match list {
        Some(list) if list < inputs => Ok(list),
        Some(list) => Err(CheckError::new("it is in list ")
            .number(list + 1)
            .text(", but the model has ")
            .number(inputs)
            .text(if inputs == 1 { " input" } else { " inputs" })
            .text("; expected at most one list for each input")),
        None if inputs == 1 => Ok(0),
        None => Err(CheckError::new("the model has ").number(inputs).text(
            " inputs; expected a tuple with a list for each, such as `augment: ([FlipHorizontal], [])`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_shapes_are_checked() {
        let said = |takes: Takes, shape| takes.check(shape).map_err(|problem| problem.to_string());
        let (image, series, features) = (Shape::of(&[3, 8, 8]), Shape::of(&[2, 9]), Shape::of(&[4]));
        assert!([image, series, features].iter().all(|shape| Takes::Reals.check(*shape).is_ok()));
        assert_eq!(said(Takes::Images, image), Ok(()));
        assert_eq!(said(Takes::Series, series), Ok(()));
        assert_eq!(
            said(Takes::Images, features),
            Err("the input is [4]; expected an image [channels, height, width], or use `GaussianNoise`"
                .to_owned())
        );
        assert_eq!(
            said(Takes::Series, image),
            Err("the input is [3, 8, 8]; expected a series [channels, steps], or use a rule for images, such as `FlipHorizontal`"
                .to_owned())
        );
        let tokens = said(Takes::Reals, Shape::tokens(9, 4)).unwrap_err();
        assert!(tokens.contains("holds tokens, which cannot be augmented"), "{tokens}");
    }

    #[test]
    fn input_of_each_list_is_checked() {
        let said =
            |list, inputs| augmented_input(list, inputs).map_err(|problem| problem.as_str().to_owned());
        assert_eq!((said(None, 1), said(Some(0), 1), said(Some(1), 2)), (Ok(0), Ok(0), Ok(1)));
        assert!(said(None, 2).unwrap_err().contains("the model has 2 inputs; expected a tuple"));
        assert!(said(Some(1), 1).unwrap_err().contains("in list 2, but the model has 1 input;"));
    }
}
