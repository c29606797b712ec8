//! Files: read whole, written atomically, identified by a checksum.

mod atomic;
mod hash;
mod read;

pub(crate) use atomic::{clear_aside, pretty, sync_folder, write_synced, write_whole, write_whole_by};
pub(crate) use hash::{hex, sha256};
pub(crate) use read::{read_regular, regular};
