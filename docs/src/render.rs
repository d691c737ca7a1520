//! Makes the Markdown of mdBook out of ours.
//!
//! Shows: a listing and the prose behind it become a spread, two columns where there is room; what
//! ends the spread is the next listing, heading or box. Links are made to lead where the reader
//! finds what is meant: to lines of a listing, or into the whole file beside the book.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::directive::Directive;
use crate::links::{self, Target};
use crate::listing::Listing;
use crate::page::{Link, Page};
use crate::problem::Problems;
use crate::workspace::Workspace;
use crate::{claim_box, figure, run_box, transcript};

/// A page as mdBook gets it, and what it uses.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) markdown: String,
    pub(crate) spreads: Vec<Spread>,
    /// Files of the workspace that the page shows or links to.
    pub(crate) files: BTreeSet<String>,
    pub(crate) figures: BTreeSet<String>,
    pub(crate) claims: BTreeSet<String>,
    /// Files, and the anchors of theirs that links on this page lead to.
    pub(crate) linked: BTreeSet<(String, String)>,
}

/// A listing, and the lines of the page that stand beside it.
#[derive(Debug)]
pub(crate) struct Spread {
    pub(crate) listing: Listing,
    lines: Range<usize>,
}

/// The ids of each page by which it can be linked to.
pub(crate) type Ids = BTreeMap<String, BTreeSet<String>>;

/// The ids of a page.
pub(crate) fn ids(page: &Page) -> BTreeSet<String> {
    let headings = page.headings.iter().map(|heading| heading.id.clone());
    let boxes = page.directives.iter().filter_map(|(_, directive)| {
        let id = match directive {
            Ok(Directive::Claim { name }) => claim_box::id(name),
            Ok(Directive::Figure { file, .. }) => figure::id(file),
            _ => return None,
        };
        Some(id)
    });
    headings.chain(boxes).collect()
}

/// Renders a page; what is wrong with it is added to `problems`.
pub(crate) fn render(
    workspace: &Workspace,
    page: &Page,
    ids: &Ids,
    problems: &Problems,
) -> Rendered {
    let mut renderer = Renderer {
        workspace,
        page,
        problems,
        done: Rendered::default(),
        has_spread: false,
    };
    renderer.find_spreads();
    let links = renderer.find_links(ids);
    renderer.lines(&links);
    renderer.done
}

struct Renderer<'a> {
    workspace: &'a Workspace,
    page: &'a Page,
    problems: &'a Problems,
    done: Rendered,
    /// Whether prose stands beside a listing now.
    has_spread: bool,
}

