//! The log, from its last row upwards; or the help in its place.

use std::ops::Range;

use jiff::civil::Date;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::entry::{Entry, Kind};
use crate::app::help::Help;
use crate::app::laid::{Laid, Manner, nick_column};
use crate::app::scroll::{RowContent, Scroll, clock_time};
use crate::app::search::matches;
use crate::app::{bottom, log::EntryId};
use crate::session::Session;
use crate::wrap::{columns, cut, wrap};

use super::pen::Pen;

/// A row that is to be drawn, and the entry it belongs to.
struct Drawn {
    entry: EntryId,
    content: RowContent,
}

pub(super) fn draw(app: &mut App, session: &Session, pen: &mut Pen<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let scroll = app.buffers.current().scroll;
    // The last rows are taken by what there is to say, if others are left.
    let note = note(app, usize::from(area.width));
    let is_said = area.height > u16::try_from(note.len()).unwrap_or(u16::MAX);
    let note = if is_said { note } else { Vec::new() };
    let log_rows = usize::from(area.height) - note.len();
    let (mut rows, _) = app.rows(session);
    let mut shape = rows.shape;
    let mut drawn = Vec::with_capacity(log_rows);
    if let Some(bottom) = bottom(&mut rows, scroll) {
        for position in rows.window(bottom, log_rows) {
            if let Some(content) = rows.content(position) {
                let entry = position.entry;
                drawn.push(Drawn { entry, content });
            }
        }
    }
    shape.columns = shape.columns.min(usize::from(area.width));
    let page = Page {
        app,
        session,
        manner: shape.manner,
        own: session.fold(&session.nick()),
    };
    let empty = log_rows - drawn.len();
    for (row, drawn) in area.rows().skip(empty).zip(&drawn) {
        page.draw_row(pen, row, drawn);
    }
    let is_hint = app.flash.is_some();
    for (row, text) in area.rows().skip(log_rows).zip(&note) {
        if is_hint {
            pen.put(row, offset(row.x, 1), text, pen.theme.hint());
        } else {
            let margin = u16::from(usize::from(row.width) > columns(text));
            pen.put_right(row, margin, text, pen.theme.hint());
        }
    }
}

/// What is said below the log: a hint, or how much is not seen.
fn note(app: &App, width: usize) -> Vec<String> {
    let symbols = app.theme.symbols;
    if let Some(flash) = &app.flash {
        let room = width.saturating_sub(2).max(1);
        let rows = wrap(flash, room, room).into_iter();
        return rows.map(|row| flash[row].to_owned()).collect();
    }
    let buffer = app.buffers.current();
    if buffer.scroll == Scroll::Following || app.is_copying {
        return Vec::new();
    }
    let text = match buffer.below {
        0 => format!("{} End to follow", symbols.below),
        count => format!("{} {count} new (End to follow)", symbols.below),
    };
    vec![cut(&text, width, symbols.cut).into_owned()]
}

/// What all rows need.
struct Page<'a> {
    app: &'a App,
    session: &'a Session,
    manner: Manner,
    /// The person's nick, folded.
    own: String,
}

