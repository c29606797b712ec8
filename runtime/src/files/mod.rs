//! Files: reading whole files, atomic writes, writing to places that a user names, checksums.

mod atomic;
mod hash;
mod output;
mod read;
mod support;

pub(crate) use atomic::{clear_aside, pretty, sync, sync_folder, write_atomic, write_synced, write_whole_by};
pub(crate) use hash::{hex, sha256};
pub(crate) use output::{check_output, is_stdout, write_output, write_output_by};
pub(crate) use read::{is_no_file, read_file, regular};
pub(crate) use support::{is_unsupported, optional};
