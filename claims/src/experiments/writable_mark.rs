//! Claim 17: a socket becomes writable as soon as the send buffer has `SO_SNDLOWAT` bytes of room.
//!
//! Shows: Linux has no such mark that could be set; the event comes when a good part of the buffer
//! is free, and a write works long before.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::libc::{SO_RCVLOWAT, SO_SNDLOWAT};
use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::{read, write};
use oob_data::unacknowledged;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::sys::{set_socket_option, socket_option};
use crate::tcp;
use crate::words::{events, returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 17,
    name: "writable-mark",
    chapter: Chapter::Writing,
    sentences: &[
        Sentence {
            original: Some(
                "(可写) socket内核发送缓存中的可用字节数大于或等于其低水位标记SO_SNDLOWAT",
            ),
            english: "(writable:) the free bytes in the send buffer are at least its low-water mark, \
                      SO_SNDLOWAT",
            verdict: Verdict::Outdated,
        },
        Sentence {
            original: Some(
                "socket的发送缓冲区状态变化时触发写事件，即满的缓冲区刚空出空间时触发读事件",
            ),
            english: "(edge-triggered) the write event is triggered when the send buffer changes, \
                      that is when a full one has just got some room",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "A full send buffer gets room for a byte. Writable?",
    answers: &[
        "Yes: one byte is the mark, unless SO_SNDLOWAT says otherwise",
        "No: a good part of the buffer has to be free first",
        "No: all of the buffer has to be free first",
    ],
    answer: 'b',
    does: "It asks for SO_SNDLOWAT and tries to set it. Then it fills the buffer of a Unix socket \
           and has the peer read one piece after the other, until epoll reports OUT; before that it \
           tries a write that is not announced. The same with TCP, where the peer reads until OUT. \
           Last SO_RCVLOWAT, which Linux does have.",
    lesson: "Linux cannot set SO_SNDLOWAT (it is 1 for ever), and does not use it. TCP is writable \
             when about a third of the buffer is free, a Unix socket when three quarters are. A \
             writer is woken seldom and then for a good piece, rather than often for single bytes. \
             So OUT is no promise about a number of bytes, and its absence does not mean that a \
             write fails: try the write first, and ask for OUT only after EAGAIN.",
    code: &[place!(
        "epoll-loop/src/send_queue.rs",
        "/// WRITABLE is added to the interest of `io` only while bytes are left: a",
        "writes first, and waits only for what was not taken"
    )],
    sources: &[
        "socket(7): SO_SNDLOWAT is not changeable on Linux (ENOPROTOOPT)",
        "Linux, include/net/sock.h: sk_stream_is_writeable; net/unix/af_unix.c: unix_writable",
    ],
    run,
};

const PIECE_BYTES: usize = 4096;
const OUT: EpollFlags = EpollFlags::EPOLLOUT;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("SO_SNDLOWAT");
    let (near, _far) = tcp::pair()?;
    report.exact("getsockopt", 1, returned(socket_option(&near, SO_SNDLOWAT)));
    let set = set_socket_option(&near, SO_SNDLOWAT, 1000);
    let cannot_be_set = set == Err(Errno::ENOPROTOOPT);
    report.exact("setsockopt to 1000", "ENOPROTOOPT", succeeded(set));

    report.heading("a Unix socket with a full buffer");
    let (mut near, mut far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    let piece = [0; PIECE_BYTES];
    let mut pieces = 0;
    while near.write(&piece).is_ok() {
        pieces += 1;
    }
    report.exact("ready for", "none", events(readiness::now(&near)?));
    far.read_exact(&mut [0; PIECE_BYTES])?;
    let after_one = readiness::now(&near)?;
    report.exact("one piece was read, ready for", "none", events(after_one));
    let unannounced = returned(near.write(&[0]));
    report.exact("a write of a byte all the same", 1, unannounced);
    let mut read = 1;
    while !readiness::now(&near)?.contains(OUT) && read <= pieces {
        far.read_exact(&mut [0; PIECE_BYTES])?;
        read += 1;
    }
    report.relation(
        "pieces read when it is OUT",
        format_args!("~{read} of ~{pieces}"),
        "at least half, and not all",
        read * 2 >= pieces && read < pieces,
    );

    report.heading("TCP with a full buffer");
    let (near, far) = tcp::pair()?;
    near.set_nonblocking(true)?;
    near.set_send_buffer_size(64 << 10)?;
    far.set_recv_buffer_size(64 << 10)?;
    // What the peer's kernel takes meanwhile makes room; it is full when nothing moves any more.
    let mut full = 0;
    loop {
        match write(&near, &piece) {
            Err(Errno::EAGAIN) if unacknowledged(&near)? == full => break,
            Err(Errno::EAGAIN) => {
                full = unacknowledged(&near)?;
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            result => drop(result?),
        }
    }
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&near, EpollEvent::new(OUT, 0))?;
    far.set_nonblocking(true)?;
    let mut drained = 0;
    tcp::until(|| {
        match read_some(&far) {
            Err(err) if err.kind() == ErrorKind::WouldBlock => {}
            count => drained += count?,
        }
        Ok(epoll.wait(&mut [EpollEvent::empty()], PollTimeout::ZERO)? > 0)
    })?;
    let left = unacknowledged(&near)?;
    report.relation(
        "bytes in it when it is OUT",
        format_args!("~{left} of ~{full}"),
        "at most five sixths",
        left * 6 <= full * 5,
    );
    report.figure("bytes that the peer had read", format_args!("~{drained}"));

    report.heading("SO_RCVLOWAT of 10");
    let (near, far) = tcp::pair()?;
    set_socket_option(&near, SO_RCVLOWAT, 10)?;
    far.send(b"12345")?;
    tcp::acknowledged(&far)?;
    let five = readiness::now(&near)?;
    report.exact("5 bytes have come", "OUT", events(five));
    far.send(b"67890")?;
    let ten = readiness::settled(&near, EpollFlags::EPOLLIN | OUT)?;
    report.exact("10 bytes have come", "IN|OUT", events(ten));

    let answer = match (after_one.contains(OUT), read < pieces) {
        (true, _) => 'a',
        (false, true) => 'b',
        (false, false) => 'c',
    };
    let mark = if cannot_be_set {
        Verdict::Outdated
    } else {
        Verdict::Right
    };
    let just_some = if answer == 'a' {
        Verdict::Right
    } else {
        Verdict::Imprecise
    };
    Ok(Finding::new(answer, [mark, just_some]))
}

fn read_some(socket: &socket2::Socket) -> std::io::Result<usize> {
    Ok(read(socket, &mut [0; PIECE_BYTES])?)
}
