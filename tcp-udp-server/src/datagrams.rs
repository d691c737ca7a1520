//! Datagrams in batches: one system call for many of them.
//!
//! Shows: `recvmmsg(2)` and `sendmmsg(2)`; `MSG_TRUNC`, by which the kernel says
//! that a datagram was longer than its buffer and the rest is gone;
//! `IP_PKTINFO`, which tells the address that a datagram was sent to, so that a
//! server on every address answers from the one that was asked; `SO_RXQ_OVFL`,
//! which counts what was lost before anybody could read it.
//! Leaves out: whether a datagram is answered, and what (`udp.rs`).

use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo, in6_addr, in6_pktinfo};
use nix::sys::socket::sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo, RxqOvfl};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrLike, SockaddrStorage,
    recvmmsg, sendmmsg, setsockopt,
};
use socket2::{Domain, Protocol, Socket, Type};

/// Binds a UDP socket that does not block and tells, with each datagram, where
/// it was sent to.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // Else [::] takes the port of 0.0.0.0 too.
        socket.set_only_v6(true)?;
        setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
    } else {
        setsockopt(&socket, Ipv4PacketInfo, &true)?;
    }
    setsockopt(&socket, RxqOvfl, &1)?;
    socket.set_nonblocking(true)?;
    // Not SO_REUSEADDR: for UDP that would let a second server take the port,
    // and the datagrams with it.
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The address of ours that a datagram was sent to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Local {
    V4(in_pktinfo),
    V6(in6_pktinfo),
}

impl Local {
    /// Where an answer is to leave from, unless the datagram was for many.
    fn of_v4(info: in_pktinfo) -> Option<Local> {
        // The first is where it was sent to, the second ours on its way: they
        // differ for a broadcast or a multicast.
        let is_ours = info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;
        is_ours.then_some(Local::V4(in_pktinfo {
            // The answer finds its own way.
            ipi_ifindex: 0,
            ipi_spec_dst: info.ipi_spec_dst,
            ipi_addr: in_addr { s_addr: 0 },
        }))
    }

    fn of_v6(info: in6_pktinfo) -> Option<Local> {
        let in6_addr { s6_addr } = info.ipi6_addr;
        let is_multicast = IpAddr::from(s6_addr).is_multicast();
        // The interface stays: fe80::1 means something on one of them only.
        (!is_multicast).then_some(Local::V6(info))
    }

    fn is_same(&self, other: &Local) -> bool {
        match (self, other) {
            (Local::V4(one), Local::V4(other)) => {
                one.ipi_spec_dst.s_addr == other.ipi_spec_dst.s_addr
            }
            (Local::V6(one), Local::V6(other)) => {
                one.ipi6_addr.s6_addr == other.ipi6_addr.s6_addr
                    && one.ipi6_ifindex == other.ipi6_ifindex
            }
            _ => false,
        }
    }
}

/// One datagram that was received; its bytes are in the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    /// Nothing if it was sent to many, by broadcast or multicast.
    pub(crate) local: Option<Local>,
    /// Bytes in the buffer: all of them, unless it was cut short.
    pub(crate) len: usize,
    /// It was longer than the buffer, and the kernel has thrown the rest away.
    pub(crate) is_truncated: bool,
}

/// Room for the datagrams of one `recvmmsg(2)`, used again for the next.
#[derive(Debug)]
pub(crate) struct Batch {
    /// One buffer behind the other. Pages that no datagram reaches are never
    /// touched, and so take no memory.
    buffers: Vec<u8>,
    buffer_bytes: usize,
    datagrams: Vec<Datagram>,
    /// Datagrams lost for want of room in the socket, as it counts them.
    lost: Option<u32>,
}

impl Batch {
    /// Room for `count` datagrams of `buffer_bytes` each, both at least 1.
    pub(crate) fn new(count: usize, buffer_bytes: usize) -> Batch {
        Batch {
            buffers: vec![0; count * buffer_bytes],
            buffer_bytes,
            datagrams: Vec::with_capacity(count),
            lost: None,
        }
    }

    /// What the last [`Batch::receive`] has brought.
    pub(crate) fn datagrams(&self) -> &[Datagram] {
        &self.datagrams
    }

    /// The bytes of a datagram of this batch, as far as they were kept.
    pub(crate) fn bytes(&self, index: usize) -> &[u8] {
        &self.buffers[index * self.buffer_bytes..][..self.datagrams[index].len]
    }

    /// How many datagrams the socket says it had no room for, since it was made;
    /// nothing if no datagram of this batch came with a word of that.
    pub(crate) fn lost(&self) -> Option<u32> {
        self.lost
    }

