//! The help: every key and every command, from the tables that carry them out.

use crate::wrap::{columns, wrap};

use super::commands;
use super::keymap::BINDINGS;

/// The help that is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Help {
    /// The first row that is shown.
    pub(crate) top: usize,
}

/// A row of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HelpRow {
    pub(crate) text: String,
    pub(crate) is_title: bool,
    /// So many bytes at the beginning are what is explained.
    pub(crate) term: usize,
}

impl Help {
    /// Scrolls by so many rows, down if there are more than none, in a place of
    /// this size; never beyond the end.
    pub(crate) fn scroll(&mut self, rows: isize, width: usize, height: usize) {
        let last_top = Help::rows(width).len().saturating_sub(height);
        self.top = self
            .top
            .min(last_top)
            .saturating_add_signed(rows)
            .min(last_top);
    }

    /// The columns at each side that stay free where there is room for that.
    pub(crate) fn margin(width: usize) -> usize {
        usize::from(width > 40)
    }

    /// All of it, as it stands in `width` columns.
    pub(crate) fn rows(width: usize) -> Vec<HelpRow> {
        let width = (width - 2 * Help::margin(width)).max(1);
        let mut rows = Vec::new();
        let title = |rows: &mut Vec<HelpRow>, text: &str| {
            rows.extend(wrap(text, width, width).into_iter().map(|row| HelpRow {
                text: text[row].to_owned(),
                is_title: true,
                term: 0,
            }));
        };
        title(
            &mut rows,
            "Type and press Enter to talk. Esc closes this help, /quit leaves.",
        );
        rows.push(HelpRow::empty());
        title(&mut rows, "Commands");
        let commands = commands::help();
        explain(&mut rows, &commands, width);
        rows.push(HelpRow::empty());
        title(&mut rows, "Keys");
        let keys: Vec<(String, String)> = BINDINGS
            .iter()
            .filter(|binding| !binding.label.is_empty())
            .map(|binding| {
                let meaning = match binding.command {
                    Some(command) => format!("{} ({command})", binding.meaning),
                    None => binding.meaning.to_owned(),
                };
                (binding.label.to_owned(), meaning)
            })
            .collect();
        explain(&mut rows, &keys, width);
        rows
    }
}

impl HelpRow {
    fn empty() -> HelpRow {
        HelpRow {
            text: String::new(),
            is_title: false,
            term: 0,
        }
    }
}

/// Adds what each term means: beside it, or below it where there is no room.
fn explain(rows: &mut Vec<HelpRow>, terms: &[(String, String)], width: usize) {
    const WIDEST_TERM: usize = 28;
    let widest = terms
        .iter()
        .map(|(term, _)| columns(term))
        .filter(|&term| term <= WIDEST_TERM);
    let beside = widest.max().unwrap_or(0) + 2;
    let is_narrow = width < beside + 24;
    for (term, meaning) in terms {
        let indent = if is_narrow { 4 } else { beside };
        let below = is_narrow || columns(term) + 2 > beside;
        let mut lead = term.clone();
        if below {
            for row in wrap(term, width, width) {
                let text = term[row].to_owned();
                rows.push(HelpRow {
                    term: text.len(),
                    text,
                    is_title: false,
                });
            }
            lead.clear();
        }
        let room = width.saturating_sub(indent).max(1);
        for row in wrap(meaning, room, room) {
            let text = format!("{lead:indent$}{}", &meaning[row]);
            rows.push(HelpRow {
                text,
                is_title: false,
                term: lead.len(),
            });
            lead.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_fits_the_width() {
        for width in [20, 40, 53, 64, 120] {
            for row in Help::rows(width) {
                assert!(columns(&row.text) <= width, "{width}: {}", row.text);
            }
        }
    }

    #[test]
    fn every_key_and_every_command_is_in_the_help() {
        let help: Vec<String> = Help::rows(200).into_iter().map(|row| row.text).collect();
        let help = help.join("\n");
        for label in BINDINGS.iter().map(|binding| binding.label) {
            assert!(help.contains(label), "{label}");
        }
        for name in commands::names() {
            assert!(help.contains(&format!("/{name}")), "{name}");
        }
    }

    #[test]
    fn it_scrolls_to_its_end_and_no_further() {
        let mut help = Help::default();
        help.scroll(1_000, 80, 20);
        assert_eq!(help.top, Help::rows(80).len() - 20);
        help.scroll(-1_000, 80, 20);
        assert_eq!(help.top, 0);
        help.scroll(5, 80, 1_000);
        assert_eq!(help.top, 0);
    }
}
