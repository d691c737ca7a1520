//! Both ends of a TCP connection in one thread: every call, and what the kernel answers to it.
//!
//! Run it: `cargo run -p epoll-loop --example both_ends`
//!
//! Shows: a client connects and writes before it is accepted; `EAGAIN` means "not yet", also for
//! `accept`; a read takes what is there and not what was asked for; 0 from `read` is the end of one
//! direction, and the other still works. No call of this program waits but `poll`.
//! Leaves out: errors of the connection (`nonblock-connect`), and who watches many of them.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, read, write};
use rustix::net::{
    AddressFamily, Shutdown, SocketFlags, SocketType, accept_with, bind, connect, getsockname,
    listen, shutdown, socket_with, sockopt,
};

/// Both ends ask for it when a descriptor is made: it is not inherited from the listener.
const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

fn main() -> Result<(), Errno> {
    // ANCHOR: listen
    let listener = socket_with(AddressFamily::INET, SocketType::STREAM, FLAGS, None)?;
    // ANCHOR: bind
    bind(&listener, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    // ANCHOR_END: bind
    // ANCHOR: backlog
    listen(&listener, 5)?;
    // ANCHOR_END: backlog
    let address = getsockname(&listener)?;
    // ANCHOR: try
    say("server: accept", try_to_accept(&listener));
    // ANCHOR_END: try
    // ANCHOR_END: listen

    // ANCHOR: connect
    let client = socket_with(AddressFamily::INET, SocketType::STREAM, FLAGS, None)?;
    say("client: connect", done(connect(&client, &address)));
    // ANCHOR: outcome
    wait(&client, PollFlags::OUT)?;
    say("client: SO_ERROR", done(sockopt::socket_error(&client)?));
    // ANCHOR_END: outcome
    // ANCHOR: early
    say("client: write hello", write(&client, b"hello"));
    // ANCHOR_END: early
    // ANCHOR_END: connect

    // ANCHOR: accept
    wait(&listener, PollFlags::IN)?;
    // ANCHOR: flags
    let server = accept_with(&listener, FLAGS)?;
    // ANCHOR_END: flags
    say("server: accept", Ok(number(&server)));
    say("server: accept", try_to_accept(&listener));
    // ANCHOR: read
    wait(&server, PollFlags::IN)?;
    say("server: read, up to 3", receive(&server, 3));
    say("server: read, up to 100", receive(&server, 100));
    say("server: read, up to 100", receive(&server, 100));
    // ANCHOR_END: read
    // ANCHOR_END: accept

    // ANCHOR: end
    say(
        "client: half close",
        done(shutdown(&client, Shutdown::Write)),
    );
    // ANCHOR: end-of-stream
    wait(&server, PollFlags::IN)?;
    say("server: read", receive(&server, 100));
    say("server: read", receive(&server, 100));
    // ANCHOR_END: end-of-stream
    // ANCHOR: other-direction
    say("server: write bye", write(&server, b"bye"));
    drop(server);
    wait(&client, PollFlags::IN)?;
    say("client: read", receive(&client, 100));
    wait(&client, PollFlags::IN)?;
    say("client: read", receive(&client, 100));
    // ANCHOR_END: other-direction
    say("client: write", write(&client, b"?"));
    // ANCHOR_END: end
    Ok(())
}

/// Reads once, and says what came: 0 bytes are the end, and not "nothing yet".
fn receive(socket: &OwnedFd, limit: usize) -> Result<String, Errno> {
    let mut buffer = [0; 100];
    let count = read(socket, &mut buffer[..limit])?;
    let text = String::from_utf8_lossy(&buffer[..count]);
    Ok(format!("{count} {text}").trim_end().to_owned())
}

/// Takes a connection that nobody uses.
fn try_to_accept(listener: &OwnedFd) -> Result<String, Errno> {
    accept_with(listener, FLAGS).map(|socket| number(&socket))
}

/// Waits until a socket is ready.
fn wait(socket: &OwnedFd, wanted: PollFlags) -> Result<(), Errno> {
    poll(&mut [PollFd::new(socket, wanted)], None).map(drop)
}

fn say(call: &str, answer: Result<impl Display, Errno>) {
    match answer {
        Ok(answer) => println!("{call:<24}{answer}"),
        Err(errno) => println!("{call:<24}{}", name(errno)),
    }
}

fn done(result: Result<(), Errno>) -> Result<&'static str, Errno> {
    result.map(|()| "ok")
}

fn number(socket: &OwnedFd) -> String {
    format!("fd {}, a new descriptor", socket.as_raw_fd())
}

/// The kernel's name of an error.
fn name(errno: Errno) -> String {
    format!("{:?}", nix::errno::Errno::from_raw(errno.raw_os_error()))
}
