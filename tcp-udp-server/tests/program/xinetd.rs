//! A server of the same services that we did not write.

use std::fmt::Write;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Instant;

use chapter_tests::{Launch, Program, TIMEOUT, TemporaryDirectory, tools};

/// xinetd with its five built-in services on free ports of both transports.
pub(crate) struct Xinetd {
    /// Each service with its address, the same for both transports.
    pub(crate) addresses: Vec<(&'static str, SocketAddr)>,
    _program: Program,
    _directory: TemporaryDirectory,
}

impl Xinetd {
    /// Starts it, or says why the test is skipped.
    pub(crate) fn start() -> Option<Xinetd> {
        let xinetd = tools::find("xinetd")?;
        let directory = TemporaryDirectory::new();
        let mut configuration = "defaults\n{\n instances = UNLIMITED\n cps = 0 0\n}\n".to_owned();
        let mut addresses = Vec::new();
        for service in ["echo", "discard", "chargen", "daytime", "time"] {
            let address = free_address();
            addresses.push((service, address));
            // A stream that connects tells that the datagrams are served too.
            for (kind, protocol, wait) in [("dgram", "udp", "yes"), ("stream", "tcp", "no")] {
                write!(
                    configuration,
                    "service {service}\n{{\n id = {service}-{kind}\n type = INTERNAL UNLISTED\n \
                     socket_type = {kind}\n protocol = {protocol}\n wait = {wait}\n \
                     port = {}\n bind = 127.0.0.1\n disable = no\n}}\n",
                    address.port()
                )
                .unwrap();
            }
        }
        let [file, log, pid] = ["xinetd.conf", "log", "pid"].map(|name| directory.join(name));
        fs::write(&file, configuration).unwrap();
        let launch = Launch::new(xinetd)
            .args(["-dontfork", "-f"])
            .args([&file])
            .args(["-filelog"])
            .args([&log])
            .args(["-pidfile"])
            .args([&pid]);
        let program = launch.start();
        let deadline = Instant::now() + TIMEOUT;
        for (_, address) in &addresses {
            while TcpStream::connect(address).is_err() {
                let log = fs::read_to_string(&log).unwrap_or_default();
                assert!(program.is_running() && Instant::now() < deadline, "{log}");
                std::thread::yield_now();
            }
        }
        Some(Xinetd {
            addresses,
            _program: program,
            _directory: directory,
        })
    }
}

/// An address whose port is free for TCP and for UDP.
pub(crate) fn free_address() -> SocketAddr {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}
