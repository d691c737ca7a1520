//! Sends back what its clients say: an echo server on the loop.
//!
//! Run it: `cargo run -p epoll-loop --example echo -- 127.0.0.1:7007`, then `nc 127.0.0.1 7007`
//!
//! Shows: a callback is a method; to drop a client is to close it; one who does not read its echo
//! is not read from; after a half close (`nc -N`) the rest of the echo still comes.
//! Leaves out: time-outs. `echo_bare.rs` beside it is the same server without the loop.
use epoll_loop::{Event, EventLoop, Interest, ReadEnd, SendQueue, Watched, WatcherId, read_within};
use std::net::{TcpListener, TcpStream};
use std::{collections::HashMap, env, io, io::ErrorKind::WouldBlock, time::Duration};

struct Echo {
    listener: Watched<TcpListener>,
    clients: HashMap<WatcherId, (Watched<TcpStream>, SendQueue)>,
}

impl Echo {
    fn accept(&mut self, event_loop: &mut EventLoop<Echo>, _: Event) {
        let accepted = self.listener.accept().and_then(|(stream, _)| {
            stream.set_nonblocking(true)?;
            let stream = event_loop.watch(stream, Interest::READABLE, Echo::serve)?;
            let client = (stream, SendQueue::new(0));
            Ok(self.clients.insert(client.0.id(), client))
        });
        if accepted.is_err_and(|err| err.kind() != WouldBlock) {
            // Out of descriptors, maybe: the listener stays readable, so pause it for a while.
            self.listener.set_interest(event_loop, Interest::NONE);
            event_loop.after(Duration::from_millis(100), |echo, event_loop, _| {
                echo.listener.set_interest(event_loop, Interest::READABLE);
            });
        }
    }

    fn serve(&mut self, event_loop: &mut EventLoop<Echo>, event: Event) {
        let (stream, queue) = self.clients.get_mut(&event.id).expect("it is watched");
        let mut end = Ok(ReadEnd::Drained);
        if queue.is_empty() {
            let take = |bytes: &[u8]| queue.push(bytes);
            end = read_within(&**stream, event.readiness, &mut [0; 16_384], 65_536, take);
        }
        match queue.write_to(&**stream).and(end) {
            // The end comes again after the last byte of the echo.
            Ok(_) if !queue.is_empty() => stream.set_interest(event_loop, Interest::WRITABLE),
            Ok(ReadEnd::EndOfStream) | Err(_) => drop(self.clients.remove(&event.id)),
            Ok(_) => stream.set_interest(event_loop, Interest::READABLE),
        }
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(env::args().nth(1).as_deref().unwrap_or("127.0.0.1:7007"))?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let mut event_loop = EventLoop::new()?;
    let listener = event_loop.watch(listener, Interest::READABLE, Echo::accept)?;
    let clients = HashMap::new();
    event_loop.run(&mut Echo { listener, clients })
}
