//! What the program is asked to do, and what is wrong with that.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tcp_udp_server::{Service, Settings, Transport, UnknownService};

/// Descriptors that are for other things than connections: the standard ones,
/// epoll, a signalfd.
const SPARE_DESCRIPTORS: u64 = 32;

/// Most datagrams that `recvmmsg(2)` takes at once (`UIO_MAXIOV`).
const MAX_UDP_BATCH: u16 = 1_024;

/// Serve echo, discard, chargen, daytime and time, each over TCP and UDP
///
/// A port number is not one port: TCP and UDP have their own, and a server that
/// wants both binds both. Over TCP bytes are a stream, and three writes of the
/// client may be one read here; over UDP each datagram stays what it was.
///
/// Who does not read what a service sends is not read from, so that it costs no
/// memory; a client that half closes (nc -N) still gets all of its echo.
///
/// A datagram may carry anybody's address as its sender's. So over UDP nothing
/// is answered that comes from a port of one of our services or below 1024 (two
/// services that answer each other never stop), nor with more bytes than came:
/// send daytime and time at least 30. What was not answered is told on standard
/// error, and all is counted when the program is ended (SIGINT, SIGTERM).
///
/// Chapter: TCP and UDP on one port, section 9.7. See what the kernel does:
/// tcp-udp-server demo
///
/// Examples:
///   tcp-udp-server                         then: nc 127.0.0.1 7007
///   tcp-udp-server probe                   asks all of them, checks the answers
///   tcp-udp-server --service echo=7777     then: nc -u 127.0.0.1 7777
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Probe(ProbeArguments),
    /// Show both ends at work: a timeline of what was done and what the kernel
    /// answered
    ///
    /// Everything is on loopback and in this process. Exit code 1 if the kernel
    /// answers otherwise than the text says.
    #[command(verbatim_doc_comment)]
    Demo {
        #[command(flatten)]
        trace: chapter::Trace,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address to serve on; may be given several times
    #[arg(long, value_name = "ADDRESS", default_values_t = [IpAddr::V4(Ipv4Addr::LOCALHOST)])]
    pub(crate) listen: Vec<IpAddr>,

    /// Service and its port, instead of all five; may be given several times.
    /// Port 0 takes a free one. Default: echo=7007 discard=7009 daytime=7013
    /// chargen=7019 time=7037
    #[arg(long, value_name = "NAME[=PORT]", verbatim_doc_comment)]
    service: Vec<ServiceAt>,

    /// Serve chargen, daytime and time over UDP off loopback too. They answer
    /// whoever a datagram names as its sender, never with more than it has sent
    #[arg(long)]
    amplifiers: bool,

    #[command(flatten)]
    pub(crate) trace: chapter::Trace,

    /// Connections at once; those beyond wait in the backlog. Default: 1,000, or
    /// as many as the limit of descriptors (ulimit -n) allows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Limits")]
    max_connections: Option<u64>,

    /// How long a connection may be silent in both directions
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = some_time, help_heading = "Limits")]
    idle_timeout: Duration,

    /// Datagrams taken by one recvmmsg(2), 1 to 1024
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_UDP_BATCH)), help_heading = "Limits")]
    udp_batch: u16,

    /// Bytes of the longest datagram that is answered, 1 to 65535, which cuts
    /// none; one that is cut is dropped
    #[arg(long, value_name = "SIZE", default_value = "65535", value_parser = udp_buffer, help_heading = "Limits")]
    udp_buffer: usize,

    /// Answers a second of chargen, daytime and time over UDP to one network
    /// (/24 or /64)
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    answer_rate: u32,
}

