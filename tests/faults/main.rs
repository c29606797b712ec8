//! Faults from outside: processes that are killed, disks that are full, files that are damaged. After each there is a clear error
//! or a clean continuation, and no file that was good is bad.

#![allow(missing_docs, clippy::unwrap_used)]

mod damaged_files;
#[cfg(unix)]
mod full_disk;
#[cfg(unix)]
mod killed;
