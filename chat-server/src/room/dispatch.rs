//! From the name of a command to the function that carries it out.
//!
//! Shows: one table says all that is known of a command before it runs: how
//! many parameters it needs, and who may use it.

use chat_protocol::Message;

use super::client::ClientSlot;
use super::numerics::{ERR_NEEDMOREPARAMS, ERR_NOTREGISTERED, ERR_UNKNOWNCOMMAND};
use super::state::State;

/// One command that clients can send.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    run: fn(&mut State, ClientSlot, &Message<'_>),
    minimum_parameters: usize,
    is_for_unregistered: bool,
}

const fn command(
    name: &'static str,
    run: fn(&mut State, ClientSlot, &Message<'_>),
    minimum_parameters: usize,
) -> Command {
    Command {
        name,
        run,
        minimum_parameters,
        is_for_unregistered: false,
    }
}

impl Command {
    /// Allows a command before NICK and USER too.
    const fn always(self) -> Command {
        Command {
            is_for_unregistered: true,
            ..self
        }
    }
}

/// All commands, sorted by name.
pub(super) const COMMANDS: [Command; 37] = [
    command("ADMIN", State::admin, 0),
    command("AWAY", State::away, 0),
    command("CAP", State::cap, 1).always(),
    command("HELP", State::help, 0),
    command("INFO", State::info, 0),
    command("INVITE", State::invite, 0),
    command("ISON", State::ison, 1),
    command("JOIN", State::join, 1),
    command("KICK", State::kick, 2),
    command("KILL", State::kill, 2),
    command("LINKS", State::links, 0),
    command("LIST", State::list, 0),
    command("LUSERS", State::lusers, 0),
    command("MODE", State::mode, 1),
    command("MOTD", State::motd, 0),
    command("NAMES", State::names, 0),
    command("NICK", State::nick, 0).always(),
    command("NOTICE", State::notice, 0),
    command("OPER", State::oper, 2),
    command("PART", State::part, 1),
    command("PASS", State::pass, 1).always(),
    command("PING", State::answer_ping, 1).always(),
    command("PONG", State::pong, 0).always(),
    command("PRIVMSG", State::privmsg, 0),
    command("QUIT", State::quit, 0).always(),
    command("SETNAME", State::set_real_name, 1),
    command("STATS", State::stats, 1),
    command("TAGMSG", State::tagmsg, 0),
    command("TIME", State::time, 0),
    command("TOPIC", State::topic, 1),
    command("USER", State::user, 4).always(),
    command("USERHOST", State::userhost, 1),
    command("VERSION", State::version, 0),
    command("WALLOPS", State::wallops, 1),
    command("WHO", State::who, 0),
    command("WHOIS", State::whois, 0),
    command("WHOWAS", State::whowas, 0),
];

/// The command of that name, in whatever case it is written.
fn find(name: &[u8]) -> Option<&'static Command> {
    // Compared as it stands: every message comes through here.
    let index = COMMANDS
        .binary_search_by(|command| {
            let name = name.iter().map(u8::to_ascii_uppercase);
            command.name.bytes().cmp(name)
        })
        .ok()?;
    COMMANDS.get(index)
}

impl State {
    /// Carries out what a client asks for, or says why not.
    pub(super) fn dispatch(&mut self, from: ClientSlot, message: &Message<'_>) {
        let Some(command) = find(message.command) else {
            return self.answer(from, ERR_UNKNOWNCOMMAND, &[message.command]);
        };
        if !command.is_for_unregistered && !self.clients[from].is_registered() {
            return self.answer(from, ERR_NOTREGISTERED, &[]);
        }
        if message.parameters.len() < command.minimum_parameters {
            return self.answer(from, ERR_NEEDMOREPARAMS, &[command.name.as_bytes()]);
        }
        (command.run)(self, from, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_command_is_found() {
        for command in &COMMANDS {
            let found = find(command.name.to_ascii_lowercase().as_bytes());
            assert_eq!(found.map(|found| found.name), Some(command.name));
        }
    }
}
