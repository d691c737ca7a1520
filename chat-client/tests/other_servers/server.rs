//! Starts the servers, each with a configuration of its own.

use std::net::SocketAddr;

use chapter_tests::{Launch, Program, TemporaryDirectory, tools};
use stress_client::{Limits, OtherServer, free_address};

/// Every extension that `InspIRCd` has by itself and that a client may ask for.
const MODULES: &[&str] = &[
    "cap",
    "chanhistory",
    "ircv3",
    "ircv3_batch",
    "ircv3_capnotify",
    "ircv3_chghost",
    "ircv3_ctctags",
    "ircv3_echomessage",
    "ircv3_invitenotify",
    "ircv3_servertime",
    "namesx",
    "setname",
    "uhnames",
];

/// A server on a port of the loopback device.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _program: Program,
    _directory: TemporaryDirectory,
}

impl Server {
    /// `ngIRCd`; nothing if this machine has none, and the test is to be skipped.
    pub(crate) fn ngircd() -> Option<Server> {
        Server::start(OtherServer::Ngircd)
    }

    /// `InspIRCd`; nothing if this machine has none.
    pub(crate) fn inspircd() -> Option<Server> {
        Server::start(OtherServer::Inspircd)
    }

    fn start(server: OtherServer) -> Option<Server> {
        let tool = tools::find(server.program())?;
        let directory = TemporaryDirectory::new();
        let address = free_address().expect("there is a free port");
        let arguments = server.configure(&directory, address, Limits::Lifted, MODULES);
        let arguments = arguments.expect("the directory is ours");
        let program = Launch::new(&tool).args(arguments).start();
        program.wait_for_line(server.ready());
        Some(Server {
            address,
            _program: program,
            _directory: directory,
        })
    }
}
