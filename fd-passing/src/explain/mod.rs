//! What a descriptor is, from `dup` to epoll.
//!
//! Shows: three things that are easily taken for one. The number, which a
//! process has; the descriptor behind it, with the one flag `FD_CLOEXEC`; and
//! the open file that descriptors share, with its offset, its other flags, and
//! whatever epoll knows of it. Locks of `fcntl` belong to neither, but to the
//! file and the process.

mod dup;
mod epoll;
mod flags;
pub(crate) mod lock;
mod processes;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::steps::{Failure, Steps};

/// The parts of the explanation.
const PARTS: [&str; 6] = ["dup", "flags", "exec", "fork", "lock", "epoll"];

/// What stands in the file that is used for it.
const CONTENT: &str = "0123456789";

/// Explains all parts.
pub(crate) fn run() -> Result<(), Failure> {
    let mut steps = Steps::new(&PARTS);
    let file = ScratchFile::new()?;
    dup::explain(&mut steps, file.path())?;
    flags::explain(&mut steps, file.path())?;
    processes::explain_exec(&mut steps)?;
    processes::explain_fork(&mut steps)?;
    lock::explain(&mut steps, file.path())?;
    epoll::explain(&mut steps)?;
    steps.verdict()
}

/// A file that is there while it is needed.
pub(crate) struct ScratchFile {
    path: PathBuf,
}

impl ScratchFile {
    pub(crate) fn new() -> Result<ScratchFile, Failure> {
        let name = format!("fd-passing-{}", std::process::id());
        let path = env::temp_dir().join(name);
        // Not somebody else's file, nor through somebody's symbolic link.
        let mut file = File::create_new(&path)?;
        let scratch = ScratchFile { path };
        std::io::Write::write_all(&mut file, CONTENT.as_bytes())?;
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
