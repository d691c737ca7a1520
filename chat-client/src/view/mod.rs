//! The screen, drawn from the state.
//!
//! Shows: drawing reads the state and changes nothing but what it has laid out;
//! it touches only the rows that are seen, however much there is above them.

mod bars;
mod layout;
mod lists;
mod log;
mod pen;
#[cfg(test)]
mod screens;

use ratatui::Frame;

use crate::app::App;
use crate::app::buffer::Place;
use crate::app::laid::{Manner, Shape};
use crate::session::Session;

use layout::{Layout, Wishes};

/// In a log narrower than this no time stands before a message.
const TIME_MIN_COLUMNS: u16 = 30;
/// Below this width nicks have no column of their own.
const NICK_COLUMN_MIN_COLUMNS: u16 = 50;

/// Where everything goes now.
pub(crate) fn layout(app: &App) -> Layout {
    Layout::new(
        app.columns,
        app.rows,
        Wishes {
            is_copying: app.is_copying,
            buffers: app.wants_buffers,
            nicks: app.wants_nicks,
            // Also while there is no connection: the log would move.
            is_channel: matches!(app.buffers.current().place, Place::Channel(_)),
        },
    )
}

/// And if the log itself is narrower than this, because the person wants lists.
const NICK_COLUMN_MIN_LOG: u16 = 36;

/// How entries are laid out in it. The nick column is as wide as the buffer
/// says, not as it is given here.
pub(crate) fn shape(app: &App, layout: &Layout) -> Shape {
    let manner = if app.is_copying {
        Manner::Copied
    } else if app.columns < NICK_COLUMN_MIN_COLUMNS || layout.log.width < NICK_COLUMN_MIN_LOG {
        Manner::Inline {
            has_time: layout.log.width >= TIME_MIN_COLUMNS,
        }
    } else {
        Manner::Columns { nick: 0 }
    };
    // Text does not touch the line of the nick list.
    let margin = u16::from(layout.nicks.is_some());
    Shape {
        columns: usize::from(layout.log.width.saturating_sub(margin)),
        manner,
    }
}

/// Draws the whole screen.
pub(crate) fn draw(app: &mut App, session: &Session, frame: &mut Frame<'_>) {
    // Between two resizes the terminal may be smaller than it was said to be.
    let area = frame.area();
    (app.columns, app.rows) = (area.width, area.height);
    let layout = layout(app);
    let mut pen = pen::Pen::new(frame.buffer_mut(), app.theme);
    if let Some(title) = layout.title {
        bars::draw_title(app, session, &mut pen, title);
    }
    if let Some(buffers) = layout.buffers {
        lists::draw_buffers(app, &mut pen, buffers);
    }
    if let Some(nicks) = layout.nicks {
        lists::draw_nicks(app, session, &mut pen, nicks);
    }
    if app.help.is_some() {
        log::draw_help(app, &mut pen, layout.log);
    } else {
        log::draw(app, session, &mut pen, layout.log);
    }
    if let Some(status) = layout.status {
        bars::draw_status(app, session, &mut pen, status);
    }
    if let Some(cursor) = bars::draw_input(app, session, &mut pen, layout.input) {
        frame.set_cursor_position(cursor);
    }
}
