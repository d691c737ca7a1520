//! What the kernel reports of a connect, step by step, with peers of its own.
//!
//! Shows: the readiness of a connect that works, that is greeted, that is refused, that hears
//! nothing; `SO_ERROR` read twice; a timeout that ends only the waiting; and three ways to have one.
//! Leaves out: the races of real networks. Each line here waits for its event.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Stdout, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chapter::{Timeline, Unexpected, errno_name};
use epoll_loop::{EventLoop, Interest, Readiness};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nonblock_connect::SilentListener;
use socket2::{Domain, Socket, Type};

/// Who does something in the timeline.
const NAMES: [&str; 7] = [
    "fresh", "open", "banner", "refused", "silent", "sndtimeo", "user",
];

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// How long to wait for what does not come.
const IN_VAIN: Duration = Duration::from_millis(300);

/// How long to wait for what must come; nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the demonstration ends with exit code 1.
#[derive(Debug)]
pub(crate) enum DemoError {
    /// A step could not be done at all.
    Step(io::Error),
    /// The kernel has answered otherwise than the text says.
    Unexpected(Unexpected),
}

/// The timeline, and the loop by which readiness is asked for.
struct Demo {
    timeline: Timeline<Stdout>,
    event_loop: EventLoop<Option<Readiness>>,
}

/// A socket on its way.
struct Client {
    socket: Rc<Socket>,
    local: Option<SocketAddr>,
    to: SocketAddr,
}

impl Client {
    fn new(socket: Socket, to: SocketAddr) -> io::Result<Client> {
        let local = socket.local_addr()?.as_socket();
        let socket = Rc::new(socket);
        Ok(Client { socket, local, to })
    }
}

/// Runs all steps.
pub(crate) fn run(trace: chapter::Trace) -> Result<(), DemoError> {
    let mut demo = Demo {
        timeline: Timeline::new(io::stdout(), &NAMES),
        event_loop: EventLoop::new()?,
    };
    let _tracing = trace.start(&mut demo.event_loop)?;
    demo.show()?;
    demo.timeline.verdict().map_err(DemoError::Unexpected)
}

impl Demo {
    fn show(&mut self) -> io::Result<()> {
        self.never_connected()?;
        self.open()?;
        self.banner()?;
        self.refused()?;
        self.silent()?;
        self.send_timeout()?;
        self.user_timeout()
    }

