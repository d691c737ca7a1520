//! IRC messages as text for people with `nc` or `telnet`.
//!
//! Shows: one translation from the line that IRC clients get, so that nothing
//! that is sent has to be written twice.
//! Leaves out: what plain peers type; that is in `plain.rs`.

use chat_protocol::{Message, is_channel};

/// Appends `line`, a message with CR LF, to `out` as a line of text; nothing if
/// it holds nothing for a person.
pub(super) fn translate(line: &[u8], out: &mut Vec<u8>) {
    let Ok(message) = Message::parse(line.strip_suffix(b"\r\n").unwrap_or(line)) else {
        return;
    };
    let Some(text) = text_of(&message) else {
        return;
    };
    // A terminal acts on control characters; only the line's end is to have an
    // effect.
    out.extend(
        text.chars()
            .filter(|c| !c.is_control())
            .collect::<String>()
            .bytes(),
    );
    out.extend_from_slice(b"\r\n");
}

fn text_of(message: &Message<'_>) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let parameter = |index: usize| text(message.parameters.get(index).copied().unwrap_or_default());
    let source = message
        .source
        .map(|source| source.raw())
        .unwrap_or_default();
    let is_from_server = !source.contains(&b'!');
    let nick = text(
        source
            .split(|&byte| byte == b'!')
            .next()
            .unwrap_or_default(),
    );
    let because = |reason: String| {
        if reason.is_empty() {
            reason
        } else {
            format!(" ({reason})")
        }
    };
    let last = text(message.parameters.last().copied().unwrap_or_default());
    Some(match message.command {
        b"PRIVMSG" => {
            let said = last.as_str();
            let action = said
                .strip_prefix("\x01ACTION ")
                .map(|said| said.trim_end_matches('\x01'));
            let is_to_room = message
                .parameters
                .first()
                .is_some_and(|target| is_channel(target));
            match (action, is_to_room) {
                (None, true) => format!("{nick}: {said}"),
                (Some(does), true) => format!("* {nick} {does}"),
                (None, false) => format!("{nick} (to you): {said}"),
                (Some(does), false) => format!("* {nick} (to you) {does}"),
            }
        }
        b"NOTICE" if is_from_server => format!("-- {last}"),
        b"NOTICE" => format!("-{nick}- {last}"),
        b"JOIN" => format!("-- {nick} has joined {}", parameter(0)),
        b"PART" => format!(
            "-- {nick} has left {}{}",
            parameter(0),
            because(parameter(1))
        ),
        b"QUIT" => format!("-- {nick} has quit{}", because(last)),
        b"NICK" => format!("-- {nick} is now {last}"),
        b"KICK" => {
            let (room, who, why) = (parameter(0), parameter(1), because(parameter(2)));
            format!("-- {nick} has kicked {who} from {room}{why}")
        }
        b"TOPIC" if last.is_empty() => {
            format!("-- {nick} has cleared the topic of {}", parameter(0))
        }
        b"TOPIC" => format!("-- {nick} has set the topic of {}: {last}", parameter(0)),
        b"INVITE" => format!("-- {nick} invites you: /join {last}"),
        b"MODE" => {
            let change = message.parameters.get(1..).unwrap_or_default().join(&b' ');
            format!("-- {nick} has set {} on {}", text(&change), parameter(0))
        }
        b"WALLOPS" => format!("-- {nick} to all: {last}"),
        b"ERROR" => format!("-- {last}"),
        b"332" => format!("-- {} is about: {last}", parameter(1)),
        b"353" => format!("-- In {}: {last}", parameter(2)),
        b"301" => format!("-- {} is away: {last}", parameter(1)),
        // Errors: what they are about, then the reason.
        [b'4' | b'5' | b'6', _, _] => {
            let about = message.parameters.get(1..).and_then(<[_]>::split_last);
            let about = about
                .map(|(_, about)| about.join(&b' '))
                .unwrap_or_default();
            if about.is_empty() {
                format!("-- {last}")
            } else {
                format!("-- {}: {last}", text(&about))
            }
        }
        _ => return None,
    })
}
