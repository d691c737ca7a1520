//! Where everything goes on a screen of some size.
//!
//! Shows: what matters least goes first: the nicks, the list of buffers, the
//! title and the status; the log and the line stay to the end.

use ratatui::layout::Rect;

/// Below this width the nicks are not listed, unless the person wants them.
const NICKS_MIN_COLUMNS: u16 = 100;
/// Below this width the buffers are not listed, unless the person wants them.
const BUFFERS_MIN_COLUMNS: u16 = 70;
/// On a smaller screen there is nothing but the log and the line.
const BARS_MIN_COLUMNS: u16 = 20;
const BARS_MIN_ROWS: u16 = 4;

/// What the log keeps when the person wants the lists on a narrow screen.
const LOG_MIN_COLUMNS: u16 = 20;

// Nothing but the size of the terminal decides how wide a list is: otherwise
// the log would be cut into other rows when a buffer is opened.
const BUFFERS_COLUMNS: u16 = 16;
const BUFFERS_WIDE_COLUMNS: u16 = 22;
const WIDE_MIN_COLUMNS: u16 = 130;
const NICKS_COLUMNS: u16 = 17;

/// What the person has chosen, and what there is to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    pub(crate) is_copying: bool,
    pub(crate) buffers: Option<bool>,
    pub(crate) nicks: Option<bool>,
    /// Whether there may be anybody to list.
    pub(crate) is_channel: bool,
}

/// The places of all parts; what is not shown has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) title: Option<Rect>,
    /// With the line to the right of it.
    pub(crate) buffers: Option<Rect>,
    pub(crate) log: Rect,
    /// With the line to the left of it.
    pub(crate) nicks: Option<Rect>,
    pub(crate) status: Option<Rect>,
    pub(crate) input: Rect,
}

impl Layout {
    pub(crate) fn new(columns: u16, rows: u16, wishes: Wishes) -> Layout {
        let has_bars = columns >= BARS_MIN_COLUMNS && rows >= BARS_MIN_ROWS;
        let has_title = has_bars && !wishes.is_copying;
        let row = |y: u16| Rect::new(0, y, columns, 1);
        let top = u16::from(has_title);
        let bottom = rows.saturating_sub(1);
        let log_rows = bottom.saturating_sub(top + u16::from(has_bars));
        let mut log = Rect::new(0, top, columns, log_rows);
        let may_list = has_title && log_rows > 0;
        let wants = |wish: Option<bool>, min_columns: u16| wish.unwrap_or(columns >= min_columns);
        let mut buffers = None;
        if may_list && wants(wishes.buffers, BUFFERS_MIN_COLUMNS) {
            let width = if columns >= WIDE_MIN_COLUMNS {
                BUFFERS_WIDE_COLUMNS
            } else {
                BUFFERS_COLUMNS
            };
            if log.width >= width + LOG_MIN_COLUMNS {
                buffers = Some(Rect { width, ..log });
                log = Rect {
                    x: log.x + width,
                    width: log.width - width,
                    ..log
                };
            }
        }
        let mut nicks = None;
        if may_list
            && wishes.is_channel
            && wants(wishes.nicks, NICKS_MIN_COLUMNS)
            && log.width >= NICKS_COLUMNS + LOG_MIN_COLUMNS
        {
            log.width -= NICKS_COLUMNS;
            nicks = Some(Rect {
                x: log.right(),
                width: NICKS_COLUMNS,
                ..log
            });
        }
        Layout {
            title: has_title.then(|| row(0)),
            buffers,
            log,
            nicks,
            status: has_bars.then(|| row(bottom - 1)),
            input: Rect {
                height: rows.min(1),
                ..row(bottom)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISHES: Wishes = Wishes {
        is_copying: false,
        buffers: None,
        nicks: None,
        is_channel: true,
    };

    #[test]
    fn what_matters_least_goes_first() {
        let parts = |columns, rows| {
            let layout = Layout::new(columns, rows, WISHES);
            (
                layout.nicks.is_some(),
                layout.buffers.is_some(),
                layout.status.is_some(),
            )
        };
        assert_eq!(parts(100, 24), (true, true, true));
        assert_eq!(parts(99, 24), (false, true, true));
        assert_eq!(parts(69, 24), (false, false, true));
        assert_eq!(parts(20, 4), (false, false, true));
        assert_eq!(parts(19, 4), (false, false, false));
        assert_eq!(parts(20, 3), (false, false, false));
    }

    #[test]
    fn the_person_may_have_the_lists_elsewhere_or_not_at_all() {
        let wishes = Wishes {
            buffers: Some(true),
            nicks: Some(true),
            ..WISHES
        };
        let layout = Layout::new(60, 12, wishes);
        assert!(layout.buffers.is_some() && layout.nicks.is_some());
        let layout = Layout::new(40, 12, wishes);
        assert!(
            layout.buffers.is_some() && layout.nicks.is_none(),
            "the log stays readable"
        );
        let wishes = Wishes {
            buffers: Some(false),
            nicks: Some(false),
            ..WISHES
        };
        let layout = Layout::new(160, 50, wishes);
        assert_eq!(layout.log, Rect::new(0, 1, 160, 47));
    }

    #[test]
    fn the_parts_cover_the_screen_and_not_each_other() {
        for columns in 0..130 {
            for rows in 0..30 {
                let layout = Layout::new(columns, rows, WISHES);
                let parts = [layout.title, layout.buffers, layout.nicks, layout.status];
                let mut all: Vec<Rect> = parts.into_iter().flatten().collect();
                all.extend([layout.log, layout.input]);
                let covered: u32 = all.iter().map(|part| part.area()).sum();
                assert_eq!(covered, u32::from(columns) * u32::from(rows));
                for (at, one) in all.iter().enumerate() {
                    for other in &all[at + 1..] {
                        assert!(one.intersection(*other).is_empty(), "{columns}x{rows}");
                    }
                }
            }
        }
    }
}