    /// Receives the datagrams that are there, at most as many as there is room
    /// for.
    ///
    /// # Errors
    ///
    /// What `recvmmsg(2)` reports: `EAGAIN` if there is none.
    pub(crate) fn receive(&mut self, socket: &UdpSocket) -> nix::Result<()> {
        self.datagrams.clear();
        self.lost = None;
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = self
            .buffers
            .chunks_exact_mut(self.buffer_bytes)
            .map(|buffer| [IoSliceMut::new(buffer)])
            .collect();
        // ANCHOR: recvmmsg
        // Made anew for each call: the kernel writes the lengths that it has used
        // over those that it may use.
        let space = cmsg_space!(in6_pktinfo, u32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slices.len(), Some(space));
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            slices.iter_mut(),
            MsgFlags::MSG_DONTWAIT,
            None,
        )?;
        // ANCHOR_END: recvmmsg
        for message in received {
            // No socket of these families sends without an address.
            let Some(from) = message.address.as_ref().and_then(socket_address) else {
                continue;
            };
            // ANCHOR: datagram
            let mut local = None;
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::Ipv4PacketInfo(info) => local = Local::of_v4(info),
                    ControlMessageOwned::Ipv6PacketInfo(info) => local = Local::of_v6(info),
                    ControlMessageOwned::RxqOvfl(lost) => self.lost = Some(lost),
                    _ => {}
                }
            }
            self.datagrams.push(Datagram {
                from,
                local,
                len: message.bytes,
                // ANCHOR: truncated
                is_truncated: message.flags.contains(MsgFlags::MSG_TRUNC),
                // ANCHOR_END: truncated
            });
            // ANCHOR_END: datagram
        }
        Ok(())
    }
}

/// A datagram to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) to: SocketAddr,
    /// Where it leaves from.
    pub(crate) local: Local,
    pub(crate) bytes: &'a [u8],
}

/// What became of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Handed to the network.
    pub(crate) answers: usize,
    /// Dropped, since the socket's send buffer was full. To keep them would take
    /// memory for peers who count on losses anyway.
    pub(crate) no_room: usize,
    /// Refused by the kernel, each for a reason of its own: no route to its
    /// peer, say.
    pub(crate) refused: usize,
}

/// Sends answers, those that leave from the same address in one system call.
pub(crate) fn send_all(socket: &UdpSocket, answers: &[Answer<'_>]) -> Sent {
    let (mut sent, mut rest) = (Sent::default(), answers);
    // ANCHOR: send-all
    while let Some(first) = rest.first() {
        let is_like_first = |answer: &&Answer<'_>| answer.local.is_same(&first.local);
        let group = rest.iter().take_while(is_like_first).count();
        match send(socket, &rest[..group]) {
            // Fewer than asked for: the error of the next is told when it is
            // the first (`man 2 sendmmsg`).
            Ok(count) => {
                sent.answers += count;
                rest = &rest[count..];
            }
            Err(Errno::EINTR) => {}
            // ANCHOR: no-room
            Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                sent.no_room += rest.len();
                return sent;
            }
            // ANCHOR_END: no-room
            Err(_) => {
                // ANCHOR: one-refused
                sent.refused += 1;
                rest = &rest[1..];
                // ANCHOR_END: one-refused
            }
        }
    }
    // ANCHOR_END: send-all
    sent
}

