//! The channels that a person is in or wants to be in, and which is current.
//!
//! Shows: one list in the order of use is enough. The last one is current; when
//! it is left, the one before it is current again.

use chat_protocol::eq_ignore_case;

/// The most channels that are remembered to be joined again; a server lets
/// nobody into more, as far as is known.
const MAX_CHANNELS: usize = 100;

/// Channels, the current one last.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    list: Vec<Channel>,
}

/// One channel.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) name: Vec<u8>,
    pub(crate) key: Option<Vec<u8>>,
    is_joined: bool,
}

impl Channels {
    /// The person wants to be here: text goes here from now on, even if the
    /// server has not answered, since it works through its lines in order.
    pub(crate) fn ask(&mut self, name: &[u8], key: Option<&[u8]>) {
        let mut channel = self.take(name).unwrap_or_else(|| Channel {
            name: name.to_vec(),
            key: None,
            is_joined: false,
        });
        channel.key = key.map(<[u8]>::to_vec).or(channel.key);
        self.list.push(channel);
        if self.list.len() > MAX_CHANNELS {
            self.list.remove(0);
        }
    }

    /// The server has let the person in.
    pub(crate) fn enter(&mut self, name: &[u8]) {
        if let Some(at) = self.position(name) {
            self.list[at].is_joined = true;
        } else if self.list.len() < MAX_CHANNELS {
            // Not asked for: text goes on to where the person has been.
            let channel = Channel {
                name: name.to_vec(),
                key: None,
                is_joined: true,
            };
            self.list.insert(0, channel);
        }
    }

    /// The server has not let the person in. Returns false if nobody had asked.
    pub(crate) fn refuse(&mut self, name: &[u8]) -> bool {
        let is_asked = self
            .position(name)
            .is_some_and(|at| !self.list[at].is_joined);
        if is_asked {
            self.take(name);
        }
        is_asked
    }

    /// The person is not here any more.
    pub(crate) fn leave(&mut self, name: &[u8]) {
        self.take(name);
    }

    /// The connection is gone: all of them are to be joined again.
    pub(crate) fn disconnect(&mut self) {
        for channel in &mut self.list {
            channel.is_joined = false;
        }
    }

    /// Where text goes.
    pub(crate) fn current(&self) -> Option<&[u8]> {
        self.list.last().map(|channel| channel.name.as_slice())
    }

    /// All of them, the current one last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.list.iter()
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        self.list
            .iter()
            .position(|channel| eq_ignore_case(&channel.name, name))
    }

    fn take(&mut self, name: &[u8]) -> Option<Channel> {
        self.position(name).map(|at| self.list.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(channels: &Channels) -> Vec<&str> {
        channels
            .iter()
            .map(|channel| std::str::from_utf8(&channel.name).unwrap())
            .collect()
    }

    #[test]
    fn the_channel_asked_for_last_is_current_and_leaving_it_gives_the_one_before() {
        let mut channels = Channels::default();
        channels.ask(b"#a", None);
        channels.ask(b"#b", None);
        channels.ask(b"#A", None);
        assert_eq!(names(&channels), ["#b", "#a"], "asked for twice, kept once");
        channels.leave(b"#a");
        assert_eq!(channels.current(), Some(&b"#b"[..]));
        channels.leave(b"#b");
        assert_eq!(channels.current(), None);
    }

    #[test]
    fn a_refusal_counts_only_where_one_waits_to_be_let_in() {
        let mut channels = Channels::default();
        channels.ask(b"#a", Some(b"key"));
        channels.enter(b"#a");
        assert!(!channels.refuse(b"#a"), "it is in");
        assert!(!channels.refuse(b"#b"), "not asked for");
        channels.disconnect();
        assert!(channels.refuse(b"#A"));
        assert_eq!(channels.current(), None);
    }

    #[test]
    fn a_channel_that_the_server_chose_does_not_become_current() {
        let mut channels = Channels::default();
        channels.ask(b"#a", None);
        channels.enter(b"#welcome");
        assert_eq!(names(&channels), ["#welcome", "#a"]);
    }

    #[test]
    fn a_key_is_kept_for_the_next_time() {
        let mut channels = Channels::default();
        channels.ask(b"#a", Some(b"key"));
        channels.ask(b"#a", None);
        assert_eq!(
            channels.iter().next().unwrap().key.as_deref(),
            Some(&b"key"[..])
        );
    }

    #[test]
    fn a_server_cannot_make_the_list_long() {
        let mut channels = Channels::default();
        channels.ask(b"#mine", None);
        for number in 0..1_000 {
            channels.enter(format!("#{number}").as_bytes());
        }
        assert_eq!(channels.list.len(), MAX_CHANNELS);
        assert_eq!(channels.current(), Some(&b"#mine"[..]));
    }
}
