//! Claim 15: a descriptor is closed first and taken out of epoll after that.
//!
//! Shows: epoll watches the open file and not the number, so that a duplicate, here or in a child,
//! keeps a closed number in the set; and an event that meets somebody else under its number.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::unistd::pipe;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::forked::Forked;
use crate::report::{Finding, Report, Stop};
use crate::sys::epoll_delete_number;
use crate::tcp;
use crate::words::{events, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 15,
    name: "close-and-epoll",
    chapter: Chapter::Closing,
    sentences: &[
        Sentence {
            original: Some(
                "close(fd); //记住close fd  delete_event(epollfd,fd,EPOLLIN); //删除监听",
            ),
            english: "close the descriptor, and then take it out of epoll",
            verdict: Verdict::Wrong,
        },
        Sentence {
            original: Some("当 fork 的时候需要重新建立 base"),
            english: "after a fork the event base has to be built anew",
            verdict: Verdict::Right,
        },
    ],
    question: "A watched socket is closed; a duplicate stays. epoll?",
    answers: &[
        "epoll forgets it",
        "epoll goes on reporting it, by the number that is closed",
        "epoll_wait fails with EBADF",
    ],
    answer: 'b',
    does: "It closes watched sockets while a duplicate or a child still has them, and tries to take \
           them out afterwards; lets a child register a descriptor in the epoll that a fork made \
           common; and plays a server whose event for bob comes after bob was thrown out and carol \
           got his number. Then the same in the order and with the names that mend it.",
    lesson: "A registration is of the open file, and it ends by itself only when the last descriptor \
             of that file is closed. After close the number cannot be used to take it out: it is \
             nobody's (EBADF), or somebody else's, who is not in the set (ENOENT) or, worse, is. So \
             delete first, then close. Within one batch, events that are still to come may be for a \
             number that has a new owner: name a registration by something that is never used \
             again. And after a fork both processes have one set: the child makes its own.",
    code: &[
        place!(
            "epoll-loop/src/changes.rs",
            "pub(crate) fn note_removal(",
            "taken out of the set and only then closed, between two batches"
        ),
        place!(
            "epoll-loop/src/watchers.rs",
            "u64::from(generation) << 32 | u64::from(slot)",
            "the name in an event is a slot and a generation, not a number"
        ),
    ],
    sources: &[
        "epoll(7), Questions and answers: closing a descriptor does not remove it if a duplicate \
         is open",
        "epoll(7), Possible pitfalls, If using an event cache",
        "epoll_ctl(2), EBADF, ENOENT",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("closed, and a duplicate is open");
    let (near, mut far) = UnixStream::pair()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let number = registered(&epoll, &near)?;
    let duplicate = near.try_clone()?;
    drop(near);
    far.write_all(b"x")?;
    let ghost = reported(&epoll, number)?;
    report.exact("the number is", "closed", open_or_closed(number));
    report.exact("a byte comes", "IN by that number", &ghost);
    report.exact(
        "asked again",
        "IN by that number",
        reported(&epoll, number)?,
    );
    let deleted = epoll_delete_number(&epoll, number);
    let cannot_be_deleted = deleted.is_err();
    report.exact("EPOLL_CTL_DEL of the number", "EBADF", succeeded(deleted));
    let deleted = succeeded(epoll.delete(&duplicate));
    report.exact("EPOLL_CTL_DEL of the duplicate", "ENOENT", deleted);
    drop(duplicate);
    report.exact(
        "the duplicate is closed too",
        "nothing",
        reported(&epoll, number)?,
    );

    report.heading("closed, and somebody else has the number");
    let (near, _far) = UnixStream::pair()?;
    let number = registered(&epoll, &near)?;
    drop(near);
    let (somebody, mut peer) = newcomer_with(number)?;
    let deleted = succeeded(epoll_delete_number(&epoll, number));
    report.exact("EPOLL_CTL_DEL of the number", "ENOENT", deleted);
    registered(&epoll, &somebody)?;
    let deleted = succeeded(epoll_delete_number(&epoll, number));
    report.exact("the same, when somebody is in the set", "ok", deleted);
    peer.write_all(b"x")?;
    report.exact(
        "a byte comes for somebody",
        "nothing",
        reported(&epoll, number)?,
    );

    report.heading("mended: EPOLL_CTL_DEL, then close");
    let (near, mut far) = UnixStream::pair()?;
    let number = registered(&epoll, &near)?;
    let _duplicate = near.try_clone()?;
    report.exact("EPOLL_CTL_DEL", "ok", succeeded(epoll.delete(&near)));
    drop(near);
    far.write_all(b"x")?;
    report.exact("a byte comes", "nothing", reported(&epoll, number)?);

    let shared = over_a_fork(report)?;
    over_a_batch(report)?;

    let answer = match ghost.as_str() {
        "nothing" => 'a',
        _ => 'b',
    };
    let close_first = if cannot_be_deleted {
        Verdict::Wrong
    } else {
        Verdict::Right
    };
    let new_after_fork = if shared {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    Ok(Finding::new(answer, [close_first, new_after_fork]))
}

/// What a child does to the set of its parent; whether they share one.
fn over_a_fork(report: &mut Report) -> Result<bool, Stop> {
    const OF_THE_CHILD: RawFd = 77;
    report.heading("closed here, and a child has it");
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let (near, mut far) = UnixStream::pair()?;
    let number = registered(&epoll, &near)?;
    let (go, tell_go) = pipe()?;
    let child = Forked::start(|| {
        File::from(go.try_clone()?).read_exact(&mut [0])?;
        Ok(String::new())
    })?;
    drop(near);
    far.write_all(b"x")?;
    report.exact(
        "a byte comes",
        "IN by that number",
        reported(&epoll, number)?,
    );
    File::from(tell_go).write_all(b"g")?;
    child.end()?;
    report.exact("the child has ended", "nothing", reported(&epoll, number)?);

    report.heading("a child registers a descriptor of its own, number 77");
    let (done, tell_done) = pipe()?;
    let (never, tell_never) = pipe()?;
    let child = Forked::start(|| {
        let (mut near, far) = UnixStream::pair()?;
        fcntl(&far, FcntlArg::F_DUPFD_CLOEXEC(OF_THE_CHILD))?;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, 77);
        epoll.add(&far, event)?;
        near.write_all(b"x")?;
        File::from(tell_done.try_clone()?).write_all(b"d")?;
        // Until the parent kills it.
        File::from(never.try_clone()?).read_exact(&mut [0])?;
        Ok(String::new())
    })?;
    File::from(done).read_exact(&mut [0])?;
    let seen = reported(&epoll, OF_THE_CHILD)?;
    report.exact("the parent's epoll_wait", "IN by that number", &seen);
    report.exact(
        "in the parent the number is",
        "closed",
        open_or_closed(OF_THE_CHILD),
    );
    let deleted = succeeded(epoll_delete_number(&epoll, OF_THE_CHILD));
    report.exact("EPOLL_CTL_DEL by the parent", "EBADF", deleted);
    drop(child);
    drop(tell_never);

    report.heading("mended: the child makes an epoll of its own");
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let child = Forked::start(|| {
        let own = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let (mut near, far) = UnixStream::pair()?;
        registered(&own, &far)?;
        near.write_all(b"x")?;
        reported(&own, far.as_raw_fd())
    })?;
    let (said, _) = child.end()?;
    report.exact("in the child", "IN by that number", said);
    report.exact("in the parent", "nothing", reported(&epoll, OF_THE_CHILD)?);
    Ok(seen != "nothing")
}

/// Alice's handler throws bob out and accepts carol, and an event for bob is still to come.
fn over_a_batch(report: &mut Report) -> Result<(), Stop> {
    for (heading, by_number) in [
        ("a batch of two, handled by number", true),
        ("mended: handled by a name that is not used again", false),
    ] {
        report.heading(heading);
        let (listener, address) = tcp::listener(8)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // Under which name each is registered, and its socket.
        let mut clients = HashMap::new();
        let mut peers = Vec::new();
        let mut next_name = 1000;
        let mut numbers = Vec::new();
        for words in ["throw bob out", "bob speaks"] {
            let peer = tcp::socket()?;
            peer.connect(&address)?;
            let (accepted, _) = listener.accept()?;
            let name = name_of(&accepted, by_number, &mut next_name);
            epoll.add(&accepted, EpollEvent::new(EpollFlags::EPOLLIN, name))?;
            numbers.push((name, accepted.as_raw_fd()));
            clients.insert(name, accepted);
            peer.send(words.as_bytes())?;
            tcp::acknowledged(&peer)?;
            peers.push(peer);
        }
        let carol = tcp::socket()?;
        carol.connect(&address)?;
        carol.send(b"a secret of carol's")?;
        tcp::acknowledged(&carol)?;
        let mut batch = [EpollEvent::empty(); 8];
        let count = epoll.wait(&mut batch, PollTimeout::ZERO)?;
        report.exact("events in the batch", 2, count);

        let (bob, number) = numbers[1];
        let _others = gaps_below(number)?;
        clients.remove(&bob);
        let (accepted, _) = listener.accept()?;
        let has_it = accepted.as_raw_fd() == number;
        report.exact("carol gets bob's number", true, has_it);
        clients.insert(name_of(&accepted, by_number, &mut next_name), accepted);

        let mut heard = "nothing".to_owned();
        if let Some(client) = clients.get(&batch[1].data()) {
            let mut buffer = [0; 64];
            let count = nix::unistd::read(client, &mut buffer)?;
            heard = format!("'{}'", String::from_utf8_lossy(&buffer[..count]));
        }
        let expected = if by_number {
            "'a secret of carol's'"
        } else {
            "nothing"
        };
        report.exact("bob's event, read as his words", expected, heard);
    }
    Ok(())
}

fn name_of(socket: impl AsFd, by_number: bool, next: &mut u64) -> u64 {
    if by_number {
        u64::try_from(socket.as_fd().as_raw_fd()).expect("not negative")
    } else {
        *next += 1;
        *next
    }
}

/// Registers a descriptor by its number; the number.
fn registered(epoll: &Epoll, descriptor: impl AsFd) -> nix::Result<RawFd> {
    let number = descriptor.as_fd().as_raw_fd();
    let name = u64::try_from(number).expect("not negative");
    epoll.add(descriptor, EpollEvent::new(EpollFlags::EPOLLIN, name))?;
    Ok(number)
}

/// What epoll reports now, without waiting, and whether by this number.
fn reported(epoll: &Epoll, number: RawFd) -> io::Result<String> {
    let mut ready = [EpollEvent::empty()];
    if epoll.wait(&mut ready, PollTimeout::ZERO)? == 0 {
        return Ok("nothing".to_owned());
    }
    let by = if ready[0].data() == u64::try_from(number).expect("not negative") {
        "that number"
    } else {
        "another"
    };
    Ok(format!("{} by {by}", events(ready[0].events())))
}

fn open_or_closed(number: RawFd) -> &'static str {
    if Path::new(&format!("/proc/self/fd/{number}")).exists() {
        "open"
    } else {
        "closed"
    }
}

/// A socket that has this number, which is free, and its other end.
fn newcomer_with(number: RawFd) -> io::Result<(UnixStream, UnixStream)> {
    let _others = gaps_below(number)?;
    let (somebody, peer) = UnixStream::pair()?;
    if somebody.as_raw_fd() == number {
        Ok((somebody, peer))
    } else {
        Err(io::Error::other("the number is not free"))
    }
}

/// Descriptors for all numbers below this one that are free, so that this is the next to be given.
fn gaps_below(number: RawFd) -> io::Result<Vec<OwnedFd>> {
    let mut fillers = Vec::new();
    loop {
        let filler = OwnedFd::from(File::open("/dev/null")?);
        if filler.as_raw_fd() >= number {
            return Ok(fillers);
        }
        fillers.push(filler);
    }
}
