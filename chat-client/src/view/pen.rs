//! Text put into cells, never outside its place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::laid::drawable;
use crate::theme::Theme;
use crate::wrap::{columns, cut};

/// What draws.
pub(super) struct Pen<'a> {
    buffer: &'a mut Buffer,
    pub(super) theme: Theme,
}

impl<'a> Pen<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: Theme) -> Pen<'a> {
        Pen { buffer, theme }
    }

    /// Puts text at column `x` of `row`, as much as there is room for. Returns
    /// the column behind it.
    pub(super) fn put(&mut self, row: Rect, x: u16, text: &str, style: Style) -> u16 {
        if row.is_empty() || x < row.x || x >= row.right() {
            return x;
        }
        let room = usize::from(row.right() - x);
        // A space that holds words together is an ordinary one to whoever copies
        // it.
        let text = drawable(text, self.theme).replace('\u{a0}', " ");
        self.buffer.set_stringn(x, row.y, text, room, style).0
    }

    /// Puts text whose end is at the right end of `row`, less `margin` columns.
    pub(super) fn put_right(&mut self, row: Rect, margin: u16, text: &str, style: Style) {
        let width = u16::try_from(columns(text)).unwrap_or(u16::MAX);
        if let Some(x) = row.right().checked_sub(width.saturating_add(margin)) {
            self.put(row, x, text, style);
        }
    }

    /// Puts text into `row`; a sign says if it did not fit.
    pub(super) fn put_cut(&mut self, row: Rect, x: u16, text: &str, style: Style) -> u16 {
        let room = usize::from(row.right().saturating_sub(x));
        if columns(text) <= room {
            return self.put(row, x, text, style);
        }
        let cut = cut(text, room, self.theme.symbols.cut);
        self.put(row, x, &cut, style)
    }

    pub(super) fn fill(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area, style);
    }
}
