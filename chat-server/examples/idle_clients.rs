//! What an idle client costs the server: registers many and looks at its memory.
//!
//! Run it: `cargo run --release -p chat-server --example idle_clients`
//!
//! Shows: thousands of non-blocking connects on one loop, a few hundred under
//! way at a time; several source addresses, since one has only some 28,000
//! ports. The server is this program once more, as a process of its own, so
//! that its memory is nobody else's.
//! Leaves out: what clients cost that talk.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use chat_server::room::Kind;
use chat_server::{Server, Settings};
use clap::Parser;
use epoll_loop::{Event, EventLoop, Interest, Watched, WatcherId, listen};
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};

/// Clients that are registering at the same time.
const UNDER_WAY: usize = 256;

/// Clients from one source address.
const CLIENTS_AN_ADDRESS: usize = 5_000;

/// How long everything may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Register many idle clients with a server and print what each one costs it
#[derive(Parser)]
struct Arguments {
    /// Number of clients [default: 10,000, or half of the limit of descriptors]
    #[arg(long)]
    clients: Option<usize>,

    /// Be the server, and nothing else
    #[arg(long, hide = true)]
    serve: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = if arguments.serve {
        serve()
    } else {
        measure(&arguments)
    };
    chapter::exit("idle_clients", result)
}

fn serve() -> Result<(), Box<dyn Error>> {
    let descriptors = chapter::raise_descriptor_limit()?;
    let listener = listen("127.0.0.1:0".parse()?)?;
    chapter::listening_on(listener.local_addr()?)?;
    let mut settings = Settings::default();
    settings.rules.limits.max_clients = usize::try_from(descriptors)?;
    let mut event_loop = EventLoop::new()?;
    let mut server = Server::new(&mut event_loop, vec![(listener, Kind::Irc)], settings)?;
    Ok(event_loop.run(&mut server)?)
}

fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let limit = usize::try_from(chapter::raise_descriptor_limit()?)?;
    let clients = arguments.clients.unwrap_or_else(|| (limit / 2).min(10_000));
    let mut server = ServerProcess::start()?;
    let before = server.resident_bytes()?;

    let mut event_loop = EventLoop::new()?;
    let mut crowd = Crowd::new(server.address, clients);
    let begin = Instant::now();
    crowd.start_some(&mut event_loop)?;
    event_loop.after(PATIENCE, Crowd::give_up);
    event_loop.run(&mut crowd)?;
    let took = begin.elapsed();

    let after = server.resident_bytes()?;
    let each = after.saturating_sub(before) / u64::try_from(clients.max(1))?;
    let rate = f64::from(u32::try_from(clients)?) / took.as_secs_f64();
    println!("clients registered   {clients}");
    println!("connect + register   {rate:.0} a second");
    println!(
        "server's memory      {} before, {} after",
        kib(before),
        kib(after)
    );
    println!("memory a client      {each} bytes");
    Ok(())
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes / 1024)
}

/// The server; ended when this is dropped.
struct ServerProcess {
    child: Child,
    address: SocketAddr,
}

impl ServerProcess {
    fn start() -> Result<ServerProcess, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg("--serve").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = child
            .stdout
            .take()
            .ok_or("the server has no standard output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .trim()
            .strip_prefix("listening on ")
            .ok_or("the server did not start")?;
        let address = address.parse()?;
        Ok(ServerProcess { child, address })
    }

    /// What the process has in memory (`VmRSS` in `man 5 proc_pid_status`).
    fn resident_bytes(&mut self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .ok_or("no VmRSS")?;
        Ok(kib.trim().parse::<u64>()? * 1024)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The clients: the state of the loop.
struct Crowd {
    server: SocketAddr,
    wanted: usize,
    started: usize,
    registering: HashMap<WatcherId, Client>,
    idle: Vec<Watched<TcpStream>>,
}

struct Client {
    stream: Watched<TcpStream>,
    number: usize,
    /// The last bytes that have come, long enough to hold what is looked for.
    tail: Vec<u8>,
}

impl Crowd {
    fn new(server: SocketAddr, wanted: usize) -> Crowd {
        Crowd {
            server,
            wanted,
            started: 0,
            registering: HashMap::new(),
            idle: Vec::new(),
        }
    }

    /// Connects as many as may be under way.
    fn start_some(&mut self, event_loop: &mut EventLoop<Crowd>) -> io::Result<()> {
        while self.started < self.wanted && self.registering.len() < UNDER_WAY {
            let number = self.started;
            let stream = connect(source(number), self.server)?;
            let stream = event_loop.watch(stream, Interest::WRITABLE, Crowd::register)?;
            self.started += 1;
            self.registering.insert(
                stream.id(),
                Client {
                    stream,
                    number,
                    tail: Vec::new(),
                },
            );
        }
        Ok(())
    }

    /// A connect is over.
    fn register(&mut self, event_loop: &mut EventLoop<Crowd>, event: Event) {
        if let Err(err) = self.try_register(event_loop, event) {
            event_loop.stop(Err(err));
        }
    }

    fn try_register(&mut self, event_loop: &mut EventLoop<Crowd>, event: Event) -> io::Result<()> {
        let Some(client) = self.registering.get_mut(&event.id) else {
            return Ok(());
        };
        if client.stream.interest(event_loop) == Interest::WRITABLE {
            if let Some(err) = client.stream.take_error()? {
                return Err(err);
            }
            let hello = format!("NICK idle{0}\r\nUSER idle 0 * :idle {0}\r\n", client.number);
            (&*client.stream).write_all(hello.as_bytes())?;
            client.stream.set_interest(event_loop, Interest::READABLE);
            return Ok(());
        }
        if !client.has_been_greeted()? {
            return Ok(());
        }
        if let Some(client) = self.registering.remove(&event.id) {
            client.stream.set_interest(event_loop, Interest::NONE);
            self.idle.push(client.stream);
        }
        self.start_some(event_loop)?;
        if self.idle.len() == self.wanted {
            event_loop.stop(Ok(()));
        }
        Ok(())
    }

    fn give_up(&mut self, event_loop: &mut EventLoop<Crowd>, _: Event) {
        let err = format!(
            "{} of {} were registered in time",
            self.idle.len(),
            self.wanted
        );
        event_loop.stop(Err(io::Error::new(ErrorKind::TimedOut, err)));
    }
}

impl Client {
    /// Reads what has come; true when the greeting is over.
    fn has_been_greeted(&mut self) -> io::Result<bool> {
        const END: &[u8] = b" 422 ";
        let mut buffer = [0; 4096];
        match (&*self.stream).read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.tail.extend_from_slice(&buffer[..count]);
                let is_over = self.tail.windows(END.len()).any(|bytes| bytes == END);
                let kept = self.tail.len().saturating_sub(END.len());
                self.tail.drain(..kept);
                Ok(is_over)
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(err) => Err(err),
        }
    }
}

/// The address that a client comes from. Each run has a block of its own, since
/// the ports of the last one stay taken for a minute (`TIME_WAIT`), and looking
/// for free ones among them takes the kernel longer than all the rest.
fn source(number: usize) -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    let host = u8::try_from(number / CLIENTS_AN_ADDRESS + 1).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, high.max(1), low, host)
}

fn connect(source: Ipv4Addr, server: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(source, 0)).into())?;
    match socket.connect(&server.into()) {
        // EINPROGRESS: writable when it is over.
        Err(err) if err.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(err),
        _ => Ok(socket.into()),
    }
}