/// Ask services over TCP and UDP, and check what they answer
///
/// Works with other servers of these services too. Exit code 1 if one of them
/// does not answer, or not as its RFC says. Nothing is all that discard may
/// answer, so over UDP it passes if no error comes back.
///
/// Examples:
///   tcp-udp-server probe
///   tcp-udp-server probe time.example.org --service time=37 --tcp
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ProbeArguments {
    /// Host to ask: an address or a name
    #[arg(default_value = "127.0.0.1")]
    pub(crate) host: String,

    /// Service and its port, instead of all five on their default ports; may be
    /// given several times
    #[arg(long, value_name = "NAME[=PORT]")]
    service: Vec<ServiceAt>,

    /// Ask over TCP only
    #[arg(long, conflicts_with = "udp")]
    tcp: bool,

    /// Ask over UDP only
    #[arg(long)]
    udp: bool,

    /// How long all answers together may take (500ms, 3s, 2m)
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = some_time)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) trace: chapter::Trace,
}

impl ServeArguments {
    /// What is to be served, on each address.
    pub(crate) fn services(&self) -> Vec<ServiceAt> {
        wanted(&self.service)
    }

    /// The settings of the server; `descriptors` is `RLIMIT_NOFILE`.
    pub(crate) fn settings(&self, descriptors: u64) -> Result<Settings, ArgumentError> {
        let sockets = 2 * self.listen.len() as u64 * self.services().len() as u64;
        let room = descriptors.saturating_sub(SPARE_DESCRIPTORS + sockets);
        let default = Settings::default();
        let max_connections = match self.max_connections {
            Some(wanted) if wanted > room => {
                return Err(ArgumentError {
                    wanted,
                    descriptors,
                    others: SPARE_DESCRIPTORS + sockets,
                });
            }
            Some(wanted) => wanted,
            None => (default.max_connections as u64).min(room.max(1)),
        };
        Ok(Settings {
            max_connections: usize::try_from(max_connections).unwrap_or(usize::MAX),
            idle_timeout: self.idle_timeout,
            udp_batch: self.udp_batch.into(),
            udp_buffer: self.udp_buffer,
            answer_rate: self.answer_rate,
        })
    }

    /// Whether datagrams to a service are answered on this address.
    pub(crate) fn serves_udp(&self, service: Service, address: IpAddr) -> bool {
        self.amplifiers || address.is_loopback() || !service.is_amplifier()
    }

    /// What should be known of the services that are not served, if any.
    pub(crate) fn notice(&self) -> Option<String> {
        let services = self.services();
        let mut left_out: Vec<&str> = services
            .iter()
            .map(|wanted| wanted.service)
            .filter(|&service| {
                let mut addresses = self.listen.iter();
                addresses.any(|&address| !self.serves_udp(service, address))
            })
            .map(Service::name)
            .collect();
        left_out.dedup();
        (!left_out.is_empty()).then(|| {
            let names = left_out.join(", ");
            format!("off loopback {names} over UDP must be asked for: --amplifiers")
        })
    }
}

impl ProbeArguments {
    /// What is to be asked.
    pub(crate) fn services(&self) -> Vec<ServiceAt> {
        wanted(&self.service)
    }

    /// Whether it is asked by this transport.
    pub(crate) fn asks(&self, transport: Transport) -> bool {
        match transport {
            Transport::Tcp => !self.udp,
            Transport::Udp => !self.tcp,
        }
    }
}

/// A service and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceAt {
    pub(crate) service: Service,
    pub(crate) port: u16,
}

impl From<Service> for ServiceAt {
    fn from(service: Service) -> ServiceAt {
        ServiceAt {
            service,
            port: service.default_port(),
        }
    }
}

impl FromStr for ServiceAt {
    type Err = ServiceError;

    fn from_str(text: &str) -> Result<ServiceAt, ServiceError> {
        let (name, port) = match text.split_once('=') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        };
        let service: Service = name.parse().map_err(ServiceError::Name)?;
        let port = match port {
            Some(port) => port.parse().map_err(|_| ServiceError::Port)?,
            None => service.default_port(),
        };
        Ok(ServiceAt { service, port })
    }
}

/// What was given, or all services if nothing was.
fn wanted(given: &[ServiceAt]) -> Vec<ServiceAt> {
    if given.is_empty() {
        Service::ALL.map(ServiceAt::from).to_vec()
    } else {
        given.to_vec()
    }
}

