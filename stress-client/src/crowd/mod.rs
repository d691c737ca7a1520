//! Many clients of one server, on one loop.
//!
//! Shows: a connection's life as stages (connecting, registering, joining, ready), a few hundred
//! under way at a time.
//! Leaves out: what is said (`talking.rs`), and what is measured. Each measurement is a [`Driver`].
//!
//! The printed listing (16-4) opens one connection a second, and arms the events of a descriptor
//! again that it has just closed. Here a connection is begun as soon as an earlier one is through,
//! and a watch that has ended cannot be asked for anything.

mod talking;

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::rc::Rc;

use chat_protocol::{LineDecoder, Message, TagLimit};
use epoll_loop::{Event, EventLoop, Interest, ReadEnd, SendQueue, Watch, Watched, WatcherMap};
use socket2::Socket;

use crate::failure::Failure;
use crate::sources::Sources;

/// What is read at once, through one buffer for all.
const BUFFER_BYTES: usize = 256 * 1024;

/// What waits to be sent is written when it can be: no client has more than a window of messages.
const NO_MARK: usize = usize::MAX;

/// The token of a PING whose answer says that everything before it has been read.
const SETTLE: &[u8] = b"settle";

/// Connections that may be begun again because they were reset before they were greeted. A server
/// whose backlog overflows does that: its kernel has answered the SYN and then forgets the rest.
const MAX_RETRIES: u64 = 1_000;

/// Which client; they are numbered from 0 in the order in which they began.
pub(crate) type ClientNumber = usize;

/// What is done with a crowd of clients: the state of the loop.
pub(crate) trait Driver: Sized + 'static {
    /// The crowd.
    fn crowd(&mut self) -> &mut Crowd;

    /// The last of those that were called has arrived: nobody is under way any more.
    fn gathered(&mut self, event_loop: &mut EventLoop<Self>);

    /// Everybody has read what the server had sent before [`settle`] was called.
    fn settled(&mut self, _: &mut EventLoop<Self>) {}

    /// A client is where it was to go.
    fn arrived(&mut self, _: &mut EventLoop<Self>, _: ClientNumber) {}

    /// How many of the first `bytes` need no parsing, since they are lines that this has seen
    /// before and has taken into account. They begin with a line.
    fn known(&mut self, _: &mut EventLoop<Self>, _: ClientNumber, _: &[u8]) -> usize {
        0
    }

    /// A client that is ready has been sent a message, not a PING.
    fn heard(&mut self, _: &mut EventLoop<Self>, _: ClientNumber, _line: &[u8], _: &Message<'_>) {}

    /// A connection has ended, and nobody here has ended it. `None` as its own failure: the server
    /// has closed it; what it had said about that is in [`Crowd::last_word`].
    fn lost(
        &mut self,
        event_loop: &mut EventLoop<Self>,
        client: ClientNumber,
        failure: Option<io::Error>,
    ) {
        let lost = self.crowd().how_lost(client, failure);
        event_loop.stop(Err(lost.into()));
    }
}

/// Where a client is to go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    /// The first letter of its nick.
    pub(crate) letter: char,
    /// The channel it is to join, if any.
    pub(crate) channel: Option<Rc<str>>,
    /// The size of its receive buffer; the kernel's own choice if there is none.
    pub(crate) receive_buffer: Option<usize>,
    /// The largest segment of its connection, in bytes; the kernel's own choice if there is none.
    pub(crate) segment: Option<u32>,
}

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Registering,
    Joining,
    Ready,
}

#[derive(Debug)]
struct Client {
    /// None when it is closed.
    stream: Option<Rc<Watched<Socket>>>,
    stage: Stage,
    role: Role,
    nick: Box<str>,
    nicks_tried: u32,
    decoder: LineDecoder,
    queue: SendQueue,
    is_dirty: bool,
    is_settling: bool,
    last_word: Option<Box<str>>,
}

/// The clients.
#[derive(Debug)]
pub(crate) struct Crowd {
    sources: Sources,
    clients: Vec<Client>,
    by_watcher: WatcherMap<ClientNumber>,
    called: VecDeque<Role>,
    /// Numbers of clients that are forgotten.
    free: Vec<ClientNumber>,
    most_under_way: usize,
    under_way: usize,
    /// Connections that were begun again.
    retries: u64,
    settling: usize,
    dirty: Vec<ClientNumber>,
    buffer: Vec<u8>,
    /// Bytes read so far, by all.
    pub(crate) bytes_read: u64,
    arrived: usize,
}

