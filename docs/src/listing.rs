//! A region of a source file, on the right of the prose that speaks of it.

use std::rc::Rc;

use crate::anchors::{Anchor, Source, is_mark};
use crate::highlight;
use crate::html::{self, put};
use crate::workspace::Workspace;

/// What a reader can take in beside the prose.
const MAX_LINES: usize = 25;

/// A listing of a page.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) source: Rc<Source>,
    pub(crate) anchor: Anchor,
    /// Its number on the page, from 1.
    pub(crate) number: usize,
}

impl Listing {
    /// Finds the code.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn find(
        workspace: &Workspace,
        path: &str,
        anchor: Option<&str>,
        number: usize,
    ) -> Result<Self, String> {
        let source = workspace
            .source(path)
            .ok_or_else(|| format!("listing {path}: no such file in the workspace"))?;
        let region = match anchor {
            None => source.whole(),
            Some(name) => source.anchor(name).cloned().ok_or_else(|| {
                let names: Vec<_> = source.anchors.iter().map(|a| a.name.as_str()).collect();
                let names = if names.is_empty() {
                    "it has none".to_owned()
                } else {
                    format!("it has {}", names.join(", "))
                };
                format!("listing {path}:{name}: no such anchor in the file; {names}")
            })?,
        };
        Ok(Self {
            source,
            anchor: region,
            number,
        })
    }

    /// What is wrong with its length.
    pub(crate) fn mistake(&self) -> Option<String> {
        match self.lines().count() {
            0 => Some(format!("{}: no lines", self.name())),
            1..=MAX_LINES => None,
            count => Some(format!(
                "{}: {count} lines, and {MAX_LINES} are the most",
                self.name()
            )),
        }
    }

    /// What a page calls it.
    fn name(&self) -> String {
        match self.anchor.name.as_str() {
            "" => format!("listing {}", self.source.path),
            name => format!("listing {}:{name}", self.source.path),
        }
    }

    /// The id of an anchor that is in it, or is it; none if it is not there.
    pub(crate) fn id_of(&self, anchor: &str) -> Option<String> {
        let inner = self.source.anchor(anchor)?;
        self.anchor
            .contains(inner)
            .then(|| format!("lines-{}-{anchor}", self.number))
    }

    /// The lines that are shown, with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.anchor.lines();
        (1..)
            .zip(self.source.text.lines())
            .filter(move |(number, line)| lines.contains(number) && !is_mark(line))
    }

    /// The listing under its caption.
    pub(crate) fn html(&self) -> String {
        let path = html::escape(&self.source.path);
        let lines: Vec<_> = self.lines().collect();
        let (first, last) = match lines.as_slice() {
            [] => (0, 0),
            [only] => (only.0, only.0),
            [first, .., last] => (first.0, last.0),
        };
        let numbers = if first == last {
            format!("line {first}")
        } else {
            format!("lines {first} to {last}")
        };
        let number = self.number;
        format!(
            "<figure class=\"listing\" id=\"listing-{number}\"><figcaption>\
             <a href=\"source/{path}.html#L{first}\" title=\"Open the whole file\">{path}</a>, \
             {numbers}</figcaption><pre class=\"code\" tabindex=\"0\"><code class=\"nohighlight\">{}\
             </code></pre></figure>",
            self.code(&lines)
        )
    }

    /// The lines, each an element, and each region inside one around its lines.
    fn code(&self, lines: &[(usize, &str)]) -> String {
        let indentation = lines
            .iter()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(_, line)| line.len() - line.trim_start().len())
            .min()
            .unwrap_or(0);
        let mut text = String::new();
        for (_, line) in lines {
            text.push_str(line.get(indentation..).unwrap_or(""));
            text.push('\n');
        }
        let inner: Vec<_> = self
            .source
            .anchors
            .iter()
            .filter(|anchor| self.anchor.contains(anchor))
            .collect();
        let mut code = String::new();
        // How far regions have been begun and ended.
        let mut at = self.anchor.begin;
        let mut step = |code: &mut String, to: usize| {
            for line in at..to {
                for anchor in &inner {
                    if anchor.begin == line {
                        code.push_str("<span class=\"region\" id=\"lines-");
                        put!(*code, "{}-{}\">", self.number, anchor.name);
                    } else if anchor.end == line {
                        code.push_str("</span>");
                    }
                }
            }
            at = to.max(at);
        };
        for ((number, _), line) in lines.iter().zip(highlight::lines(&self.source.path, &text)) {
            step(&mut code, *number);
            code.push_str("<span class=\"line\">");
            code.push_str(&line);
            code.push_str("&#10;</span>");
        }
        step(&mut code, self.anchor.end + 1);
        code
    }
}
