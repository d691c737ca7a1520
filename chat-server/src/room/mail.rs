//! Delivery: one queue of bytes a client, and who gets a message.
//!
//! Shows: everything that is sent passes through `Mail::put`, where its
//! receiver's capabilities, the limits on waiting bytes and the list of clients
//! to flush are looked after; a reader who is too slow is noted there and put
//! out later, never in the middle of a delivery.
//! Leaves out: writing to sockets, which is the loop side's part.

use std::time::{SystemTime, UNIX_EPOCH};

use chat_protocol::{LineWriter, Tags};
use epoll_loop::SendQueue;

use super::batch::{Batch, Part, Share};
use super::capabilities::Capabilities;
use super::channel::{ChannelSlot, Member};
#[cfg(test)]
use super::client::Clients;
use super::client::{Client, ClientSlot, Kind};
use super::letter::Letter;
use super::numerics::Numeric;
use super::outgoing::Outgoing;
use super::rules::Rules;

/// What waits for one client, and how it wants it.
#[derive(Debug)]
// ANCHOR: mailbox
struct Mailbox {
    client: ClientSlot,
    /// What an earlier batch has brought and the peer has not taken.
    queue: SendQueue,
    /// What this one has.
    share: Share,
    kind: Kind,
    /// The room that a plain peer joined last.
    room: Option<ChannelSlot>,
    capabilities: Capabilities,
    /// Number of the last letter that came here.
    last_letter: u64,
    /// Listed in [`Mail::dirty`].
    is_dirty: bool,
    state: MailboxState,
    /// The last flush left something; it may have stopped inside a line.
    is_partly_written: bool,
}
// ANCHOR_END: mailbox

/// What waits for a client, as its successor server is told.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    mailbox: &'a Mailbox,
    batch: &'a Batch,
}

impl<'a> Waiting<'a> {
    pub(super) fn len(&self) -> usize {
        self.mailbox.len()
    }

    /// Its bytes, in pieces.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let queued = self.mailbox.queue.chunks();
        queued.chain(self.batch.pieces(self.mailbox.share))
    }

    /// Whether it may begin inside a line.
    pub(super) fn is_partly_written(&self) -> bool {
        self.mailbox.is_partly_written
    }

    /// Whether what waited was dropped.
    pub(super) fn is_emptied(&self) -> bool {
        self.mailbox.state == MailboxState::Emptied
    }
}

/// Whether a mailbox takes messages, and gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MailboxState {
    Open,
    /// Takes nothing any more; what waits is still to be written.
    Closed,
    /// The same, and what waited was dropped: a line or two are left.
    Emptied,
}

impl Mailbox {
    fn is_closed(&self) -> bool {
        self.state != MailboxState::Open
    }

    /// Number of bytes that wait.
    fn len(&self) -> usize {
        self.queue.len() + self.share.len()
    }

    /// The letter in the form that is wanted here.
    fn form_of(&self, letter: &mut Letter, batch: &mut Batch) -> Part {
        match self.kind {
            Kind::Irc => letter.line_for(self.capabilities, batch),
            Kind::Plain => letter.text_for(self.room, batch),
        }
    }

    fn outgoing<'a>(&'a mut self, batch: &'a mut Batch) -> Outgoing<'a> {
        Outgoing::new(&mut self.queue, &mut self.share, batch)
    }
}

/// The outgoing side of the room.
#[derive(Debug)]
pub(super) struct Mail {
    /// When the batch that is being handled began.
    pub(super) now: SystemTime,
    server_name: Box<[u8]>,
    letter: Letter,
    batch: Batch,
    /// By client slot; those of free slots are closed.
    boxes: Vec<Mailbox>,
    dirty: Vec<ClientSlot>,
    /// Clients that read too slowly, to be put out when the command is done.
    overrun: Vec<ClientSlot>,
    /// Bytes in all queues.
    queued_bytes: usize,
    max_queued_bytes: usize,
    max_queue_bytes: usize,
    /// Messages put into a queue since the start.
    pub(super) lines_queued: u64,
    /// Bytes of all messages since the last flush, each counted once: no queue
    /// has grown by much more.
    pub(super) unflushed_bytes: usize,
    /// The last message that is counted there.
    counted_letter: u64,
    /// Bytes by which all queues together have grown since the last flush.
    pub(super) unflushed_bytes_of_all: usize,
}