impl Renderer<'_> {
    fn problem(&self, line: usize, what: impl Into<String>) {
        self.problems.add(self.page.path(), line, what);
    }

    fn find_spreads(&mut self) {
        let page = self.page;
        let headings = page.headings.iter().map(|heading| heading.line);
        let boxes = page.directives.iter().map(|(line, _)| *line);
        let ends: BTreeSet<usize> = headings.chain(boxes).collect();
        let mut number = 0;
        for (line, directive) in &page.directives {
            let Ok(Directive::Listing { path, anchor }) = directive else {
                continue;
            };
            number += 1;
            match Listing::find(self.workspace, path, anchor.as_deref(), number) {
                Ok(listing) => {
                    if let Some(what) = listing.mistake() {
                        self.problem(*line, what);
                    }
                    let end = ends.range(line + 1..).next().copied();
                    self.done.files.insert(path.clone());
                    self.done.spreads.push(Spread {
                        listing,
                        lines: *line..end.unwrap_or(usize::MAX),
                    });
                }
                Err(what) => self.problem(*line, what),
            }
        }
    }

    /// The destinations that are written otherwise than they stand in the page, by where they do.
    fn find_links(&mut self, ids: &Ids) -> BTreeMap<usize, (Range<usize>, String)> {
        let mut changed = BTreeMap::new();
        for link in &self.page.links {
            let target = match self.lines_of_listing(link) {
                Some(target) => Ok(target),
                None => links::resolve(self.workspace, self.page, ids, &link.destination),
            };
            match (target, &link.range) {
                (Err(what), _) => self.problem(link.line, what),
                (Ok(Target::AsItIs), _) => {}
                (Ok(Target::Source { file, destination }), Some(range)) => {
                    self.done.files.insert(file);
                    changed.insert(range.start, (range.clone(), destination));
                }
                (Ok(Target::Lines { file, anchor, id }), Some(range)) => {
                    self.done.linked.insert((file, anchor));
                    changed.insert(range.start, (range.clone(), format!("#{id}")));
                }
                (Ok(_), None) => self.problem(
                    link.line,
                    format!("link {}: write it as [words]({0})", link.destination),
                ),
            }
        }
        changed
    }

    /// The lines that `[words](#anchor)` means: those of the listing beside the words, or else of
    /// another one on the page.
    fn lines_of_listing(&self, link: &Link) -> Option<Target> {
        let anchor = link.destination.strip_prefix('#')?;
        let spreads = &self.done.spreads;
        let beside = spreads
            .iter()
            .filter(|spread| spread.lines.contains(&link.line));
        let spread = beside
            .chain(spreads)
            .find(|spread| spread.listing.id_of(anchor).is_some())?;
        Some(Target::Lines {
            file: spread.listing.source.path.clone(),
            anchor: anchor.to_owned(),
            id: spread.listing.id_of(anchor)?,
        })
    }

    /// Every line of the page, with directives made into HTML and links to what they mean.
    fn lines(&mut self, links: &BTreeMap<usize, (Range<usize>, String)>) {
        let page = self.page;
        let mut directives = page.directives.iter().peekable();
        let mut headings = page.headings.iter().map(|heading| heading.line).peekable();
        let mut at = 0;
        for (number, line) in (1..).zip(page.text.split_inclusive('\n')) {
            let end = at + line.len();
            if let Some((_, directive)) = directives.next_if(|(line, _)| *line == number) {
                match directive {
                    Ok(directive) => self.directive(number, directive),
                    Err(what) => self.problem(number, what.as_str()),
                }
            } else {
                if headings.next_if_eq(&number).is_some() {
                    self.end_spread();
                }
                let mut written = at;
                for (range, destination) in links.range(at..end).map(|(_, link)| link) {
                    self.done
                        .markdown
                        .push_str(&page.text[written..range.start]);
                    self.done.markdown.push_str(destination);
                    written = range.end;
                }
                self.done.markdown.push_str(&page.text[written..end]);
            }
            at = end;
        }
        self.end_spread();
    }

    fn directive(&mut self, line: usize, directive: &Directive) {
        self.end_spread();
        let html = match directive {
            Directive::Listing { .. } => return self.begin_spread(line),
            Directive::Transcript { path, from, to } => {
                self.done.files.insert(path.clone());
                transcript::html(self.workspace, path, from.as_deref(), to.as_deref())
            }
            Directive::Run(run) => Ok(run_box::html(run)),
            Directive::Claim { name } => {
                self.done.claims.insert(name.clone());
                self.done.files.extend(claim_box::files(name));
                claim_box::html(self.workspace, name)
            }
            Directive::Figure { file, caption } => {
                self.done.figures.insert(file.clone());
                figure::html(self.workspace, file, caption)
            }
        };
        match html {
            Ok(html) => self.block(&html),
            Err(what) => self.problem(line, what),
        }
    }

    /// HTML between empty lines, so that Markdown takes it as it is.
    fn block(&mut self, html: &str) {
        let markdown = &mut self.done.markdown;
        markdown.push_str("\n\n");
        markdown.push_str(html);
        markdown.push_str("\n\n");
    }

    fn begin_spread(&mut self, line: usize) {
        let mut spreads = self.done.spreads.iter();
        // One that was not found has been said to be missing.
        let Some(spread) = spreads.find(|spread| spread.lines.start == line) else {
            return;
        };
        let html = spread.listing.html();
        self.block(&format!(
            "<div class=\"spread\">{html}<div class=\"prose\">"
        ));
        self.has_spread = true;
    }

    fn end_spread(&mut self) {
        if std::mem::take(&mut self.has_spread) {
            self.block("</div></div>");
        }
    }
}