impl Page<'_> {
    fn draw_row(&self, pen: &mut Pen<'_>, row: Rect, drawn: &Drawn) {
        match &drawn.content {
            RowContent::Date(date) => draw_date(pen, row, *date),
            RowContent::Unread => draw_unread(pen, row),
            RowContent::Text(laid, nth) => {
                if let Some(entry) = self.app.buffers.current().log.get(drawn.entry) {
                    self.draw_text(pen, row, entry, laid, *nth);
                    self.draw_found(pen, row, drawn.entry, laid, *nth);
                }
            }
        }
    }

    /// The column in which a row's text begins.
    fn text_column(&self, laid: &Laid, nth: usize) -> usize {
        match (self.manner, nth) {
            (Manner::Columns { .. }, _) | (_, 1..) => laid.indent,
            (_, 0) => columns(&laid.lead),
        }
    }

    fn draw_text(&self, pen: &mut Pen<'_>, row: Rect, entry: &Entry, laid: &Laid, nth: usize) {
        if nth == 0 {
            match self.manner {
                Manner::Columns { nick } => self.draw_lead(pen, row, entry, nick, laid.indent),
                Manner::Inline { .. } | Manner::Copied => {
                    pen.put(row, row.x, &laid.lead, self.nick_style(pen, entry));
                }
            }
        }
        let Some(range) = laid.rows.get(nth) else {
            return;
        };
        let theme = pen.theme;
        let base = match entry.kind {
            Kind::Presence | Kind::Event => theme.faint(),
            Kind::Error => theme.error(),
            Kind::Info => Style::new(),
            _ if entry.marks.is_history => theme.faint(),
            _ => Style::new(),
        };
        let mut x = offset(row.x, self.text_column(laid, nth));
        for (part, style) in self.parts(pen, laid, range) {
            x = pen.put(row, x, &laid.text[part], base.patch(style));
        }
    }

    /// The time, the mark of a mention and the nick.
    fn draw_lead(&self, pen: &mut Pen<'_>, row: Rect, entry: &Entry, nick: usize, indent: usize) {
        let theme = pen.theme;
        let time = clock_time(&self.app.zone, entry.at());
        let x = pen.put(row, offset(row.x, 1), &time, theme.faint());
        if entry.marks.is_mention {
            pen.put(row, x, theme.symbols.mention, theme.mention());
        }
        let style = self.nick_style(pen, entry);
        if entry.kind == Kind::Presence {
            // Its arrow stands right before its text.
            let arrow = nick_column(entry, theme);
            let x = offset(row.x, indent.saturating_sub(1 + columns(&arrow)));
            pen.put(row, x, &arrow, style);
            return;
        }
        let nick_column = nick_column(entry, theme);
        let shown = cut(&nick_column, nick, theme.symbols.cut);
        let x = offset(x, 1 + nick - columns(&shown).min(nick));
        pen.put(row, x, &shown, style);
    }

    fn nick_style(&self, pen: &Pen<'_>, entry: &Entry) -> Style {
        let theme = pen.theme;
        match entry.kind {
            Kind::Text | Kind::Action | Kind::Notice => {
                if entry.marks.is_mention {
                    theme.mention()
                } else if entry.marks.is_own {
                    theme.own_nick()
                } else {
                    theme.nick(&self.session.fold(entry.nick()))
                }
            }
            Kind::Error => theme.error(),
            Kind::Event | Kind::Info | Kind::Presence => theme.faint(),
        }
    }

    /// A row's text in parts that look the same.
    fn parts(&self, pen: &Pen<'_>, laid: &Laid, row: &Range<usize>) -> Vec<(Range<usize>, Style)> {
        let theme = pen.theme;
        let mut cuts = vec![row.start, row.end];
        cuts.extend(laid.looks.iter().map(|(at, _)| *at));
        cuts.extend(laid.nicks.iter().flat_map(|nick| [nick.start, nick.end]));
        cuts.retain(|at| row.contains(at) || *at == row.end);
        cuts.sort_unstable();
        cuts.dedup();
        let part = |ends: &[usize]| {
            let part = ends[0]..ends[1];
            let look = laid.looks.iter().rev().find(|(at, _)| *at <= part.start);
            let mut style = look.map_or(Style::new(), |(_, look)| theme.look(*look));
            if let Some(nick) = laid.nicks.iter().find(|nick| nick.contains(&part.start)) {
                let folded = self.session.fold(&laid.text[nick.clone()]);
                style = style.patch(if folded == self.own {
                    theme.mention()
                } else {
                    theme.nick(&folded)
                });
            }
            (part, style)
        };
        cuts.windows(2).map(part).collect()
    }

    /// What was searched for is shown reversed.
    fn draw_found(&self, pen: &mut Pen<'_>, row: Rect, id: EntryId, laid: &Laid, nth: usize) {
        let Some(search) = &self.app.search else {
            return;
        };
        let Some(range) = laid.rows.get(nth) else {
            return;
        };
        let column = self.text_column(laid, nth);
        for found in matches(&laid.text, search.query()) {
            let start = found.start.max(range.start);
            let end = found.end.min(range.end);
            if start < end {
                let before = columns(&laid.text[range.start..start]);
                let x = offset(row.x, column + before);
                pen.put(row, x, &laid.text[start..end], pen.theme.found());
            }
        }
        if nth == 0 && search.current() == Some(id) && !row.is_empty() {
            pen.put(row, row.x, ">", pen.theme.hint());
        }
    }
}

fn draw_date(pen: &mut Pen<'_>, row: Rect, date: Date) {
    let dashes = pen.theme.symbols.horizontal.repeat(2);
    let text = format!("{dashes} {} {dashes}", date.strftime("%A %-d %B %Y"));
    let text = if columns(&text) <= usize::from(row.width) {
        text
    } else {
        date.to_string()
    };
    let margin = usize::from(row.width).saturating_sub(columns(&text)) / 2;
    pen.put(row, offset(row.x, margin), &text, pen.theme.faint());
}

fn draw_unread(pen: &mut Pen<'_>, row: Rect) {
    let theme = pen.theme;
    let title = " new messages ";
    let width = usize::from(row.width);
    // A free column on each side, as the text has it.
    let line = width.saturating_sub(2);
    let dashes = line.saturating_sub(columns(title));
    let text = if width < columns(title) + 4 {
        cut(title.trim(), width, theme.symbols.cut).into_owned()
    } else {
        let dash = theme.symbols.horizontal;
        format!(
            " {}{title}{}",
            dash.repeat(dashes / 2),
            dash.repeat(dashes - dashes / 2)
        )
    };
    pen.put(row, row.x, &text, theme.unread());
}

pub(super) fn draw_help(app: &mut App, pen: &mut Pen<'_>, area: Rect) {
    let Some(help) = &mut app.help else {
        return;
    };
    if area.is_empty() {
        return;
    }
    let width = usize::from(area.width);
    help.scroll(0, width, usize::from(area.height));
    let theme = pen.theme;
    let rows = Help::rows(width);
    let has_more = rows.len() > help.top + usize::from(area.height);
    for (row, line) in area.rows().zip(rows.iter().skip(help.top)) {
        let x = offset(row.x, Help::margin(width));
        if line.is_title {
            pen.put(row, x, &line.text, theme.strong());
        } else {
            let (term, meaning) = line.text.split_at(line.term);
            let x = pen.put(row, x, term, theme.strong());
            pen.put(row, x, meaning, Style::new());
        }
    }
    if has_more && let Some(row) = area.rows().next_back() {
        let more = format!(" {} PgDn ", theme.symbols.below);
        pen.put_right(row, 0, &more, theme.hint());
    }
}

fn offset(x: u16, columns: usize) -> u16 {
    x.saturating_add(u16::try_from(columns).unwrap_or(u16::MAX))
}
