//! One page as its writer wrote it: where its headings, links, code and directives are.

use std::collections::HashSet;
use std::ops::Range;

use mdbook_markdown::pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};

use crate::directive::{self, Directive};

/// A page and what is on it.
#[derive(Debug)]
pub struct Page {
    /// Its file's name, in `docs/pages`.
    pub name: String,
    /// Markdown, with our directives.
    pub text: String,
    pub(crate) headings: Vec<Heading>,
    pub(crate) links: Vec<Link>,
    /// Each with its line.
    pub(crate) directives: Vec<(usize, Result<Directive, String>)>,
    /// Lines of code that stands in the page itself: the first line of each block, and how many
    /// lines there are between the fences.
    pub(crate) fences: Vec<(usize, usize)>,
    /// Numbered lists below each heading: the line of the list, and how many items it has.
    pub(crate) numbered_lists: Vec<(usize, usize)>,
    /// The lines of `<summary>`s.
    pub(crate) summaries: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) line: usize,
    pub(crate) level: u8,
    pub(crate) text: String,
    /// What mdBook makes of it, by which it can be linked to.
    pub(crate) id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) destination: String,
    /// Where the destination stands in the text, if it stands beside the words.
    pub(crate) range: Option<Range<usize>>,
}

impl Page {
    /// Reads a page.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut page = Self {
            name: name.into(),
            headings: Vec::new(),
            links: Vec::new(),
            directives: Vec::new(),
            fences: Vec::new(),
            numbered_lists: Vec::new(),
            summaries: Vec::new(),
            text: String::new(),
        };
        let code = page.read_markdown(&text);
        let mut at = 0;
        for (line, content) in (1..).zip(text.split_inclusive('\n')) {
            let is_code = code.iter().any(|range| range.contains(&at));
            if !is_code && directive::is_directive(content) {
                page.directives
                    .push((line, Directive::parse(content.trim_end())));
            }
            if content.contains("<summary>") {
                page.summaries.push(line);
            }
            at += content.len();
        }
        // A command may look like a link.
        let lines = &page.directives;
        page.links
            .retain(|link| lines.iter().all(|(line, _)| *line != link.line));
        page.text = text;
        page
    }

    /// Where it is, from the root of the workspace.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", crate::workspace::PAGES, self.name)
    }

    /// The commands that a reader is to run, each with its line.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &directive::Run)> {
        self.directives
            .iter()
            .filter_map(|(line, directive)| match directive {
                Ok(Directive::Run(run)) => Some((*line, run)),
                _ => None,
            })
    }

    /// Notes headings, links and lists, and returns where blocks of code are.
    fn read_markdown(&mut self, text: &str) -> Vec<Range<usize>> {
        let line_of = {
            let starts: Vec<usize> = std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect();
            move |at: usize| starts.partition_point(|start| *start <= at)
        };
        let mut code = Vec::new();
        let mut ids = HashSet::new();
        let mut heading: Option<(usize, u8, String, Option<String>)> = None;
        let mut lists: Vec<Option<(usize, usize)>> = Vec::new();
        let parser = new_cmark_parser(text, &MarkdownOptions::default());
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(_)) => {
                    let inside = text[range.clone()].trim_end().lines().count();
                    self.fences
                        .push((line_of(range.start), inside.saturating_sub(2)));
                    code.push(range);
                }
                Event::Start(Tag::Heading { level, id, .. }) => {
                    let id = id.map(CowStr::into_string);
                    heading = Some((line_of(range.start), level as u8, String::new(), id));
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((line, level, text, id)) = heading.take() {
                        let id = unique(&id.unwrap_or_else(|| id_of(&text)), &mut ids);
                        self.headings.push(Heading {
                            line,
                            level,
                            text,
                            id,
                        });
                    }
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some((_, _, words, _)) = &mut heading {
                        words.push_str(&text);
                    }
                }
                Event::Start(
                    Tag::Link {
                        link_type,
                        dest_url,
                        ..
                    }
                    | Tag::Image {
                        link_type,
                        dest_url,
                        ..
                    },
                ) => {
                    let destination = dest_url.into_string();
                    let beside = (link_type == LinkType::Inline)
                        .then(|| text[range.clone()].rfind(&format!("]({destination}")))
                        .flatten()
                        .map(|at| range.start + at + "](".len());
                    self.links.push(Link {
                        line: line_of(range.start),
                        range: beside.map(|begin| begin..begin + destination.len()),
                        destination,
                    });
                }
                Event::Start(Tag::List(first)) => {
                    lists.push(first.map(|_| (line_of(range.start), 0)));
                }
                Event::Start(Tag::Item) => {
                    if let Some(Some((_, count))) = lists.last_mut() {
                        *count += 1;
                    }
                }
                Event::End(TagEnd::List(_)) => {
                    let list = lists.pop().flatten();
                    if let (Some(list), true) = (list, lists.is_empty()) {
                        self.numbered_lists.push(list);
                    }
                }
                _ => {}
            }
        }
        code
    }
}

/// The id that mdBook gives to a heading.
fn id_of(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let characters = text.chars().filter_map(|character| match character {
        '_' | '-' => Some(character),
        other if other.is_alphanumeric() => Some(other),
        other if other.is_whitespace() => Some('-'),
        _ => None,
    });
    characters.collect()
}

fn unique(id: &str, used: &mut HashSet<String>) -> String {
    let candidates = (1..).map(|number| format!("{id}-{number}"));
    std::iter::once(id.to_owned())
        .chain(candidates)
        .find(|candidate| used.insert(candidate.clone()))
        .expect("there are enough numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_ids_that_mdbook_gives_them() {
        let page = Page::new("a.md", "# One `two`, three\n\n## Same\n\n## Same\n");
        let ids: Vec<_> = page.headings.iter().map(|heading| &heading.id).collect();
        assert_eq!(ids, ["one-two-three", "same", "same-1"]);
        assert_eq!(page.headings[1].line, 3);
    }

    #[test]
    fn a_link_knows_its_line_and_where_its_destination_stands() {
        let text = "a\n\nsee [the `[x]`\nturn](#turn) and [b](c.md \"title\")\n";
        let page = Page::new("a.md", text);
        let found: Vec<_> = page
            .links
            .iter()
            .map(|link| (link.line, &text[link.range.clone().unwrap()]))
            .collect();
        assert_eq!(found, [(3, "#turn"), (4, "c.md")]);
    }

    #[test]
    fn a_directive_inside_a_block_of_code_is_text() {
        let page = Page::new("a.md", "```\n{{#listing a}}\n```\n\n{{#listing b}}\n");
        let lines: Vec<_> = page.directives.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [5]);
        assert_eq!(page.fences, [(1, 1)]);
    }

    #[test]
    fn the_items_of_a_numbered_list_are_counted_and_those_inside_are_not() {
        let page = Page::new("a.md", "1. a\n   - x\n   - y\n2. b\n\n- c\n");
        assert_eq!(page.numbered_lists, [(1, 2)]);
    }
}
