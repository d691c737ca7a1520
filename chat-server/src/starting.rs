//! How the program gets its server: one at addresses of its own, or the one
//! that another process has run until now.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chat_server::room::Kind;
use chat_server::{Inheritance, Server, Settings, TakeoverError, Taking};
use epoll_loop::EventLoop;
use fd_passing::PrivateSocket;
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
    /// The loop, the message of the day, or that nobody can be told of the
    /// addresses.
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

/// Collects what the server of `--takeover` has; none without that. The process
/// may have `descriptors` open.
///
/// Nothing is left behind by a process that a signal ends meanwhile.
pub(crate) fn collect(
    arguments: &Arguments,
    settings: &Settings,
    descriptors: u64,
) -> Result<Option<Inheritance>, StartError> {
    let Some(path) = &arguments.takeover else {
        return Ok(None);
    };
    let mut event_loop = EventLoop::<Taking>::new().map_err(StartError::System)?;
    let tracing = arguments.trace.start(&mut event_loop);
    let _tracing = tracing.map_err(StartError::System)?;
    let timeout = settings.takeover_timeout;
    let inheritance = Inheritance::collect(&mut event_loop, path, descriptors, timeout);
    let refused = |err| StartError::Takeover(path.clone(), err);
    inheritance.map(Some).map_err(refused)
}

/// A server that is ready to run, at addresses that are said.
pub(crate) fn start(
    event_loop: &mut EventLoop<Server>,
    arguments: &Arguments,
    settings: Settings,
    inheritance: Option<Inheritance>,
) -> Result<Server, StartError> {
    match (&arguments.takeover, inheritance) {
        (Some(path), Some(inheritance)) => {
            take_over(event_loop, arguments, settings, path, inheritance)
        }
        _ => start_anew(event_loop, arguments, settings),
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
        let socket = PrivateSocket::bind(path).map_err(unusable)?;
        server
            .offer_takeover(event_loop, socket)
            .map_err(unusable)?;
    }
    announce(&server).map_err(StartError::System)?;
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
    inheritance: Inheritance,
) -> Result<Server, StartError> {
    let refused = |err| StartError::Takeover(path.to_owned(), err);
    // What can fail is done while there is a way back.
    let own_path = arguments.takeover_socket.as_deref();
    let is_same = own_path.is_some_and(|own| is_same_file(own, path));
    let socket = own_path.map(|own| {
        let socket = if is_same {
            PrivateSocket::prepare_to_succeed(own)
        } else {
            PrivateSocket::prepare(own)
        };
        socket.map_err(|err| StartError::Socket(own.to_owned(), err))
    });
    let socket = socket.transpose()?;
    let mut server = Server::inherit(event_loop, inheritance, settings).map_err(refused)?;
    // Until the old server has said its last word.
    event_loop
        .run(&mut server)
        .map_err(|err| refused(TakeoverError::System(err)))?;
    // There is no way back any more, and people are waiting: what fails from here
    // on is said, and that is all.
    if !is_same {
        // Nobody listens there any more.
        let _ = fs::remove_file(path);
    }
    if let Some(mut socket) = socket {
        let offered = socket
            .publish()
            .and_then(|()| server.offer_takeover(event_loop, socket));
        if let Err(err) = offered {
            warn!(%err, "nobody can take over from this server");
        }
    }
    if let Err(err) = announce(&server) {
        warn!(%err, "the addresses could not be written to standard output");
    }
    Ok(server)
}

/// Whether two paths lead to one file, however they are written.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let identify = |path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    match (identify(one), identify(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Says where people come in.
fn announce(server: &Server) -> io::Result<()> {
    for (address, kind) in server.addresses()? {
        match kind {
            Kind::Irc => chapter::listening_on(address)?,
            Kind::Plain => chapter::listening_on(format_args!("{address} for nc and telnet"))?,
        }
    }
    Ok(())
}
