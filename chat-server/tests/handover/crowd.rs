//! Many people who talk all the time, and miss nothing.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chat_protocol::{Decoded, LineDecoder, Message, TagLimit};
use epoll_loop::{
    Event, EventLoop, Interest, ReadEnd, SendQueue, Watch, Watched, WatcherId, read_within,
};

/// People in one channel, all of whom hear each other.
const CIRCLE: usize = 10;

/// Everybody speaks at most once in so many ticks, one part of them at each tick, so that the talk
/// never stops and leaves time for other tests.
const PARTS: usize = 25;
const TICK: Duration = Duration::from_millis(10);

/// Talks until it is told to stop. Each round everybody says its number once, and says the next
/// when it has heard all others; so somebody always talks, and what is missing, doubled or out of
/// order is seen at once.
pub(crate) struct Crowd {
    people: Vec<Person>,
    by_watcher: HashMap<WatcherId, usize>,
    ticks: usize,
    stop: Arc<AtomicBool>,
    messages: Arc<AtomicU64>,
    /// The number that everybody says last.
    last: Option<u64>,
    /// How many have said their last word and heard the last words of the others.
    done: usize,
    buffer: Vec<u8>,
}

struct Person {
    stream: Watched<TcpStream>,
    decoder: LineDecoder,
    queue: SendQueue,
    /// How many have joined its channel.
    joined: usize,
    /// What each of the others has said last, by its place in the circle.
    heard: [u64; CIRCLE],
    said: u64,
    is_done: bool,
}

impl Crowd {
    /// Connects `circles` of people. `messages` counts what they hear.
    pub(crate) fn gather(
        event_loop: &mut EventLoop<Crowd>,
        address: SocketAddr,
        circles: usize,
        stop: Arc<AtomicBool>,
        messages: Arc<AtomicU64>,
    ) -> io::Result<Crowd> {
        let mut crowd = Crowd {
            people: Vec::new(),
            by_watcher: HashMap::new(),
            ticks: 0,
            stop,
            messages,
            last: None,
            done: 0,
            buffer: vec![0; 16 * 1024],
        };
        for number in 0..circles * CIRCLE {
            let stream = TcpStream::connect(address)?;
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let watch = Watch::new(Interest::READABLE).label("person");
            let stream = event_loop.watch(stream, watch, Crowd::hear)?;
            crowd.by_watcher.insert(stream.id(), number);
            let mut queue = SendQueue::new(0);
            let (circle, place) = (number / CIRCLE, number % CIRCLE);
            queue.push(format!("NICK p{circle}-{place}\r\nUSER p 0 * :p\r\n").as_bytes());
            queue.push(format!("JOIN #c{circle}\r\n").as_bytes());
            queue.flush(event_loop, &stream)?;
            crowd.people.push(Person {
                stream,
                decoder: LineDecoder::new(TagLimit::Server),
                queue,
                joined: 0,
                heard: [0; CIRCLE],
                said: 0,
                is_done: false,
            });
        }
        event_loop.every(TICK, Crowd::tick);
        Ok(crowd)
    }

    fn hear(&mut self, _: &mut EventLoop<Crowd>, event: Event) {
        let number = self.by_watcher[&event.id];
        let Crowd {
            people,
            buffer,
            messages,
            ..
        } = self;
        let person = &mut people[number];
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let end = read_within(
            &*person.stream,
            event.readiness,
            buffer,
            64 * 1024,
            |bytes| {
                person.decoder.decode(bytes, |decoded| {
                    match decoded {
                        Decoded::Line(line) => lines.push(line.to_vec()),
                        other => panic!("{number} got {other:?}"),
                    }
                    ControlFlow::Continue(())
                });
            },
        );
        assert!(
            matches!(end, Ok(ReadEnd::Drained | ReadEnd::BudgetSpent)),
            "{number} was disconnected: {end:?}"
        );
        for line in lines {
            let message = Message::parse(&line).unwrap();
            if message.is(b"JOIN") {
                person.joined += 1;
            } else if message.is(b"353") {
                // Those who were there before, and the person itself, which the JOIN has counted.
                let names = message.parameters.last().unwrap();
                person.joined += names.split(|&byte| byte == b' ').count() - 1;
            } else if message.is(b"PRIVMSG") {
                messages.fetch_add(1, Ordering::Relaxed);
                let nick = str::from_utf8(message.source.unwrap().nick()).unwrap();
                let place: usize = nick.split_once('-').unwrap().1.parse().unwrap();
                let said = str::from_utf8(message.parameters[1]).unwrap();
                let said: u64 = said.parse().unwrap();
                assert_eq!(said, person.heard[place] + 1, "{number} hears {nick}");
                person.heard[place] = said;
            }
        }
    }

    /// A part of the people may speak.
    fn tick(&mut self, event_loop: &mut EventLoop<Crowd>, _: Event) {
        self.ticks += 1;
        for number in (self.ticks % PARTS..self.people.len()).step_by(PARTS) {
            self.speak(event_loop, number);
        }
    }

    /// Says the next number, if everybody else has said this one.
    fn speak(&mut self, event_loop: &mut EventLoop<Crowd>, number: usize) {
        let last = self.last();
        let person = &mut self.people[number];
        let (circle, place) = (number / CIRCLE, number % CIRCLE);
        let mut others = person
            .heard
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place);
        if person.joined == CIRCLE && others.all(|(_, &heard)| heard >= person.said) {
            if last == Some(person.said) {
                self.done += usize::from(!std::mem::replace(&mut person.is_done, true));
            } else {
                person.said += 1;
                let text = format!("PRIVMSG #c{circle} :{}\r\n", person.said);
                person.queue.push(text.as_bytes());
            }
        }
        person.queue.flush(event_loop, &person.stream).unwrap();
        if self.done == self.people.len() {
            event_loop.stop(Ok(()));
        }
    }

    /// The number after which everybody is silent, once it is known: nobody has
    /// said it when it is chosen.
    fn last(&mut self) -> Option<u64> {
        if self.last.is_none() && self.stop.load(Ordering::Relaxed) {
            self.last = self.people.iter().map(|person| person.said + 1).max();
        }
        self.last
    }
}
