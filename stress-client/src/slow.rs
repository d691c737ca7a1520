//! Slow: members that read nothing, and what becomes of them and of the others.
//!
//! Shows: a server cannot make a client read. What it has for one that does not fills the client's
//! receive buffer, then the server's send buffer, then a queue of the server's own; and when that is
//! full it has to choose between its memory, the other members' time, and this client.
//! Leaves out: clients that read slowly. They are these, later.

use std::time::Duration;

use crate::crowd::{ClientNumber, Crowd, Role};
use crate::report::{Report, Unit, float};

/// How much the kernel keeps for one that reads nothing: as little as it can be told to.
const RECEIVE_BUFFER_BYTES: usize = 2_048;

/// The largest segment for it. The smaller they are, the less the server's kernel is ready to keep;
/// by loopback's own of 64 KiB it would be 2.5 MiB.
const SEGMENT_BYTES: u32 = 536;

/// Members of whom each is told of in a note of its own.
const MOST_NOTES: usize = 10;

/// The members that read nothing.
#[derive(Debug, Default)]
pub(crate) struct Stalled(Vec<Member>);

#[derive(Debug)]
struct Member {
    client: ClientNumber,
    nick: String,
    /// When the others were told that it is gone, since the beginning, and why it is.
    told: Option<(Duration, String)>,
    end: Option<End>,
}

/// What was found when it began to read again: when the others were told that it is gone, or at the
/// end.
#[derive(Debug)]
enum End {
    /// It is still a client of the server.
    StillThere,
    /// The connection had ended, and what the server had said of that (ERROR).
    Closed(Option<String>),
}

impl Stalled {
    /// The role of such a member in a channel.
    pub(crate) fn role(mut role: Role) -> Role {
        role.letter = 'k';
        role.receive_buffer = Some(RECEIVE_BUFFER_BYTES);
        role.segment = Some(SEGMENT_BYTES);
        role
    }

    pub(crate) fn add(&mut self, client: ClientNumber, nick: &str) {
        self.0.push(Member {
            client,
            nick: nick.to_owned(),
            told: None,
            end: None,
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clients(&self) -> Vec<ClientNumber> {
        self.0.iter().map(|member| member.client).collect()
    }

    /// Those of whom nobody has been told that they are gone.
    pub(crate) fn not_told(&self) -> Vec<ClientNumber> {
        let members = self.0.iter().filter(|member| member.told.is_none());
        members.map(|member| member.client).collect()
    }

    /// The others are told that somebody is gone; which of these it is, if it is one.
    pub(crate) fn quit(&mut self, nick: &[u8], after: Duration, why: &str) -> Option<ClientNumber> {
        let mut members = self.0.iter_mut();
        let member = members.find(|member| member.nick.as_bytes() == nick)?;
        if member.told.is_none() {
            member.told = Some((after, why.to_owned()));
        }
        Some(member.client)
    }

    /// A connection has ended; whether it is one of these.
    pub(crate) fn lost(&mut self, client: ClientNumber, last_word: Option<&str>) -> bool {
        let member = self.0.iter_mut().find(|member| member.client == client);
        member.is_some_and(|member| {
            member.end = Some(End::Closed(last_word.map(str::to_owned)));
            true
        })
    }

    /// Whether it is known of all what has become of them; those who have answered are still there.
    pub(crate) fn are_all_known(&mut self, crowd: &Crowd) -> bool {
        for member in &mut self.0 {
            if member.end.is_none() && member.told.is_none() && crowd.has_settled(member.client) {
                member.end = Some(End::StillThere);
            }
        }
        self.0.iter().all(|member| member.end.is_some())
    }

    pub(crate) fn add_to(&self, report: &mut Report) {
        if self.is_empty() {
            return;
        }
        let is_closed = |member: &&Member| matches!(member.end, Some(End::Closed(_)));
        let closed = self.0.iter().filter(is_closed).count();
        report.count("stalled", "members that read nothing", self.0.len() as u64);
        report.count(
            "stalled_closed",
            "those whom the server has put out",
            closed as u64,
        );
        let times = self.0.iter().filter_map(|member| member.told.as_ref());
        let times: Vec<Duration> = times.map(|(after, _)| *after).collect();
        if let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) {
            let names = [
                ("first_closed_seconds", "the first of them after", first),
                ("last_closed_seconds", "the last of them after", last),
            ];
            for (key, name, time) in names {
                report.add(key, name, time.as_secs_f64(), Unit::Seconds);
            }
        }
        for member in self.0.iter().take(MOST_NOTES) {
            report.notes.push(member.to_string());
        }
        if self.0.len() > MOST_NOTES {
            let more = self.0.len() - MOST_NOTES;
            report
                .notes
                .push(format!("and {} more that read nothing", float(more as u64)));
        }
    }
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} read nothing: ", self.nick)?;
        match &self.told {
            Some((after, why)) => write!(
                f,
                "after {:.3} s the others were told that it is gone ({why}); ",
                after.as_secs_f64()
            )?,
            None => f.write_str("nobody was told that it is gone; ")?,
        }
        match &self.end {
            Some(End::Closed(Some(word))) => write!(f, "the last it read was ERROR ({word})"),
            Some(End::Closed(None)) => f.write_str("it found its connection closed, with no ERROR"),
            Some(End::StillThere) => f.write_str("it read everything later, and is still there"),
            None => f.write_str("what has become of it is not known"),
        }
    }
}