impl Mail {
    pub(super) fn new(rules: &Rules) -> Mail {
        Mail {
            now: UNIX_EPOCH,
            server_name: rules.server_name.as_bytes().into(),
            letter: Letter::new(),
            batch: Batch::default(),
            boxes: Vec::new(),
            dirty: Vec::new(),
            overrun: Vec::new(),
            queued_bytes: 0,
            max_queued_bytes: rules.limits.send_queues_bytes,
            max_queue_bytes: rules.limits.send_queue_bytes,
            lines_queued: 0,
            unflushed_bytes: 0,
            counted_letter: 0,
            unflushed_bytes_of_all: 0,
        }
    }

    /// Gives a new client an empty mailbox.
    pub(super) fn open(&mut self, client: ClientSlot, kind: Kind) {
        let mailbox = Mailbox {
            client,
            queue: SendQueue::new(self.max_queue_bytes),
            share: Share::default(),
            kind,
            room: None,
            capabilities: Capabilities::empty(),
            last_letter: 0,
            is_dirty: false,
            state: MailboxState::Open,
            is_partly_written: false,
        };
        // Slots are given out in order, or used again.
        if client.index() == self.boxes.len() {
            self.boxes.push(mailbox);
        } else {
            self.boxes[client.index()] = mailbox;
        }
    }

