//! Entries laid out in rows of the log's width.
//!
//! Shows: to lay an entry out is the dearest part of drawing it, and the result
//! depends only on the entry and the shape of the log: it is kept until one of
//! the two changes. Only what was on the screen is ever laid out.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use unicode_segmentation::UnicodeSegmentation;

use crate::formatting::{self, Look};
use crate::theme::Theme;
use crate::wrap::{columns, cut, wrap};

use super::entry::{Entry, Kind};
use super::log::EntryId;
use super::mentions::nick_words;

/// How many entries are kept laid out: several screens of them.
const MAX_LAID: usize = 1_000;

/// ` 01:16` and the column in which a mention is marked.
const TIME_COLUMNS: usize = 7;
/// The widest that a nick may be where nicks have no column.
const INLINE_NICK_COLUMNS: usize = 14;
/// Between the nick and the text.
const GAP_COLUMNS: usize = 2;

/// How the log is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The columns of the log.
    pub(crate) columns: usize,
    pub(crate) manner: Manner,
}

/// How an entry begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// ` 01:16»  bob  text`, nicks right-aligned in a column of so many.
    Columns { nick: usize },
    /// `01:16 bob> text`, or without the time.
    Inline { has_time: bool },
    /// `01:16 <bob> text`, nothing in it but what one would copy.
    Copied,
}

/// An entry laid out.
#[derive(Debug)]
pub(crate) struct Laid {
    /// Without formatting codes.
    pub(crate) text: Box<str>,
    /// From which byte on it looks so.
    pub(crate) looks: Box<[(usize, Look)]>,
    /// Where nicks are named that are known here.
    pub(crate) nicks: Box<[Range<usize>]>,
    /// The bytes of each row.
    pub(crate) rows: Box<[Range<usize>]>,
    /// What stands before the text in the first row, but for [`Manner::Columns`].
    pub(crate) lead: Box<str>,
    /// The column in which the other rows begin; for [`Manner::Columns`] the
    /// first as well.
    pub(crate) indent: usize,
}

/// The entries of one buffer that are laid out.
#[derive(Debug, Default)]
pub(crate) struct LaidEntries {
    shape: Option<Shape>,
    entries: HashMap<EntryId, Rc<Laid>>,
}

impl LaidEntries {
    /// An entry laid out in `shape`.
    pub(crate) fn get(
        &mut self,
        id: EntryId,
        shape: Shape,
        lay_out: impl FnOnce() -> Laid,
    ) -> Rc<Laid> {
        if self.shape != Some(shape) || self.entries.len() >= MAX_LAID {
            self.entries.clear();
            self.shape = Some(shape);
        }
        let laid = self.entries.entry(id).or_insert_with(|| Rc::new(lay_out()));
        Rc::clone(laid)
    }

    /// An entry has changed.
    pub(crate) fn forget(&mut self, id: EntryId) {
        self.entries.remove(&id);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The buffer is not shown any more.
    pub(crate) fn forget_all(&mut self) {
        self.entries = HashMap::new();
    }
}

impl Laid {
    /// Lays an entry out; `is_nick` tells which words are nicks.
    pub(crate) fn new(
        entry: &Entry,
        shape: Shape,
        theme: Theme,
        is_nick: impl Fn(&str) -> bool,
        time: impl FnOnce() -> String,
    ) -> Laid {
        let words;
        let text = match (entry.comings(), entry.kind) {
            (Some(comings), _) => {
                words = comings.words(theme.symbols);
                words.as_str()
            }
            // Who acts is the beginning of what is done.
            (None, Kind::Action) => {
                words = format!("{} {}", entry.nick(), entry.text());
                words.as_str()
            }
            (None, _) => entry.text(),
        };
        let formatting::Formatted { text, looks } = formatting::parse(&drawable(text, theme));
        let actor = match entry.kind {
            Kind::Action => 0..drawable(entry.nick(), theme).len(),
            _ => 0..0,
        };
        let nicks = match entry.kind {
            Kind::Text | Kind::Action => nick_words(&text)
                .map(|(at, word)| at..at + word.len())
                .filter(|word| *word == actor || is_nick(&text[word.clone()]))
                .collect(),
            _ => Box::default(),
        };
        let (lead, indent) = lead(entry, shape, theme, time);
        let first = match shape.manner {
            Manner::Columns { .. } => indent,
            Manner::Inline { .. } | Manner::Copied => columns(&lead),
        };
        let room = |taken: usize| shape.columns.saturating_sub(taken).max(1);
        let rows = if first < shape.columns {
            wrap(&text, room(first), room(indent))
        } else {
            // What stands before the text fills the first row.
            let rows = wrap(&text, room(indent), room(indent));
            std::iter::once(0..0).chain(rows).collect()
        };
        Laid {
            rows: rows.into_boxed_slice(),
            text: text.into_boxed_str(),
            looks: looks.into_boxed_slice(),
            nicks,
            lead: lead.into_boxed_str(),
            indent,
        }
    }

