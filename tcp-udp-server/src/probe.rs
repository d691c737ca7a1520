//! A client for all the services, which checks what they answer.
//!
//! Shows: the other end of each conversation, all of them at once on one loop:
//! a connect that does not block, a half close, and a connected UDP socket,
//! which is told when nobody listens (an unconnected one never hears of it).
//! Leaves out: what a service must not answer; the tests of the server do that.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use epoll_loop::{
    Event, EventLoop, Interest, ReadEnd, Readiness, SendQueue, Watch, Watched, WatcherMap,
    read_within,
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::expectation::{Differs, Said, Seen, after_datagram, after_stream, request};
use crate::server::Transport;
use crate::service::Service;

/// A datagram that was not answered is sent again so often, since it may have
/// been lost. What never answers is believed after one such silence.
const RESEND_INTERVAL: Duration = Duration::from_millis(250);

/// More than this is read of no service.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What is asked: one service, by one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which service.
    pub service: Service,
    /// By TCP or by UDP.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

/// What came of a question.
#[derive(Debug)]
pub struct Report {
    /// What was asked.
    pub question: Question,
    /// What was answered, if it was right.
    pub result: Result<Said, Failure>,
    /// How long it took.
    pub time: Duration,
}

/// Why a service did not pass.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be reached.
    Io(io::Error),
    /// It did not answer in time, or not to the end.
    Silent,
    /// It answered something else.
    Differs(Differs),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Io(err) => f.write_str(&chapter::why(err)),
            Failure::Silent => f.write_str("no answer, or no end of it"),
            Failure::Differs(differs) => differs.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(err: io::Error) -> Failure {
        Failure::Io(err)
    }
}

/// One question on its way.
#[derive(Debug)]
struct Check {
    question: Question,
    begun: Instant,
    talk: Option<Talk>,
    report: Option<(Result<Said, Failure>, Duration)>,
}

/// The socket of a question that is not answered yet.
#[derive(Debug)]
enum Talk {
    Tcp {
        stream: Watched<TcpStream>,
        is_connected: bool,
        request: SendQueue,
        received: Vec<u8>,
    },
    Udp(Watched<UdpSocket>),
}

/// All questions: the state of the loop that asks them.
///
/// ```
/// use std::time::Duration;
/// use epoll_loop::EventLoop;
/// use tcp_udp_server::{Probe, Question, Service, Transport};
///
/// // Nobody listens at a port that was free a moment ago.
/// let address = std::net::UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
/// let question = Question { service: Service::Echo, transport: Transport::Udp, address };
///
/// let mut event_loop = EventLoop::new()?;
/// let mut probe = Probe::new(&mut event_loop, &[question], Duration::from_secs(5));
/// event_loop.run(&mut probe)?;
/// let reports = probe.reports();
/// assert_eq!(reports[0].result.as_ref().unwrap_err().to_string(), "connection refused");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Probe {
    checks: Vec<Check>,
    /// Which check a socket is for.
    numbers: WatcherMap<usize>,
    unanswered: usize,
    buffer: Vec<u8>,
}

impl Probe {
    /// Begins to ask; `event_loop` stops when all is answered, or when
    /// `timeout` has passed.
    pub fn new(
        event_loop: &mut EventLoop<Probe>,
        questions: &[Question],
        timeout: Duration,
    ) -> Probe {
        let mut probe = Probe {
            checks: Vec::new(),
            numbers: WatcherMap::new(),
            unanswered: questions.len(),
            buffer: vec![0; MAX_ANSWER_BYTES],
        };
        for (number, &question) in questions.iter().enumerate() {
            let begun = Instant::now();
            let talk = begin(event_loop, question);
            let (talk, error) = match talk {
                Ok((talk, id)) => {
                    probe.numbers.insert(id, number);
                    (Some(talk), None)
                }
                Err(err) => (None, Some(err)),
            };
            probe.checks.push(Check {
                question,
                begun,
                talk,
                report: None,
            });
            if let Some(err) = error {
                probe.finish(event_loop, number, Err(err.into()));
            }
        }
        if questions.is_empty() {
            event_loop.stop(Ok(()));
        }
        // What is not answered by then is reported as silent.
        event_loop.after(timeout, |_, event_loop, _| event_loop.stop(Ok(())));
        probe
    }

    /// What came of the questions, in their order.
    #[must_use]
    pub fn reports(self) -> Vec<Report> {
        let report = |check: Check| {
            let (result, time) = check.report.unwrap_or_else(|| {
                let so_far = check.begun.elapsed();
                (Err(Failure::Silent), so_far)
            });
            Report {
                question: check.question,
                result,
                time,
            }
        };
        self.checks.into_iter().map(report).collect()
    }

