//! Bytes of a terminal made into keys and pastes.
//!
//! Shows: one byte at a time through a small machine, so that it makes no
//! difference how reads cut the bytes; the only thing that bytes cannot tell is
//! whether ESC is a key or the beginning of one, and that is decided by time,
//! which is the caller's: [`Keys::patience`] and [`Keys::give_up`].
//! Leaves out: the mouse, and answers of the terminal, since nobody asks it.

mod sequences;

use std::mem;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The most of one paste that is taken. Without a limit a paste whose end never
/// comes would take all memory.
pub(crate) const MAX_PASTE_BYTES: usize = 64 * 1024;

/// How long ESC alone may be the beginning of a longer key. A terminal sends a
/// key in one piece; a slow line may cut it.
const LONE_ESCAPE: Duration = Duration::from_millis(50);

/// How long the rest of a key may take that is certainly more than ESC.
const BEGUN_KEY: Duration = Duration::from_millis(500);

/// How long a paste may stand still before it is taken as it is.
const STALLED_PASTE: Duration = Duration::from_secs(2);

/// No key's sequence is longer. What is, is passed over to its end.
const MAX_SEQUENCE_BYTES: usize = 32;

const ESC: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Something that a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    Key(KeyEvent),
    /// Text that came in one go, as it came: its lines end by CR, LF or both.
    Paste {
        text: String,
        /// More than [`MAX_PASTE_BYTES`] came; the rest is left out.
        is_cut: bool,
    },
}

/// The machine. It holds what has begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    state: State,
}

#[derive(Debug, Default)]
// ANCHOR: states
enum State {
    #[default]
    Ground,
    /// ESC, and nothing yet.
    Escape,
    /// The first bytes of a character of several; it came after ESC or not.
    Character {
        bytes: Vec<u8>,
        alt: KeyModifiers,
    },
    /// ESC `[` and more.
    Sequence(Vec<u8>),
    /// ESC `O`, and for some keys a number.
    Single(Vec<u8>),
    /// ESC `[` `[`: the next byte is a function key of the Linux console.
    Console,
    /// The coordinates of a mouse that a program before this one has left on.
    Mouse {
        left: usize,
    },
    Paste(Paste),
}
// ANCHOR_END: states

/// A paste on its way.
#[derive(Debug, Default)]
struct Paste {
    bytes: Vec<u8>,
    /// How much of [`PASTE_END`] the last bytes are.
    matched: usize,
    is_cut: bool,
}

impl Keys {
    /// Takes the next bytes and calls `on_typed` for each thing that ends in
    /// them.
    // ANCHOR: take-keys
    pub(crate) fn take(&mut self, bytes: &[u8], mut on_typed: impl FnMut(Typed)) {
        for &byte in bytes {
            self.step(byte, &mut on_typed);
        }
    }
    // ANCHOR_END: take-keys

