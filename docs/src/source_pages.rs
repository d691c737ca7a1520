//! Whole files beside the book: where the caption of a listing leads.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::anchors::{Source, is_mark};
use crate::html::put;
use crate::workspace::has_ending;
use crate::{Book, highlight, html};

/// Sets the colours before anything is drawn: those that the reader has chosen in the book.
const THEME_SCRIPT: &str = include_str!("../theme/source-theme.js");

/// Writes a page for each file that a reader may want to see, and one that lists them.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn write(book: &Book, directory: &Path) -> io::Result<()> {
    let mut paths: BTreeSet<String> = book
        .workspace
        .files()?
        .into_iter()
        .filter(|path| has_ending(path, &["rs", "toml"]))
        .collect();
    paths.extend(book.rendered.iter().flat_map(|page| page.files.clone()));
    for path in &paths {
        let Some(source) = book.workspace.source(path) else {
            continue;
        };
        let file = directory.join("source").join(format!("{path}.html"));
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, page(book, &source))?;
    }
    fs::create_dir_all(directory.join("source"))?;
    fs::write(directory.join("source/index.html"), list(&paths))
}

fn page(book: &Book, source: &Source) -> String {
    let to_root = "../".repeat(source.path.matches('/').count() + 1);
    let mut shown_on = String::new();
    for (page, rendered) in book.pages.iter().zip(&book.rendered) {
        if rendered.files.contains(&source.path) {
            let title = page
                .headings
                .first()
                .map_or(&page.name, |title| &title.text);
            let name = page.name.trim_end_matches(".md");
            put!(
                shown_on,
                "<li><a href=\"{to_root}{name}.html\">{}</a></li>",
                html::escape(title)
            );
        }
    }
    if !shown_on.is_empty() {
        shown_on = format!(
            "<nav class=\"shown-on\" aria-label=\"Pages\">Shown on<ul>{shown_on}</ul></nav>"
        );
    }
    let mut lines = String::new();
    let coloured = highlight::lines(&source.path, &source.text);
    for ((number, text), line) in (1..).zip(source.text.lines()).zip(coloured) {
        let class = if is_mark(text) { "line mark" } else { "line" };
        put!(
            lines,
            "<span class=\"{class}\" id=\"L{number}\"><a href=\"#L{number}\" data-n=\"{number}\" \
             aria-label=\"line {number}\"></a>{line}</span>\n"
        );
    }
    let path = html::escape(&source.path);
    let crumbs = format!(
        "<p class=\"crumbs\"><a href=\"{to_root}index.html\">The book</a> / \
         <a href=\"{to_root}source/index.html\">All files</a></p><h1>{path}</h1>{shown_on}"
    );
    // The line ends between the elements are in the text that is copied, and seen by who has no
    // style sheet.
    document(
        &path,
        &to_root,
        &crumbs,
        &format!("<pre class=\"code whole\"><code>{lines}</code></pre>"),
    )
}

fn list(paths: &BTreeSet<String>) -> String {
    let mut items = String::new();
    let mut directory = "";
    for path in paths {
        let (first, _) = path.split_once('/').unwrap_or(("", path));
        if first != directory || items.is_empty() {
            if !items.is_empty() {
                items.push_str("</ul>");
            }
            let name = if first.is_empty() { "workspace" } else { first };
            put!(items, "<h2>{}</h2><ul>", html::escape(name));
            directory = first;
        }
        let path = html::escape(path);
        put!(items, "<li><a href=\"{path}.html\">{path}</a></li>");
    }
    items.push_str("</ul>");
    let header = "<p class=\"crumbs\"><a href=\"../index.html\">The book</a></p><h1>All files</h1>";
    document("All files", "../", header, &items)
}

fn document(title: &str, to_root: &str, header: &str, main: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\" class=\"light\"><head><meta charset=\"utf-8\">\
         <title>{title}</title><meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\"><link rel=\"icon\" href=\"{to_root}favicon.svg\">\
         <link rel=\"stylesheet\" href=\"{to_root}css/variables.css\">\
         <link rel=\"stylesheet\" href=\"{to_root}css/general.css\">\
         <link rel=\"stylesheet\" href=\"{to_root}fonts/fonts.css\">\
         <link rel=\"stylesheet\" href=\"{to_root}theme/book.css\">\
         <script>{THEME_SCRIPT}</script></head>\n<body class=\"source\"><header>{header}</header>\
         <main>{main}</main></body></html>\n"
    )
}
