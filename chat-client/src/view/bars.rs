//! The title, the status, and the line that is being typed.

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::app::buffer::Place;
use crate::app::{App, LinkState};
use crate::formatting;
use crate::session::Session;
use crate::wrap::{columns, cut};

use super::lists::mark;
use super::pen::Pen;

/// The count of what is left is a warning from here on.
const FEW_BYTES: usize = 50;

/// ` #lobby — Welcome to the lobby          3 people  +nt`
pub(super) fn draw_title(app: &App, session: &Session, pen: &mut Pen<'_>, row: Rect) {
    let theme = pen.theme;
    let style = theme.bar();
    pen.fill(row, style);
    let buffer = app.buffers.current();
    let (mut topic, mut right) = (String::new(), String::new());
    match &buffer.place {
        Place::Server => {
            if let Some(address) = &app.address {
                topic = address.to_string();
            }
        }
        Place::Mentions => "all messages that name you".clone_into(&mut topic),
        Place::Private(_) => "between the two of you".clone_into(&mut topic),
        Place::Channel(name) => match session.channel(name).filter(|channel| channel.is_joined()) {
            Some(channel) => {
                topic = formatting::parse(channel.topic()).text;
                right = match channel.member_count() {
                    1 => "1 person".to_owned(),
                    count => format!("{count} people"),
                };
                let modes = channel.modes();
                if !modes.is_empty() {
                    right = format!("{right}  {modes}");
                }
            }
            None if app.link != Some(LinkState::Online) => {}
            None if session.channel(name).is_some() => "joining".clone_into(&mut topic),
            None => "not joined".clone_into(&mut topic),
        },
    }
    // What a channel is about matters more than how many know.
    let name = buffer.name();
    let width = usize::from(row.width);
    let left = if topic.is_empty() {
        format!(" {name}")
    } else {
        format!(" {name} {} {topic}", theme.symbols.dash)
    };
    let needed = columns(&right) + 2;
    let room = if width >= columns(name) + needed + 12 || columns(&left) + needed <= width {
        pen.put_right(row, 1, &right, style);
        width.saturating_sub(needed)
    } else {
        width
    };
    let left = cut(&left, room, theme.symbols.cut);
    pen.put(row, row.x, &left, style);
    let name = format!(" {name}");
    let name = cut(&name, room, theme.symbols.cut);
    pen.put(row, row.x, &name, style.patch(theme.strong()));
}

/// ` ● irc.example 42 ms │ ann │ 4! bob, 3* #rust (Alt-A) │ F1 help`
pub(super) fn draw_status(app: &App, session: &Session, pen: &mut Pen<'_>, row: Rect) {
    let style = pen.theme.bar();
    pen.fill(row, style);
    let text = status(app, session, pen, usize::from(row.width));
    let is_down = matches!(
        app.link,
        Some(LinkState::Offline { .. } | LinkState::Ended { .. })
    );
    let style = if is_down {
        style.patch(pen.theme.strong())
    } else {
        style
    };
    pen.put(row, row.x, &text, style);
}

