//! What a reader would miss, although the book could be built.
//!
//! Shows: every anchor is shown, every figure used, every page listed, and every page has its
//! sections.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use crate::Book;
use crate::directive::Directive;
use crate::page::{Heading, Page};
use crate::problem::Problems;
use crate::workspace::PAGES;

/// The sections of a page, in this order.
const SECTIONS: [&str; 8] = [
    "What you will see",
    "Run it",
    "The idea",
    "The code",
    "What the printed listing gets wrong",
    "Try this",
    "Questions",
    "Sources",
];

/// Pages that need only the last of them.
const FREE: [&str; 6] = [
    "claims.md",
    "errno.md",
    "events.md",
    "glossary.md",
    "index.md",
    "listings.md",
];

/// Numbered experiments below "Try this".
const EXPERIMENTS: usize = 3;

/// Lines of code that a page may have of its own.
const MAX_OWN_LINES: usize = 8;

/// The least size of letters in a drawing that is 720 wide, to be read at 360.
const MIN_LETTERS: f64 = 14.0;

/// What a colour in a drawing begins with, so that it is the theme's.
const COLORS: [&str; 5] = ["var(--", "none", "currentColor", "url(#", "context-"];

/// The page that has all claims.
const CLAIMS: &str = "claims.md";

const TOOLS: &str = "chapter-tests/tools.txt";

pub(crate) fn check(book: &Book, problems: &Problems) -> io::Result<()> {
    summary(book, problems);
    anchors(book, problems)?;
    figures(book, problems)?;
    claims(book, problems);
    for page in &book.pages {
        sections(page, problems);
        own_code(page, problems);
        tools(book, page, problems);
    }
    Ok(())
}

fn summary(book: &Book, problems: &Problems) {
    let summary = &book.summary;
    let mut listed = BTreeSet::new();
    for link in &summary.links {
        let name = link.destination.trim_start_matches("./");
        if !book.pages.iter().any(|page| page.name == name) {
            problems.add(
                summary.path(),
                link.line,
                format!("{name}: no such page in {PAGES}"),
            );
        }
        if !listed.insert(name) {
            problems.add(summary.path(), link.line, format!("{name}: listed twice"));
        }
    }
    for page in &book.pages {
        if !listed.contains(page.name.as_str()) {
            problems.add(page.path(), 0, format!("not in {}", summary.path()));
        }
    }
}

/// Every anchor is shown by a listing, or linked to inside of one.
fn anchors(book: &Book, problems: &Problems) -> io::Result<()> {
    let spreads = || book.rendered.iter().flat_map(|page| &page.spreads);
    let linked = |path: &str, name: &str| {
        let key = (path.to_owned(), name.to_owned());
        book.rendered.iter().any(|page| page.linked.contains(&key))
    };
    let mut paths: BTreeSet<_> = book.workspace.files()?.into_iter().collect();
    paths.extend(spreads().map(|spread| spread.listing.source.path.clone()));
    for path in paths {
        let Some(source) = book.workspace.source(&path) else {
            continue;
        };
        for (line, what) in &source.mistakes {
            problems.add(&path, *line, what.as_str());
        }
        for anchor in &source.anchors {
            let is_shown = spreads().any(|spread| {
                let listing = &spread.listing;
                listing.source.path == path
                    && (listing.anchor == *anchor
                        || listing.anchor.contains(anchor) && linked(&path, &anchor.name))
            });
            if !is_shown {
                problems.add(
                    &path,
                    anchor.begin,
                    format!(
                        "anchor {}: no listing shows it, and no link inside a listing leads to it",
                        anchor.name
                    ),
                );
            }
        }
    }
    Ok(())
}

fn figures(book: &Book, problems: &Problems) -> io::Result<()> {
    let directory = book.workspace.root().join(PAGES).join("figures");
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        // A book may have none.
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(err),
    };
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = format!("{PAGES}/figures/{name}");
        if !book.rendered.iter().any(|page| page.figures.contains(name)) {
            problems.add(&path, 0, "no page shows it");
        }
        let Some(source) = book.workspace.source(&path) else {
            problems.add(&path, 0, "not text, so no SVG");
            continue;
        };
        for (line, text) in (1..).zip(source.text.lines()) {
            for size in font_sizes(text) {
                if size < MIN_LETTERS {
                    let what =
                        format!("font-size {size}: below {MIN_LETTERS}, too small on a phone");
                    problems.add(&path, line, what);
                }
            }
            for color in colors(text) {
                if !COLORS.iter().any(|known| color.starts_with(known)) {
                    let what =
                        format!("colour {color}: dark or light; the theme has var(--fig-...)");
                    problems.add(&path, line, what);
                }
            }
        }
    }
    Ok(())
}

