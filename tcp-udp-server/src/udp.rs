//! The services over UDP: a batch in, a batch out.
//!
//! Shows: one `recvmmsg(2)` an event, and one `sendmmsg(2)` for all its
//! answers; no state a peer, since each datagram is a conversation of its own.
//! Leaves out: sending anything again. An answer that is lost is asked for
//! again by whoever misses it.

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime};

use epoll_loop::{Event, EventLoop, Readiness, Watched};
use nix::errno::Errno;

use crate::datagrams::{Answer, Datagram, Sent, send_all};
use crate::gate::{Gate, Refusal};
use crate::server::Server;
use crate::service::{Generator, MAX_GENERATED_BYTES, Service};

/// How long what is refused is counted before it is told of again.
const NOTICE_INTERVAL: Duration = Duration::from_secs(1);

/// A UDP socket and the service behind it.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) socket: Watched<UdpSocket>,
    pub(crate) service: Service,
    /// Datagrams that the socket has lost, as last heard.
    pub(crate) lost: u32,
}

impl Server {
    /// A UDP socket is readable: datagrams wait.
    pub(crate) fn answer_datagrams(&mut self, event_loop: &mut EventLoop<Server>, event: Event) {
        if event.readiness.intersects(Readiness::ENDED) {
            let err = io::Error::other("a socket cannot be watched any more");
            return event_loop.stop(Err(err));
        }
        let Server {
            ports,
            batch,
            gate,
            ledger,
            ..
        } = self;
        let Some(port) = ports.get_mut(event.id) else {
            return;
        };
        match batch.receive(&port.socket) {
            Ok(()) => {}
            Err(Errno::EAGAIN | Errno::EINTR) => return,
            // An error that an earlier answer has brought on. It is reported
            // once and then forgotten: nothing is wrong with the socket.
            Err(err) => {
                let err = io::Error::from(err);
                let (service, why) = (port.service, chapter::why(&err));
                return ledger.say(format_args!("udp {service}: receive: {why}"));
            }
        }
        let counters = &mut ledger.counters;
        counters.batches += 1;
        counters.datagrams += batch.datagrams().len() as u64;
        if let Some(lost) = batch.lost() {
            // The count is the socket's, and wraps.
            counters.lost += u64::from(lost.wrapping_sub(port.lost));
            port.lost = lost;
        }
        let now = event_loop.now();
        let greeting = port.service.greeting(SystemTime::now());

        let mut has_news = false;
        let mut answers = Vec::with_capacity(batch.datagrams().len());
        for (index, datagram) in batch.datagrams().iter().enumerate() {
            match answer(
                port.service,
                datagram,
                batch.bytes(index),
                gate,
                &greeting,
                now,
            ) {
                Ok(answer) => answers.extend(answer),
                Err(refusal) => {
                    has_news |= ledger.refuse(port.service, datagram.from, refusal, 1);
                }
            }
        }
        let Sent {
            answers: sent,
            no_room,
            refused,
        } = send_all(&port.socket, &answers);
        ledger.counters.answers += sent as u64;
        for (refusal, count) in [(Refusal::NoRoom, no_room), (Refusal::Unsendable, refused)] {
            if let Some(last) = answers.last()
                && count > 0
            {
                has_news |= ledger.refuse(port.service, last.to, refusal, count as u64);
            }
        }
        if has_news {
            event_loop.after(NOTICE_INTERVAL, Server::sum_up);
        }
    }

    /// A second after something was refused: tells how often it was since.
    fn sum_up(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        if self.ledger.sum_up() {
            event_loop.after(NOTICE_INTERVAL, Server::sum_up);
        }
    }
}

/// What is answered to a datagram: nothing, if that is the service.
fn answer<'a>(
    service: Service,
    datagram: &Datagram,
    bytes: &'a [u8],
    gate: &mut Gate,
    greeting: &'a [u8],
    now: Instant,
) -> Result<Option<Answer<'a>>, Refusal> {
    if service == Service::Discard {
        return Ok(None);
    }
    // ANCHOR: decide
    if datagram.is_truncated {
        // ANCHOR: cut-short
        // The part that is left is not what was sent; an echo of it would be a
        // lie that looks like one.
        return Err(Refusal::Truncated);
        // ANCHOR_END: cut-short
    }
    // ANCHOR: sender
    gate.check_sender(datagram.from)?;
    let local = datagram.local.ok_or(Refusal::ForEverybody)?;
    // ANCHOR_END: sender
    let answer = match service {
        Service::Echo | Service::Discard => bytes,
        Service::Chargen => Generator::default().next(bytes.len().min(MAX_GENERATED_BYTES)),
        Service::Daytime | Service::Time => greeting,
    };
    if service.is_amplifier() {
        gate.check_amplifier(datagram.from, bytes.len(), answer.len(), now)?;
    }
    Ok(Some(Answer {
        to: datagram.from,
        local,
        bytes: answer,
    }))
    // ANCHOR_END: decide
}
