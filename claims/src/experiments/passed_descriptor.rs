//! Claim 32: to pass a descriptor is not to pass its number.
//!
//! Shows: the receiver gets a number of its own for the same open file; and the five ways in which
//! a descriptor that was sent does not arrive.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::fs::{MemfdFlags, SeekFrom, memfd_create, seek};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::words::{returned, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 32,
    name: "passed-descriptor",
    chapter: Chapter::Descriptors,
    sentences: &[Sentence {
        original: Some(
            "传递一个文件描述符并不是传递一个文件描述符的值，而是要在接收进程中创建一个新的文件描述符，并且该文件描述符和发送进程中被传递的文件描述符指向内核中相同的文件表项",
        ),
        english: "to pass a descriptor is not to pass its value: a new descriptor is made in the \
                  receiving process, and it refers to the same entry of the kernel's file table",
        verdict: Verdict::Right,
    }],
    question: "Descriptor 50 is sent with SCM_RIGHTS. What arrives?",
    answers: &[
        "The number 50",
        "A number of the receiver's, for a copy of the file",
        "A number of the receiver's, for the same open file",
    ],
    answer: 'c',
    does: "It sends descriptor 50 through a Unix socket and reads from what arrives, looks where the \
           sender's file is then, and whether the new descriptor is closed on exec. Then it sends in \
           the ways that go wrong: more than there is room for, more than allowed, without a byte of \
           data, and to somebody who only reads.",
    lesson: "What arrives is as after dup: another number, the same open file, the same offset and \
             O_NONBLOCK. Ask for MSG_CMSG_CLOEXEC, or a program that is started next has it too. \
             Look at MSG_CTRUNC: the kernel closes what there was no room for, and because CMSG_SPACE \
             rounds up, room for one is room for two. Send at least one byte with it on a stream, \
             253 descriptors at most, and let nobody read plainly who may be sent one.",
    code: &[
        place!(
            "fd-passing/src/receive.rs",
            "// Without CMSG_CLOEXEC a child that another thread starts just now would",
            "close-on-exec from the first moment on"
        ),
        place!(
            "fd-passing/src/receive.rs",
            "// The space is rounded up, so a few more than `most` may fit.",
            "what does not fit is an error that is said, not a leak"
        ),
    ],
    sources: &[
        "unix(7), SCM_RIGHTS: as though duplicated; SCM_MAX_FD, 253; at least one byte",
        "recvmsg(2), MSG_CTRUNC, MSG_CMSG_CLOEXEC; cmsg(3)",
    ],
    run,
};

/// What has been received.
struct Received {
    descriptors: Vec<OwnedFd>,
    truncated: bool,
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (near, far) = UnixStream::pair()?;
    far.set_nonblocking(true)?;
    let file = memfd_create("file", MemfdFlags::CLOEXEC)?;
    rustix::io::write(&file, b"hello, world")?;
    seek(&file, SeekFrom::Start(0))?;
    let fifty = fcntl_dupfd_cloexec(&file, 50)?;
    let fifty = fifty.as_fd();

    report.heading("one descriptor, number 50");
    report.exact("its number here", 50, fifty.as_raw_fd());
    send(&near, &[fifty], b"!")?;
    let received = receive(&far, 1, RecvFlags::empty())?;
    let arrived = &received.descriptors[0];
    let is_another = arrived.as_raw_fd() != 50;
    report.exact("it arrives as another number", true, is_another);
    rustix::io::read(arrived, &mut [0; 5])?;
    let offset = seek(&file, SeekFrom::Current(0))?;
    report.exact("5 bytes read from it; the sender's offset", 5, offset);
    report.exact("closed on exec", false, closes_on_exec(arrived)?);
    send(&near, &[fifty], b"!")?;
    let received = receive(&far, 1, RecvFlags::CMSG_CLOEXEC)?;
    let closes = closes_on_exec(&received.descriptors[0])?;
    report.exact("mended, with MSG_CMSG_CLOEXEC", true, closes);

    report.heading("three, and room for one by CMSG_SPACE");
    let before = open_descriptors()?;
    send(&near, &[fifty; 3], b"!")?;
    let mut room = RoomForOne([MaybeUninit::uninit(); 24]);
    let received = receive_into(&mut room.0, &far, RecvFlags::CMSG_CLOEXEC)?;
    report.exact("arrived", 2, received.descriptors.len());
    report.exact("MSG_CTRUNC", true, received.truncated);
    report.exact(
        "open here, more than before",
        2,
        open_descriptors()? - before,
    );
    drop(received);

    report.heading("many");
    report.exact(
        "253 are sent",
        "ok",
        succeeded(send(&near, &[fifty; 253], b"!")),
    );
    report.exact(
        "254 are sent",
        "EINVAL",
        succeeded(send(&near, &[fifty; 254], b"!")),
    );
    let received = receive(&far, 253, RecvFlags::CMSG_CLOEXEC)?;
    report.exact("arrived", 253, received.descriptors.len());
    drop(received);

    report.heading("one, without a byte of data");
    report.exact("sendmsg", 0, returned(send(&near, &[fifty], b"")));
    let nothing = receive(&far, 1, RecvFlags::CMSG_CLOEXEC).map(|_| "a message");
    report.exact("recvmsg", "EAGAIN", returned(nothing));

    report.heading("one, and the other end only reads");
    let before = open_descriptors()?;
    send(&near, &[fifty], b"!")?;
    let count = nix::unistd::read(&far, &mut [0; 8]);
    report.exact("read, bytes", 1, returned(count));
    report.exact(
        "open here, more than before",
        0,
        open_descriptors()? - before,
    );

    Ok(match (is_another, offset) {
        (false, _) => Finding::new('a', [Verdict::Wrong]),
        (true, 5) => Finding::new('c', [Verdict::Right]),
        (true, _) => Finding::new('b', [Verdict::Imprecise]),
    })
}

fn send(socket: &UnixStream, descriptors: &[BorrowedFd<'_>], data: &[u8]) -> io::Result<usize> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(descriptors.len()))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("the space was computed for them"));
    }
    let data = [IoSlice::new(data)];
    Ok(sendmsg(socket, &data, &mut control, SendFlags::empty())?)
}

/// Receives without waiting, with room for so many.
fn receive(socket: &UnixStream, room: usize, flags: RecvFlags) -> io::Result<Received> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(room))];
    receive_into(&mut space, socket, flags)
}

/// As much as `CMSG_SPACE` gives for one descriptor: a header of 16 bytes, and 4 rounded up to 8.
/// `cmsg_space!` adds some more, since a vector may begin anywhere.
#[repr(align(8))]
struct RoomForOne([MaybeUninit<u8>; 24]);

fn receive_into(
    space: &mut [MaybeUninit<u8>],
    socket: &UnixStream,
    flags: RecvFlags,
) -> io::Result<Received> {
    let mut control = RecvAncillaryBuffer::new(space);
    let mut data = [0; 8];
    let message = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut data)],
        &mut control,
        flags,
    )?;
    let mut descriptors = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            descriptors.extend(rights);
        }
    }
    let truncated = message.flags.contains(ReturnFlags::CTRUNC);
    Ok(Received {
        descriptors,
        truncated,
    })
}

fn closes_on_exec(descriptor: impl AsFd) -> nix::Result<bool> {
    let flags = FdFlag::from_bits_retain(fcntl(descriptor, FcntlArg::F_GETFD)?);
    Ok(flags.contains(FdFlag::FD_CLOEXEC))
}

/// How many descriptors this process has open.
fn open_descriptors() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