/// What is wrong with NAME=PORT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceError {
    Name(UnknownService),
    Port,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServiceError::Name(unknown) => unknown.fmt(f),
            ServiceError::Port => f.write_str("a port is a number up to 65535"),
        }
    }
}

impl Error for ServiceError {}

/// More connections than descriptors.
#[derive(Debug)]
pub(crate) struct ArgumentError {
    wanted: u64,
    descriptors: u64,
    others: u64,
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ArgumentError {
            wanted,
            descriptors,
            others,
        } = self;
        write!(
            f,
            "--max-connections {wanted}: only {descriptors} descriptors may be open \
             (RLIMIT_NOFILE), and {others} are needed beside the connections'"
        )
    }
}

impl Error for ArgumentError {}

/// A value that is well-formed and out of its range.
#[derive(Clone, Copy, Debug)]
struct OutOfRange(&'static str);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for OutOfRange {}

fn some_time(text: &str) -> Result<Duration, Box<dyn Error + Send + Sync>> {
    let time = chapter::duration(text)?;
    if time.is_zero() {
        return Err(Box::new(OutOfRange("it must be longer than no time")));
    }
    Ok(time)
}

fn udp_buffer(text: &str) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let bytes = chapter::size(text)?;
    if !(1..=65_535).contains(&bytes) {
        return Err(Box::new(OutOfRange("it must be 1 to 65535 bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["tcp-udp-server"], arguments].concat())
    }

    #[test]
    fn a_service_is_a_name_and_perhaps_a_port() {
        let at = |text: &str| text.parse::<ServiceAt>();
        assert_eq!(at("echo"), Ok(Service::Echo.into()));
        assert_eq!(at("time=37").unwrap().port, 37);
        assert_eq!(at("time="), Err(ServiceError::Port));
        assert_eq!(at("time=65536"), Err(ServiceError::Port));
        assert_eq!(at("=37"), Err(ServiceError::Name(UnknownService)));
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_library() {
        let settings = parse(&[]).unwrap().serve.settings(20_000).unwrap();
        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", Settings::default())
        );
    }

    #[test]
    fn amplifiers_are_served_on_loopback_and_elsewhere_when_asked_for() {
        let [loopback, elsewhere] = ["127.1.2.3", "0.0.0.0"].map(|text| text.parse().unwrap());
        let serve = parse(&["--listen", "0.0.0.0"]).unwrap().serve;
        assert!(serve.serves_udp(Service::Chargen, loopback));
        assert!(!serve.serves_udp(Service::Chargen, elsewhere));
        assert!(serve.serves_udp(Service::Echo, elsewhere));
        let notice = serve.notice().unwrap();
        assert!(
            notice.contains("chargen, daytime, time over UDP"),
            "{notice}"
        );
        let asked = parse(&["--listen", "0.0.0.0", "--amplifiers"])
            .unwrap()
            .serve;
        assert!(asked.serves_udp(Service::Time, elsewhere));
        assert_eq!(asked.notice(), None);
        assert_eq!(parse(&[]).unwrap().serve.notice(), None);
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        for wrong in [
            ["--udp-batch", "0"],
            ["--udp-batch", "1025"],
            ["--udp-buffer", "0"],
            ["--udp-buffer", "65536"],
            ["--idle-timeout", "0"],
            ["--answer-rate", "0"],
            ["--max-connections", "0"],
            ["--listen", "localhost"],
            ["--service", "finger"],
        ] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn more_connections_than_descriptors_are_refused_when_asked_for() {
        let serve = parse(&["--max-connections", "1000"]).unwrap().serve;
        assert!(serve.settings(1_024).is_err());
        assert!(serve.settings(2_048).is_ok());
        let default = parse(&[]).unwrap().serve.settings(256).unwrap();
        assert_eq!(default.max_connections, 256 - 32 - 10);
    }
}
