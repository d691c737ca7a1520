//! LIST: which channels there are.
//!
//! Shows: conditions (`ELIST` in 005) are values that are all asked of each
//! channel.
//!
//! Source: <https://modern.ircdocs.horse/#list-message> and `#elist-parameter`.

use chapter::unix_seconds;
use chat_protocol::{Message, mask_matches};

use super::answer::Answer;
use crate::room::channel::Channel;
use crate::room::client::ClientSlot;
use crate::room::limits::MAX_TARGETS;
use crate::room::numerics::{ERR_TOOMANYTARGETS, RPL_LIST, RPL_LISTEND, RPL_LISTSTART};
use crate::room::state::State;
use crate::room::view::View;

const MINUTE_SECONDS: u64 = 60;

/// What a number has to be for a channel to be listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bound {
    LessThan(u64),
    MoreThan(u64),
}

impl Bound {
    /// `<number` or `>number`.
    fn parse(text: &[u8]) -> Option<Bound> {
        let (sign, number) = text.split_first()?;
        let number = str::from_utf8(number).ok()?.parse().ok()?;
        match sign {
            b'<' => Some(Bound::LessThan(number)),
            b'>' => Some(Bound::MoreThan(number)),
            _ => None,
        }
    }

    /// The same of minutes, for a time in seconds.
    fn in_minutes(self) -> Bound {
        match self {
            Bound::LessThan(minutes) => Bound::LessThan(minutes.saturating_mul(MINUTE_SECONDS)),
            Bound::MoreThan(minutes) => Bound::MoreThan(minutes.saturating_mul(MINUTE_SECONDS)),
        }
    }

    fn admits(self, number: u64) -> bool {
        match self {
            Bound::LessThan(bound) => number < bound,
            Bound::MoreThan(bound) => number > bound,
        }
    }
}

/// One of the conditions that LIST was given, with the letter of its kind in
/// `ELIST`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition<'a> {
    /// M: the name is this or fits this mask. Of several one is enough.
    Named(&'a [u8]),
    /// N, `!mask`: the name does not fit.
    NotNamed(&'a [u8]),
    /// U, `<n` and `>n`: number of members.
    Members(Bound),
    /// C, `C<n` and `C>n`: seconds since it was created.
    CreatedAgo(Bound),
    /// T, `T<n` and `T>n`: seconds since the topic was set; false without one.
    TopicSetAgo(Bound),
}

impl<'a> Condition<'a> {
    fn parse(text: &'a [u8]) -> Condition<'a> {
        let numeric = match text {
            [b'C' | b'c', bound @ ..] => {
                Bound::parse(bound).map(|bound| Condition::CreatedAgo(bound.in_minutes()))
            }
            [b'T' | b't', bound @ ..] => {
                Bound::parse(bound).map(|bound| Condition::TopicSetAgo(bound.in_minutes()))
            }
            bound => Bound::parse(bound).map(Condition::Members),
        };
        numeric.unwrap_or(match text {
            [b'!', mask @ ..] => Condition::NotNamed(mask),
            mask => Condition::Named(mask),
        })
    }

    fn holds_for(self, channel: &Channel, now_seconds: u64) -> bool {
        match self {
            Condition::Named(mask) => mask_matches(mask, &channel.name),
            Condition::NotNamed(mask) => !mask_matches(mask, &channel.name),
            Condition::Members(bound) => bound.admits(channel.members.len() as u64),
            Condition::CreatedAgo(bound) => {
                bound.admits(now_seconds.saturating_sub(channel.created_at))
            }
            Condition::TopicSetAgo(bound) => channel
                .topic
                .as_ref()
                .is_some_and(|topic| bound.admits(now_seconds.saturating_sub(topic.set_at))),
        }
    }
}

/// Whether a channel is what was asked for: one of the names, if there are any,
/// and everything else.
fn is_wanted(channel: &Channel, conditions: &[Condition<'_>], now_seconds: u64) -> bool {
    let is_name = |condition: &&Condition<'_>| matches!(condition, Condition::Named(_));
    let holds = |condition: &Condition<'_>| condition.holds_for(channel, now_seconds);
    let mut names = conditions.iter().filter(is_name).peekable();
    let mut others = conditions.iter().filter(|condition| !is_name(condition));
    (names.peek().is_none() || names.any(holds)) && others.all(holds)
}

impl State {
    /// `LIST [condition{,condition}] [condition{,condition}]`, where a condition
    /// may also be the name of a channel.
    pub(in crate::room) fn list(&mut self, from: ClientSlot, message: &Message<'_>) {
        let words = message.parameters.iter().take(2);
        let mut words = words
            .flat_map(|words| words.split(|&byte| byte == b','))
            .filter(|word| !word.is_empty());
        let conditions: Vec<Condition<'_>> = words
            .by_ref()
            .take(MAX_TARGETS)
            .map(Condition::parse)
            .collect();
        if let Some(excess) = words.next() {
            self.answer(from, ERR_TOOMANYTARGETS, &[excess]);
        }

        self.answer(from, RPL_LISTSTART, &[b"Channel"]);
        let client = &self.clients[from];
        let now_seconds = unix_seconds(self.now.wall);
        let mut answer = Answer::new(&mut self.mail, client, &self.rules.limits);
        for slot in self.channels.slots() {
            let channel = &self.channels[slot];
            if View::of(client, slot, channel) != View::Nothing
                && is_wanted(channel, &conditions, now_seconds)
            {
                let topic = channel.topic.as_ref();
                let topic = topic.map_or(&b""[..], |topic| &topic.text);
                answer.line(RPL_LIST, |line| {
                    let line = line.parameter(&channel.name);
                    line.parameter_display(channel.members.len())
                        .trailing(topic)
                });
            }
        }
        answer.close("LIST");
        self.answer(from, RPL_LISTEND, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_condition_is_told_from_a_name() {
        use Bound::{LessThan, MoreThan};
        for (text, condition) in [
            ("<3", Condition::Members(LessThan(3))),
            (">0", Condition::Members(MoreThan(0))),
            ("C<5", Condition::CreatedAgo(LessThan(300))),
            ("c>5", Condition::CreatedAgo(MoreThan(300))),
            ("T<1", Condition::TopicSetAgo(LessThan(60))),
            ("t>1", Condition::TopicSetAgo(MoreThan(60))),
            ("!#a*", Condition::NotNamed(b"#a*")),
            ("#a*", Condition::Named(b"#a*")),
            // No numbers, so names; no channel has such a name.
            ("<", Condition::Named(b"<")),
            ("C<", Condition::Named(b"C<")),
            (">-1", Condition::Named(b">-1")),
            (
                "<99999999999999999999",
                Condition::Named(b"<99999999999999999999"),
            ),
        ] {
            assert_eq!(Condition::parse(text.as_bytes()), condition, "{text}");
        }
    }

    #[test]
    fn a_bound_in_minutes_does_not_overflow() {
        let bound = Bound::parse(b"<18446744073709551615").unwrap().in_minutes();
        assert!(bound.admits(u64::MAX - 1));
    }
}
