//! What is passed, by both ends of it.
//!
//! Shows: the receiver's number is its own, the open file is one; the flag
//! `FD_CLOEXEC` does not travel; what is on its way is open; and what is lost
//! when there is too little room, or no byte to travel with.

use std::fs::{self, File};
use std::io::{IoSliceMut, Read, Seek};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use epoll_loop::{EventLoop, Interest, Watch};
use fd_passing::{MAX_DESCRIPTORS, Peer, Received, receive, receive_at_most, send};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, recvmsg,
};

use crate::child::{Helper, Role};
use crate::explain::ScratchFile;
use crate::steps::{Failure, Steps, either};

/// The parts of the demonstration.
const PARTS: [&str; 6] = ["number", "offset", "open", "other", "room", "printed"];

/// The number under which the sender has the file.
const SENT: u16 = 50;

/// All that the printed listing has room for.
const HEADER_BYTES: usize = size_of::<nix::libc::cmsghdr>();

/// Runs all parts.
pub(crate) fn run(trace: chapter::Trace) -> Result<(), Failure> {
    let mut steps = Steps::new(&PARTS);
    let file = ScratchFile::new()?;
    one_file(&mut steps, &file, trace)?;
    on_its_way(&mut steps)?;
    another_process(&mut steps, &file)?;
    too_little_room(&mut steps)?;
    as_printed(&mut steps)?;
    steps.verdict()
}

/// Another number, the same open file.
fn one_file(steps: &mut Steps, file: &ScratchFile, trace: chapter::Trace) -> Result<(), Failure> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut sent = File::from(fcntl_dupfd_cloexec(File::open(file.path())?, SENT.into())?);
    fcntl(&sent, FcntlArg::F_SETFD(FdFlag::empty()))?;
    steps.say(
        "number",
        format_args!("open a file of 10 bytes as fd {SENT}, send it"),
    )?;
    send(&ours, &[sent.as_fd()], b"x")?;
    let received = wait_for(theirs, trace)?;
    let mut same = File::from(only(received.descriptors)?);
    let what = either(same.as_raw_fd() == sent.as_raw_fd(), "the same", "another");
    steps.answer("number", "received: the number is", "another", what)?;
    let flags = FdFlag::from_bits_retain(fcntl(&same, FcntlArg::F_GETFD)?);
    let what = either(flags.contains(FdFlag::FD_CLOEXEC), "FD_CLOEXEC", "0");
    steps.answer(
        "number",
        "F_GETFD, which the sender's has not",
        "FD_CLOEXEC",
        what,
    )?;
    steps.note("number", "the receiver has asked for it: MSG_CMSG_CLOEXEC")?;

    same.read_exact(&mut [0; 5])?;
    let offset = sent.stream_position()?;
    steps.answer(
        "offset",
        "the receiver reads 5 bytes; offset of the sender",
        5,
        offset,
    )?;
    fcntl(&sent, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let flags = OFlag::from_bits_retain(fcntl(&same, FcntlArg::F_GETFL)?);
    let what = either(flags.contains(OFlag::O_NONBLOCK), "set", "not set");
    steps.answer(
        "offset",
        "the sender sets O_NONBLOCK; at the receiver",
        "set",
        what,
    )?;
    steps.note("offset", "one open file, as after dup, but in two tables")
}

/// Waits in a loop until something has come, and receives it.
fn wait_for(socket: UnixStream, trace: chapter::Trace) -> Result<Received, Failure> {
    struct Taker {
        socket: Option<epoll_loop::Watched<UnixStream>>,
        received: Option<Result<Received, fd_passing::ReceiveError>>,
    }
    socket.set_nonblocking(true)?;
    let mut event_loop = EventLoop::new()?;
    let _tracing = trace.start(&mut event_loop)?;
    let watch = Watch::new(Interest::READABLE).label("receiver");
    let socket = event_loop.watch(socket, watch, |taker: &mut Taker, _, _| {
        if let Some(socket) = taker.socket.take() {
            taker.received = Some(receive(&socket, &mut [0; 16]));
        }
    })?;
    let mut taker = Taker {
        socket: Some(socket),
        received: None,
    };
    event_loop.run(&mut taker)?;
    Ok(taker.received.ok_or("nothing has come")??)
}

/// A message keeps its files open.
fn on_its_way(steps: &mut Steps) -> Result<(), Failure> {
    let (ours, theirs) = UnixStream::pair()?;
    let (mut reader, writer) = std::io::pipe()?;
    send(&ours, &[writer.as_fd()], b"x")?;
    drop(writer);
    steps.say("open", "send the writing end of a pipe, close it")?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let what = match reader.read(&mut [0]) {
        Ok(0) => "the end",
        Ok(_) => "a byte",
        Err(_) => "EAGAIN",
    };
    steps.answer("open", "read from the pipe", "EAGAIN", what)?;
    steps.note(
        "open",
        "nobody has it, and it is open: the message holds it",
    )?;
    (&theirs).read_exact(&mut [0])?;
    steps.say("open", "take the byte with read(2), not recvmsg(2)")?;
    let what = either(reader.read(&mut [0])? == 0, "the end", "a byte");
    steps.answer("open", "read from the pipe", "the end", what)?;
    steps.note("open", "read has no place for descriptors: it was closed")
}