impl Crowd {
    /// A crowd for `server`, of which so many may be under way (connecting, registering or joining)
    /// at the same time.
    pub(crate) fn new(server: SocketAddr, most_under_way: usize) -> Crowd {
        Crowd {
            sources: Sources::new(server),
            clients: Vec::new(),
            by_watcher: WatcherMap::new(),
            called: VecDeque::new(),
            free: Vec::new(),
            most_under_way,
            under_way: 0,
            retries: 0,
            settling: 0,
            dirty: Vec::new(),
            buffer: vec![0; BUFFER_BYTES],
            bytes_read: 0,
            arrived: 0,
        }
    }

    /// Clients that have arrived so far, those included that have left again.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived
    }

    /// Connections that were reset before they were greeted, and tried again.
    pub(crate) fn retries(&self) -> u64 {
        self.retries
    }

    /// The nick under which a client is registered.
    pub(crate) fn nick(&self, client: ClientNumber) -> &str {
        &self.clients[client].nick
    }

    /// What the server said (ERROR) before it closed a connection.
    pub(crate) fn last_word(&self, client: ClientNumber) -> Option<&str> {
        self.clients[client].last_word.as_deref()
    }

    /// Whether a client is, or was, where it was to go.
    pub(crate) fn has_arrived(&self, client: ClientNumber) -> bool {
        self.clients[client].stage == Stage::Ready
    }

    /// Appends to what a client says; it is written in the next turn.
    pub(crate) fn say(&mut self, client: ClientNumber, bytes: &[u8]) {
        let speaker = &mut self.clients[client];
        if speaker.stream.is_some() {
            speaker.queue.push(bytes);
            if !speaker.is_dirty {
                speaker.is_dirty = true;
                self.dirty.push(client);
            }
        }
    }

    /// Closes a connection.
    pub(crate) fn close(&mut self, client: ClientNumber) {
        let client = &mut self.clients[client];
        if let Some(stream) = client.stream.take() {
            self.by_watcher.remove(stream.id());
            if client.stage != Stage::Ready {
                self.under_way -= 1;
            }
            if client.is_settling {
                client.is_settling = false;
                self.settling -= 1;
            }
        }
        client.queue.clear();
    }

    /// Closes a connection and gives its number to the next client; returns what its role was.
    pub(crate) fn forget(&mut self, client: ClientNumber) -> Role {
        self.close(client);
        self.free.push(client);
        mem::take(&mut self.clients[client].role)
    }

    /// Leaves in the kernel what comes for a client.
    pub(crate) fn stop_reading<D>(&self, event_loop: &mut EventLoop<D>, client: ClientNumber) {
        if let Some(stream) = &self.clients[client].stream {
            stream.set_interest(event_loop, Interest::NONE);
        }
    }

    /// Reads what has come for a client that had stopped reading.
    pub(crate) fn read_again<D>(&self, event_loop: &mut EventLoop<D>, client: ClientNumber) {
        if let Some(stream) = &self.clients[client].stream {
            stream.set_interest(event_loop, Interest::READABLE);
        }
    }

    /// Asks the server for an answer to one client, by which everything before it has been read.
    pub(crate) fn ask(&mut self, client: ClientNumber) {
        if let Some(asked) = self.mut_open(client)
            && !asked.is_settling
        {
            asked.is_settling = true;
            self.settling += 1;
            self.say(client, &[b"PING :", SETTLE, b"\r\n"].concat());
        }
    }

    /// Whether a client has the answers to all that [`Crowd::ask`] has asked.
    pub(crate) fn has_settled(&self, client: ClientNumber) -> bool {
        !self.clients[client].is_settling
    }

    /// In words, how a connection has ended.
    pub(crate) fn how_lost(&self, client: ClientNumber, failure: Option<io::Error>) -> Failure {
        let lost = &self.clients[client];
        let nick = lost.nick.to_string();
        match failure {
            Some(err) if lost.stage == Stage::Connecting => Failure::Connect(err),
            Some(err) => Failure::Lost(nick, chapter::why(&err)),
            None => Failure::Closed(nick, self.last_word(client).map(str::to_owned)),
        }
    }

    fn mut_open(&mut self, client: ClientNumber) -> Option<&mut Client> {
        let client = &mut self.clients[client];
        client.stream.is_some().then_some(client)
    }

    fn stream(&self, client: ClientNumber) -> Option<Rc<Watched<Socket>>> {
        self.clients[client].stream.clone()
    }
}

/// Has `event_loop` write, once a turn, what clients say.
pub(crate) fn attach<D: Driver>(event_loop: &mut EventLoop<D>) {
    event_loop.before_wait(|driver, event_loop, _| talking::write_all(driver, event_loop));
}

/// Has so many clients come; [`Driver::gathered`] is called when all have arrived.
pub(crate) fn call<D: Driver>(
    driver: &mut D,
    event_loop: &mut EventLoop<D>,
    roles: impl IntoIterator<Item = Role>,
) -> io::Result<()> {
    driver.crowd().called.extend(roles);
    begin_some(driver, event_loop)
}

