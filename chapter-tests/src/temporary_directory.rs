//! A place for a test's files.

use std::env;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use nix::unistd::mkdtemp;

/// A new, empty directory for one test, removed with all that is in it when dropped.
///
/// ```
/// let directory = chapter_tests::TemporaryDirectory::new();
/// std::fs::write(directory.join("motd"), "Welcome").unwrap();
/// ```
#[derive(Debug)]
pub struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// Makes the directory, below `$TMPDIR` or `/tmp`, for this user alone.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn new() -> Self {
        let template = env::temp_dir().join("chapter-tests-XXXXXX");
        let made = mkdtemp(&template);
        Self(made.unwrap_or_else(|err| panic!("mkdtemp {}: {err}", template.display())))
    }
}

impl Default for TemporaryDirectory {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for TemporaryDirectory {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for TemporaryDirectory {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // What cannot be removed stays in /tmp; no reason to fail the test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_with_all_that_was_in_it() {
        let directory = TemporaryDirectory::new();
        let other = TemporaryDirectory::new();
        assert_ne!(*directory, *other);
        fs::create_dir(directory.join("inner")).unwrap();
        fs::write(directory.join("inner/file"), "x").unwrap();
        let path = directory.to_owned();
        drop(directory);
        assert!(!path.exists());
        assert!(other.exists());
    }
}
