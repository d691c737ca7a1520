//! Builds the book with mdBook's library.
//!
//! Shows: the new book is made beside the old one and takes its place at the end, so that one that
//! cannot be built leaves the old one standing.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mdbook_driver::MDBook;
use mdbook_driver::book::{Book as MarkdownBook, BookItem};
use mdbook_driver::config::Config;
use mdbook_driver::errors::Result as MdbookResult;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

use crate::{Book, source_pages};

/// Hands mdBook the pages as we have rendered them.
struct Pages(HashMap<PathBuf, String>);

impl Preprocessor for Pages {
    fn name(&self) -> &'static str {
        "pages"
    }

    fn run(&self, _: &PreprocessorContext, mut book: MarkdownBook) -> MdbookResult<MarkdownBook> {
        book.for_each_mut(|item| {
            if let BookItem::Chapter(chapter) = item
                && let Some(path) = &chapter.path
                && let Some(markdown) = self.0.get(path)
            {
                chapter.content.clone_from(markdown);
            }
        });
        Ok(book)
    }
}

/// Builds the book into `destination`.
///
/// With `live_reload` its pages ask their server to tell them of the next one.
///
/// # Errors
///
/// What mdBook complains of, and if files cannot be written.
pub(crate) fn build(book: &Book, destination: &Path, live_reload: bool) -> io::Result<()> {
    let parent = destination.parent().unwrap_or(Path::new(""));
    if !parent.as_os_str().is_empty() {
        fs::create_dir_all(parent)?;
    }
    // mdBook takes a relative one from its own root.
    let destination = std::path::absolute(destination)?;
    let mut name = destination.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let new = destination.with_file_name(name);
    let built = build_new(book, &new, live_reload).and_then(|()| take_place(&new, &destination));
    if built.is_err() {
        let _ = fs::remove_dir_all(&new);
    }
    built
}

fn build_new(book: &Book, new: &Path, live_reload: bool) -> io::Result<()> {
    let root = book.workspace.root().join("docs");
    let error = |err: mdbook_driver::errors::Error| io::Error::other(format!("mdbook: {err:#}"));
    let mut config = Config::from_disk(root.join("book.toml")).map_err(error)?;
    new.clone_into(&mut config.build.build_dir);
    if live_reload {
        config
            .set(
                "output.html.additional-js",
                ["theme/reader.js", "theme/live-reload.js"],
            )
            .map_err(error)?;
    }
    let mut mdbook = MDBook::load_with_config(&root, config).map_err(error)?;
    let pages = book.pages.iter().zip(&book.rendered);
    let pages = pages.map(|(page, rendered)| (page.name.clone().into(), rendered.markdown.clone()));
    mdbook.with_preprocessor(Pages(pages.collect()));
    mdbook.build().map_err(error)?;
    source_pages::write(book, new)
}

/// Puts the new book where the old one is, in one step, and removes the old one.
fn take_place(new: &Path, destination: &Path) -> io::Result<()> {
    match renameat2(
        AT_FDCWD,
        new,
        AT_FDCWD,
        destination,
        RenameFlags::RENAME_EXCHANGE,
    ) {
        Ok(()) => fs::remove_dir_all(new),
        // There is no old one.
        Err(Errno::ENOENT) => fs::rename(new, destination),
        Err(err) => Err(err.into()),
    }
}