/// What lines and surfaces of a drawing are filled with.
fn colors(line: &str) -> impl Iterator<Item = &str> {
    ["fill", "stroke"].into_iter().flat_map(move |name| {
        line.split(name).skip(1).filter_map(|rest| {
            let value = rest
                .strip_prefix("=\"")
                .or_else(|| rest.strip_prefix(':').map(str::trim_start))?;
            let end = value.find(['"', ';', '}']);
            Some(value[..end.unwrap_or(value.len())].trim())
        })
    })
}

fn font_sizes(line: &str) -> impl Iterator<Item = f64> {
    line.split("font-size").skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches(['=', ':', '"', '\'', ' ']);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        rest[..end.unwrap_or(rest.len())].parse().ok()
    })
}

fn claims(book: &Book, problems: &Problems) {
    let page = book.pages.iter().position(|page| page.name == CLAIMS);
    let Some(shown) = page.map(|index| &book.rendered[index].claims) else {
        // A book without that page has not got this far, and one without the claims neither.
        return;
    };
    for claim in claims::ALL {
        if !shown.contains(claim.name) {
            let path = format!("{PAGES}/{CLAIMS}");
            problems.add(path, 0, format!("claim {}: not on this page", claim.name));
        }
    }
}

fn sections(page: &Page, problems: &Problems) {
    let path = page.path();
    let first = page.headings.first();
    if first.is_none_or(|heading| heading.level != 1) {
        problems.add(&path, 1, "a page begins with its title, # ...");
    }
    let own: Vec<&Heading> = page
        .headings
        .iter()
        .filter(|heading| heading.level == 2)
        .collect();
    if FREE.contains(&page.name.as_str()) {
        if !own.iter().any(|heading| heading.text == "Sources") {
            problems.add(&path, 0, "no section \"Sources\"");
        }
        return;
    }
    let mut sections = Vec::new();
    let mut after = 0;
    for name in SECTIONS {
        let Some(at) = own.iter().position(|heading| heading.text == name) else {
            problems.add(&path, 0, format!("no section {name:?}"));
            continue;
        };
        let line = own[at].line;
        if line < after {
            let what = format!("section {name:?}: the order is {}", SECTIONS.join(", "));
            problems.add(&path, line, what);
        }
        after = line;
        let end = own.get(at + 1).map_or(usize::MAX, |next| next.line);
        sections.push((name, line..end));
    }
    for heading in own {
        if !SECTIONS.contains(&heading.text.as_str()) {
            let what = format!("section {:?}: only the eight sections are ##", heading.text);
            problems.add(&path, heading.line, what);
        }
    }
    for (name, lines) in sections {
        let has = |wanted: fn(&Directive) -> bool| {
            page.directives.iter().any(|(line, directive)| {
                lines.contains(line) && directive.as_ref().is_ok_and(wanted)
            })
        };
        let what = match name {
            "Run it" if !has(|directive| matches!(directive, Directive::Run(_))) => {
                "no {{#run ...}}".to_owned()
            }
            "The code" if !has(|directive| matches!(directive, Directive::Listing { .. })) => {
                "no {{#listing ...}}".to_owned()
            }
            "Try this" => {
                let lists = page.numbered_lists.iter();
                let inside = lists.filter(|(line, _)| lines.contains(line));
                match inside.map(|(_, count)| count).sum() {
                    EXPERIMENTS => continue,
                    count => format!("{count} numbered experiments, and {EXPERIMENTS} are wanted"),
                }
            }
            "Questions" => {
                let inside = page.summaries.iter().filter(|line| lines.contains(line));
                match inside.count() {
                    3..=5 => continue,
                    count => format!("{count} folded answers, and three to five are wanted"),
                }
            }
            _ => continue,
        };
        problems.add(&path, lines.start, format!("section {name:?}: {what}"));
    }
}

fn own_code(page: &Page, problems: &Problems) {
    for (line, count) in &page.fences {
        if *count > MAX_OWN_LINES {
            let what = format!(
                "{count} lines of code of the page's own, and {MAX_OWN_LINES} are the most"
            );
            problems.add(page.path(), *line, what);
        }
    }
}

fn tools(book: &Book, page: &Page, problems: &Problems) {
    let listed = book.workspace.source(TOOLS);
    let listed = listed.as_ref().map_or("", |source| source.text.as_str());
    for (line, run) in page.runs() {
        for tool in &run.needs {
            let is_listed = listed
                .lines()
                .any(|line| line.split_whitespace().next() == Some(tool));
            if !is_listed {
                problems.add(page.path(), line, format!("needs {tool}: not in {TOOLS}"));
            }
        }
    }
}
