//! Frames on a terminal that reads them, and on one that does not.

use std::io::Write as _;
use std::time::Duration;

use chapter_tests::Pty;
use epoll_loop::{Interest, Watch, open_terminal};
use ratatui::text::Text;

use super::*;

/// A loop whose state is the output of a terminal.
struct Drawing {
    terminal: Watched<File>,
    output: Output,
}

impl Drawing {
    /// The terminal takes more.
    fn go_on(&mut self, event_loop: &mut EventLoop<Drawing>, _: epoll_loop::Event) {
        self.output.flush(event_loop, &self.terminal).unwrap();
        if self.output.is_idle() {
            event_loop.stop(Ok(()));
        }
    }

    fn draw(&mut self, event_loop: &mut EventLoop<Drawing>, text: &str) {
        let text = Text::raw(text.to_owned());
        let view = |frame: &mut Frame<'_>| frame.render_widget(text, frame.area());
        self.output.draw(view);
        self.output.flush(event_loop, &self.terminal).unwrap();
    }
}

fn on(pty: &Pty, size: Size) -> (EventLoop<Drawing>, Drawing) {
    let mut event_loop = EventLoop::new().unwrap();
    let options = &mut File::options();
    let terminal = open_terminal(pty.program_side(), options.read(true).write(true)).unwrap();
    let watch = Watch::new(Interest::NONE);
    let terminal = event_loop.watch(terminal, watch, Drawing::go_on).unwrap();
    let output = Output::new(size);
    (event_loop, Drawing { terminal, output })
}

#[test]
fn a_frame_is_what_has_changed_since_the_one_before() {
    let pty = Pty::open((20, 4));
    let (mut event_loop, mut drawing) = on(&pty, Size::new(20, 4));
    drawing.draw(&mut event_loop, "one\ntwo");
    assert_eq!(pty.wait_for_screen("two"), "one\ntwo");
    drawing.draw(&mut event_loop, "one\nxyz\nthree");
    assert_eq!(pty.wait_for_screen("three"), "one\nxyz\nthree");
    drawing.draw(&mut event_loop, "one\nxyz\nthree!");
    assert!(pty.read() < 100, "the rest of the picture is there already");
    assert!(drawing.output.is_idle());
}

#[test]
fn a_redraw_writes_every_cell_and_asks_the_terminal_nothing() {
    let pty = Pty::open((20, 4));
    let (mut event_loop, mut drawing) = on(&pty, Size::new(20, 4));
    drawing.draw(&mut event_loop, "one\ntwo");
    pty.wait_for_screen("two");
    // Somebody else has written.
    (&*drawing.terminal)
        .write_all(b"\x1b[Hspoilt\r\nspoilt")
        .unwrap();
    pty.wait_for_screen("spoilt\nspoilt");
    // If it asked, it would wait for an answer that nobody gives.
    drawing.output.redraw(Size::new(20, 4));
    drawing.draw(&mut event_loop, "one\ntwo");
    pty.wait_until("as it was", |screen| screen.contents() == "one\ntwo");
}

#[test]
fn another_size_is_drawn_whole_without_asking_for_it() {
    let pty = Pty::open((20, 4));
    let (mut event_loop, mut drawing) = on(&pty, Size::new(20, 4));
    drawing.draw(&mut event_loop, "a line that is longer");
    pty.wait_for_screen("a line that is longe");
    for size in [(10, 2), (40, 8)] {
        pty.resize(size);
        drawing.output.redraw(Size::from(size));
        drawing.draw(&mut event_loop, "a line that is longer");
        let shown = &"a line that is longer"[..21.min(size.0.into())];
        pty.wait_until("of the new size", |screen| screen.contents() == shown);
    }
}

#[test]
fn a_terminal_that_takes_nothing_keeps_nobody_waiting_and_gets_the_rest_later() {
    let pty = Pty::open((200, 50));
    let (mut event_loop, mut drawing) = on(&pty, Size::new(200, 50));
    let mut letters = ('a'..='z').cycle();
    // Draws until the terminal is full: each frame is another picture. The kernel may find room
    // for a little more for some time.
    let mut waiting = 0;
    while waiting == 0 || drawing.output.queue.len() != waiting {
        while drawing.output.is_idle() {
            let picture = letters.next().unwrap().to_string().repeat(200);
            drawing.draw(&mut event_loop, &[picture.as_str(); 50].join("\n"));
        }
        waiting = drawing.output.queue.len();
        event_loop.turn(&mut drawing, Some(Duration::ZERO)).unwrap();
    }
    // It reads again, and the rest is written when it says that it takes more.
    let read_all = |event_loop: &mut EventLoop<Drawing>, drawing: &mut Drawing| {
        while !drawing.output.is_idle() {
            pty.read();
            event_loop.turn(drawing, Some(Duration::ZERO)).unwrap();
        }
    };
    read_all(&mut event_loop, &mut drawing);
    drawing.draw(&mut event_loop, "last");
    read_all(&mut event_loop, &mut drawing);
    pty.wait_until("of the last frame", |screen| {
        screen.contents().trim() == "last"
    });
}

#[test]
fn the_bell_rings_once_with_a_frame_however_often_it_is_asked_for() {
    let pty = Pty::open((20, 4));
    let (mut event_loop, mut drawing) = on(&pty, Size::new(20, 4));
    drawing.output.ring();
    drawing.output.ring();
    drawing.draw(&mut event_loop, "one");
    drawing.draw(&mut event_loop, "two");
    pty.wait_for_screen("two");
    assert_eq!(pty.bells(), 1);
}
