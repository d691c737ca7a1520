//! Being in a channel: both ends of it, and who shares one.
//!
//! Shows: each end knows where the other is, so that leaving a channel costs no
//! search through its members.

use super::capabilities::Capabilities;
use super::channel::{ChannelSlot, Member, Status};
use super::client::{ClientSlot, Membership};
use super::state::State;

impl State {
    pub(super) fn enter_channel(
        &mut self,
        client: ClientSlot,
        channel: ChannelSlot,
        status: Status,
    ) {
        let members = &mut self.channels[channel].members;
        let position = u32::try_from(members.len()).expect("fewer members than clients");
        members.push(Member { client, status });
        self.clients[client]
            .memberships
            .push(Membership { channel, position });
        self.mail.set_room(client, Some(channel));
    }

    /// Takes a client out of a channel that it is in, and the channel out of
    /// the table if that was the last.
    pub(super) fn leave_channel(&mut self, client: ClientSlot, channel: ChannelSlot) {
        let memberships = &mut self.clients[client].memberships;
        let Some(index) = memberships.iter().position(|held| held.channel == channel) else {
            return;
        };
        let position = memberships.remove(index).position;
        shrink(memberships);
        let room = memberships.last().map(|held| held.channel);
        self.mail.set_room(client, room);
        let members = &mut self.channels[channel].members;
        members.swap_remove(position as usize);
        shrink(members);
        // The last member has moved into the gap.
        if let Some(moved) = members.get(position as usize) {
            let memberships = &mut self.clients[moved.client].memberships;
            let held = memberships.iter_mut().find(|held| held.channel == channel);
            held.expect("a member of a channel holds a membership")
                .position = position;
        } else if members.is_empty() {
            self.channels.remove(channel);
        }
    }

    /// What a client is in a channel; `None` if it is not in it.
    pub(super) fn status_in(&self, client: ClientSlot, channel: ChannelSlot) -> Option<Status> {
        let membership = self.clients[client].membership(channel)?;
        Some(self.channels[channel].members[membership.position as usize].status)
    }

    /// Delivers the message to those who share a channel with `client`, itself
    /// included, and whose capabilities suit; once to each.
    pub(super) fn post_to_neighbours(
        &mut self,
        client: ClientSlot,
        suits: impl Fn(Capabilities) -> bool,
    ) {
        for held in &self.clients[client].memberships {
            let members = &self.channels[held.channel].members;
            self.mail
                .post_to_members(members, |_, capabilities| suits(capabilities));
        }
    }
}

/// Gives back what a table holds in memory that was much larger once.
fn shrink<T>(table: &mut Vec<T>) {
    if table.len() < table.capacity() / 4 {
        table.shrink_to(2 * table.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_was_large_once_gives_its_memory_back() {
        let mut table: Vec<u64> = (0..10_000).collect();
        while table.len() > 10 {
            table.pop();
            shrink(&mut table);
        }
        assert!(table.capacity() <= 40, "{}", table.capacity());
    }
}