    /// How long to wait for more bytes before [`Keys::give_up`]; none if nothing
    /// has begun.
    // ANCHOR: patience
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            // ANCHOR: escape-lasts
            State::Escape => Some(LONE_ESCAPE),
            // ANCHOR_END: escape-lasts
            State::Paste(_) => Some(STALLED_PASTE),
            _ => Some(BEGUN_KEY),
        }
    }
    // ANCHOR_END: patience

    /// The time is over: what has begun is all there is.
    pub(crate) fn give_up(&mut self, mut on_typed: impl FnMut(Typed)) {
        match mem::take(&mut self.state) {
            State::Escape => on_typed(key(KeyCode::Esc, KeyModifiers::NONE)),
            State::Character { alt, .. } => on_typed(character(char::REPLACEMENT_CHARACTER, alt)),
            State::Sequence(bytes) if bytes.is_empty() => {
                on_typed(character('[', KeyModifiers::ALT));
            }
            State::Single(bytes) if bytes.is_empty() => {
                on_typed(character('O', KeyModifiers::ALT));
            }
            State::Paste(paste) => on_typed(paste.finish()),
            // Half a key is none.
            State::Sequence(_)
            | State::Single(_)
            | State::Console
            | State::Mouse { .. }
            | State::Ground => {}
        }
    }

    fn step(&mut self, byte: u8, on_typed: &mut impl FnMut(Typed)) {
        match mem::take(&mut self.state) {
            State::Ground => self.begin(byte, KeyModifiers::NONE, on_typed),
            // ANCHOR: after-escape
            State::Escape => match byte {
                b'[' => self.state = State::Sequence(Vec::new()),
                b'O' => self.state = State::Single(Vec::new()),
                ESC => {
                    on_typed(key(KeyCode::Esc, KeyModifiers::NONE));
                    self.state = State::Escape;
                }
                _ => self.begin(byte, KeyModifiers::ALT, on_typed),
            },
            // ANCHOR_END: after-escape
            State::Character { mut bytes, alt } => {
                bytes.push(byte);
                match std::str::from_utf8(&bytes) {
                    Ok(text) => text.chars().for_each(|c| on_typed(character(c, alt))),
                    Err(err) if err.error_len().is_none() => {
                        self.state = State::Character { bytes, alt };
                    }
                    Err(_) => {
                        on_typed(character(char::REPLACEMENT_CHARACTER, alt));
                        // A byte that goes on with a character begins none.
                        if !(0x80..0xc0).contains(&byte) {
                            self.begin(byte, KeyModifiers::NONE, on_typed);
                        }
                    }
                }
            }
            State::Sequence(bytes) => self.go_on(bytes, byte, on_typed),
            State::Single(mut bytes) => match byte {
                b'0'..=b'9' | b';' if bytes.len() < MAX_SEQUENCE_BYTES => {
                    bytes.push(byte);
                    self.state = State::Single(bytes);
                }
                0x20..=0x7e => sequences::single(&bytes, byte)
                    .into_iter()
                    .for_each(on_typed),
                _ => self.begin(byte, KeyModifiers::NONE, on_typed),
            },
            State::Console => match byte {
                b'A'..=b'E' => on_typed(key(KeyCode::F(byte - b'A' + 1), KeyModifiers::NONE)),
                0x20..=0x7e => {}
                _ => self.begin(byte, KeyModifiers::NONE, on_typed),
            },
            State::Mouse { left: 1 } => {}
            State::Mouse { left } => self.state = State::Mouse { left: left - 1 },
            State::Paste(mut paste) => {
                if paste.take(byte) {
                    on_typed(paste.finish());
                } else {
                    self.state = State::Paste(paste);
                }
            }
        }
    }

    /// A byte with which something begins; `alt` if ESC was before it.
    fn begin(&mut self, byte: u8, alt: KeyModifiers, on_typed: &mut impl FnMut(Typed)) {
        let control = |c: u8| character(c.into(), alt | KeyModifiers::CONTROL);
        on_typed(match byte {
            ESC => return self.state = State::Escape,
            b'\r' => key(KeyCode::Enter, alt),
            b'\t' => key(KeyCode::Tab, alt),
            0x7f => key(KeyCode::Backspace, alt),
            0 => control(b' '),
            0x01..=0x1a => control(byte - 1 + b'a'),
            0x1c..=0x1f => control(byte - 0x1c + b'4'),
            0x20..=0x7e => character(byte.into(), alt),
            0xc2..=0xf4 => {
                let bytes = vec![byte];
                return self.state = State::Character { bytes, alt };
            }
            // No character begins so, and none is a byte of its own.
            0x80..=0xc1 | 0xf5..=0xff => character(char::REPLACEMENT_CHARACTER, alt),
        });
    }

    /// One more byte after ESC `[`.
    fn go_on(&mut self, mut bytes: Vec<u8>, byte: u8, on_typed: &mut impl FnMut(Typed)) {
        match byte {
            b'[' if bytes.is_empty() => self.state = State::Console,
            b'M' if bytes.is_empty() => self.state = State::Mouse { left: 3 },
            b'~' if bytes == b"200" => self.state = State::Paste(Paste::default()),
            // rxvt ends its Shift keys by $, which goes on with a sequence elsewhere.
            b'$' | 0x40..=0x7e if bytes.len() < MAX_SEQUENCE_BYTES => {
                sequences::long(&bytes, byte).into_iter().for_each(on_typed);
            }
            // Too long for a key: it is passed over.
            0x40..=0x7e => {}
            0x20..=0x3f => {
                if bytes.len() < MAX_SEQUENCE_BYTES {
                    bytes.push(byte);
                }
                self.state = State::Sequence(bytes);
            }
            _ => self.begin(byte, KeyModifiers::NONE, on_typed),
        }
    }
}

impl Paste {
    /// Takes a byte; true if it was the last one of the end.
    // ANCHOR: paste-take
    fn take(&mut self, byte: u8) -> bool {
        if byte == PASTE_END[self.matched] {
            self.matched += 1;
            return self.matched == PASTE_END.len();
        }
        // It was not the end. Only its first byte is ESC, so that is the only
        // one with which it can begin anew.
        for &held in &PASTE_END[..mem::take(&mut self.matched)] {
            self.keep(held);
        }
        if byte == ESC {
            self.matched = 1;
        } else {
            self.keep(byte);
        }
        false
    }
    // ANCHOR_END: paste-take

    fn keep(&mut self, byte: u8) {
        if self.bytes.len() < MAX_PASTE_BYTES {
            self.bytes.push(byte);
        } else {
            self.is_cut = true;
        }
    }

    fn finish(mut self) -> Typed {
        if self.is_cut
            && let Err(err) = std::str::from_utf8(&self.bytes)
            && err.error_len().is_none()
        {
            // The cut went through a character.
            self.bytes.truncate(err.valid_up_to());
        }
        Typed::Paste {
            text: String::from_utf8_lossy(&self.bytes).into_owned(),
            is_cut: self.is_cut,
        }
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Typed {
    Typed::Key(KeyEvent::new(code, modifiers))
}

/// A character; a capital one comes with Shift, as from crossterm.
fn character(c: char, mut modifiers: KeyModifiers) -> Typed {
    modifiers.set(KeyModifiers::SHIFT, c.is_uppercase());
    key(KeyCode::Char(c), modifiers)
}

#[cfg(test)]
mod tests;
