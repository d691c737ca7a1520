//! Where the links of a page lead.
//!
//! Shows: a link to a file of the workspace, written as it is found from the page
//! (`../../epoll-loop/src/turn.rs`) or from the root, becomes one to that file beside the book, so
//! that it works in both places.

use crate::page::Page;
use crate::render::Ids;
use crate::workspace::{PAGES, Workspace, is_inside};

/// What a link is to become.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// It leads there already.
    AsItIs,
    /// A file of the workspace.
    Source { file: String, destination: String },
    /// Lines of a listing on the same page.
    Lines {
        file: String,
        anchor: String,
        id: String,
    },
}

/// Finds what is meant by `destination` on `page`.
///
/// # Errors
///
/// If it leads nowhere.
pub(crate) fn resolve(
    workspace: &Workspace,
    page: &Page,
    ids: &Ids,
    destination: &str,
) -> Result<Target, String> {
    let mistake = |what: &str| Err(format!("link {destination}: {what}"));
    if let Some((scheme, rest)) = destination.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or("");
        let is_well_formed = ["http", "https"].contains(&scheme)
            && host.contains('.')
            && !destination.contains(char::is_whitespace);
        return if is_well_formed {
            Ok(Target::AsItIs)
        } else {
            mistake("not an address of the form https://host/path")
        };
    }
    let (path, fragment) = match destination.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (destination, None),
    };
    if path.is_empty() {
        let fragment = fragment.unwrap_or_default();
        return if ids
            .get(&page.name)
            .is_some_and(|ids| ids.contains(fragment))
        {
            Ok(Target::AsItIs)
        } else {
            mistake("no anchor of a listing on this page, and no heading")
        };
    }
    if let Some(there) = ids.get(path) {
        return match fragment {
            Some(fragment) if !there.contains(fragment) => mistake(&format!(
                "{path} has no heading, claim or figure of this name"
            )),
            _ => Ok(Target::AsItIs),
        };
    }
    let Some(file) = file(workspace, path) else {
        return mistake("no such page, and no such file in the workspace");
    };
    let source = workspace.source(&file).expect("it was found above");
    let line = match fragment {
        None => None,
        Some(fragment) => match line_of(&source.text, fragment) {
            Some(line) => Some(line),
            None => match source.anchor(fragment) {
                Some(anchor) => Some(anchor.begin + 1),
                None => return mistake(&format!("{file} has no such line and no such anchor")),
            },
        },
    };
    let fragment = line.map_or_else(String::new, |line| format!("#L{line}"));
    Ok(Target::Source {
        destination: format!("source/{file}.html{fragment}"),
        file,
    })
}

/// The file of the workspace that a path means, from the page or from the root.
fn file(workspace: &Workspace, path: &str) -> Option<String> {
    let in_book = path
        .strip_prefix("source/")
        .and_then(|path| path.strip_suffix(".html"));
    if let Some(path) = in_book {
        return workspace.source(path).map(|_| path.to_owned());
    }
    let mut parts: Vec<&str> = PAGES.split('/').collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    [parts.join("/"), path.to_owned()]
        .into_iter()
        .find(|path| is_inside(path) && workspace.source(path).is_some())
}

/// The line that `L12` means, if the text has it.
fn line_of(text: &str, fragment: &str) -> Option<usize> {
    let line = fragment.strip_prefix('L')?.parse().ok()?;
    (1..=text.lines().count()).contains(&line).then_some(line)
}
