//! Divides work on many tensors among threads: a list of them is halved until a half is small.

use crate::arena::TensorList;

/// Where to cut a list of two tensors or more so that both halves have about as many elements of their `total`;
/// neither is empty.
pub(crate) fn middle(tensors: impl TensorList, total: usize) -> usize {
    let mut before = 0;
    for index in 0..tensors.count() {
        let after = before + tensors.tensor(index).len();
        if after > total / 2 {
            // The tensor in the middle goes where it makes the halves more equal.
            let index = if total - after > before { index + 1 } else { index };
            return index.clamp(1, tensors.count() - 1);
        }
        before = after;
    }
    tensors.count() / 2
}
