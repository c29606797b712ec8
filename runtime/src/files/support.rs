//! What a file system need not have: a way to sync a folder, locks.
//!
//! Network and user-space file systems refuse one or the other. That is no reason not to train: it is reported once, and the
//! run goes on without. An error of the disk is one.

use std::io::{Error, ErrorKind, Result};

/// The result of an operation that not every file system has: the system's reason where this one has it not.
pub(crate) fn optional(result: Result<()>) -> Result<Option<Error>> {
    match result {
        Ok(()) => Ok(None),
        Err(error) if is_unsupported(&error) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Whether an error says that there is no such operation, and nothing of the file.
pub(crate) fn is_unsupported(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported || error.raw_os_error().is_some_and(is_unsupported_number)
}

/// EINVAL is Linux's answer for a file without the operation (CIFS of old, FUSE), ENOLCK that of NFS without a lock daemon.
#[cfg(unix)]
fn is_unsupported_number(number: i32) -> bool {
    [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP, libc::ENOLCK].contains(&number)
}

#[cfg(not(unix))]
fn is_unsupported_number(_: i32) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_supported_is_told_from_what_fails() {
        for number in [libc::EINVAL, libc::ENOSYS, libc::ENOTSUP, libc::EOPNOTSUPP, libc::ENOLCK] {
            let found = optional(Err(Error::from_raw_os_error(number))).unwrap();
            assert_eq!(found.and_then(|error| error.raw_os_error()), Some(number));
        }
        for number in [libc::EIO, libc::ENOSPC, libc::EROFS, libc::EACCES, libc::EDQUOT, libc::EBADF] {
            assert!(optional(Err(Error::from_raw_os_error(number))).is_err(), "{number}");
        }
        assert!(optional(Ok(())).unwrap().is_none());
    }
}