/// Sends answers that leave from one address; returns how many were sent.
fn send(socket: &UdpSocket, answers: &[Answer<'_>]) -> nix::Result<usize> {
    let Some(first) = answers.first() else {
        return Ok(0);
    };
    let (control, space) = match &first.local {
        Local::V4(info) => (
            ControlMessage::Ipv4PacketInfo(info),
            cmsg_space!(in_pktinfo),
        ),
        Local::V6(info) => (
            ControlMessage::Ipv6PacketInfo(info),
            cmsg_space!(in6_pktinfo),
        ),
    };
    let slices: Vec<[IoSlice<'_>; 1]> = answers
        .iter()
        .map(|answer| [IoSlice::new(answer.bytes)])
        .collect();
    let to: Vec<Option<SockaddrStorage>> = answers
        .iter()
        .map(|answer| Some(SockaddrStorage::from(answer.to)))
        .collect();
    let mut headers = MultiHeaders::preallocate(answers.len(), Some(space));
    let sent = sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &slices,
        to,
        [control],
        MsgFlags::MSG_DONTWAIT,
    )?;
    Ok(sent.count())
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    match address.family()? {
        nix::sys::socket::AddressFamily::Inet => {
            Some(SocketAddr::V4((*address.as_sockaddr_in()?).into()))
        }
        nix::sys::socket::AddressFamily::Inet6 => {
            Some(SocketAddr::V6((*address.as_sockaddr_in6()?).into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(address: &str) -> UdpSocket {
        bind(address.parse().unwrap()).unwrap()
    }

    /// Receives once there is something.
    fn receive(batch: &mut Batch, socket: &UdpSocket) {
        while let Err(err) = batch.receive(socket) {
            assert_eq!(err, Errno::EAGAIN);
            std::thread::yield_now();
        }
    }

    #[test]
    fn many_datagrams_come_in_one_call_and_keep_their_borders() {
        let server = socket("127.0.0.1:0");
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = Batch::new(4, 100);
        assert_eq!(batch.receive(&server), Err(Errno::EAGAIN));
        for bytes in ["one", "", "three"] {
            client
                .send_to(bytes.as_bytes(), server.local_addr().unwrap())
                .unwrap();
        }
        // Used twice: what the kernel wrote the first time does no harm.
        receive(&mut batch, &server);
        assert_eq!(batch.datagrams().len(), 3);
        let all: Vec<&[u8]> = (0..3).map(|index| batch.bytes(index)).collect();
        assert_eq!(all, [&b"one"[..], b"", b"three"]);
        for datagram in batch.datagrams() {
            assert_eq!(datagram.from, client.local_addr().unwrap());
            assert!(!datagram.is_truncated);
        }
        assert_eq!(batch.receive(&server), Err(Errno::EAGAIN));
    }

    #[test]
    fn a_datagram_that_does_not_fit_is_known_to_be_cut() {
        let server = socket("127.0.0.1:0");
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = Batch::new(2, 8);
        for bytes in [&[1; 8][..], &[2; 9]] {
            client.send_to(bytes, server.local_addr().unwrap()).unwrap();
        }
        receive(&mut batch, &server);
        let cut: Vec<bool> = batch.datagrams().iter().map(|d| d.is_truncated).collect();
        assert_eq!(cut, [false, true]);
        assert_eq!(batch.bytes(1), [2; 8]);
    }

    #[test]
    fn an_answer_leaves_from_the_address_that_was_asked() {
        for (every, one) in [("0.0.0.0:0", "127.0.0.2"), ("[::]:0", "::1")] {
            let Ok(server) = bind(every.parse().unwrap()) else {
                eprintln!("skipped: needs IPv6");
                continue;
            };
            let port = server.local_addr().unwrap().port();
            let one: IpAddr = one.parse().unwrap();
            let Ok(client) = UdpSocket::bind((one, 0)) else {
                eprintln!("skipped: needs IPv6");
                continue;
            };
            // A connected socket hears that address alone.
            client.connect((one, port)).unwrap();
            client.send(b"ask").unwrap();
            let mut batch = Batch::new(1, 100);
            receive(&mut batch, &server);
            let datagram = batch.datagrams()[0];
            let answer = Answer {
                to: datagram.from,
                local: datagram.local.unwrap(),
                bytes: b"answer",
            };
            let all_sent = Sent {
                answers: 3,
                ..Sent::default()
            };
            assert_eq!(send_all(&server, &[answer; 3]), all_sent);
            let mut buffer = [0; 100];
            assert_eq!(client.recv(&mut buffer).unwrap(), 6);
        }
    }

    #[test]
    fn an_answer_that_cannot_be_sent_costs_the_others_nothing() {
        let server = socket("127.0.0.1:0");
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client
            .send_to(b"ask", server.local_addr().unwrap())
            .unwrap();
        let mut batch = Batch::new(1, 100);
        receive(&mut batch, &server);
        let local = batch.datagrams()[0].local.unwrap();
        let good = Answer {
            to: client.local_addr().unwrap(),
            local,
            bytes: b"answer",
        };
        // Nobody can be sent anything at port 0.
        let bad = Answer {
            to: "127.0.0.1:0".parse().unwrap(),
            ..good
        };
        let sent = send_all(&server, &[good, bad, good, bad, bad, good]);
        assert_eq!((sent.answers, sent.refused, sent.no_room), (3, 3, 0));
    }

    #[test]
    fn what_the_socket_had_no_room_for_is_counted() {
        let server = socket("127.0.0.1:0");
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = Batch::new(1_024, 65_535);
        let mut sent = 0_u32;
        loop {
            // More than the socket holds, then one that brings the count.
            for _ in 0..1_000 {
                client
                    .send_to(&[0; 1_000], server.local_addr().unwrap())
                    .unwrap();
                sent += 1;
            }
            receive(&mut batch, &server);
            if let Some(lost) = batch.lost() {
                assert!(lost > 0 && lost < sent, "{lost} of {sent}");
                return;
            }
            assert!(sent < 100_000, "nothing was ever lost");
        }
    }
}
