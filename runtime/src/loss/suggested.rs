//! The loss of a spec without the key `loss`.

use super::{AnyLoss, BoundLoss};

/// A placeholder for the default losses of the target types, until the program starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suggested {}

impl<Output, Target> AnyLoss<Output, Target> for Suggested {
    fn each(&self) -> Vec<Box<dyn BoundLoss>> {
        Vec::new()
    }
}