    /// Why a socket is watched after connect and not before.
    fn never_connected(&mut self) -> io::Result<()> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
        self.epoll("fresh", "OUT|HUP", &Rc::new(socket))?;
        self.note("fresh", "so watch a socket after connect, not before")
    }

    fn open(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(LOOPBACK)?;
        let client = self.connect("open", listener.local_addr()?)?;
        wait_for(&client.socket, PollFlags::POLLOUT)?;
        self.epoll("open", "OUT", &client.socket)?;
        self.so_error("open", "SO_ERROR", "0", &client)?;
        self.state("open", "ESTABLISHED", &client)?;
        self.note(
            "open",
            "nobody has called accept: the kernel answers for the listener",
        )
    }

    fn banner(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(LOOPBACK)?;
        let client = self.connect("banner", listener.local_addr()?)?;
        let (mut peer, _) = listener.accept()?;
        peer.write_all(b"220 welcome\r\n")?;
        wait_for(&client.socket, PollFlags::POLLIN | PollFlags::POLLOUT)?;
        self.epoll("banner", "IN|OUT", &client.socket)?;
        self.so_error("banner", "SO_ERROR", "0", &client)
    }

    fn refused(&mut self) -> io::Result<()> {
        let closed = TcpListener::bind(LOOPBACK)?.local_addr()?;
        let client = self.connect("refused", closed)?;
        wait_for(&client.socket, PollFlags::POLLERR | PollFlags::POLLHUP)?;
        self.epoll("refused", "IN|OUT|ERR|HUP|RDHUP", &client.socket)?;
        self.note(
            "refused",
            "readable and writable, as with a banner: only SO_ERROR is sure",
        )?;
        self.so_error("refused", "SO_ERROR, read once", "ECONNREFUSED", &client)?;
        self.so_error("refused", "SO_ERROR, read twice", "0", &client)?;
        self.note(
            "refused",
            "reading clears it: ask once, and keep the answer",
        )
    }

    /// A timeout ends the waiting; only closing ends the connect.
    fn silent(&mut self) -> io::Result<()> {
        let peer = SilentListener::bind(LOOPBACK)?;
        let client = self.connect("silent", peer.address())?;
        self.epoll("silent", "nothing", &client.socket)?;
        self.so_error("silent", "SO_ERROR", "0", &client)?;
        self.note(
            "silent",
            "that 0 is no success: nothing was reported, so nothing is over",
        )?;
        let written = (&*client.socket).write(b"hello");
        self.timeline
            .answer("silent", "write", "EAGAIN", name(written))?;
        self.state("silent", "SYN_SENT", &client)?;
        peer.accept()?;
        self.note(
            "silent",
            "we wait no more; only now the peer has room for us",
        )?;
        wait_for(&client.socket, PollFlags::POLLOUT)?;
        self.state("silent", "ESTABLISHED", &client)?;
        self.note(
            "silent",
            "the kernel went on, and its next SYN was answered",
        )?;
        // That connection has filled the backlog again.
        let client = self.connect("silent", peer.address())?;
        self.state("silent", "SYN_SENT", &client)?;
        let Client { socket, local, to } = client;
        drop(socket);
        self.note("silent", "we wait no more, and close")?;
        self.timeline
            .answer("silent", "state", "gone", tcp_state(local, to)?)
    }

    /// The way of listing 11-1.
    fn send_timeout(&mut self) -> io::Result<()> {
        let peer = SilentListener::bind(LOOPBACK)?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM.cloexec(), None)?;
        socket.set_write_timeout(Some(IN_VAIN))?;
        let what = "blocking connect with SO_SNDTIMEO of 300 ms";
        let first = socket.connect(&peer.address().into());
        self.timeline
            .answer("sndtimeo", what, "EINPROGRESS", name(first))?;
        let client = Client::new(socket, peer.address())?;
        self.state("sndtimeo", "SYN_SENT", &client)?;
        let again = client.socket.connect(&peer.address().into());
        self.timeline
            .answer("sndtimeo", "connect again", "EALREADY", name(again))?;
        self.note(
            "sndtimeo",
            "the thread was held, and the attempt goes on: close it here too",
        )
    }

    /// The one timeout that ends the attempt itself.
    fn user_timeout(&mut self) -> io::Result<()> {
        let peer = SilentListener::bind(LOOPBACK)?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), None)?;
        socket.set_tcp_user_timeout(Some(Duration::from_millis(1_500)))?;
        let what = "connect with TCP_USER_TIMEOUT of 1500 ms";
        let first = socket.connect(&peer.address().into());
        self.timeline
            .answer("user", what, "EINPROGRESS", name(first))?;
        let client = Client::new(socket, peer.address())?;
        wait_for(&client.socket, PollFlags::POLLERR | PollFlags::POLLHUP)?;
        self.epoll("user", "IN|OUT|ERR|HUP|RDHUP", &client.socket)?;
        self.so_error("user", "SO_ERROR", "ETIMEDOUT", &client)?;
        self.note(
            "user",
            "here the kernel has given up; but unacknowledged data has that limit too",
        )
    }

    // ---- the parts of a step ----

    fn note(&mut self, who: &str, what: &str) -> io::Result<()> {
        self.timeline.say(who, format_args!("   {what}"))
    }

    /// Begins to connect: on loopback, too, the answer is "in progress".
    fn connect(&mut self, who: &str, to: SocketAddr) -> io::Result<Client> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), None)?;
        let answer = socket.connect(&to.into());
        self.timeline
            .answer(who, "connect", "EINPROGRESS", name(answer))?;
        Client::new(socket, to)
    }

    /// What the loop is told of the socket.
    fn epoll(&mut self, who: &str, expected: &str, socket: &Rc<Socket>) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        let mut seen = None;
        let watched = self
            .event_loop
            .watch(Rc::clone(socket), both, |seen, _, event| {
                *seen = Some(event.readiness);
            })?;
        self.event_loop.turn(&mut seen, Some(IN_VAIN))?;
        drop(watched);
        // The loop's share in the socket ends here.
        self.event_loop.reify();
        let answered = seen.map_or("nothing".to_owned(), |readiness| readiness.to_string());
        self.timeline.answer(who, "epoll", expected, answered)
    }

    fn so_error(
        &mut self,
        who: &str,
        what: &str,
        expected: &str,
        client: &Client,
    ) -> io::Result<()> {
        let error = client.socket.take_error()?;
        let answered = error.map_or("0".to_owned(), |err| errno_name(&err));
        self.timeline.answer(who, what, expected, answered)
    }

    /// What the kernel's own table has.
    fn state(&mut self, who: &str, expected: &str, client: &Client) -> io::Result<()> {
        let answered = tcp_state(client.local, client.to)?;
        self.timeline.answer(who, "state", expected, answered)
    }
}

/// The name of an error, or what was returned.
fn name<T: fmt::Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(err) => errno_name(&err),
    }
}

/// Waits until the kernel reports all of `wanted`, of which parts may come first.
fn wait_for(socket: &Socket, wanted: PollFlags) -> io::Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let mut asked = [PollFd::new(socket.as_fd(), wanted)];
        poll(&mut asked, PollTimeout::from(100_u8))?;
        if asked[0].revents().is_some_and(|seen| seen.contains(wanted)) {
            return Ok(());
        }
    }
    Err(ErrorKind::TimedOut.into())
}

/// `man 5 proc`, /proc/net/tcp: addresses and ports as hexadecimal numbers, then the state.
fn tcp_state(local: Option<SocketAddr>, to: SocketAddr) -> io::Result<&'static str> {
    let Some(local) = local else {
        return Ok("unbound");
    };
    let ports = (
        format!(":{:04X}", local.port()),
        format!(":{:04X}", to.port()),
    );
    let table = fs::read_to_string("/proc/net/tcp")?;
    let state = table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (from, to, state) = (fields.next()?, fields.next()?, fields.next()?);
        (from.ends_with(&ports.0) && to.ends_with(&ports.1)).then(|| state.to_owned())
    });
    Ok(match state.as_deref() {
        None => "gone",
        Some("01") => "ESTABLISHED",
        Some("02") => "SYN_SENT",
        Some(_) => "another",
    })
}

impl From<io::Error> for DemoError {
    fn from(err: io::Error) -> DemoError {
        DemoError::Step(err)
    }
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DemoError::Step(err) => write!(f, "demo: {}", chapter::why(err)),
            DemoError::Unexpected(answers) => answers.fmt(f),
        }
    }
}