/// The parts that fit, those that matter most if not all do.
fn status(app: &App, session: &Session, pen: &Pen<'_>, width: usize) -> String {
    let symbols = pen.theme.symbols;
    let (short, long) = connection(app, session, pen);
    let nick = session.nick();
    let unread: Vec<String> = app
        .buffers
        .unread()
        .map(|(index, buffer)| format!("{}{} {}", index + 1, mark(buffer.activity), buffer.name()))
        .collect();
    let unread_short = unread.first().map(|first| match unread.len() {
        1 => first.clone(),
        count => format!("{first} +{}", count - 1),
    });
    let unread_long = (!unread.is_empty()).then(|| format!("{} (Alt-A)", unread.join(", ")));
    let unread = (!unread.is_empty()).then(|| unread.join(", "));
    let help = Some("F1 help".to_owned());
    let copying = app.is_copying.then(|| "copy mode, F4 ends it".to_owned());
    let long = Some(long);
    let short = Some(short);
    let nick = Some(nick);
    let separator = format!(" {} ", symbols.vertical);
    // From the richest to the barest.
    let choices = [
        [
            long.clone(),
            nick.clone(),
            copying.clone(),
            unread_long,
            help.clone(),
        ],
        [
            long,
            nick.clone(),
            copying.clone(),
            unread.clone(),
            help.clone(),
        ],
        [
            short.clone(),
            nick.clone(),
            copying.clone(),
            unread,
            help.clone(),
        ],
        [
            short.clone(),
            nick,
            copying.clone(),
            unread_short.clone(),
            help.clone(),
        ],
        [
            short.clone(),
            None,
            copying.clone(),
            unread_short.clone(),
            help,
        ],
        [short.clone(), None, copying.clone(), unread_short, None],
        [short, None, copying, None, None],
    ];
    let join = |parts: [Option<String>; 5]| {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        format!(" {}", parts.join(&separator))
    };
    let mut choices = choices.into_iter().map(join);
    let barest = choices.next_back().unwrap_or_default();
    choices
        .find(|text| columns(text) <= width)
        .unwrap_or_else(|| cut(&barest, width, symbols.cut).into_owned())
}

/// How it stands with the connection, in few words and in more.
fn connection(app: &App, session: &Session, pen: &Pen<'_>) -> (String, String) {
    let symbols = pen.theme.symbols;
    let (up, down, dash) = (symbols.online, symbols.offline, symbols.dash);
    let host = app.address.as_ref().map_or("", |address| &address.host);
    match &app.link {
        None => (
            format!("{down} not connected"),
            format!("{down} not connected"),
        ),
        Some(LinkState::Connecting { address }) => (
            format!("{down} connecting"),
            format!("{down} connecting to {}", address.host),
        ),
        Some(LinkState::Online) => {
            let name = session.network().unwrap_or(host);
            let short = format!("{up} {name}");
            let long = match session.lag() {
                Some(lag) => format!("{short} {} ms", lag.as_millis()),
                None => short.clone(),
            };
            (short, long)
        }
        Some(LinkState::Offline { attempt, .. }) => {
            let seconds = app.seconds_to_retry().unwrap_or(0);
            let retry = if seconds == 0 {
                "retrying".to_owned()
            } else {
                format!("retry in {seconds} s")
            };
            (
                format!("{down} offline {dash} {retry}"),
                format!("{down} offline {dash} {retry} (try {attempt}; /reconnect now)"),
            )
        }
        Some(LinkState::Ended { why }) => (
            format!("{down} offline"),
            format!("{down} offline {dash} {why} (/reconnect)"),
        ),
    }
}

/// The line that is being typed, or a question in its place. Returns where the
/// cursor stands.
pub(super) fn draw_input(
    app: &App,
    session: &Session,
    pen: &mut Pen<'_>,
    row: Rect,
) -> Option<Position> {
    if row.is_empty() {
        return None;
    }
    if let Some(paste) = &app.paste {
        return Some(draw_paste(app, paste.lines.len(), pen, row));
    }
    if let Some(search) = &app.search {
        return Some(draw_search(search, pen, row));
    }
    let theme = pen.theme;
    let buffer = app.buffers.current();
    let width = usize::from(row.width);
    let prompt = format!("{}> ", buffer.name());
    let prompt = if columns(&prompt) * 2 > width {
        "> "
    } else {
        &prompt
    };
    let prompt = if width < 8 { "" } else { prompt };
    let x = pen.put(row, row.x, prompt, theme.strong());
    let left = what_is_left(app, session);
    let mut room = row.right() - x;
    if let Some((left, is_little)) = left {
        let needed = u16::try_from(columns(&left))
            .unwrap_or(u16::MAX)
            .saturating_add(2);
        if room >= needed + 20 {
            let style = if is_little {
                theme.hint()
            } else {
                theme.faint()
            };
            pen.put_right(row, 1, &left, style);
            room -= needed;
        }
    }
    let line = Rect {
        x,
        width: room,
        ..row
    };
    if buffer.input.is_empty() && !app.has_spoken {
        let hint = match &buffer.place {
            Place::Channel(name) => format!("say something to {name}"),
            Place::Private(name) => format!("say something to {name} alone"),
            Place::Server | Place::Mentions => "/join #channel, or /help".to_owned(),
        };
        pen.put_cut(line, x, &hint, theme.faint());
        return Some(Position {
            x: x.min(row.right() - 1),
            y: row.y,
        });
    }
    let window = buffer.input.window(usize::from(room));
    pen.put(line, x, window.text, Style::new());
    // Signs that there is more stand in the place of a character.
    if window.has_more_left && window.cursor > 0 {
        pen.put(line, x, "<", theme.faint());
    }
    if window.has_more_right && room > 1 {
        pen.put_right(line, 0, ">", theme.faint());
    }
    let cursor = u16::try_from(window.cursor).unwrap_or(u16::MAX);
    Some(Position {
        x: x.saturating_add(cursor).min(row.right() - 1),
        y: row.y,
    })
}

