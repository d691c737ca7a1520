//! What a UDP socket hears, and what a UDP service must not answer.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use epoll_loop::{EventLoop, Interest, Readiness, Watch};
use socket2::{MaybeUninitSlice, SockRef};
use tcp_udp_server::Refusal;

use super::serving::{Serving, client_of};
use super::{Demo, IN_VAIN, LOOPBACK, PATIENCE, UDP_BUFFER, name};

impl Demo {
    /// Only a connected UDP socket hears that nobody listens.
    pub(super) fn refused(&mut self) -> Result<(), Box<dyn Error>> {
        // First, so that it is not given the port that is free again.
        let client = UdpSocket::bind((LOOPBACK, 0))?;
        let nobody = UdpSocket::bind((LOOPBACK, 0))?.local_addr()?;
        client.set_nonblocking(true)?;
        client.send_to(b"hello", nobody)?;
        self.say("refused", "sendto a UDP port where nobody listens")?;
        let (client, seen) = self.readiness(client, IN_VAIN)?;
        self.answer("refused", "epoll, not connected", "nothing", &seen)?;

        client.connect(nobody)?;
        client.send(b"hello")?;
        self.say("refused", "connect, send")?;
        let (client, seen) = self.readiness(client, PATIENCE)?;
        self.answer("refused", "epoll, connected", "ERR", &seen)?;
        let first = client.recv(&mut [0; 100]);
        self.answer("refused", "recv", "ECONNREFUSED", &name(first))?;
        let second = client.recv(&mut [0; 100]);
        self.answer("refused", "recv, once more", "EAGAIN", &name(second))?;
        self.note(
            "refused",
            "ICMP's word comes late, to whatever call is next, and once",
        )
    }

    /// What the kernel reports of a socket that is watched for READABLE.
    fn readiness(
        &self,
        socket: UdpSocket,
        limit: Duration,
    ) -> Result<(UdpSocket, String), Box<dyn Error>> {
        let mut event_loop = EventLoop::<Option<Readiness>>::new()?;
        let _tracing = self.trace.start(&mut event_loop)?;
        let watch = Watch::new(Interest::READABLE).label("udp client");
        let socket = event_loop.watch(socket, watch, |seen, event_loop, event| {
            *seen = Some(event.readiness);
            event_loop.stop(Ok(()));
        })?;
        event_loop.after(limit, |_, event_loop, _| event_loop.stop(Ok(())));
        let mut seen = None;
        event_loop.run(&mut seen)?;
        let socket = socket.into_inner(&mut event_loop)?;
        Ok((
            socket,
            seen.map_or("nothing".into(), |seen| seen.to_string()),
        ))
    }

    /// Two services that answer each other.
    pub(super) fn endless(&mut self, serving: &mut Serving) -> Result<(), Box<dyn Error>> {
        let rounds = 1_000;
        let services = [
            UdpSocket::bind((LOOPBACK, 0))?,
            UdpSocket::bind((LOOPBACK, 0))?,
        ];
        // What a third party would send, with the other one as its sender.
        services[0].send_to(b"?", services[1].local_addr()?)?;
        let mut answered = 0;
        for round in 0..rounds {
            let service = &services[(round + 1) % 2];
            service.set_read_timeout(Some(PATIENCE))?;
            let (_, from) = service.recv_from(&mut [0; 100])?;
            service.send_to(b"?", from)?;
            answered += 1;
        }
        self.say(
            "loop",
            "two services that answer everything, and one datagram",
        )?;
        self.answer(
            "loop",
            "answers, then we stopped them",
            "1000",
            &answered.to_string(),
        )?;

        let before = serving.server.counters();
        let address = SocketAddr::new([127, 0, 0, 2].into(), serving.chargen.port());
        UdpSocket::bind(address)?.send_to(b"?", serving.echo)?;
        self.say(
            "loop",
            "here: a datagram to echo, from a port that chargen has",
        )?;
        let after = serving.until(|counters| counters.datagrams > before.datagrams)?;
        let answers = (after.answers - before.answers).to_string();
        self.answer("loop", "answers", "0", &answers)?;
        let refused = after.refused(Refusal::OurPort) - before.refused(Refusal::OurPort);
        let what = format!("counted as: {}", Refusal::OurPort);
        self.answer("loop", &what, "1", &refused.to_string())
    }

