//! The limit of open descriptors.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open descriptors to the hard one and returns it.
///
/// The soft limit is 1,024 on most systems, because `select(2)` can watch no descriptor above
/// that; a program on epoll need not care. Call it at the start of `main`.
///
/// # Errors
///
/// What `getrlimit(2)` and `setrlimit(2)` report; neither needs a privilege here.
///
/// ```
/// let limit = chapter::raise_descriptor_limit()?;
/// println!("room for {limit} descriptors");
/// # std::io::Result::Ok(())
/// ```
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft != hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// The soft limit of open descriptors, as it is; for a library, which changes no limit.
///
/// # Errors
///
/// What `getrlimit(2)` reports.
pub fn descriptor_limit() -> io::Result<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(soft)
}