/// `388 left`, and whether that is little; none for what is no text.
fn what_is_left(app: &App, session: &Session) -> Option<(String, bool)> {
    let buffer = app.buffers.current();
    let text = buffer.input.text();
    if text.is_empty() || (text.starts_with('/') && !text.starts_with("//")) {
        return None;
    }
    let room = session.room_for_text(buffer.target()?);
    if room == 0 {
        return None;
    }
    if text.len() <= room {
        let left = room - text.len();
        return Some((format!("{left} left"), left < FEW_BYTES));
    }
    let messages = chat_protocol::split_text(text, room).count();
    Some((format!("{messages} messages"), true))
}

fn draw_paste(app: &App, lines: usize, pen: &mut Pen<'_>, row: Rect) -> Position {
    let name = app.buffers.current().name();
    let choices = [
        format!("Paste {lines} lines to {name}?  [s]end  [j]oin to one line  [Esc] drop"),
        format!("Paste {lines} lines? [s]end [j]oin [Esc] drop"),
        format!("{lines} lines? s j Esc"),
    ];
    draw_question(&choices, pen, row)
}

fn draw_search(search: &crate::app::search::Search, pen: &mut Pen<'_>, row: Rect) -> Position {
    let (nth, count) = search.count();
    let query = search.query();
    let found = if query.is_empty() {
        String::new()
    } else if count == 0 {
        "  nothing found".to_owned()
    } else {
        format!("  {nth} of {count}")
    };
    if search.is_settled {
        let choices = [
            format!("search: {query}{found}  [n] older  [N] newer  [Esc] end"),
            format!("search: {query}{found}  n N Esc"),
            format!("{query}{found}"),
        ];
        return draw_question(&choices, pen, row);
    }
    let x = pen.put(row, row.x, "search: ", pen.theme.hint());
    let room = usize::from(row.right().saturating_sub(x));
    // The end of a long query is what is being typed.
    let mut shown = query;
    while columns(shown) + 1 > room && !shown.is_empty() {
        shown = &shown[shown.chars().next().map_or(1, char::len_utf8)..];
    }
    let x = pen.put(row, x, shown, Style::new());
    pen.put(row, x.saturating_add(1), &found, pen.theme.faint());
    Position {
        x: x.min(row.right() - 1),
        y: row.y,
    }
}

/// Puts the longest of the questions that fits; the cursor stands behind it.
fn draw_question(choices: &[String], pen: &mut Pen<'_>, row: Rect) -> Position {
    let width = usize::from(row.width);
    let fitting = choices.iter().find(|choice| columns(choice) <= width);
    let question = fitting.or(choices.last()).map_or("", String::as_str);
    let x = pen.put_cut(row, row.x, question, pen.theme.hint());
    Position {
        x: x.min(row.right() - 1),
        y: row.y,
    }
}
