//! The named regions of a source file.
//!
//! Shows: a region begins with a comment `// ANCHOR: name` and ends with `// ANCHOR_END: name`, so
//! that it moves with its code; the comments themselves are not shown.

use std::ops::RangeInclusive;

/// A file of the workspace.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) anchors: Vec<Anchor>,
    /// What is wrong with the anchors: the line, and what.
    pub(crate) mistakes: Vec<(usize, String)>,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) name: String,
    /// The comment that begins it, from 1.
    pub(crate) begin: usize,
    /// The comment that ends it.
    pub(crate) end: usize,
}

/// What a line is, if it is one of ours.
enum Mark<'a> {
    Begin(&'a str),
    End(&'a str),
}

impl Anchor {
    /// Whether `other` is inside this one, or is this one.
    pub(crate) fn contains(&self, other: &Anchor) -> bool {
        self.begin <= other.begin && other.end <= self.end
    }

    /// The lines between the two comments, from 1; other comments of ours may be among them.
    pub(crate) fn lines(&self) -> RangeInclusive<usize> {
        self.begin + 1..=self.end - 1
    }
}

impl Source {
    pub(crate) fn new(path: &str, text: String) -> Self {
        let mut anchors: Vec<Anchor> = Vec::new();
        let mut open: Vec<(&str, usize)> = Vec::new();
        let mut mistakes = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            match mark(content) {
                None => {}
                Some(Mark::Begin(name)) => {
                    if !is_kebab_case(name) {
                        mistakes.push((
                            line,
                            format!(
                                "anchor {name:?}: a name is of lower case letters, digits and hyphens"
                            ),
                        ));
                    }
                    let is_taken = anchors.iter().any(|anchor| anchor.name == name)
                        || open.iter().any(|(other, _)| *other == name);
                    if is_taken {
                        mistakes.push((line, format!("anchor {name}: a second one of this name")));
                    }
                    open.push((name, line));
                }
                Some(Mark::End(name)) => match open.pop() {
                    Some((innermost, begin)) if innermost == name => anchors.push(Anchor {
                        name: name.to_owned(),
                        begin,
                        end: line,
                    }),
                    innermost => {
                        let why = match innermost {
                            Some((innermost, begin)) => {
                                open.push((innermost, begin));
                                format!("but {innermost} is open, from line {begin}")
                            }
                            None => "but none is open".to_owned(),
                        };
                        mistakes.push((line, format!("anchor {name}: ends here, {why}")));
                    }
                },
            }
        }
        for (name, begin) in open {
            mistakes.push((begin, format!("anchor {name}: has no end")));
        }
        anchors.sort_by_key(|anchor| anchor.begin);
        Self {
            path: path.to_owned(),
            anchors,
            mistakes,
            text,
        }
    }

    pub(crate) fn anchor(&self, name: &str) -> Option<&Anchor> {
        self.anchors.iter().find(|anchor| anchor.name == name)
    }

    /// Everything, as an anchor without a name and without comments of its own.
    pub(crate) fn whole(&self) -> Anchor {
        Anchor {
            name: String::new(),
            begin: 0,
            end: self.text.lines().count() + 1,
        }
    }
}

/// Whether a line is one of the comments that begin or end an anchor.
pub(crate) fn is_mark(line: &str) -> bool {
    mark(line).is_some()
}

fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim();
    let comment = line
        .strip_prefix("//")
        .or_else(|| line.strip_prefix('#'))?
        .trim_start();
    if let Some(name) = comment.strip_prefix("ANCHOR_END:") {
        Some(Mark::End(name.trim()))
    } else {
        Some(Mark::Begin(comment.strip_prefix("ANCHOR:")?.trim()))
    }
}

fn is_kebab_case(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("a.rs", text.to_owned())
    }

    #[test]
    fn regions_may_be_inside_each_other() {
        let source = source(
            "// ANCHOR: outer\nlet a;\n    // ANCHOR: inner\nlet b;\n  // ANCHOR_END: inner\n// ANCHOR_END: outer\n",
        );
        let [outer, inner] = source.anchors.as_slice() else {
            panic!("{source:?}")
        };
        assert_eq!((outer.lines(), inner.lines()), (2..=5, 4..=4));
        assert!(outer.contains(inner) && !inner.contains(outer));
        assert!(source.mistakes.is_empty());
    }

    #[test]
    fn a_shell_or_toml_comment_is_one_too() {
        let source = source("# ANCHOR: a\nx = 1\n# ANCHOR_END: a\n");
        assert_eq!(source.anchor("a").unwrap().lines(), 2..=2);
    }

    #[test]
    fn what_is_wrong_with_anchors_is_said_with_its_line() {
        for (text, line, what) in [
            ("// ANCHOR: a\n", 1, "a: has no end"),
            ("\n// ANCHOR_END: a\n", 2, "a: ends here, but none is open"),
            (
                "// ANCHOR: a\n// ANCHOR: b\n// ANCHOR_END: a\n// ANCHOR_END: b\n// ANCHOR_END: a",
                3,
                "a: ends here, but b is open, from line 2",
            ),
            (
                "// ANCHOR: a\n// ANCHOR_END: a\n// ANCHOR: a\n// ANCHOR_END: a\n",
                3,
                "a: a second one",
            ),
            ("// ANCHOR: A_b\n// ANCHOR_END: A_b\n", 1, "\"A_b\": a name"),
        ] {
            let source = source(text);
            let [(at, mistake)] = source.mistakes.as_slice() else {
                panic!("{text}: {:?}", source.mistakes)
            };
            assert_eq!(*at, line, "{text}");
            assert!(mistake.starts_with(&format!("anchor {what}")), "{mistake}");
        }
    }
}
