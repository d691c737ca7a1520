//! What the loop allocates: nothing for an event, a timer or a change of interest, once its tables
//! have their size.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use chapter_tests::allocations::{Counting, measure};
use epoll_loop::{Event, EventLoop, Interest, Watched};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `turn` asks for memory in 1,000 turns, after some to grow the tables.
fn allocations_of(mut turn: impl FnMut()) -> u64 {
    for _ in 0..100 {
        turn();
    }
    measure(|| (0..1_000).for_each(|_| turn())).allocations
}

type Socket = Watched<UnixStream>;

#[test]
fn an_event_allocates_nothing_nor_does_an_interest_changed_and_changed_back() {
    struct State {
        sockets: Vec<Socket>,
        events: usize,
    }
    let changes = |state: &mut State, event_loop: &mut EventLoop<State>, event: Event| {
        let socket = &state.sockets[event.id.slot() as usize];
        socket.set_interest(event_loop, Interest::READABLE);
        socket.set_interest(event_loop, Interest::WRITABLE);
        state.events += 1;
    };
    let mut event_loop = EventLoop::new().unwrap();
    let (nears, _fars): (Vec<_>, Vec<_>) = (0..10).map(|_| UnixStream::pair().unwrap()).unzip();
    let mut watch = |near| event_loop.watch(near, Interest::WRITABLE, changes).unwrap();
    let sockets = nears.into_iter().map(&mut watch).collect();
    let mut state = State { sockets, events: 0 };
    let allocations = allocations_of(|| event_loop.turn(&mut state, None).unwrap());
    assert_eq!(state.events, 10 * 1_100, "each turn has its events");
    assert_eq!(allocations, 0);
}

#[test]
fn a_timer_that_takes_the_place_of_an_earlier_one_allocates_nothing() {
    let mut event_loop = EventLoop::<usize>::new().unwrap();
    let count = |fired: &mut usize, _: &mut EventLoop<usize>, _: Event| *fired += 1;
    let mut fired = 0;
    let allocations = allocations_of(|| {
        let idle = event_loop.after(Duration::from_mins(1), count);
        event_loop.push_out(idle, Duration::from_mins(2));
        event_loop.after(Duration::ZERO, count);
        event_loop.turn(&mut fired, None).unwrap();
        event_loop.cancel(idle);
    });
    assert_eq!(fired, 1_100, "each turn has its timer");
    assert_eq!(allocations, 0);
}