/// To a process that has nothing in common with this one but the socket.
fn another_process(steps: &mut Steps, file: &ScratchFile) -> Result<(), Failure> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut sent = File::from(fcntl_dupfd_cloexec(File::open(file.path())?, SENT.into())?);
    let socket = Stdio::from(OwnedFd::from(theirs));
    let mut child = Helper::start_with(Role::Receive, None, socket)?;
    steps.say(
        "other",
        format_args!("start another process, send it fd {SENT}"),
    )?;
    send(&ours, &[sent.as_fd()], b"x")?;
    let number = child.hear()?;
    let what = either(number == SENT.to_string(), "the same", "another");
    steps.answer("other", "it has it under a number that is", "another", what)?;
    steps.answer("other", "it reads 5 bytes", "01234", child.hear()?)?;
    let mut rest = String::new();
    sent.read_to_string(&mut rest)?;
    steps.answer("other", "we read on", "56789", rest)?;
    let (near, _far) = UnixStream::pair()?;
    let peer = Peer::of(&near)?;
    let what = either(
        peer.process.unsigned_abs() == std::process::id(),
        "this process",
        "another process",
    );
    steps.answer(
        "other",
        "SO_PEERCRED of a pair that we have made",
        "this process",
        what,
    )?;
    steps.note(
        "other",
        "the kernel's word; what a peer writes of itself is only its own",
    )
}

/// More is sent than the receiver has room for.
fn too_little_room(steps: &mut Steps) -> Result<(), Failure> {
    let (ours, theirs) = UnixStream::pair()?;
    let too_many = vec![ours.as_fd(); MAX_DESCRIPTORS + 1];
    let refused = said(send(&ours, &too_many, b"x"));
    let expected = "254 descriptors in one message, which carries at most 253";
    steps.answer("room", "send 254", expected, refused)?;
    let refused = said(send(&ours, &too_many[..1], b""));
    let expected = "descriptors need a byte of payload to travel with";
    steps.answer("room", "send one with no byte", expected, refused)?;
    send(&ours, &too_many[..10], b"x")?;
    let before = fs::read_dir("/proc/self/fd")?.count();
    let what = match receive_at_most(&theirs, &mut [0; 16], 1) {
        Err(fd_passing::ReceiveError::Truncated { .. }) => "MSG_CTRUNC",
        _ => "something else",
    };
    steps.answer("room", "send 10, with room for one", "MSG_CTRUNC", what)?;
    let after = fs::read_dir("/proc/self/fd")?.count();
    let what = either(after == before, "as many as before", "more");
    steps.answer("room", "open descriptors", "as many as before", what)
}

/// The control buffer of the printed listing.
fn as_printed(steps: &mut Steps) -> Result<(), Failure> {
    let (ours, theirs) = UnixStream::pair()?;
    steps.answer("printed", "bytes of a struct cmsghdr", 16, HEADER_BYTES)?;
    steps.note("printed", "one descriptor behind it needs 4 more")?;
    let descriptors = [ours.as_fd()];
    let mut space = [MaybeUninit::uninit(); HEADER_BYTES];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fits = control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let what = either(fits, "it fits", "no room");
    steps.answer("printed", "with room for no more, sending", "no room", what)?;
    steps.note(
        "printed",
        "C does not ask: it writes behind the end of the buffer",
    )?;
    send(&ours, &descriptors, b"x")?;
    let mut space = [MaybeUninit::uninit(); HEADER_BYTES];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut payload = [0; 1];
    let mut parts = [IoSliceMut::new(&mut payload)];
    let message = recvmsg(&theirs, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let cut = message.flags.contains(ReturnFlags::CTRUNC);
    let what = either(cut, "MSG_CTRUNC", "no flag");
    steps.answer(
        "printed",
        "with room for no more, receiving",
        "MSG_CTRUNC",
        what,
    )?;
    steps.answer("printed", "descriptors", 0, control.drain().count())
}

fn only(descriptors: Vec<OwnedFd>) -> Result<OwnedFd, Failure> {
    let [descriptor] = <[_; 1]>::try_from(descriptors).map_err(|_| "not one descriptor")?;
    Ok(descriptor)
}

/// `sent`, or why not.
fn said<E: std::fmt::Display>(result: Result<usize, E>) -> String {
    result.map_or_else(|err| err.to_string(), |_| "sent".to_owned())
}
