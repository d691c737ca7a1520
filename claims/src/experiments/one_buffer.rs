//! Claim 20: the echo server of the notes, with one buffer for all clients.
//!
//! Shows: what two clients get back from it; a mended server beside it, with a buffer for each
//! client, counted bytes and what a write did not take; and `accept` with a length never set.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsRawFd;

use nix::poll::PollTimeout;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{MsgFlags, recv};
use nix::unistd::{read, write};
use socket2::{SockAddr, Socket};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::sys::accept_with_length;
use crate::tcp;
use crate::words::{errno, succeeded};

pub(crate) const CLAIM: Claim = Claim {
    number: 20,
    name: "one-buffer",
    chapter: Chapter::Waiting,
    sentences: &[
        Sentence {
            original: Some("do_read(epollfd,fd,buf); ... do_write(epollfd,fd,buf);"),
            english: "(the example server) the same buffer will do for every client: it is read \
                      into, and written from when the client is writable",
            verdict: Verdict::Wrong,
        },
        Sentence {
            original: Some(
                "socklen_t cliaddrlen; clifd = accept(listenfd, (struct sockaddr*)&cliaddr, &cliaddrlen);",
            ),
            english: "(the same) the length of the address need not be set before accept",
            verdict: Verdict::Wrong,
        },
    ],
    question: "'from-alice' and 'bob' share a buffer. Alice gets?",
    answers: &["'from-alice'", "'bob'", "'bobm-alice'", "Nothing"],
    answer: 'c',
    does: "It has the echo server of the notes in Rust: one buffer; read, then wait for OUT, then \
           write up to the first zero byte, then clear the buffer. Alice and bob each send a word \
           before it looks. Then a server with a buffer for each client has the same two, and accept \
           is called with a length as a variable may hold it that nobody has set.",
    lesson: "Between the event for reading and the one for writing other clients have their turn: \
             what belongs to a client must be kept with the client. Bytes that were read have a \
             count and no zero at their end, a write may take a part, and the rest must be kept. \
             Write first, and wait for OUT only if something is left. The length given to accept is \
             an input too: a wild one is EINVAL, and the connection that was taken out of the \
             backlog for it is gone.",
    code: &[
        place!(
            "chat-server/src/inbox.rs",
            "/// The incoming side of one client.",
            "each connection has its own, and a send queue"
        ),
        place!(
            "epoll-loop/src/send_queue.rs",
            "/// Bytes that wait to be written to a descriptor, in order.",
            "what a write did not take"
        ),
    ],
    sources: &[
        "read(2), write(2): the number of bytes is the result",
        "accept(2): the caller must initialize addrlen; EINVAL",
    ],
    run,
};

/// A server that looks once at what is ready when it is told to.
trait Server {
    fn watch(&mut self, client: Socket) -> io::Result<()>;
    fn turn(&mut self) -> io::Result<usize>;
    fn clients(&self) -> Vec<&Socket>;
}

/// The server of the notes.
struct AsInTheNotes {
    epoll: Epoll,
    clients: HashMap<u64, Socket>,
    buffer: [u8; 1024],
}

impl Server for AsInTheNotes {
    fn watch(&mut self, client: Socket) -> io::Result<()> {
        let name = name_of(&client);
        let event = EpollEvent::new(EpollFlags::EPOLLIN, name);
        self.epoll.add(&client, event)?;
        self.clients.insert(name, client);
        Ok(())
    }

    fn turn(&mut self) -> io::Result<usize> {
        let mut ready = [EpollEvent::empty(); 8];
        let count = self.epoll.wait(&mut ready, PollTimeout::ZERO)?;
        for event in &ready[..count] {
            let client = &self.clients[&event.data()];
            let next = if event.events().contains(EpollFlags::EPOLLIN) {
                // The count is not kept.
                read(client, &mut self.buffer)?;
                EpollFlags::EPOLLOUT
            } else {
                let zero = self.buffer.iter().position(|byte| *byte == 0);
                let length = zero.unwrap_or(self.buffer.len());
                write(client, &self.buffer[..length])?;
                self.buffer.fill(0);
                EpollFlags::EPOLLIN
            };
            self.epoll
                .modify(client, &mut EpollEvent::new(next, event.data()))?;
        }
        Ok(count)
    }

    fn clients(&self) -> Vec<&Socket> {
        self.clients.values().collect()
    }
}

/// The mended one.
struct Mended {
    epoll: Epoll,
    clients: HashMap<u64, Client>,
}

/// A client, and what it has not taken yet.
struct Client {
    socket: Socket,
    unsent: Vec<u8>,
}

/// A client that does not read is not read from either when so much waits for it.
const MAX_UNSENT_BYTES: usize = 4096;

