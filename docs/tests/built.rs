//! The book as it is written to disk: every link in it leads somewhere.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use chapter_tests::{Launch, TemporaryDirectory};

/// The values of an attribute in a page.
fn values<'a>(page: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!(" {attribute}=\"");
    let parts: Vec<_> = page.split(begin.as_str()).skip(1).collect();
    parts.into_iter().filter_map(|rest| rest.split('"').next())
}

fn pages(directory: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "html") {
                pages.push(path);
            }
        }
    }
    pages
}

/// A path without `..` in it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_link_of_the_built_book_leads_somewhere_and_every_id_is_there_once() {
    let directory = TemporaryDirectory::new();
    let book = directory.join("book");
    let finished = Launch::new(env!("CARGO_BIN_EXE_docs"))
        .args(["build", "--dest", book.to_str().unwrap()])
        .run();
    assert!(finished.status.success(), "{}", finished.stderr);
    let pages: HashMap<PathBuf, String> = pages(&book)
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    let mut wrong = Vec::new();
    let mut ids: HashMap<&Path, HashSet<&str>> = HashMap::new();
    for (path, page) in &pages {
        let known = ids.entry(path).or_default();
        for id in values(page, "id") {
            if !known.insert(id) {
                wrong.push(format!("{}: two of id {id}", path.display()));
            }
        }
    }
    let mut count = 0;
    for (path, page) in &pages {
        for link in values(page, "href") {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                plain(&path.parent().unwrap().join(file))
            };
            let is_there = if fragment.is_empty() {
                target.exists()
            } else {
                ids.get(target.as_path())
                    .is_some_and(|ids| ids.contains(fragment))
            };
            if !is_there {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 1000, "{count} links are too few to have been all");
}
