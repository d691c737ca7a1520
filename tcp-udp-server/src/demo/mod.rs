//! Both ends in one process: what was done, and what the kernel answered.
//!
//! Shows: what a port number is, what a stream has not and datagrams have, and
//! each case in which this server does not do what the printed listing does.
//! Leaves out: time. Each step waits for its event, however long it takes.

mod serving;
mod tcp;
mod udp;

use std::error::Error;
use std::io::{self, Read, Stdout, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use chapter::{Timeline, errno_name};
use tcp_udp_server::{Counters, Service, Sockets};

use serving::{Serving, client_of};

/// The parts of the demonstration.
const NAMES: [&str; 9] = [
    "ports", "borders", "half", "slow", "bye", "idle", "refused", "loop", "weapon",
];

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long to wait for what must come; nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait for what does not come.
const IN_VAIN: Duration = Duration::from_millis(200);

/// The longest datagram that the demonstration's server takes.
const UDP_BUFFER: usize = 1_024;

/// Runs all parts.
pub(crate) fn run(trace: chapter::Trace) -> Result<(), Box<dyn Error>> {
    let mut demo = Demo {
        timeline: Timeline::new(io::stdout(), &NAMES),
        trace,
    };
    demo.show()?;
    Ok(demo.timeline.verdict()?)
}

struct Demo {
    timeline: Timeline<Stdout>,
    trace: chapter::Trace,
}

impl Demo {
    fn show(&mut self) -> Result<(), Box<dyn Error>> {
        self.ports()?;
        self.borders()?;
        let mut serving = Serving::start(self.trace, |_| {})?;
        self.half(&mut serving)?;
        self.slow(&mut serving)?;
        self.bye(&mut serving)?;
        self.idle()?;
        self.refused()?;
        self.endless(&mut serving)?;
        self.weapon(&mut serving)?;
        self.rate()?;
        Ok(())
    }

    /// TCP and UDP have ports of their own.
    fn ports(&mut self) -> Result<(), Box<dyn Error>> {
        let sockets = Sockets::bind(Service::Echo, LOOPBACK, 0, true)?;
        let address = sockets.address()?;
        self.say("ports", format!("TCP and UDP are both bound to {address}"))?;
        let again = TcpListener::bind(address);
        self.answer("ports", "bind, TCP again", "EADDRINUSE", &name(again))?;
        let again = UdpSocket::bind(address);
        self.answer("ports", "bind, UDP again", "EADDRINUSE", &name(again))?;
        self.note(
            "ports",
            "one number, two ports: each transport counts its own",
        )
    }

    /// A stream has no borders, datagrams have.
    fn borders(&mut self) -> Result<(), Box<dyn Error>> {
        let listener = TcpListener::bind((LOOPBACK, 0))?;
        let mut client = TcpStream::connect(listener.local_addr()?)?;
        client.set_nodelay(true)?;
        let (mut server, _) = listener.accept()?;
        for word in ["one", "two", "three"] {
            client.write_all(word.as_bytes())?;
        }
        self.say("borders", "TCP: write one, write two, write three")?;
        let mut buffer = [0; 100];
        while server.peek(&mut buffer)? < "onetwothree".len() {}
        let length = server.read(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        self.answer("borders", "TCP: read", "onetwothree", &text)?;

        let mut serving = Serving::start(self.trace, |_| {})?;
        let client = client_of(serving.echo)?;
        for word in ["one", "two", "three"] {
            client.send(word.as_bytes())?;
        }
        self.say("borders", "UDP: send one, send two, send three")?;
        let counters = serving.until(|counters| counters.answers >= 3)?;
        let mut echoes = Vec::new();
        for _ in 0..3 {
            let length = client.recv(&mut buffer)?;
            echoes.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        self.answer(
            "borders",
            "UDP: echoes",
            "one, two, three",
            &echoes.join(", "),
        )?;
        let Counters {
            datagrams, batches, ..
        } = counters;
        self.note(
            "borders",
            &format!("recvmmsg brought {datagrams} datagrams, system calls: {batches}"),
        )
    }

    fn say(&mut self, who: &str, what: impl std::fmt::Display) -> Result<(), Box<dyn Error>> {
        Ok(self.timeline.say(who, what)?)
    }

    fn note(&mut self, who: &str, what: &str) -> Result<(), Box<dyn Error>> {
        self.say(who, format_args!("   {what}"))
    }

    fn answer(
        &mut self,
        who: &str,
        what: &str,
        expected: &str,
        answered: &str,
    ) -> Result<(), Box<dyn Error>> {
        Ok(self.timeline.answer(who, what, expected, answered)?)
    }
}

fn name<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(err) => errno_name(&err),
    }
}