impl Server for Mended {
    fn watch(&mut self, socket: Socket) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        let name = name_of(&socket);
        let event = EpollEvent::new(EpollFlags::EPOLLIN, name);
        self.epoll.add(&socket, event)?;
        let unsent = Vec::new();
        self.clients.insert(name, Client { socket, unsent });
        Ok(())
    }

    fn turn(&mut self) -> io::Result<usize> {
        let mut ready = [EpollEvent::empty(); 8];
        let count = self.epoll.wait(&mut ready, PollTimeout::ZERO)?;
        for event in &ready[..count] {
            let name = event.data();
            let client = self.clients.get_mut(&name).expect("watched above");
            if let Ok(true) = client.echo() {
                let mut event = EpollEvent::new(client.interest(), name);
                self.epoll.modify(&client.socket, &mut event)?;
            } else {
                // Its end, or its error, and nobody else's: out of the set, then closed.
                self.epoll.delete(&client.socket)?;
                self.clients.remove(&name);
            }
        }
        Ok(count)
    }

    fn clients(&self) -> Vec<&Socket> {
        self.clients.values().map(|client| &client.socket).collect()
    }
}

impl Client {
    /// Reads what there is room for and writes what is taken; false at its end.
    fn echo(&mut self) -> io::Result<bool> {
        let mut buffer = [0; MAX_UNSENT_BYTES];
        let room = MAX_UNSENT_BYTES - self.unsent.len();
        if room > 0 {
            match read(&self.socket, &mut buffer[..room]) {
                Ok(0) => return Ok(false),
                Ok(count) => self.unsent.extend_from_slice(&buffer[..count]),
                Err(nix::Error::EAGAIN) => {}
                Err(err) => return Err(err.into()),
            }
        }
        if !self.unsent.is_empty() {
            match write(&self.socket, &self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(nix::Error::EAGAIN) => {}
                Err(err) => return Err(err.into()),
            }
        }
        Ok(true)
    }

    fn interest(&self) -> EpollFlags {
        let mut interest = EpollFlags::empty();
        interest.set(EpollFlags::EPOLLIN, self.unsent.len() < MAX_UNSENT_BYTES);
        interest.set(EpollFlags::EPOLLOUT, !self.unsent.is_empty());
        interest
    }
}

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let (listener, address) = tcp::listener(8)?;

    report.heading("as in the notes: one buffer");
    let mut server = AsInTheNotes {
        epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        clients: HashMap::new(),
        buffer: [0; 1024],
    };
    let [alice, bob] = echoed(&mut server, &listener, &address)?;
    report.exact("alice sent 'from-alice' and gets", "'bobm-alice'", &alice);
    report.exact("bob sent 'bob' and gets", "nothing", &bob);

    report.heading("mended: a buffer each");
    let mut server = Mended {
        epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        clients: HashMap::new(),
    };
    let mended = echoed(&mut server, &listener, &address)?;
    report.exact(
        "alice sent 'from-alice' and gets",
        "'from-alice'",
        &mended[0],
    );
    report.exact("bob sent 'bob' and gets", "'bob'", &mended[1]);

    report.heading("accept with the length of the address never set");
    let client = tcp::socket()?;
    client.connect(&address)?;
    // A value that a variable may have by chance.
    let accepted = accept_with_length(&listener, u32::MAX);
    let is_refused = accepted.is_err();
    report.exact("accept", "EINVAL", succeeded(accepted));
    listener.set_nonblocking(true)?;
    let next = listener.accept();
    report.exact("accept again: the client is", "EAGAIN, lost", lost(next));
    report.heading("mended: the length is set");
    let client = tcp::socket()?;
    client.connect(&address)?;
    tcp::until(|| Ok(crate::sys::tcp_info(&listener)?.tcpi_unacked > 0))?;
    report.exact("accept", "ok", succeeded(listener.accept()));

    let answer = match alice.as_str() {
        "'from-alice'" => 'a',
        "'bob'" => 'b',
        "nothing" => 'd',
        _ => 'c',
    };
    let shared = if answer == 'a' && bob == "'bob'" {
        Verdict::Right
    } else {
        Verdict::Wrong
    };
    let unset = if is_refused {
        Verdict::Wrong
    } else {
        Verdict::Right
    };
    Ok(Finding::new(answer, [shared, unset]))
}

/// What alice and bob get back who both have sent before the server looks.
fn echoed(
    server: &mut impl Server,
    listener: &Socket,
    address: &SockAddr,
) -> io::Result<[String; 2]> {
    let mut peers = Vec::new();
    for words in ["from-alice", "bob"] {
        let peer = tcp::socket()?;
        peer.connect(address)?;
        server.watch(listener.accept()?.0)?;
        peer.send(words.as_bytes())?;
        tcp::acknowledged(&peer)?;
        peers.push(peer);
    }
    while server.turn()? > 0 {}
    for client in server.clients() {
        tcp::acknowledged(client)?;
    }
    Ok([heard(&peers[0]), heard(&peers[1])])
}

/// What has come, without waiting.
fn heard(socket: &Socket) -> String {
    let mut buffer = [0; 64];
    match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
        Ok(count) => format!("'{}'", String::from_utf8_lossy(&buffer[..count])),
        Err(nix::Error::EAGAIN) => "nothing".to_owned(),
        Err(err) => errno(&err.into()),
    }
}

fn lost(accepted: io::Result<(Socket, SockAddr)>) -> String {
    match accepted {
        Ok(_) => "still there".to_owned(),
        Err(err) => format!("{}, lost", errno(&err)),
    }
}

fn name_of(socket: &Socket) -> u64 {
    u64::try_from(socket.as_raw_fd()).expect("not negative")
}
