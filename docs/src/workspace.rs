//! The files that the book shows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::anchors::Source;

/// Where the text of the book is, from the root of the workspace.
pub(crate) const PAGES: &str = "docs/pages";

/// Files that may have anchors. One with another ending can be shown whole.
const WITH_ANCHORS: [&str; 3] = ["rs", "toml", "sh"];

/// A workspace on disk; each file is read once.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    read: RefCell<HashMap<String, Option<Rc<Source>>>>,
}

impl Workspace {
    /// The workspace with this root.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            read: RefCell::default(),
        }
    }

    /// The directory that it is in.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file at `path`, from the root; nothing if there is none, if it is not text, or if the
    /// path leads out of the workspace.
    pub(crate) fn source(&self, path: &str) -> Option<Rc<Source>> {
        if let Some(read) = self.read.borrow().get(path) {
            return read.clone();
        }
        let source = is_inside(path)
            .then(|| fs::read_to_string(self.root.join(path)).ok())
            .flatten()
            .map(|text| Rc::new(Source::new(path, text)));
        self.read
            .borrow_mut()
            .insert(path.to_owned(), source.clone());
        source
    }

    /// The files that may have anchors, by path; those are also all that a reader may want to walk
    /// through.
    ///
    /// # Errors
    ///
    /// If a directory cannot be read.
    pub(crate) fn files(&self) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        let mut directories = vec![PathBuf::new()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(self.root.join(&directory))? {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let path = directory.join(name);
                let kind = entry.file_type()?;
                if name.starts_with('.') {
                    continue;
                }
                if kind.is_dir() {
                    if !is_made(&self.root.join(&path)) {
                        directories.push(path);
                    }
                } else if kind.is_file()
                    && let Some(path) = path.to_str()
                    && has_ending(path, &WITH_ANCHORS)
                {
                    files.push(path.to_owned());
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Whether a directory is one that cargo builds into, whatever its name (`CARGO_TARGET_DIR`): there
/// is a tag in it by which programs know what can be made again
/// (<https://bford.info/cachedir/>). What is in it is neither shown nor watched; to watch what a
/// build writes would be to build for ever.
pub(crate) fn is_made(directory: &Path) -> bool {
    directory.ends_with("target") || directory.join("CACHEDIR.TAG").is_file()
}

/// Whether a file's name ends with one of these, behind a dot.
pub(crate) fn has_ending(path: &str, endings: &[&str]) -> bool {
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

/// Whether a path from the root stays below it.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_workspace() {
        assert!(is_inside("chapter/src/lib.rs"));
        for outside in ["", "/etc/passwd", "../x", "chapter/../../x"] {
            assert!(!is_inside(outside), "{outside}");
        }
    }
}
