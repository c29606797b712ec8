//! Model files: safetensors of this crate, of other programs, and for other programs.

mod codec;
mod export;
mod import;

pub(crate) use codec::{
    Contents, NamedTensor, decode, decode_tensors, encode, encode_numbers, encode_tensors, numbers_of, read,
};
pub(crate) use export::encode_for_others;
pub(crate) use import::begin;