    /// A socket is ready, or a datagram has not been answered for a while.
    fn listen(&mut self, event_loop: &mut EventLoop<Probe>, event: Event) {
        let Some(&number) = self.numbers.get(event.id) else {
            return;
        };
        let Probe { checks, buffer, .. } = self;
        let check = &mut checks[number];
        let question = check.question;
        let result = match &mut check.talk {
            Some(Talk::Tcp {
                stream,
                is_connected,
                request,
                received,
            }) => converse(
                event_loop,
                (stream, is_connected),
                question.service,
                request,
                (received, buffer),
                event.readiness,
            ),
            Some(Talk::Udp(socket)) if event.readiness.is_timeout() => {
                wait_longer(socket, question.service)
            }
            Some(Talk::Udp(socket)) => hear(socket, question.service, buffer),
            None => return,
        };
        match result {
            Ok(None) => {}
            Ok(Some(said)) => self.finish(event_loop, number, Ok(said)),
            Err(failure) => self.finish(event_loop, number, Err(failure)),
        }
    }

    fn finish(
        &mut self,
        event_loop: &mut EventLoop<Probe>,
        number: usize,
        result: Result<Said, Failure>,
    ) {
        let check = &mut self.checks[number];
        check.talk = None;
        check.report = Some((result, check.begun.elapsed()));
        self.unanswered -= 1;
        if self.unanswered == 0 {
            event_loop.stop(Ok(()));
        }
    }
}

/// Opens a socket and begins to talk.
fn begin(
    event_loop: &mut EventLoop<Probe>,
    question: Question,
) -> io::Result<(Talk, epoll_loop::WatcherId)> {
    let Question {
        service,
        transport,
        address,
    } = question;
    let domain = Domain::for_address(address);
    match transport {
        Transport::Tcp => {
            let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
            socket.set_nonblocking(true)?;
            match socket.connect(&address.into()) {
                Ok(()) => {}
                Err(err) if err.raw_os_error() == Some(nix::libc::EINPROGRESS) => {}
                Err(err) => return Err(err),
            }
            // Watched after connect: before it the kernel would report OUT|HUP.
            let watch = Watch::new(Interest::READABLE | Interest::WRITABLE).label("tcp");
            let stream = event_loop.watch(TcpStream::from(socket), watch, Probe::listen)?;
            let id = stream.id();
            let mut queue = SendQueue::new(0);
            queue.push(&request(service, Transport::Tcp));
            let talk = Talk::Tcp {
                stream,
                is_connected: false,
                request: queue,
                received: Vec::new(),
            };
            Ok((talk, id))
        }
        Transport::Udp => {
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_nonblocking(true)?;
            // Connected: datagrams of others are not received, and ICMP's word
            // that nobody listens is reported as ECONNREFUSED.
            socket.connect(&address.into())?;
            let watch = Watch::new(Interest::READABLE)
                .label("udp")
                .timeout(RESEND_INTERVAL);
            let socket = event_loop.watch(UdpSocket::from(socket), watch, Probe::listen)?;
            let id = socket.id();
            send(&socket, service)?;
            Ok((Talk::Udp(socket), id))
        }
    }
}

/// Goes on with a TCP conversation; nothing while it is not over.
fn converse(
    event_loop: &mut EventLoop<Probe>,
    (stream, is_connected): (&Watched<TcpStream>, &mut bool),
    service: Service,
    request: &mut SendQueue,
    (received, buffer): (&mut Vec<u8>, &mut [u8]),
    readiness: Readiness,
) -> Result<Option<Said>, Failure> {
    if !*is_connected {
        // Ready without an error is connected; SO_ERROR is cleared by asking.
        if let Some(err) = stream.take_error()? {
            return Err(err.into());
        }
        *is_connected = true;
    }
    if readiness.intersects(Readiness::OUT) {
        request.flush(event_loop, stream)?;
        if request.is_empty() && matches!(service, Service::Echo | Service::Discard) {
            stream.shutdown(Shutdown::Write)?;
        }
    }
    let mut end = ReadEnd::Drained;
    if readiness.is_readable() {
        let room = MAX_ANSWER_BYTES.saturating_sub(received.len()).max(1);
        end = read_within(&**stream, readiness, buffer, room, |bytes| {
            received.extend_from_slice(bytes);
        })?;
    }
    match after_stream(service, received, end == ReadEnd::EndOfStream) {
        Ok(Seen::Enough(said)) => Ok(Some(said)),
        Ok(Seen::More) if received.len() < MAX_ANSWER_BYTES => Ok(None),
        Ok(Seen::More) => Err(Failure::Differs(Differs::TooLong)),
        Err(differs) => Err(Failure::Differs(differs)),
    }
}

/// A datagram has come, or the word that none will.
fn hear(socket: &UdpSocket, service: Service, buffer: &mut [u8]) -> Result<Option<Said>, Failure> {
    match socket.recv(buffer) {
        Ok(length) => match after_datagram(service, &buffer[..length]) {
            Ok(said) => Ok(Some(said)),
            Err(differs) => Err(Failure::Differs(differs)),
        },
        Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(err) => Err(err.into()),
    }
}

/// Nothing has come: which is right for one service, and a loss for the others.
fn wait_longer(socket: &UdpSocket, service: Service) -> Result<Option<Said>, Failure> {
    if service == Service::Discard {
        return Ok(Some(Said::Nothing));
    }
    send(socket, service)?;
    Ok(None)
}

fn send(socket: &UdpSocket, service: Service) -> io::Result<()> {
    socket.send(&request(service, Transport::Udp)).map(drop)
}
