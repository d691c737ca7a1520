//! The old server: it offers itself, and is taken or not.
//!
//! Shows: everything until READY can be taken back, whatever the other process
//! does: a word too few, too late or too many thaws the server, and people have
//! noticed a pause. COMMIT is the last thing that this process ever says.

use std::fmt;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use epoll_loop::{Event, EventLoop, Interest, Watch, Watched, WatcherId};
use fd_passing::handover::{MAX_BODY_BYTES, Message, MessageError, Messages};
use fd_passing::{AllowList, MAX_DESCRIPTORS, PeerError, PrivateSocket, SendError};
use tracing::{info, warn};

use super::FORMAT_VERSION;
use crate::room::ClientId;
use crate::server::Server;

/// A hand-over that is under way.
#[derive(Debug)]
pub(crate) struct Giving {
    socket: Watched<UnixStream>,
    messages: Messages,
    stage: Stage,
    deadline: WatcherId,
}

/// How far it is.
#[derive(Debug)]
enum Stage {
    /// The offer is sent.
    Offered,
    /// Pieces of the document and descriptors are on their way.
    Sending(Parcel),
    /// All is sent, and READY is waited for.
    Sent,
    /// COMMIT is on its way.
    Committing,
}

/// What is sent.
#[derive(Debug)]
struct Parcel {
    /// With what follows it.
    document: Vec<u8>,
    sent_bytes: usize,
    /// In the order in which their descriptors follow those of the listeners.
    clients: Vec<ClientId>,
    sent_descriptors: usize,
    /// The other side has not said yet that it has the last descriptors.
    awaits_got: bool,
    began: Instant,
}

/// Why a hand-over is off.
#[derive(Debug)]
enum Failure {
    Peer(PeerError),
    Message(MessageError),
    Send(SendError),
    Refused(String),
    OutOfTurn,
    TimedOut,
    Document(serde_json::Error),
    ShuttingDown,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Peer(err) => err.fmt(f),
            Failure::Message(err) => err.fmt(f),
            Failure::Send(err) => err.fmt(f),
            Failure::Refused(why) => write!(f, "refused: {why}"),
            Failure::OutOfTurn => f.write_str("a message out of turn"),
            Failure::TimedOut => f.write_str("timed out"),
            Failure::Document(err) => err.fmt(f),
            Failure::ShuttingDown => f.write_str("this server is shutting down"),
        }
    }
}

impl Server {
    /// Lets a successor take over by `socket` from now on.
    ///
    /// # Errors
    ///
    /// What `epoll_ctl(2)` reports.
    pub fn offer_takeover(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        socket: PrivateSocket,
    ) -> std::io::Result<()> {
        let watch = Watch::new(Interest::READABLE).label("takeover socket");
        self.handover.socket = Some(event_loop.watch(socket, watch, Server::meet_successor)?);
        Ok(())
    }

