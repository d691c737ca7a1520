//! The list of buffers to the left, the nicks to the right.

use ratatui::layout::Rect;

use crate::app::App;
use crate::app::buffer::{Activity, Place};
use crate::session::Session;
use crate::wrap::{columns, cut};

use super::pen::Pen;

/// The sign of what has happened in a buffer.
pub(super) fn mark(activity: Activity) -> char {
    match activity {
        Activity::Nothing => ' ',
        Activity::Event => '.',
        Activity::Message => '*',
        Activity::Mention => '!',
    }
}

pub(super) fn draw_buffers(app: &App, pen: &mut Pen<'_>, area: Rect) {
    let rows = usize::from(area.height);
    let current = app.buffers.current_index();
    // The current one is always seen.
    let first = (current + 1).saturating_sub(rows);
    let theme = pen.theme;
    let inner = area.width - 1;
    for (y, row) in area.rows().enumerate() {
        pen.put(row, row.right() - 1, theme.symbols.vertical, theme.faint());
        let index = first + y;
        let Some(buffer) = app.buffers.iter().nth(index) else {
            continue;
        };
        let line = Rect {
            width: inner,
            ..row
        };
        let style = match buffer.activity {
            _ if index == current => theme.current(),
            Activity::Mention => theme.mention(),
            Activity::Message => theme.message(),
            Activity::Event | Activity::Nothing => ratatui::style::Style::new(),
        };
        if index == current {
            pen.fill(line, style);
        }
        let count = match buffer.unread {
            0 => String::new(),
            1..1_000 => buffer.unread.to_string(),
            _ => "999+".to_owned(),
        };
        let number = format!("{:>2}{}", index + 1, mark(buffer.activity));
        let x = pen.put(line, line.x, &number, style);
        let gap = if count.is_empty() { 1 } else { 3 + count.len() };
        let room = usize::from(line.right() - x).saturating_sub(gap);
        pen.put(line, x, &cut(buffer.name(), room, theme.symbols.cut), style);
        pen.put_right(line, 2, &count, style);
    }
}

pub(super) fn draw_nicks(app: &App, session: &Session, pen: &mut Pen<'_>, area: Rect) {
    let theme = pen.theme;
    for row in area.rows() {
        pen.put(row, row.x, theme.symbols.vertical, theme.faint());
    }
    let Place::Channel(name) = &app.buffers.current().place else {
        return;
    };
    let Some(channel) = session.channel(name) else {
        return;
    };
    let own = session.fold(&session.nick());
    let people = channel.member_count();
    let rows = usize::from(area.height);
    // If not all can be listed, the last row says how many are not.
    let shown = if people <= rows { people } else { rows - 1 };
    for (row, member) in area.rows().zip(channel.members().take(shown)) {
        let folded = session.fold(member.nick());
        let mut style = if folded == own {
            theme.own_nick()
        } else {
            theme.nick(&folded)
        };
        let x = row.x + 1;
        let sign = member.prefix().unwrap_or(' ').to_string();
        let x = pen.put(row, x, &sign, theme.strong());
        let room = usize::from(row.right() - x);
        let away = if member.is_away() { " away" } else { "" };
        if member.is_away() {
            style = style.patch(theme.faint());
        }
        let nick = cut(
            member.nick(),
            room.saturating_sub(columns(away)),
            theme.symbols.cut,
        );
        let x = pen.put(row, x, &nick, style);
        pen.put(row, x, away, theme.faint());
    }
    if shown < people
        && let Some(row) = area.rows().next_back()
    {
        let more = format!("+{} more", people - shown);
        pen.put_cut(row, row.x + 2, &more, theme.faint());
    }
}
