//! Builds the book with mdBook's library.
//!
//! Shows: the new book is made beside the old one and takes its place at the end, so that one that
//! cannot be built leaves the old one standing.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mdbook_driver::MDBook;
use mdbook_driver::book::{Book as MarkdownBook, BookItem};
use mdbook_driver::config::Config;
use mdbook_driver::errors::Result as MdbookResult;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use tracing_subscriber::fmt::MakeWriter;

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
    if !may_be_replaced(&destination)? {
        let why = "it is not empty and not a book, and a book would take its place";
        return Err(io::Error::other(why));
    }
    let new = unfinished(&destination, std::process::id());
    let built = build_new(book, &new, live_reload).and_then(|()| take_place(&new, &destination));
    if built.is_err() {
        let _ = fs::remove_dir_all(&new);
    }
    built
}

/// Where a process makes the book that is to take the place of `destination`. Who ends it removes
/// that.
pub(crate) fn unfinished(destination: &Path, process: u32) -> PathBuf {
    let mut name = destination.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{process}"));
    destination.with_file_name(name)
}

/// Has mdBook read the pages as in [`build`], and leaves nothing of it.
///
/// # Errors
///
/// What mdBook complains of.
pub(crate) fn try_build(book: &Book, directory: &Path) -> io::Result<()> {
    let new = directory.join(format!("book-checked-{}", std::process::id()));
    let built = make_pages(book, &new, false);
    match fs::remove_dir_all(&new) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => built.and(Err(err)),
        _ => built,
    }
}

/// Whether nothing of value is lost if a book takes the place of what is there: an earlier one, an
/// empty directory, or nothing.
fn may_be_replaced(destination: &Path) -> io::Result<bool> {
    // Two files that are in every book and next to nowhere else; a build writes the first one last.
    let is_book = ["source/index.html", "theme/book.css"]
        .iter()
        .all(|file| destination.join(file).is_file());
    if is_book {
        return Ok(true);
    }
    match fs::read_dir(destination) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(err) => Err(err),
    }
}

fn build_new(book: &Book, new: &Path, live_reload: bool) -> io::Result<()> {
    make_pages(book, new, live_reload)?;
    source_pages::write(book, new)
}

fn make_pages(book: &Book, new: &Path, live_reload: bool) -> io::Result<()> {
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
    let complaints = Complaints::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(complaints.clone())
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .finish();
    tracing::subscriber::with_default(subscriber, || mdbook.build()).map_err(error)?;
    complaints.into_result()
}

/// What mdBook warns of, which is a mistake here: an element that is not closed, for one.
#[derive(Clone, Default)]
struct Complaints(Arc<Mutex<Vec<u8>>>);

impl Complaints {
    fn into_result(self) -> io::Result<()> {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_empty() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&said);
        Err(io::Error::other(format!("mdbook: {}", said.trim())))
    }
}

impl io::Write for Complaints {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Complaints {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
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
