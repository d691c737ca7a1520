//! How the program gets its server: one at addresses of its own, or the one
//! that another process has run until now.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use chat_server::room::Kind;
use chat_server::{Inheritance, Server, Settings, TakeoverError, TakeoverSocket};
use epoll_loop::EventLoop;
use tracing::warn;

use crate::arguments::Arguments;

/// Why there is no server.
#[derive(Debug)]
pub(crate) enum StartError {
    /// An address that cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// A takeover socket that cannot be made.
    Socket(PathBuf, io::Error),
    /// The server behind this takeover socket keeps what it has.
    Takeover(PathBuf, TakeoverError),
    /// The loop, or the message of the day.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, err) => write!(f, "{address}: {}", chapter::why(err)),
            StartError::Socket(path, err) => {
                write!(f, "{}: {}", path.display(), chapter::why(err))
            }
            StartError::Takeover(path, err) => write!(f, "{}: {err}", path.display()),
            StartError::System(err) => f.write_str(&chapter::why(err)),
        }
    }
}

impl Error for StartError {}

/// A server that is ready to run. The process may have `descriptors` open.
pub(crate) fn start(
    event_loop: &mut EventLoop<Server>,
    arguments: &Arguments,
    settings: Settings,
    descriptors: u64,
) -> Result<Server, StartError> {
    match &arguments.takeover {
        Some(path) => take_over(event_loop, arguments, settings, path, descriptors),
        None => start_anew(event_loop, arguments, settings),
    }
}

fn start_anew(
    event_loop: &mut EventLoop<Server>,
    arguments: &Arguments,
    settings: Settings,
) -> Result<Server, StartError> {
    let mut server =
        Server::new(event_loop, listen(arguments)?, settings).map_err(StartError::System)?;
    if let Some(path) = &arguments.takeover_socket {
        let unusable = |err| StartError::Socket(path.clone(), err);
        let socket = TakeoverSocket::bind(path).map_err(unusable)?;
        server
            .offer_takeover(event_loop, socket)
            .map_err(unusable)?;
    }
    Ok(server)
}

fn listen(arguments: &Arguments) -> Result<Vec<(TcpListener, Kind)>, StartError> {
    let irc = arguments.listen.iter().map(|&address| (address, Kind::Irc));
    let plain = arguments
        .plain_listen
        .iter()
        .map(|&address| (address, Kind::Plain));
    irc.chain(plain)
        .map(|(address, kind)| match epoll_loop::listen(address) {
            Ok(listener) => Ok((listener, kind)),
            Err(source) => Err(StartError::Listen(address, source)),
        })
        .collect()
}

fn take_over(
    event_loop: &mut EventLoop<Server>,
    arguments: &Arguments,
    settings: Settings,
    path: &Path,
    descriptors: u64,
) -> Result<Server, StartError> {
    let refused = |err| StartError::Takeover(path.to_owned(), err);
    // What can fail is done while the old server still serves.
    let own_path = arguments.takeover_socket.as_ref();
    let socket = own_path.map(|own| {
        TakeoverSocket::prepare(own).map_err(|err| StartError::Socket(own.clone(), err))
    });
    let socket = socket.transpose()?;
    let timeout = settings.takeover_timeout;
    let inheritance = Inheritance::collect(path, descriptors, timeout).map_err(refused)?;
    let mut server = Server::inherit(event_loop, inheritance, settings).map_err(refused)?;
    // Until the old server has said its last word.
    event_loop
        .run(&mut server)
        .map_err(|err| refused(TakeoverError::System(err)))?;
    if own_path.map(PathBuf::as_path) != Some(path) {
        // Nobody listens there any more.
        let _ = fs::remove_file(path);
    }
    if let Some(mut socket) = socket {
        // There is no way back, and people are waiting: without it there is no
        // next hand-over, and that is all.
        let offered = socket
            .publish()
            .and_then(|()| server.offer_takeover(event_loop, socket));
        if let Err(err) = offered {
            warn!(%err, "nobody can take over from this server");
        }
    }
    Ok(server)
}
