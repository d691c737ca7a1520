//! What the sequences of bytes mean that terminals send for keys.
//!
//! As xterm sends them (its document "Control Sequences", "PC-Style Function
//! Keys"), and where others differ theirs too: the Linux console, rxvt, tmux.

use ratatui::crossterm::event::{KeyCode, KeyModifiers};

use super::{Typed, character, key};

/// The key of ESC `O`, `bytes`, `last`; none if no key is known by that.
pub(super) fn single(bytes: &[u8], last: u8) -> Option<Typed> {
    let modifiers = modifiers(numbers(bytes).last());
    Some(match last {
        // The number pad, where it sends keys of its own.
        b'M' => key(KeyCode::Enter, modifiers),
        b'j'..=b'y' => character((last - b'j' + b'*').into(), modifiers),
        // rxvt with Ctrl.
        b'a'..=b'd' => key(arrow(last.to_ascii_uppercase())?, KeyModifiers::CONTROL),
        _ => key(arrow(last)?, modifiers),
    })
}

/// The key of ESC `[`, `bytes`, `last`; none if no key is known by that.
pub(super) fn long(bytes: &[u8], last: u8) -> Option<Typed> {
    let mut numbers = numbers(bytes);
    let (first, second, third) = (numbers.next(), numbers.next(), numbers.next());
    // The bytes of a private sequence, which begins with < = > or ?, are none.
    if !bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';')) {
        return None;
    }
    Some(match last {
        // xterm, told to: another key with modifiers.
        b'~' if first == Some(27) => by_code(third?, second)?,
        b'~' => key(numbered(first?)?, modifiers(second)),
        // rxvt.
        b'^' => key(numbered(first?)?, KeyModifiers::CONTROL),
        b'$' => key(numbered(first?)?, KeyModifiers::SHIFT),
        b'@' => key(
            numbered(first?)?,
            KeyModifiers::CONTROL | KeyModifiers::SHIFT,
        ),
        b'a'..=b'd' => key(arrow(last.to_ascii_uppercase())?, KeyModifiers::SHIFT),
        // The same as 27 in fewer bytes, from kitty and from tmux.
        b'u' => by_code(first?, second)?,
        b'Z' => key(KeyCode::BackTab, KeyModifiers::SHIFT),
        _ => key(arrow(last)?, modifiers(second)),
    })
}

/// Keys that are known by a letter.
fn arrow(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

/// Keys that are known by a number.
fn numbered(number: u32) -> Option<KeyCode> {
    let function = |number: u32| u8::try_from(number).ok().map(KeyCode::F);
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        // The gaps were keys of the VT220 that are on no keyboard now.
        11..=15 => function(number - 10)?,
        17..=21 => function(number - 11)?,
        23..=26 => function(number - 12)?,
        28..=29 => function(number - 13)?,
        31..=34 => function(number - 14)?,
        _ => return None,
    })
}

/// A key that is known by its character.
fn by_code(code: u32, modifiers_number: Option<u32>) -> Option<Typed> {
    let modifiers = modifiers(modifiers_number);
    Some(match code {
        9 if modifiers.contains(KeyModifiers::SHIFT) => key(KeyCode::BackTab, modifiers),
        9 => key(KeyCode::Tab, modifiers),
        13 => key(KeyCode::Enter, modifiers),
        27 => key(KeyCode::Esc, modifiers),
        127 => key(KeyCode::Backspace, modifiers),
        code => {
            let c = char::from_u32(code).filter(|c| !c.is_control())?;
            let is_capital = modifiers.contains(KeyModifiers::SHIFT);
            let capital = c.to_uppercase().next().filter(|_| is_capital);
            character(capital.unwrap_or(c), modifiers)
        }
    })
}

/// The modifiers: one more than the sum of Shift 1, Alt 2, Ctrl 4, Meta 8.
fn modifiers(number: Option<u32>) -> KeyModifiers {
    let bits = number.unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, bits & 1 != 0);
    modifiers.set(KeyModifiers::ALT, bits & (2 | 8) != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    modifiers
}

/// The numbers between the semicolons; one that is not there is 0.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.split(|&byte| byte == b';').map(|digits| {
        digits.iter().fold(0_u32, |number, &digit| {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            number.saturating_mul(10).saturating_add(digit)
        })
    })
}
