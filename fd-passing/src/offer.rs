//! Gives a file to whoever connects and may have it.
//!
//! Shows: that to be allowed is decided by the kernel's word for who the peer
//! is, before anything is sent.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Output, Watch, Watched};
use fd_passing::{AllowList, PrivateSocket, send};

use crate::OfferArguments;

/// How long the last lines of the trace may take.
const LOG_DRAIN: Duration = Duration::from_secs(1);

/// How long the listener rests when no connection can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// Waits for takers, until the last of them has come.
struct Offer {
    socket: Watched<PrivateSocket>,
    file: OwnedFd,
    /// What is sent with it: its name and a newline.
    payload: Vec<u8>,
    allowed: AllowList,
    left: u32,
    log: Output,
}

pub(crate) fn run(arguments: &OfferArguments) -> Result<(), Box<dyn Error>> {
    let is_standard_input = arguments.file == Path::new("-");
    let file = if is_standard_input {
        io::stdin().as_fd().try_clone_to_owned()?
    } else {
        File::open(&arguments.file)
            .map_err(|source| PathError::new(&arguments.file, source))?
            .into()
    };
    let mut event_loop = EventLoop::new()?;
    let log = event_loop.standard_error()?;
    let _tracing = arguments.trace.start(&mut event_loop)?;
    let path = &arguments.socket;
    let socket = PrivateSocket::bind(path).map_err(|source| PathError::new(path, source))?;
    let watch = Watch::new(Interest::READABLE).label("listener");
    let socket = event_loop.watch(socket, watch, Offer::give)?;
    chapter::listening_on(path.display())?;
    let allowed = match arguments.allow.as_slice() {
        [] => AllowList::same_user(),
        users => AllowList::users(users.iter().copied()),
    };
    let name = if is_standard_input {
        "standard input".to_owned()
    } else {
        arguments.file.display().to_string().replace('\n', "?")
    };
    let mut offer = Offer {
        socket,
        file,
        payload: format!("{name}\n").into_bytes(),
        allowed,
        left: arguments.count,
        log: log.clone(),
    };
    let result = event_loop.run(&mut offer);
    log.drain(LOG_DRAIN);
    Ok(result?)
}

impl Offer {
    /// Somebody has connected.
    fn give(&mut self, event_loop: &mut EventLoop<Offer>, _: Event) {
        match self.socket.accept() {
            Ok(stream) => match self.give_to(&stream) {
                Ok(process) => self.count(event_loop, process),
                // Its own fault, and nobody else's.
                Err(err) => self.say(err),
            },
            Err(err) if err.kind() == ErrorKind::WouldBlock => {}
            // Out of descriptors: the listener stays readable, and would spin.
            Err(err) => {
                self.say(chapter::why(&err));
                self.socket.set_interest(event_loop, Interest::NONE);
                event_loop.after(ACCEPT_PAUSE, |offer, event_loop, _| {
                    offer.socket.set_interest(event_loop, Interest::READABLE);
                });
            }
        }
    }

    // ANCHOR: give-to
    /// Gives the file to a peer that may have it; returns its process number.
    fn give_to(&self, stream: &UnixStream) -> Result<i32, Box<dyn Error>> {
        let peer = self.allowed.check(stream)?;
        // A new socket takes a line at once.
        send(stream, &[self.file.as_fd()], &self.payload)?;
        Ok(peer.process)
    }
    // ANCHOR_END: give-to

    fn count(&mut self, event_loop: &mut EventLoop<Offer>, process: i32) {
        self.say(format_args!("given to process {process}"));
        self.left -= 1;
        if self.left == 0 {
            event_loop.stop(Ok(()));
        }
    }

    fn say(&self, what: impl fmt::Display) {
        self.log
            .write_line(format!("fd-passing: {what}\n").as_bytes());
    }
}

/// What is wrong with a path.
#[derive(Debug)]
pub(crate) struct PathError {
    path: std::path::PathBuf,
    source: io::Error,
}

impl PathError {
    pub(crate) fn new(path: &Path, source: io::Error) -> PathError {
        PathError {
            path: path.to_owned(),
            source,
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, why) = (self.path.display(), chapter::why(&self.source));
        write!(f, "{path}: {why}")
    }
}

impl Error for PathError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
