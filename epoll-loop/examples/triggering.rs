//! Level-triggered, edge-triggered, one-shot: the same bytes, and what each of them reports.
//!
//! Run it: `cargo run -p epoll-loop --example triggering`
//!
//! Shows: level reports what is so, as long as it is; an edge reports that something has come, once;
//! one-shot reports once and is silent until it is armed again.
//! Leaves out: writing, where the same holds for room in the buffer.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// One stream, registered in one way with an instance of its own.
struct Watched {
    epoll: Epoll,
    flags: EpollFlags,
    near: UnixStream,
    far: UnixStream,
}

fn main() -> io::Result<()> {
    // ANCHOR: register
    let [level, edge, one_shot] = [
        EpollFlags::empty(),
        EpollFlags::EPOLLET,
        EpollFlags::EPOLLONESHOT,
    ]
    .map(register);
    let mut all = [level?, edge?, one_shot?];
    println!("{:<34}{:<8}{:<8}one-shot", "", "level", "edge");
    // ANCHOR_END: register
    // ANCHOR: steps
    step(&mut all, "nothing has come", |_| Ok(()))?;
    // ANCHOR: tail
    step(&mut all, "two bytes come", |one| one.far.write_all(b"ab"))?;
    step(&mut all, "nothing more happens", |_| Ok(()))?;
    step(&mut all, "one of the two is read", |one| {
        one.near.read_exact(&mut [0])
    })?;
    // ANCHOR_END: tail
    // ANCHOR: third
    step(&mut all, "a third comes", |one| one.far.write_all(b"c"))?;
    // ANCHOR_END: third
    // ANCHOR: mod
    step(&mut all, "EPOLL_CTL_MOD, nothing changed", Watched::arm)?;
    // ANCHOR_END: mod
    step(&mut all, "the two that are left are read", |one| {
        one.near.read_exact(&mut [0; 2])
    })?;
    step(&mut all, "a fourth comes", |one| one.far.write_all(b"d"))
    // ANCHOR_END: steps
}

fn register(how: EpollFlags) -> io::Result<Watched> {
    let (near, far) = UnixStream::pair()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let flags = EpollFlags::EPOLLIN | how;
    epoll.add(&near, EpollEvent::new(flags, 0))?;
    Ok(Watched {
        epoll,
        flags,
        near,
        far,
    })
}

impl Watched {
    fn arm(&mut self) -> io::Result<()> {
        Ok(self
            .epoll
            .modify(&self.near, &mut EpollEvent::new(self.flags, 0))?)
    }
}

/// Does the same to all three, and asks each instance once without waiting.
fn step(
    all: &mut [Watched; 3],
    what: &str,
    act: impl Fn(&mut Watched) -> io::Result<()>,
) -> io::Result<()> {
    let mut line = format!("{what:<34}");
    for one in all {
        act(one)?;
        let count = one
            .epoll
            .wait(&mut [EpollEvent::empty()], EpollTimeout::ZERO)?;
        line += if count == 1 { "IN      " } else { "-       " };
    }
    println!("{}", line.trim_end());
    Ok(())
}