/// Has everybody read what is on its way; [`Driver::settled`] is called when that is done.
pub(crate) fn settle<D: Driver>(driver: &mut D) {
    let crowd = driver.crowd();
    for client in 0..crowd.clients.len() {
        crowd.ask(client);
    }
}

/// Begins as many connections as may be under way.
fn begin_some<D: Driver>(driver: &mut D, event_loop: &mut EventLoop<D>) -> io::Result<()> {
    while driver.crowd().under_way < driver.crowd().most_under_way {
        let Some(role) = driver.crowd().called.pop_front() else {
            return Ok(());
        };
        begin(driver.crowd(), event_loop, role)?;
    }
    Ok(())
}

fn begin<D: Driver>(
    crowd: &mut Crowd,
    event_loop: &mut EventLoop<D>,
    role: Role,
) -> io::Result<()> {
    let number = crowd.free.pop().unwrap_or(crowd.clients.len());
    let prepare = |socket: &Socket| {
        if let Some(bytes) = role.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        role.segment
            .map_or(Ok(()), |bytes| socket.set_tcp_mss(bytes))
    };
    let socket = crowd.sources.connect(prepare).map_err(Failure::Connect)?;
    let watch = Watch::new(Interest::WRITABLE).label("client");
    let stream = event_loop.watch(socket, watch, ready)?;
    crowd.by_watcher.insert(stream.id(), number);
    crowd.under_way += 1;
    let mut client = Client {
        stream: Some(Rc::new(stream)),
        stage: Stage::Connecting,
        role,
        nick: Box::default(),
        nicks_tried: 0,
        decoder: LineDecoder::new(TagLimit::Server),
        queue: SendQueue::new(NO_MARK),
        is_dirty: false,
        is_settling: false,
        last_word: None,
    };
    client.choose_nick(number);
    match crowd.clients.get_mut(number) {
        Some(place) => *place = client,
        None => crowd.clients.push(client),
    }
    Ok(())
}

impl Client {
    /// The next nick to try: at most 9 bytes, which is what a server without an idea of its own
    /// allows (RFC 1459, 1.2).
    fn choose_nick(&mut self, number: ClientNumber) {
        let letter = self.role.letter;
        self.nick = match self.nicks_tried {
            0 => format!("{letter}{number:06}"),
            // Somebody else has it: another run maybe.
            tried => format!(
                "{letter}{number:06}{}",
                char::from(b'a' + (tried % 26) as u8)
            ),
        }
        .into();
        self.nicks_tried += 1;
    }
}

/// A socket is ready.
fn ready<D: Driver>(driver: &mut D, event_loop: &mut EventLoop<D>, event: Event) {
    let Some(&client) = driver.crowd().by_watcher.get(event.id) else {
        return;
    };
    let result = if driver.crowd().clients[client].stage == Stage::Connecting {
        talking::register(driver.crowd(), event_loop, client).map(|()| ReadEnd::Drained)
    } else {
        talking::exchange(driver, event_loop, client, event)
    };
    match result {
        Ok(ReadEnd::EndOfStream) => end(driver, event_loop, client, None),
        Ok(_) => {}
        Err(err) => end(driver, event_loop, client, Some(err)),
    }
}

/// A client is where it was to go.
fn arrive<D: Driver>(driver: &mut D, event_loop: &mut EventLoop<D>, client: ClientNumber) {
    let crowd = driver.crowd();
    crowd.clients[client].stage = Stage::Ready;
    crowd.under_way -= 1;
    crowd.arrived += 1;
    driver.arrived(event_loop, client);
    if let Err(err) = begin_some(driver, event_loop) {
        event_loop.stop(Err(err));
    } else if driver.crowd().under_way == 0 {
        driver.gathered(event_loop);
    }
}

fn end<D: Driver>(
    driver: &mut D,
    event_loop: &mut EventLoop<D>,
    client: ClientNumber,
    failure: Option<io::Error>,
) {
    let crowd = driver.crowd();
    let was_forgotten = crowd.clients[client].stage == Stage::Registering
        && matches!(&failure, Some(err) if err.kind() == ErrorKind::ConnectionReset);
    if was_forgotten && crowd.retries < MAX_RETRIES {
        crowd.retries += 1;
        let role = crowd.forget(client);
        // The next to begin takes the number that was given back last: its own.
        crowd.called.push_front(role);
        if let Err(err) = begin_some(driver, event_loop) {
            event_loop.stop(Err(err));
        }
        return;
    }
    // Its number may be that of the next client by the time this returns.
    if let Some(stream) = driver.crowd().stream(client) {
        driver.lost(event_loop, client, failure);
        let now = driver.crowd().stream(client);
        if now.is_some_and(|now| Rc::ptr_eq(&now, &stream)) {
            driver.crowd().close(client);
        }
    }
}
