//! What clients and server say to each other, from the first line to the last.
//!
//! Shows: a registration as one reads it on the wire: NICK and USER, PING in between perhaps, a nick
//! that is taken (433), the greeting (001), JOIN and the end of the names (366); output that is
//! gathered and written once a turn; lines that need no parsing.
//! Leaves out: everything that is no matter of a client's coming and going: that is the driver's.

use std::io;
use std::mem;
use std::ops::ControlFlow;

use chat_protocol::{Decoded, LineDecoder, Message, TagLimit, neutral};
use epoll_loop::{Event, EventLoop, Interest, ReadEnd, read_within};

use super::{ClientNumber, Crowd, Driver, SETTLE, Stage, arrive, end};
use crate::failure::Failure;

/// What one client may read in one turn.
const BYTES_A_TURN: usize = 1024 * 1024;

/// Nicks under which one client tries to register.
const MAX_NICKS: u32 = 10;

/// An attempt to connect is over.
pub(super) fn register<D>(
    crowd: &mut Crowd,
    event_loop: &mut EventLoop<D>,
    client: ClientNumber,
) -> io::Result<()> {
    let newcomer = &mut crowd.clients[client];
    let Some(stream) = &newcomer.stream else {
        return Ok(());
    };
    nonblock_connect::outcome(stream, crowd.sources.server())?;
    // What is written goes out at once; without this a second line waits for the first one's
    // acknowledgement (Nagle).
    stream.set_tcp_nodelay(true)?;
    stream.set_interest(event_loop, Interest::READABLE);
    newcomer.stage = Stage::Registering;
    let nick = &newcomer.nick;
    let hello = format!("NICK {nick}\r\nUSER stress 0 * :stress-client\r\n");
    crowd.say(client, hello.as_bytes());
    Ok(())
}

/// Writes and reads, as far as that is possible.
pub(super) fn exchange<D: Driver>(
    driver: &mut D,
    event_loop: &mut EventLoop<D>,
    client: ClientNumber,
    event: Event,
) -> io::Result<ReadEnd> {
    if event.readiness.is_writable() {
        write(driver.crowd(), event_loop, client)?;
    }
    let Some(stream) = driver.crowd().stream(client) else {
        return Ok(ReadEnd::Drained);
    };
    if !stream.interest(event_loop).contains(Interest::READABLE) {
        return Ok(ReadEnd::Drained);
    }
    let mut buffer = mem::take(&mut driver.crowd().buffer);
    let result = read_within(
        &**stream,
        event.readiness,
        &mut buffer,
        BYTES_A_TURN,
        |bytes| hear(driver, event_loop, client, bytes),
    );
    driver.crowd().buffer = buffer;
    result
}

fn hear<D: Driver>(
    driver: &mut D,
    event_loop: &mut EventLoop<D>,
    client: ClientNumber,
    mut bytes: &[u8],
) {
    driver.crowd().bytes_read += bytes.len() as u64;
    while !bytes.is_empty() {
        let Some(hearer) = driver.crowd().mut_open(client) else {
            return;
        };
        let is_at_start = hearer.decoder.pending() == 0 && !hearer.decoder.is_skipping();
        if hearer.stage == Stage::Ready && is_at_start {
            let known = driver.known(event_loop, client, bytes);
            bytes = &bytes[known..];
        }
        let Some(hearer) = driver.crowd().mut_open(client) else {
            return;
        };
        let fresh = LineDecoder::new(TagLimit::Server);
        let mut decoder = mem::replace(&mut hearer.decoder, fresh);
        let taken = decoder.decode(bytes, |decoded| {
            if let Decoded::Line(line) = decoded
                && let Ok(message) = Message::parse(line)
            {
                take_line(driver, event_loop, client, line, &message);
            }
            ControlFlow::Break(())
        });
        bytes = &bytes[taken..];
        if let Some(hearer) = driver.crowd().mut_open(client) {
            hearer.decoder = decoder;
        }
    }
}

fn take_line<D: Driver>(
    driver: &mut D,
    event_loop: &mut EventLoop<D>,
    client: ClientNumber,
    line: &[u8],
    message: &Message<'_>,
) {
    let crowd = driver.crowd();
    let Some(hearer) = crowd.mut_open(client) else {
        return;
    };
    let last = message.parameters.last().copied().unwrap_or_default();
    if message.is(b"PING") {
        crowd.say(client, &[b"PONG :", last, b"\r\n"].concat());
        return;
    }
    if message.is(b"ERROR") {
        hearer.last_word = Some(neutral(last).into());
        return;
    }
    if message.is(b"PONG") && hearer.is_settling && last == SETTLE {
        hearer.is_settling = false;
        crowd.settling -= 1;
        if crowd.settling == 0 {
            driver.settled(event_loop);
        }
        return;
    }
    match (hearer.stage, message.numeric()) {
        (Stage::Registering, Some(1)) => {
            if let Some(channel) = &hearer.role.channel {
                hearer.stage = Stage::Joining;
                let join = format!("JOIN {channel}\r\n");
                crowd.say(client, join.as_bytes());
            } else {
                arrive(driver, event_loop, client);
            }
        }
        // The nick is taken, or the server wants none like it.
        (Stage::Registering, Some(432 | 433 | 436 | 437)) if hearer.nicks_tried < MAX_NICKS => {
            hearer.choose_nick(client);
            let nick = format!("NICK {}\r\n", hearer.nick);
            crowd.say(client, nick.as_bytes());
        }
        (Stage::Joining, Some(366)) => arrive(driver, event_loop, client),
        // 421 to a command that nobody here has sent would be the server's own confusion; 422 is
        // "no message of the day", which is no refusal.
        (Stage::Registering | Stage::Joining, Some(code @ 400..=599)) if code != 422 => {
            let refusal = Failure::Refused(hearer.nick.to_string(), code, neutral(last));
            event_loop.stop(Err(refusal.into()));
        }
        (Stage::Ready, _) => driver.heard(event_loop, client, line, message),
        _ => {}
    }
}

/// Has all that clients say written, as far as the server takes it.
pub(super) fn write_all<D: Driver>(driver: &mut D, event_loop: &mut EventLoop<D>) {
    // What somebody says while this runs is written in the next turn.
    let mut dirty = mem::take(&mut driver.crowd().dirty);
    for client in dirty.drain(..) {
        driver.crowd().clients[client].is_dirty = false;
        if let Err(err) = write(driver.crowd(), event_loop, client) {
            end(driver, event_loop, client, Some(err));
        }
    }
    if driver.crowd().dirty.is_empty() {
        driver.crowd().dirty = dirty;
    }
}

fn write<D>(
    crowd: &mut Crowd,
    event_loop: &mut EventLoop<D>,
    client: ClientNumber,
) -> io::Result<()> {
    let speaker = &mut crowd.clients[client];
    // One that is still connecting has the number of one that is gone, who had something to say.
    if let Some(stream) = &speaker.stream
        && speaker.stage != Stage::Connecting
    {
        speaker.queue.flush(event_loop, stream)?;
    }
    Ok(())
}