    /// Whether this server has been handed over: it has nothing any more.
    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        self.handover.is_over
    }

    pub(crate) fn watch_takeover_socket(
        &self,
        event_loop: &mut EventLoop<Server>,
        interest: Interest,
    ) {
        if let Some(socket) = &self.handover.socket {
            socket.set_interest(event_loop, interest);
        }
    }

    /// Somebody has connected to the takeover socket.
    fn meet_successor(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        let socket = match self.handover.socket.as_ref().map(|it| it.accept()) {
            Some(Ok(socket)) => socket,
            Some(Err(err)) if err.kind() != ErrorKind::WouldBlock => {
                return self.pause_listeners(event_loop, &err);
            }
            // It has gone again.
            Some(Err(_)) | None => return,
        };
        self.note_acceptance();
        let mut messages = Messages::new();
        let refusal = if self.handover.giving.is_some() || self.is_frozen() {
            Some("a hand-over is under way")
        } else if self.is_shutting_down {
            Some("this server is shutting down")
        } else {
            None
        };
        if let Some(why) = refusal {
            // A new socket takes a message at once.
            let _ = messages.send(&socket, &Message::Refuse(why.to_owned()), &[]);
            return;
        }
        if let Err(err) = self.offer(event_loop, socket, messages) {
            warn!(%err, "nobody takes over");
        }
    }

    fn offer(
        &mut self,
        event_loop: &mut EventLoop<Server>,
        socket: UnixStream,
        mut messages: Messages,
    ) -> Result<(), Failure> {
        let peer = AllowList::same_user()
            .check(&socket)
            .map_err(Failure::Peer)?;
        let descriptors = self.listeners.values().count() + self.connections().count();
        let offer = Message::Offer {
            version: FORMAT_VERSION,
            descriptors: u32::try_from(descriptors).unwrap_or(u32::MAX),
        };
        messages.send(&socket, &offer, &[]).map_err(Failure::Send)?;
        let watch = Watch::new(Interest::READABLE).label("successor");
        let system = |err| Failure::Send(SendError::System(err));
        let socket = event_loop
            .watch(socket, watch, Server::negotiate)
            .map_err(system)?;
        info!(process = peer.process, "a successor has connected");
        self.handover.giving = Some(Giving {
            socket,
            messages,
            stage: Stage::Offered,
            deadline: event_loop.after(self.settings.takeover_timeout, Server::give_successor_up),
        });
        Ok(())
    }

    /// The successor has said something, or takes more.
    fn negotiate(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        if let Err(why) = self.go_on_giving(event_loop) {
            self.take_back(event_loop, &why);
        }
    }

    fn go_on_giving(&mut self, event_loop: &mut EventLoop<Server>) -> Result<(), Failure> {
        while let Some(giving) = &mut self.handover.giving {
            let message = giving
                .messages
                .receive(&giving.socket)
                .map_err(Failure::Message)?;
            match (message.map(|(message, _)| message), &mut giving.stage) {
                (None, _) => break,
                (Some(Message::Refuse(why)), _) => return Err(Failure::Refused(why)),
                (Some(Message::Accept), Stage::Offered) => {
                    let parcel = self.pack(event_loop)?;
                    if let Some(giving) = &mut self.handover.giving {
                        giving.stage = Stage::Sending(parcel);
                    }
                }
                (Some(Message::Got), Stage::Sending(parcel)) if parcel.awaits_got => {
                    parcel.awaits_got = false;
                }
                // ANCHOR: commit
                (Some(Message::Ready), stage @ Stage::Sent) => {
                    giving
                        .messages
                        .send(&giving.socket, &Message::Commit, &[])
                        .map_err(Failure::Send)?;
                    *stage = Stage::Committing;
                    // Nothing is heard after the last word. The successor may have
                    // begun already and closed its end: taken for a failure, that
                    // would make two servers of one.
                    break;
                }
                // ANCHOR_END: commit
                (Some(_), _) => return Err(Failure::OutOfTurn),
            }
        }
        self.send_parcel(event_loop)
    }

    // ANCHOR: pack
    /// Stands still from here on, and writes everything down.
    fn pack(&mut self, event_loop: &mut EventLoop<Server>) -> Result<Parcel, Failure> {
        let began = Instant::now();
        // ANCHOR: stand-still
        self.freeze(event_loop);
        let (record, clients) = self.write_down(event_loop);
        // ANCHOR_END: stand-still
        let mut document = serde_json::to_vec(&record).map_err(Failure::Document)?;
        let unsent: usize = clients.iter().map(|&client| self.room.queued(client)).sum();
        document.reserve_exact(unsent + 1);
        document.push(b'\n');
        for piece in clients.iter().flat_map(|&client| self.room.unsent(client)) {
            document.extend_from_slice(piece);
        }
        Ok(Parcel {
            document,
            sent_bytes: 0,
            clients,
            sent_descriptors: 0,
            awaits_got: false,
            began,
        })
    }
    // ANCHOR_END: pack

    /// Sends as much as the socket takes, and the descriptors as the other side
    /// has room for them.
    fn send_parcel(&mut self, event_loop: &mut EventLoop<Server>) -> Result<(), Failure> {
        let Some(mut giving) = self.handover.giving.take() else {
            return Ok(());
        };
        let Giving {
            socket,
            messages,
            stage,
            ..
        } = &mut giving;
        while messages.flush(socket).map_err(Failure::Send)? {
            let Stage::Sending(parcel) = stage else {
                break;
            };
            // ANCHOR: parcel
            if parcel.awaits_got {
                break;
            }
            let descriptors = self.next_descriptors(parcel);
            let piece = &parcel.document[parcel.sent_bytes..];
            let piece = &piece[..piece.len().min(MAX_BODY_BYTES)];
            if descriptors.is_empty() && piece.is_empty() {
                let end = Message::End {
                    bytes: parcel.document.len() as u64,
                    descriptors: u32::try_from(parcel.sent_descriptors).unwrap_or(u32::MAX),
                };
                messages.send(socket, &end, &[]).map_err(Failure::Send)?;
                info!(bytes = parcel.document.len(), took = ?parcel.began.elapsed(), "sent");
                *stage = Stage::Sent;
                continue;
            }
            let piece_bytes = piece.len();
            // ANCHOR: batch
            let message = Message::State(piece.to_vec());
            messages
                .send(socket, &message, &descriptors)
                .map_err(Failure::Send)?;
            parcel.sent_descriptors += descriptors.len();
            parcel.awaits_got = !descriptors.is_empty();
            // ANCHOR_END: batch
            parcel.sent_bytes += piece_bytes;
            // ANCHOR_END: parcel
        }
        let is_waiting = messages.is_waiting();
        let is_committed = matches!(stage, Stage::Committing) && !is_waiting;
        let interest = if is_waiting {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        socket.set_interest(event_loop, interest);
        self.handover.giving = Some(giving);
        if is_committed {
            self.leave_to_successor(event_loop);
        }
        Ok(())
    }

    /// The descriptors that follow those sent so far, as many as a message can
    /// carry.
    fn next_descriptors(&self, parcel: &Parcel) -> Vec<BorrowedFd<'_>> {
        let listeners = self.listeners.values().map(|door| door.listener.as_fd());
        let sockets = parcel
            .clients
            .iter()
            .filter_map(|&client| self.connection(client))
            .map(|connection| connection.stream.as_fd());
        listeners
            .chain(sockets)
            .skip(parcel.sent_descriptors)
            .take(MAX_DESCRIPTORS)
            .collect()
    }

    /// COMMIT is sent: nothing here is this process's any more.
    fn leave_to_successor(&mut self, event_loop: &mut EventLoop<Server>) {
        info!(people = self.room.people(), "handed over");
        self.handover.is_over = true;
        if let Some(socket) = self.handover.socket.take()
            && let Ok(socket) = socket.into_inner(event_loop)
        {
            socket.leave();
        }
        event_loop.stop(Ok(()));
    }

    /// The successor has taken too long.
    fn give_successor_up(&mut self, event_loop: &mut EventLoop<Server>, _: Event) {
        self.take_back(event_loop, &Failure::TimedOut);
    }

    /// The server is told to end while it waits for a successor: it ends itself.
    pub(crate) fn refuse_successor(&mut self, event_loop: &mut EventLoop<Server>) {
        self.take_back(event_loop, &Failure::ShuttingDown);
    }

    // ANCHOR: take-back
    /// The hand-over is off: everything goes on as if nothing had been.
    fn take_back(&mut self, event_loop: &mut EventLoop<Server>, why: &Failure) {
        let Some(mut giving) = self.handover.giving.take() else {
            return;
        };
        warn!(%why, "the hand-over is off, this server goes on");
        event_loop.cancel(giving.deadline);
        // As far as it listens at all.
        let refuse = Message::Refuse(why.to_string());
        let _ = giving.messages.send(&giving.socket, &refuse, &[]);
        drop(giving);
        self.thaw(event_loop);
    }
    // ANCHOR_END: take-back
}
