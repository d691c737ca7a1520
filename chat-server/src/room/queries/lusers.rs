//! LUSERS: how many are here.
//!
//! Every client is told when it registers, so the numbers are kept and not
//! counted.

use chat_protocol::Message;

use crate::room::client::ClientSlot;
use crate::room::numerics::{
    RPL_GLOBALUSERS, RPL_LOCALUSERS, RPL_LUSERCHANNELS, RPL_LUSERCLIENT, RPL_LUSERME, RPL_LUSEROP,
    RPL_LUSERUNKNOWN,
};
use crate::room::state::State;

impl State {
    /// `LUSERS`.
    pub(in crate::room) fn lusers(&mut self, from: ClientSlot, _: &Message<'_>) {
        self.send_lusers(from);
    }

    /// Sends how many clients, operators and channels there are.
    pub(in crate::room) fn send_lusers(&mut self, to: ClientSlot) {
        let (client, census) = (&self.clients[to], self.census);
        let visible = census.registered - census.invisible;
        self.mail.reply(client, RPL_LUSERCLIENT, |line| {
            let invisible = census.invisible;
            line.trailing_display(format_args!(
                "There are {visible} users and {invisible} invisible on 1 servers"
            ))
        });
        let unknown = census.registering;
        let channels = self.channels.len();
        for (count, numeric) in [
            (census.operators, RPL_LUSEROP),
            (unknown, RPL_LUSERUNKNOWN),
            (channels, RPL_LUSERCHANNELS),
        ] {
            if count > 0 {
                self.mail
                    .reply(client, numeric, |line| line.parameter_display(count));
            }
        }
        let registered = census.registered;
        self.mail.reply(client, RPL_LUSERME, |line| {
            line.trailing_display(format_args!("I have {registered} clients and 0 servers"))
        });
        for (scope, numeric) in [("local", RPL_LOCALUSERS), ("global", RPL_GLOBALUSERS)] {
            self.mail.reply(client, numeric, |line| {
                let most = census.most_registered;
                let line = line.parameter_display(registered).parameter_display(most);
                line.trailing_display(format_args!(
                    "Current {scope} users {registered}, max {most}"
                ))
            });
        }
    }
}