    /// What waits for a client.
    pub(super) fn waiting(&self, client: ClientSlot) -> Waiting<'_> {
        Waiting {
            mailbox: &self.boxes[client.index()],
            batch: &self.batch,
        }
    }

    /// Puts into a new mailbox what waited at another server.
    pub(super) fn restore(&mut self, client: ClientSlot, unsent: &[u8], is_partly_written: bool) {
        let mailbox = &mut self.boxes[client.index()];
        mailbox.queue.push(unsent);
        mailbox.is_partly_written = is_partly_written;
        mailbox.is_dirty = true;
        self.dirty.push(client);
        self.queued_bytes += unsent.len();
    }

    /// Puts nothing more into a mailbox.
    pub(super) fn close(&mut self, client: ClientSlot, is_emptied: bool) {
        self.boxes[client.index()].state = if is_emptied {
            MailboxState::Emptied
        } else {
            MailboxState::Closed
        };
    }

    /// Throws away what still waits for a client whose connection is closed.
    pub(super) fn discard(&mut self, client: ClientSlot) {
        let mailbox = &mut self.boxes[client.index()];
        self.queued_bytes -= mailbox.len();
        mailbox.outgoing(&mut self.batch).clear();
        mailbox.state = MailboxState::Closed;
        mailbox.is_dirty = false;
    }

    pub(super) fn kind(&self, client: ClientSlot) -> Kind {
        self.boxes[client.index()].kind
    }

    pub(super) fn capabilities(&self, client: ClientSlot) -> Capabilities {
        self.boxes[client.index()].capabilities
    }

    pub(super) fn set_capabilities(&mut self, client: ClientSlot, capabilities: Capabilities) {
        self.boxes[client.index()].capabilities = capabilities;
    }

    /// Bytes that wait for one client.
    pub(super) fn queued(&self, client: ClientSlot) -> usize {
        self.boxes[client.index()].len()
    }

    /// Has `write` take bytes out of what waits for a client, and keeps the total.
    pub(super) fn flush<R>(
        &mut self,
        client: ClientSlot,
        write: impl FnOnce(&mut Outgoing<'_>) -> R,
    ) -> R {
        let mailbox = &mut self.boxes[client.index()];
        self.queued_bytes -= mailbox.len();
        let result = write(&mut mailbox.outgoing(&mut self.batch));
        self.queued_bytes += mailbox.len();
        mailbox.is_partly_written = !mailbox.queue.is_empty();
        result
    }

    /// Hands over the clients that have got something to be flushed, each once.
    pub(super) fn take_dirty(&mut self) -> impl Iterator<Item = ClientSlot> {
        self.unflushed_bytes = 0;
        self.unflushed_bytes_of_all = 0;
        self.dirty
            .drain(..)
            .filter(|client| std::mem::take(&mut self.boxes[client.index()].is_dirty))
    }

    /// A client that read too slowly and has not been put out yet.
    pub(super) fn next_overrun(&mut self) -> Option<ClientSlot> {
        self.overrun.pop()
    }

    /// Writes the message that the next calls of `post` deliver.
    pub(super) fn write(&mut self, compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>) {
        self.letter
            .write(&mut self.batch, self.now, Tags::EMPTY, compose);
    }

    /// As [`Mail::write`], with those of a client's tags that are for others.
    pub(super) fn write_tagged(
        &mut self,
        tags: Tags<'_>,
        compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>,
    ) {
        self.letter.write(&mut self.batch, self.now, tags, compose);
    }

    /// Writes and sends a numeric reply; `compose` adds what stands between the
    /// client's nick and the numeric's fixed text.
    pub(super) fn reply(
        &mut self,
        to: &Client,
        numeric: Numeric,
        compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>,
    ) {
        self.command_to(to, numeric.code.as_bytes(), |line| {
            let line = compose(line.parameter(to.identity.nick()));
            match numeric.text {
                "" => line,
                text => line.trailing(text.as_bytes()),
            }
        });
    }

    /// Writes and sends a command from the server to one client.
    pub(super) fn command_to(
        &mut self,
        to: &Client,
        command: &[u8],
        compose: impl for<'a> FnOnce(LineWriter<'a>) -> LineWriter<'a>,
    ) {
        let server_name = &self.server_name;
        self.letter
            .write(&mut self.batch, self.now, Tags::EMPTY, |line| {
                compose(line.source(server_name).command(command))
            });
        self.post(to.slot);
    }

    /// Whether the message that was written last was cut to fit a line.
    pub(super) fn is_cut(&self) -> bool {
        self.letter.is_cut
    }

    /// Says to which room the message is, so that plain peers who are in
    /// several can tell.
    pub(super) fn address_to_room(&mut self, room: ChannelSlot) {
        self.letter.room = Some(room);
    }

    /// Notes which room a plain peer joined last.
    pub(super) fn set_room(&mut self, client: ClientSlot, room: Option<ChannelSlot>) {
        self.boxes[client.index()].room = room;
    }

    /// Delivers the message to one client, unless it has it already.
    // ANCHOR: post
    pub(super) fn post(&mut self, to: ClientSlot) {
        let mailbox = &mut self.boxes[to.index()];
        // ANCHOR: once-a-letter
        if mailbox.is_closed() || mailbox.last_letter == self.letter.number {
            return;
        }
        // ANCHOR_END: once-a-letter
        mailbox.last_letter = self.letter.number;
        let part = mailbox.form_of(&mut self.letter, &mut self.batch);
        // ANCHOR: over-the-limit
        if mailbox.len() + part.len() > self.max_queue_bytes {
            self.close_overrun(to);
            return;
        }
        // ANCHOR_END: over-the-limit
        self.put(to, part);
        // ANCHOR: over-the-total
        while self.queued_bytes > self.max_queued_bytes && self.close_longest() {}
        // ANCHOR_END: over-the-total
    }
    // ANCHOR_END: post

    /// Delivers the message to those members of a channel that `wants` picks.
    pub(super) fn post_to_members(
        &mut self,
        members: &[Member],
        wants: impl Fn(&Member, Capabilities) -> bool,
    ) {
        for member in members {
            if wants(member, self.boxes[member.client.index()].capabilities) {
                self.post(member.client);
            }
        }
    }

    /// Keeps the message from a client that a later delivery would reach.
    pub(super) fn skip(&mut self, client: ClientSlot) {
        self.boxes[client.index()].last_letter = self.letter.number;
    }

    /// Delivers the message even to a client that has it already.
    pub(super) fn post_again(&mut self, to: ClientSlot) {
        self.boxes[to.index()].last_letter = 0;
        self.post(to);
    }

    /// Delivers the message whatever the limits say, and nothing after it.
    pub(super) fn post_last(&mut self, to: ClientSlot) {
        let mailbox = &mut self.boxes[to.index()];
        let part = mailbox.form_of(&mut self.letter, &mut self.batch);
        self.put(to, part);
        let mailbox = &mut self.boxes[to.index()];
        if mailbox.state == MailboxState::Open {
            mailbox.state = MailboxState::Closed;
        }
    }

    /// Appends the message, which stands in this part, to what waits.
    // ANCHOR: put
    fn put(&mut self, to: ClientSlot, part: Part) {
        let number = self.letter.number;
        let mailbox = &mut self.boxes[to.index()];
        if !self.batch.give(&mut mailbox.share, part) {
            mailbox.outgoing(&mut self.batch).settle();
            mailbox.queue.push(self.batch.bytes(part));
        }
        self.queued_bytes += part.len();
        self.unflushed_bytes_of_all += part.len();
        self.lines_queued += 1;
        if self.counted_letter != number {
            self.counted_letter = number;
            self.unflushed_bytes += part.len();
        }
        // ANCHOR: note-dirty
        if !mailbox.is_dirty {
            mailbox.is_dirty = true;
            self.dirty.push(to);
        }
        // ANCHOR_END: note-dirty
    }
    // ANCHOR_END: put

    /// Drops what waits for a client that is too slow, and notes it.
    fn close_overrun(&mut self, client: ClientSlot) {
        self.drop_waiting(client);
        self.overrun.push(client);
    }

    /// Forgets what waits, and takes nothing more.
    // ANCHOR: drop-waiting
    fn drop_waiting(&mut self, client: ClientSlot) {
        let mailbox = &mut self.boxes[client.index()];
        self.queued_bytes -= mailbox.len();
        self.batch.take_back(&mut mailbox.share);
        if mailbox.is_partly_written {
            // The line that is being written is kept to its end, or the ERROR
            // that comes next would be taken for the rest of it.
            mailbox.queue.truncate_after(b'\n');
        } else {
            mailbox.queue.clear();
        }
        self.queued_bytes += mailbox.len();
        mailbox.state = MailboxState::Emptied;
    }
    // ANCHOR_END: drop-waiting

    /// All queues together are too long: the longest has to go, also if it is
    /// that of a client who is leaving and takes its time. It is looked for only
    /// here, so that nothing is spent on it while there is room. False if
    /// nothing is left to be dropped; even then it has looked in vain only once
    /// for each client that it put out, since the one just delivered to is there
    /// to be dropped.
    fn close_longest(&mut self) -> bool {
        let waiting = self
            .boxes
            .iter()
            .filter(|mailbox| mailbox.state != MailboxState::Emptied && mailbox.len() > 0);
        let Some(longest) = waiting.max_by_key(|mailbox| mailbox.len()) else {
            return false;
        };
        let client = longest.client;
        if longest.is_closed() {
            // Its ERROR was the last of what is dropped.
            let last_line: &[u8] = match longest.kind {
                Kind::Irc => b"ERROR :Closing link: [SendQ exceeded]\r\n",
                Kind::Plain => b"-- SendQ exceeded\r\n",
            };
            self.drop_waiting(client);
            self.boxes[client.index()].queue.push(last_line);
            self.queued_bytes += last_line.len();
        } else {
            self.close_overrun(client);
        }
        true
    }
}

#[cfg(test)]
impl Mail {
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Panics if the mailboxes contradict the clients or the totals.
    pub(super) fn check_invariants(&self, clients: &Clients) {
        let queued: usize = self.boxes.iter().map(Mailbox::len).sum();
        assert_eq!(queued, self.queued_bytes);
        let shares = self.boxes.iter().map(|mailbox| &mailbox.share);
        self.batch.check_invariants(shares);
        assert!(self.overrun.is_empty(), "somebody slow was not put out");
        let open = self.boxes.iter().filter(|mailbox| !mailbox.is_closed());
        assert_eq!(
            open.count(),
            clients.iter().filter(|client| !client.is_leaving()).count()
        );
        for client in clients.iter() {
            let mailbox = &self.boxes[client.slot.index()];
            assert_eq!(mailbox.client, client.slot);
            assert_eq!(mailbox.is_closed(), client.is_leaving());
            assert_eq!(
                mailbox.room,
                client.memberships.last().map(|held| held.channel)
            );
        }
    }
}
