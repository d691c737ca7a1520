//! Which key does what: one table for the keyboard and for the help.
//!
//! Shows: the help cannot name a key that does nothing, nor leave one out; and
//! whatever a key with Alt does, a command does too, because some terminals
//! keep Alt for themselves.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::input::Edit;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Edit(Edit),
    Send,
    Complete,
    CompleteBack,
    HistoryOlder,
    HistoryNewer,
    /// Shows the buffer with this number, from 1.
    Buffer(usize),
    NextBuffer,
    PreviousBuffer,
    NextUnread,
    UnreadLine,
    Mentions,
    PageUp,
    PageDown,
    /// To the beginning of the line; of the log if the line is empty.
    Home,
    /// To the end of the line; of the log if the line is empty.
    End,
    Search,
    Help,
    ToggleBuffers,
    ToggleNicks,
    CopyMode,
    Redraw,
    Suspend,
    /// Ends the program when pressed twice.
    Leave,
    /// Erases to the right; in an empty line as [`Action::Leave`].
    EraseOrLeave,
    /// Closes whatever is open: the help, the copy mode.
    Escape,
}

/// Keys that do the same.
#[derive(Debug)]
pub(crate) struct Binding {
    /// As the help names them.
    pub(crate) label: &'static str,
    keys: &'static [Key],
    action: Action,
    /// The command that does the same, if there is one.
    pub(crate) command: Option<&'static str>,
    /// What they do, for the help.
    pub(crate) meaning: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key(KeyCode, KeyModifiers);

const fn plain(code: KeyCode) -> Key {
    Key(code, KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn alt(c: char) -> Key {
    Key(KeyCode::Char(c), KeyModifiers::ALT)
}

const fn with(code: KeyCode, modifiers: KeyModifiers) -> Key {
    Key(code, modifiers)
}

const fn key(
    label: &'static str,
    keys: &'static [Key],
    action: Action,
    command: Option<&'static str>,
    meaning: &'static str,
) -> Binding {
    Binding {
        label,
        keys,
        action,
        command,
        meaning,
    }
}

/// Every key, in the order of the help.
pub(crate) static BINDINGS: &[Binding] = &[
    key(
        "Enter",
        &[plain(KeyCode::Enter)],
        Action::Send,
        None,
        "send the line",
    ),
    key(
        "Tab",
        &[plain(KeyCode::Tab)],
        Action::Complete,
        None,
        "complete a nick, command or channel; again for the next",
    ),
    key(
        "Shift-Tab",
        &[
            plain(KeyCode::BackTab),
            with(KeyCode::BackTab, KeyModifiers::SHIFT),
            with(KeyCode::Tab, KeyModifiers::SHIFT),
        ],
        Action::CompleteBack,
        None,
        "the completion before",
    ),
    key(
        "Up, Down",
        &[plain(KeyCode::Up)],
        Action::HistoryOlder,
        None,
        "what you typed before, and back to your draft",
    ),
    key("", &[plain(KeyCode::Down)], Action::HistoryNewer, None, ""),
    key(
        "PgUp, PgDn",
        &[plain(KeyCode::PageUp)],
        Action::PageUp,
        None,
        "scroll",
    ),
    key("", &[plain(KeyCode::PageDown)], Action::PageDown, None, ""),
    key(
        "Home, End",
        &[plain(KeyCode::Home)],
        Action::Home,
        None,
        "on an empty line: to the oldest message, to the newest",
    ),
    key("", &[plain(KeyCode::End)], Action::End, None, ""),
    key(
        "Alt-1 .. Alt-9",
        &[
            alt('1'),
            alt('2'),
            alt('3'),
            alt('4'),
            alt('5'),
            alt('6'),
            alt('7'),
            alt('8'),
            alt('9'),
        ],
        Action::Buffer(0),
        Some("/buffer 1"),
        "show that buffer",
    ),
    key(
        "Ctrl-N, Alt-Right",
        &[ctrl('n'), with(KeyCode::Right, KeyModifiers::ALT)],
        Action::NextBuffer,
        Some("/buffer next"),
        "the next buffer",
    ),
    key(
        "Ctrl-P, Alt-Left",
        &[ctrl('p'), with(KeyCode::Left, KeyModifiers::ALT)],
        Action::PreviousBuffer,
        Some("/buffer previous"),
        "the buffer before",
    ),
    key(
        "Alt-A",
        &[alt('a')],
        Action::NextUnread,
        Some("/next"),
        "the next buffer with something unread, mentions first",
    ),
    key(
        "Alt-U",
        &[alt('u')],
        Action::UnreadLine,
        Some("/unread"),
        "to the first unread message",
    ),
    key(
        "Alt-M",
        &[alt('m')],
        Action::Mentions,
        Some("/mentions"),
        "all messages that name you, in one place",
    ),
    key(
        "Ctrl-R",
        &[ctrl('r')],
        Action::Search,
        Some("/search"),
        "search this buffer; Enter, then n and N go on, Esc ends",
    ),
    key(
        "F1",
        &[plain(KeyCode::F(1))],
        Action::Help,
        Some("/help"),
        "this help",
    ),
    key(
        "F2",
        &[plain(KeyCode::F(2))],
        Action::ToggleBuffers,
        Some("/buffers"),
        "show or hide the list of buffers",
    ),
    key(
        "F3",
        &[plain(KeyCode::F(3))],
        Action::ToggleNicks,
        Some("/nicks"),
        "show or hide the list of nicks",
    ),
    key(
        "F4",
        &[plain(KeyCode::F(4))],
        Action::CopyMode,
        Some("/copy"),
        "nothing but text, to select and copy",
    ),
    key(
        "Esc",
        &[plain(KeyCode::Esc)],
        Action::Escape,
        None,
        "close help, search or copy mode",
    ),
    key(
        "Ctrl-C twice",
        &[ctrl('c')],
        Action::Leave,
        Some("/quit"),
        "leave",
    ),
    key(
        "Ctrl-Z",
        &[ctrl('z')],
        Action::Suspend,
        None,
        "back to the shell; fg returns",
    ),
    key(
        "Ctrl-L",
        &[ctrl('l')],
        Action::Redraw,
        Some("/redraw"),
        "draw the screen anew",
    ),
    key(
        "Ctrl-A, Ctrl-E",
        &[ctrl('a')],
        Action::Edit(Edit::Start),
        None,
        "to the start of the line, to its end",
    ),
    key("", &[ctrl('e')], Action::Edit(Edit::End), None, ""),
    key(
        "Ctrl-B, Ctrl-F",
        &[ctrl('b'), plain(KeyCode::Left)],
        Action::Edit(Edit::Left),
        None,
        "one character left, right (arrow keys)",
    ),
    key(
        "",
        &[ctrl('f'), plain(KeyCode::Right)],
        Action::Edit(Edit::Right),
        None,
        "",
    ),
    key(
        "Alt-B, Ctrl-Left",
        &[alt('b'), with(KeyCode::Left, KeyModifiers::CONTROL)],
        Action::Edit(Edit::WordLeft),
        None,
        "one word left",
    ),
    key(
        "Alt-F, Ctrl-Right",
        &[alt('f'), with(KeyCode::Right, KeyModifiers::CONTROL)],
        Action::Edit(Edit::WordRight),
        None,
        "one word right",
    ),
    key(
        "Backspace, Ctrl-H",
        &[plain(KeyCode::Backspace), ctrl('h')],
        Action::Edit(Edit::EraseLeft),
        None,
        "erase to the left",
    ),
    key(
        "Delete, Ctrl-D",
        &[ctrl('d')],
        Action::EraseOrLeave,
        None,
        "erase to the right",
    ),
    key(
        "",
        &[plain(KeyCode::Delete)],
        Action::Edit(Edit::EraseRight),
        None,
        "",
    ),
    key(
        "Ctrl-W",
        &[
            ctrl('w'),
            with(KeyCode::Backspace, KeyModifiers::ALT),
            with(KeyCode::Backspace, KeyModifiers::CONTROL),
        ],
        Action::Edit(Edit::KillWordLeft),
        None,
        "cut the word to the left",
    ),
    key(
        "Alt-D, Ctrl-Delete",
        &[alt('d'), with(KeyCode::Delete, KeyModifiers::CONTROL)],
        Action::Edit(Edit::KillWordRight),
        None,
        "cut the word to the right",
    ),
    key(
        "Ctrl-U",
        &[ctrl('u')],
        Action::Edit(Edit::KillToStart),
        None,
        "cut everything to the left",
    ),
    key(
        "Ctrl-K",
        &[ctrl('k')],
        Action::Edit(Edit::KillToEnd),
        None,
        "cut everything to the right",
    ),
    key(
        "Ctrl-Y",
        &[ctrl('y')],
        Action::Edit(Edit::Yank),
        None,
        "put back what was cut",
    ),
];

/// What a key does; none if nothing, or if it is a character to be typed.
pub(crate) fn action(event: KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let pressed = normal(event);
    for binding in BINDINGS {
        let Some(nth) = binding.keys.iter().position(|key| *key == pressed) else {
            continue;
        };
        return Some(match binding.action {
            Action::Buffer(_) => Action::Buffer(nth + 1),
            action => action,
        });
    }
    None
}

/// The character that a key types, if it is one.
pub(crate) fn typed(event: KeyEvent) -> Option<char> {
    let is_command = KeyModifiers::CONTROL | KeyModifiers::ALT;
    match event.code {
        KeyCode::Char(c)
            if event.kind != KeyEventKind::Release && !event.modifiers.intersects(is_command) =>
        {
            Some(c)
        }
        _ => None,
    }
}

/// Letters are the same with Shift and without when Ctrl or Alt is held.
fn normal(event: KeyEvent) -> Key {
    let modifiers =
        event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
    match event.code {
        KeyCode::Char(c) => Key(
            KeyCode::Char(c.to_ascii_lowercase()),
            modifiers - KeyModifiers::SHIFT,
        ),
        code => Key(code, modifiers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_alt_does_a_command_or_another_key_does_too() {
        for binding in BINDINGS {
            let has_alt = |key: &Key| key.1.contains(KeyModifiers::ALT);
            if binding.keys.iter().any(has_alt) {
                let has_other = binding.keys.iter().any(|key| !has_alt(key));
                assert!(binding.command.is_some() || has_other, "{}", binding.label);
            }
        }
    }

    #[test]
    fn no_key_does_two_things() {
        let keys: Vec<Key> = BINDINGS
            .iter()
            .flat_map(|binding| binding.keys)
            .copied()
            .collect();
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{key:?}");
        }
    }

    #[test]
    fn every_key_is_in_the_help() {
        // A binding without a label stands beside one that names it.
        for (before, binding) in BINDINGS.iter().zip(&BINDINGS[1..]) {
            assert!(
                !binding.label.is_empty() || before.label.contains(','),
                "{binding:?}"
            );
        }
    }

    #[test]
    fn alt_and_a_digit_is_that_buffer() {
        let event = KeyEvent::new(KeyCode::Char('4'), KeyModifiers::ALT);
        assert_eq!(action(event), Some(Action::Buffer(4)));
        assert_eq!(typed(event), None);
        let event = KeyEvent::new(KeyCode::Char('A'), KeyModifiers::ALT | KeyModifiers::SHIFT);
        assert_eq!(action(event), Some(Action::NextUnread));
    }

    #[test]
    fn a_letter_is_typed() {
        let event = KeyEvent::new(KeyCode::Char('Ä'), KeyModifiers::SHIFT);
        assert_eq!((action(event), typed(event)), (None, Some('Ä')));
    }
}
