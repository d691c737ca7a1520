//! The files of the book as answers.
//!
//! Shows: `openat2(2)` with `RESOLVE_BENEATH` lets the kernel see to it that a path stays below the
//! book's directory, whatever links there may be in it.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

/// What a path leads to.
pub(super) enum Found {
    File {
        file: File,
        length: u64,
        content_type: &'static str,
    },
    /// A directory, asked for without the slash at its end.
    Directory,
    Nothing,
}

/// Opens what `path` means below `root`: a file, or the `index.html` of a directory.
pub(super) fn find(root: &Path, path: &str) -> io::Result<Found> {
    let root = File::open(root)?;
    let wanted = match path {
        path if path.is_empty() || path.ends_with('/') => format!("{path}index.html"),
        path => path.to_owned(),
    };
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = match openat2(&root, wanted.as_str(), how) {
        Ok(descriptor) => File::from(descriptor),
        // Beneath: EXDEV. A file where a directory should be: ENOTDIR.
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EXDEV | Errno::ELOOP | Errno::ENAMETOOLONG) => {
            return Ok(Found::Nothing);
        }
        Err(err) => return Err(err.into()),
    };
    let data = file.metadata()?;
    Ok(if data.is_file() {
        Found::File {
            length: data.len(),
            content_type: content_type(&wanted),
            file,
        }
    } else if data.is_dir() {
        Found::Directory
    } else {
        Found::Nothing
    })
}

fn content_type(path: &str) -> &'static str {
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    match ending.unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
