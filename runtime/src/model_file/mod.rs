//! Model files: safetensors of this crate, and their exchange with other programs.

mod codec;
mod export;
mod format;
mod import;
mod write;

pub(crate) use codec::{Contents, decode, decode_tensors, model, read};
pub(crate) use export::model_for_others;
pub(crate) use import::begin;
pub(crate) use write::{NamedTensor, TensorFile};
