//! Takes a file that is offered, and reads from it.
//!
//! Shows: a file that this process has never opened, and perhaps could not; as
//! the standard input of any program.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched};
use fd_passing::{AllowList, PrivateSocket, receive_at_most};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::TakeArguments;
use crate::offer::PathError;

/// The longest name of a file that is taken.
const MAX_NAME_BYTES: usize = 8 * 1024;

/// What has come so far.
struct Taker {
    socket: Watched<UnixStream>,
    name: Vec<u8>,
    file: Option<OwnedFd>,
}

pub(crate) fn run(arguments: &TakeArguments) -> Result<ExitCode, Box<dyn Error>> {
    let path = &arguments.socket;
    let socket = PrivateSocket::connect(path).map_err(|source| PathError::new(path, source))?;
    // Whoever offers could also be somebody who has put his socket there.
    AllowList::same_user().check(&socket)?;
    let mut event_loop = EventLoop::new()?;
    let _tracing = arguments.trace.start(&mut event_loop)?;
    let watch = Watch::new(Interest::READABLE).label("offer");
    let socket = event_loop.watch(socket, watch, Taker::take)?;
    event_loop.after(arguments.timeout, |_, event_loop, _| {
        event_loop.stop(Err(ErrorKind::TimedOut.into()));
    });
    let mut taker = Taker {
        socket,
        name: Vec::new(),
        file: None,
    };
    let result = event_loop.run(&mut taker);
    result.map_err(|source| PathError::new(path, source))?;
    let file = taker.file.ok_or("nothing was given")?;
    let name = String::from_utf8_lossy(&taker.name).trim_end().to_owned();
    let number = file.as_raw_fd();
    let link = fs::read_link(format!("/proc/self/fd/{number}"))?;
    eprintln!("took {name:?} as fd {number}, which is {}", link.display());
    match arguments.command.split_first() {
        None => copy(File::from(file)).map(|()| ExitCode::SUCCESS),
        Some((program, rest)) => {
            let mut command = Command::new(program);
            let mut child = epoll_loop::spawn(command.args(rest).stdin(file))
                .map_err(|source| PathError::new(program.as_ref(), source))?;
            let status = child.wait()?;
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
        }
    }
}

impl Taker {
    // ANCHOR: take
    /// Something has come, or the end.
    fn take(&mut self, event_loop: &mut EventLoop<Taker>, _: Event) {
        let mut buffer = [0; 1024];
        let received = match receive_at_most(&self.socket, &mut buffer, 1) {
            Ok(received) => received,
            Err(err) if err.is_for_now() => return,
            Err(err) => return event_loop.stop(Err(io::Error::other(err))),
        };
        self.name.extend_from_slice(&buffer[..received.bytes]);
        // ANCHOR: keep-file
        self.file = received.descriptors.into_iter().next().or(self.file.take());
        // ANCHOR_END: keep-file
        let is_over =
            received.bytes == 0 || self.name.ends_with(b"\n") || self.name.len() > MAX_NAME_BYTES;
        if is_over {
            let given = self.file.is_some();
            let refused = || io::Error::other("nothing was given: not allowed, maybe");
            event_loop.stop(given.then_some(()).ok_or_else(refused));
        }
    }
    // ANCHOR_END: take
}

/// Prints what is in the file from where its offset stands.
fn copy(mut file: File) -> Result<(), Box<dyn Error>> {
    let (mut out, mut buffer) = (io::stdout(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(out.flush()?),
            Ok(length) => out.write_all(&buffer[..length])?,
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            // The flag is shared with whoever offers: it stays as it is.
            Err(err) if err.kind() == ErrorKind::WouldBlock => {
                let mut interest = [PollFd::new(
                    std::os::fd::AsFd::as_fd(&file),
                    PollFlags::POLLIN,
                )];
                poll(&mut interest, PollTimeout::NONE)?;
            }
            Err(err) => return Err(err.into()),
        }
    }
}
