//! The server: its sockets, and the state that its callbacks share.
//!
//! Shows: one loop for listeners, connections and UDP sockets; TCP and UDP have
//! ports of their own, so that one number serves both.

use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use epoll_loop::{EventLoop, Interest, Output, Watch, WatcherMap, listen};

use crate::counters::{Counters, Ledger};
use crate::datagrams::{self, Batch};
use crate::gate::Gate;
use crate::service::Service;
use crate::tcp::{BUFFER_BYTES, Connection, Door, Rest};
use crate::udp::Port;

/// How often a free port is looked for that is free for TCP and for UDP.
const FREE_PORT_TRIES: usize = 32;

/// How a server serves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections at once; those beyond wait in the backlog. At least 1.
    pub max_connections: usize,
    /// How long a connection may be silent in both directions.
    pub idle_timeout: Duration,
    /// Datagrams received by one system call, 1 to 1,024.
    pub udp_batch: usize,
    /// Bytes of the longest datagram that is answered, 1 to 65,535.
    pub udp_buffer: usize,
    /// Answers of amplifiers (chargen, daytime, time) a second for each network
    /// over UDP. At least 1.
    pub answer_rate: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_connections: 1_000,
            idle_timeout: Duration::from_mins(1),
            udp_batch: 32,
            udp_buffer: 65_535,
            answer_rate: 50,
        }
    }
}

/// The sockets of one service, bound and not served yet.
#[derive(Debug)]
pub struct Sockets {
    service: Service,
    listener: TcpListener,
    /// Nothing where it would be an amplifier that nobody has asked for.
    udp: Option<UdpSocket>,
}

impl Sockets {
    /// Binds a port for TCP, and the same for UDP if `with_udp` is set. Port 0
    /// takes one that is free for both.
    ///
    /// # Errors
    ///
    /// [`BindError`] names the socket that could not be had.
    pub fn bind(
        service: Service,
        address: IpAddr,
        port: u16,
        with_udp: bool,
    ) -> Result<Sockets, BindError> {
        let mut tries = if port == 0 { FREE_PORT_TRIES } else { 1 };
        loop {
            tries -= 1;
            let tcp = SocketAddr::new(address, port);
            let failed = |transport, address| {
                move |source| BindError {
                    service,
                    transport,
                    address,
                    source,
                }
            };
            // ANCHOR: bind-both
            let listener = listen(tcp).map_err(failed(Transport::Tcp, tcp))?;
            let address = listener.local_addr().map_err(failed(Transport::Tcp, tcp))?;
            let udp = if with_udp {
                match datagrams::bind(address).map_err(failed(Transport::Udp, address)) {
                    Ok(socket) => Some(socket),
                    // ANCHOR: free-for-both
                    Err(err) if err.source.kind() == io::ErrorKind::AddrInUse && tries > 0 => {
                        continue;
                    }
                    // ANCHOR_END: free-for-both
                    Err(err) => return Err(err),
                }
            } else {
                None
            };
            // ANCHOR_END: bind-both
            return Ok(Sockets {
                service,
                listener,
                udp,
            });
        }
    }

    /// Where the service is reached, over TCP and over UDP.
    ///
    /// # Errors
    ///
    /// What `getsockname(2)` reports.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A stream of bytes for each connection.
    Tcp,
    /// Datagrams.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        })
    }
}

/// A socket that could not be bound.
#[derive(Debug)]
pub struct BindError {
    service: Service,
    transport: Transport,
    address: SocketAddr,
    source: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BindError {
            service,
            transport,
            address,
            source,
        } = self;
        let why = chapter::why(source);
        write!(f, "{service} {transport} {address}: {why}")
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// A server of the small services: the state of its event loop.
///
/// ```
/// use std::net::UdpSocket;
/// use std::time::Duration;
/// use epoll_loop::EventLoop;
/// use tcp_udp_server::{Server, Service, Settings, Sockets};
///
/// let sockets = Sockets::bind(Service::Echo, [127, 0, 0, 1].into(), 0, true)?;
/// let address = sockets.address()?;
/// let mut event_loop = EventLoop::new()?;
/// let mut server = Server::new(&mut event_loop, vec![sockets], Settings::default(), None)?;
///
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.send_to(b"hello", address)?;
/// while server.counters().answers == 0 {
///     event_loop.turn(&mut server, Some(Duration::from_secs(10)))?;
/// }
/// let mut buffer = [0; 100];
/// let (length, from) = client.recv_from(&mut buffer)?;
/// assert_eq!((&buffer[..length], from), (&b"hello"[..], address));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    pub(crate) settings: Settings,
    pub(crate) doors: WatcherMap<Door>,
    pub(crate) ports: WatcherMap<Port>,
    pub(crate) connections: WatcherMap<Connection>,
    /// How many connections there are.
    pub(crate) open: usize,
    pub(crate) resting: Option<Rest>,
    /// What is read from connections goes through here, whoever it comes from.
    pub(crate) buffer: Vec<u8>,
    pub(crate) batch: Batch,
    pub(crate) gate: Gate,
    pub(crate) ledger: Ledger,
}

impl Server {
    /// Has `event_loop` serve what comes to these sockets. What is dropped is
    /// told in `log`, if there is one.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` reports.
    pub fn new(
        event_loop: &mut EventLoop<Server>,
        sockets: Vec<Sockets>,
        settings: Settings,
        log: Option<Output>,
    ) -> io::Result<Server> {
        let (mut doors, mut ports) = (WatcherMap::new(), WatcherMap::new());
        let mut our_ports = HashSet::new();
        for sockets in sockets {
            let service = sockets.service;
            our_ports.insert(sockets.address()?.port());
            let watch = Watch::new(Interest::READABLE).label("listener");
            let listener = event_loop.watch(sockets.listener, watch, Server::accept)?;
            doors.insert(listener.id(), Door { listener, service });
            if let Some(socket) = sockets.udp {
                let watch = Watch::new(Interest::READABLE).label("udp");
                let socket = event_loop.watch(socket, watch, Server::answer_datagrams)?;
                let port = Port {
                    socket,
                    service,
                    lost: 0,
                };
                ports.insert(port.socket.id(), port);
            }
        }
        Ok(Server {
            doors,
            ports,
            connections: WatcherMap::new(),
            open: 0,
            resting: None,
            buffer: vec![0; BUFFER_BYTES],
            batch: Batch::new(settings.udp_batch, settings.udp_buffer),
            gate: Gate::new(our_ports, settings.answer_rate),
            ledger: Ledger::new(log),
            settings,
        })
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.ledger.counters
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open
    }

    /// Bytes that wait to be written, in all connections.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        let connections = self.connections.values();
        connections.map(Connection::queued_bytes).sum()
    }
}