    /// The row that begins at or before this byte of the text.
    pub(crate) fn row_of(&self, byte: usize) -> usize {
        let behind = self.rows.partition_point(|row| row.start <= byte);
        behind.saturating_sub(1)
    }
}

/// What stands before the text, and where the other rows begin.
fn lead(
    entry: &Entry,
    shape: Shape,
    theme: Theme,
    time: impl FnOnce() -> String,
) -> (String, usize) {
    match shape.manner {
        Manner::Columns { nick } => {
            let text = TIME_COLUMNS + nick + GAP_COLUMNS;
            // Who came and went stands a little to the left, out of the way of
            // what was said.
            let indent = if entry.kind == Kind::Presence {
                text - GAP_COLUMNS
            } else {
                text
            };
            (String::new(), indent)
        }
        Manner::Inline { has_time } => {
            let mark = if entry.marks.is_mention {
                theme.symbols.mention
            } else if has_time {
                " "
            } else {
                ""
            };
            let time = if has_time { time() } else { String::new() };
            let who = match entry.kind {
                Kind::Text | Kind::Notice => {
                    let nick = nick_column(entry, theme);
                    let nick = cut(&nick, INLINE_NICK_COLUMNS, theme.symbols.cut);
                    let end = if entry.kind == Kind::Text { ">" } else { "" };
                    format!("{nick}{end} ")
                }
                _ => format!("{} ", symbol(entry, theme)),
            };
            (format!("{time}{mark}{who}"), 2)
        }
        Manner::Copied => {
            let who = match entry.kind {
                Kind::Text => format!("<{}>", drawable(entry.nick(), theme)),
                Kind::Notice => nick_column(entry, theme).into_owned(),
                _ => symbol(entry, theme).to_owned(),
            };
            (format!("{} {who} ", time()), 0)
        }
    }
}

/// What stands in the nick column.
pub(crate) fn nick_column(entry: &Entry, theme: Theme) -> Cow<'_, str> {
    match entry.kind {
        Kind::Text => drawable(entry.nick(), theme),
        Kind::Notice if entry.nick().is_empty() => Cow::Borrowed("-"),
        Kind::Notice => Cow::Owned(format!("-{}-", drawable(entry.nick(), theme))),
        _ => Cow::Borrowed(symbol(entry, theme)),
    }
}

/// The sign of an entry that nobody has said.
fn symbol(entry: &Entry, theme: Theme) -> &'static str {
    match entry.kind {
        Kind::Text | Kind::Notice => "",
        Kind::Action => "*",
        Kind::Event | Kind::Info => "--",
        Kind::Error => "!!",
        Kind::Presence => match entry.comings() {
            Some(comings) if !comings.has_come() => theme.symbols.went,
            _ => theme.symbols.came,
        },
    }
}

/// A text as this terminal can draw it: without Unicode each character that is
/// none of ASCII's is a question mark.
pub(crate) fn drawable(text: &str, theme: Theme) -> Cow<'_, str> {
    if !theme.is_ascii() || text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let graphemes = text.graphemes(true);
    graphemes
        .map(|grapheme| match grapheme {
            // Drawn as an ordinary space, see `Pen::put`.
            "\u{a0}" => grapheme,
            _ if grapheme.is_ascii() => grapheme,
            _ => "?",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn lay_out(text: &str, columns: usize, manner: Manner) -> Laid {
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::Text, "bob", text);
        let shape = Shape { columns, manner };
        let theme = Theme::new(true, false);
        Laid::new(
            &entry,
            shape,
            theme,
            |word| word == "ann",
            || "01:16".to_owned(),
        )
    }

    fn rows(laid: &Laid) -> Vec<&str> {
        laid.rows
            .iter()
            .map(|row| &laid.text[row.clone()])
            .collect()
    }

    #[test]
    fn rows_are_as_wide_as_the_log_less_what_stands_before_them() {
        let laid = lay_out("one two three four", 20, Manner::Columns { nick: 4 });
        assert_eq!(laid.indent, 13);
        assert_eq!(rows(&laid), ["one two", "three", "four"]);
        let laid = lay_out("one two three four", 20, Manner::Inline { has_time: true });
        assert_eq!(&*laid.lead, "01:16 bob> ");
        assert_eq!(rows(&laid), ["one two", "three four"]);
        let laid = lay_out("one two", 80, Manner::Copied);
        assert_eq!(&*laid.lead, "01:16 <bob> ");
    }

    #[test]
    fn a_nick_as_wide_as_the_log_leaves_the_text_whole() {
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::Text, &"n".repeat(60), "hello");
        for manner in [Manner::Copied, Manner::Inline { has_time: true }] {
            let shape = Shape {
                columns: 16,
                manner,
            };
            let theme = Theme::new(true, false);
            let laid = Laid::new(&entry, shape, theme, |_| false, || "01:16".to_owned());
            assert_eq!(rows(&laid), ["", "hello"], "{manner:?}");
        }
    }

    #[test]
    fn nicks_are_found_in_what_is_left_without_codes() {
        let laid = lay_out("\x02hi\x02 ann, anna", 80, Manner::Copied);
        assert_eq!(&*laid.text, "hi ann, anna");
        assert_eq!(laid.nicks.to_vec(), vec![3..6]);
    }

    #[test]
    fn an_entry_is_laid_out_once_for_a_shape() {
        let mut entries = LaidEntries::default();
        let shape = |columns| Shape {
            columns,
            manner: Manner::Copied,
        };
        let lay = |columns| lay_out("one two", columns, Manner::Copied);
        entries.get(7, shape(80), || lay(80));
        entries.get(7, shape(80), || unreachable!("it is known"));
        let narrow = entries.get(7, shape(16), || lay(16));
        assert_eq!(narrow.rows.len(), 2);
        for id in 0..10_000 {
            entries.get(id, shape(16), || lay(16));
        }
        assert!(entries.entries.len() <= MAX_LAID);
    }
}