    /// What is sent back to whoever a datagram names as its sender.
    pub(super) fn weapon(&mut self, serving: &mut Serving) -> Result<(), Box<dyn Error>> {
        let mut buffer = vec![0; 65_535];
        let printed = UdpSocket::bind((LOOPBACK, 0))?;
        let client = client_of(printed.local_addr()?)?;
        client.send(b"hello")?;
        answer_as_printed(&printed)?;
        let length = client.recv(&mut buffer)?;
        self.say("weapon", "send 5 bytes to the echo of the printed listing")?;
        self.answer(
            "weapon",
            "bytes that come back",
            "1023",
            &length.to_string(),
        )?;

        let client = client_of(serving.echo)?;
        let before = serving.server.counters().answers;
        let what = "send 1025 bytes, then 1024, to a server with room for 1024";
        self.say("weapon", what)?;
        let long = [b'x'; UDP_BUFFER + 1];
        client.send(&long)?;
        client.send(&long[1..])?;
        let counters = serving.until(|counters| {
            counters.refused(Refusal::Truncated) == 1 && counters.answers > before
        })?;
        let length = client.recv(&mut buffer)?;
        self.answer(
            "weapon",
            "bytes that come back",
            "1024",
            &length.to_string(),
        )?;
        let what = format!("counted as: {}", Refusal::Truncated);
        let count = counters.refused(Refusal::Truncated);
        self.answer("weapon", &what, "1", &count.to_string())?;
        self.truncation()?;

        for (request, expected) in [(1, "1"), (100, "100"), (1_000, "512")] {
            let client = client_of(serving.chargen)?;
            let before = serving.server.counters().answers;
            client.send(&vec![b'.'; request])?;
            serving.until(|counters| counters.answers > before)?;
            let length = client.recv(&mut buffer)?.to_string();
            let what = format!("chargen, bytes that come back for {request}");
            self.answer("weapon", &what, expected, &length)?;
        }
        let client = client_of(serving.daytime)?;
        client.send(b"time?")?;
        let counters = serving.until(|counters| counters.refused(Refusal::TooShort) > 0)?;
        let what = format!("daytime, for 5 bytes: {}", Refusal::TooShort);
        let count = counters.refused(Refusal::TooShort).to_string();
        self.answer("weapon", &what, "1", &count)
    }

    /// What the kernel says of a datagram that is longer than the buffer.
    fn truncation(&mut self) -> Result<(), Box<dyn Error>> {
        let server = UdpSocket::bind((LOOPBACK, 0))?;
        let client = client_of(server.local_addr()?)?;
        let long = [b'x'; UDP_BUFFER + 1];
        client.send(&long)?;
        let length = server.recv(&mut [0; UDP_BUFFER])?.to_string();
        self.answer("weapon", "recv of 1025 bytes into 1024", "1024", &length)?;
        client.send(&long)?;
        let mut buffer = [std::mem::MaybeUninit::uninit(); UDP_BUFFER];
        let mut slices = [MaybeUninitSlice::new(&mut buffer)];
        let (_, flags) = SockRef::from(&server).recv_vectored(&mut slices)?;
        let flag = if flags.is_truncated() {
            "MSG_TRUNC"
        } else {
            "none"
        };
        self.answer(
            "weapon",
            "flags of recvmsg, for the same",
            "MSG_TRUNC",
            flag,
        )
    }

    /// So many answers a second for one network.
    pub(super) fn rate(&mut self) -> Result<(), Box<dyn Error>> {
        let mut serving = Serving::start(self.trace, |settings| settings.answer_rate = 1)?;
        let client = client_of(serving.chargen)?;
        for _ in 0..5 {
            client.send(&[b'.'; 100])?;
        }
        self.say(
            "weapon",
            "chargen, five datagrams at once, one answer a second allowed",
        )?;
        let counters = serving.until(|counters| counters.datagrams == 5)?;
        self.answer("weapon", "answers", "1", &counters.answers.to_string())
    }
}

/// The UDP side of the printed listing: a buffer of 1,024 bytes, of which it
/// sends back all but one, whatever has come.
fn answer_as_printed(socket: &UdpSocket) -> io::Result<()> {
    let mut buffer = [0; 1_024];
    let (_, from) = socket.recv_from(&mut buffer[..1_023])?;
    socket.send_to(&buffer[..1_023], from)?;
    Ok(())
}
