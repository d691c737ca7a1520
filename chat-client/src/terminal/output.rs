//! What is drawn, on its way to the terminal.
//!
//! Shows: a frame is drawn into memory, as the difference to the one before,
//! and handed to a queue that the loop writes as the terminal takes it. While
//! something waits nothing is drawn: a slow terminal gets fewer frames, each of
//! them whole and none of them old, and nobody waits for it.

use std::fs::File;
use std::io;

use epoll_loop::{EventLoop, SendQueue, Watched};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::layout::{Position, Rect, Size};
use ratatui::{Frame, Terminal};

const IN_MEMORY: &str = "writing into memory does not fail";
const BELL: &[u8] = b"\x07";

/// What the terminal shows, and what is still to be written for it.
#[derive(Debug)]
pub(crate) struct Output {
    frames: Terminal<Canvas>,
    queue: SendQueue,
    /// The bell is to ring with the next frame: once, however long it takes.
    rings: bool,
}

impl Output {
    /// The picture of an empty terminal.
    pub(crate) fn new(size: Size) -> Output {
        let canvas = Canvas {
            bytes: Vec::new(),
            size,
        };
        Output {
            frames: Terminal::new(canvas).expect(IN_MEMORY),
            // Never more than a frame, so a mark has no meaning here.
            queue: SendQueue::new(0),
            rings: false,
        }
    }

    /// Appends bytes that are no part of a frame.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.queue.push(bytes);
    }

    /// Whether a frame can be drawn: all of the one before is written.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Draws a frame; what has changed waits to be written.
    // ANCHOR: draw-frame
    pub(crate) fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) {
        self.frames.draw(view).expect(IN_MEMORY);
        let drawn = std::mem::take(&mut self.frames.backend_mut().bytes);
        // The terminal shows it in one go, if it knows how.
        let mut frame = Vec::with_capacity(drawn.len() + 32);
        queue!(frame, BeginSynchronizedUpdate).expect(IN_MEMORY);
        frame.extend(drawn);
        queue!(frame, EndSynchronizedUpdate).expect(IN_MEMORY);
        if std::mem::take(&mut self.rings) {
            frame.extend(BELL);
        }
        self.queue.push(&frame);
    }
    // ANCHOR_END: draw-frame

    /// Has the next frame drawn whole: the terminal may show anything by now,
    /// and may have another size.
    ///
    /// Not by `Terminal::clear`, which asks the terminal where its cursor is and
    /// reads the answer, blocking.
    // ANCHOR: redraw-whole
    pub(crate) fn redraw(&mut self, size: Size) {
        self.frames.backend_mut().size = size;
        self.frames.resize(Rect::from(size)).expect(IN_MEMORY);
    }
    // ANCHOR_END: redraw-whole

    /// Rings the terminal's bell with the next frame.
    pub(crate) fn ring(&mut self) {
        self.rings = true;
    }

    /// Forgets what is not written: the terminal is given away.
    pub(crate) fn discard(&mut self) {
        self.queue.clear();
    }

    /// Writes what the terminal takes, and has the loop tell when it takes more.
    ///
    /// # Errors
    ///
    /// `EIO` if the terminal is gone.
    pub(crate) fn flush<S>(
        &mut self,
        event_loop: &mut EventLoop<S>,
        terminal: &Watched<File>,
    ) -> io::Result<()> {
        self.queue.flush(event_loop, terminal).map(drop)
    }
}

/// Where ratatui draws: crossterm's bytes in memory, and no question to the
/// terminal. crossterm's own backend would open /dev/tty before each frame to
/// ask for its size, and run tput(1) if that fails.
#[derive(Debug)]
struct Canvas {
    bytes: Vec<u8>,
    size: Size,
}

impl Canvas {
    fn crossterm(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.bytes)
    }
}

impl Backend for Canvas {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.crossterm().draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.crossterm().hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.crossterm().show_cursor()
    }

    /// Nobody asks: see [`Output::redraw`].
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.crossterm().set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.crossterm().clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.crossterm().clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
