//! The guard ends the watch, the loop closes the descriptor, and between the
//! two nobody is called.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use epoll_loop::{Entry, Event, EventLoop, Interest, Operation, Watch, Watched, WatcherId};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::record::Record;
use crate::sockets::{in_kernels_set, pair};

/// Two watched sockets, both of which have something to read.
struct Pair {
    watches: Vec<Watched<UnixStream>>,
    called: Vec<WatcherId>,
    taken_back: Vec<UnixStream>,
}

impl Pair {
    fn note(&mut self, _: &mut EventLoop<Pair>, event: Event) {
        self.called.push(event.id);
    }

    /// Whoever is called first drops the other.
    fn drop_the_other(&mut self, _: &mut EventLoop<Pair>, event: Event) {
        self.called.push(event.id);
        self.watches.retain(|watch| watch.id() == event.id);
    }

    /// Whoever is called first takes the other back.
    fn take_the_other_back(&mut self, event_loop: &mut EventLoop<Pair>, event: Event) {
        self.called.push(event.id);
        let (own, others) = self.watches.drain(..).partition(|w| w.id() == event.id);
        self.watches = own;
        for other in others {
            self.taken_back.push(other.into_inner(event_loop).unwrap());
        }
    }
}

/// A loop with a [`Pair`] whose callback is `callback`, and the far ends.
fn ready_pair(callback: epoll_loop::Callback<Pair>) -> (EventLoop<Pair>, Pair, [UnixStream; 2]) {
    let mut event_loop = EventLoop::new().unwrap();
    let mut watches = Vec::new();
    let far = [(); 2].map(|()| {
        let (near, mut far) = pair();
        far.write_all(b"hello").unwrap();
        watches.push(
            event_loop
                .watch(near, Interest::READABLE, callback)
                .unwrap(),
        );
        far
    });
    let pair = Pair {
        watches,
        called: Vec::new(),
        taken_back: Vec::new(),
    };
    (event_loop, pair, far)
}

#[test]
fn a_stale_event_in_one_batch_reaches_nobody() {
    let (mut event_loop, mut pair, _far) = ready_pair(Pair::drop_the_other);
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    assert_eq!(
        pair.called.len(),
        1,
        "both were ready, the second was dropped"
    );
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    assert_eq!(pair.called, [pair.watches[0].id(); 2], "the first goes on");
}

#[test]
fn into_inner_with_an_event_pending_gives_the_object_back_and_calls_nobody() {
    let (mut event_loop, mut pair, _far) = ready_pair(Pair::take_the_other_back);
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    assert_eq!(
        pair.called.len(),
        1,
        "both were ready, the second was taken back"
    );
    let mut bytes = [0; 5];
    pair.taken_back[0].read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello", "what it was ready for is still there");
    let own = pair.watches[0].as_raw_fd();
    assert_eq!(in_kernels_set(&event_loop), [own]);
}

#[test]
fn a_callback_that_drops_its_own_watch_is_not_called_again() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let callback = |state: &mut (Option<Watched<UnixStream>>, u32), _: &mut _, _| {
        state.0 = None;
        state.1 += 1;
    };
    let watch = event_loop
        .watch(near, Interest::READABLE, callback)
        .unwrap();
    let mut state = (Some(watch), 0);
    event_loop.run(&mut state).unwrap();
    assert_eq!(state.1, 1);
    let closed = far.read(&mut [0; 1]).unwrap_err();
    assert_eq!(
        closed.kind(),
        ErrorKind::ConnectionReset,
        "closed with bytes unread"
    );
}

#[test]
fn a_dropped_descriptor_stays_open_until_the_batch_is_over() {
    let (mut event_loop, mut pair, far) = ready_pair(Pair::drop_the_other);
    let is_closed = |mut far: &UnixStream| match far.write(b"x") {
        Ok(_) => false,
        Err(err) => err.kind() == ErrorKind::BrokenPipe,
    };
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    assert_eq!(far.iter().filter(|far| is_closed(far)).count(), 0);
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    assert_eq!(far.iter().filter(|far| is_closed(far)).count(), 1);
}

#[test]
fn outside_of_run_reify_closes_at_once_what_was_dropped() {
    let (mut event_loop, mut pair, mut far) = ready_pair(Pair::note);
    pair.watches.clear();
    event_loop.reify();
    for far in &mut far {
        assert_eq!(far.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
    assert!(in_kernels_set(&event_loop).is_empty());
}

#[test]
fn reify_in_a_callback_closes_nothing_before_the_batch_is_over() {
    let (mut event_loop, mut pair, far) = ready_pair(|pair, event_loop, event| {
        pair.drop_the_other(event_loop, event);
        event_loop.reify();
    });
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    for mut far in far {
        far.write_all(b"x").unwrap();
    }
}

#[test]
fn a_watch_dropped_while_a_duplicate_is_open_leaves_no_ghost() {
    let (mut event_loop, mut pair, mut far) = ready_pair(Pair::note);
    let watch = pair.watches.remove(0);
    let duplicate = watch.try_clone().unwrap();
    drop(watch);
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();
    far[0].write_all(b"to whoever holds the duplicate").unwrap();
    event_loop.turn(&mut pair, Some(Duration::ZERO)).unwrap();

    let other = &pair.watches[0];
    assert_eq!(pair.called, [other.id(); 2]);
    assert_eq!(in_kernels_set(&event_loop), [other.as_raw_fd()]);
    drop(duplicate);
}

/// Claim 15, what the loop takes care of: closing is not enough.
#[test]
fn with_epoll_alone_a_close_while_a_duplicate_is_open_leaves_a_ghost() {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let (near, mut far) = pair();
    let number = near.as_raw_fd();
    epoll
        .add(&near, EpollEvent::new(EpollFlags::EPOLLIN, 7))
        .unwrap();
    let duplicate = near.try_clone().unwrap();
    drop(near);
    far.write_all(b"hello").unwrap();

    let mut events = [EpollEvent::empty(); 4];
    for _ in 0..3 {
        assert_eq!(epoll.wait(&mut events, EpollTimeout::ZERO), Ok(1));
        assert_eq!(
            events[0].data(),
            7,
            "an event for a descriptor that is closed"
        );
    }
    assert_eq!(in_kernels_set(&epoll.0), [number]);
    drop(duplicate);
    assert!(in_kernels_set(&epoll.0).is_empty());
}

/// A connection that owns the watch of another, as a relay does.
struct Relay {
    stream: UnixStream,
    _partner: Option<Watched<Relay>>,
}

impl AsFd for Relay {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[test]
fn a_watched_object_may_own_another_watch() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let mut far_ends = Vec::new();
    let mut partner = None;
    for _ in 0..3 {
        let (near, far) = pair();
        far_ends.push(far);
        let relay = Relay {
            stream: near,
            _partner: partner.take(),
        };
        partner = Some(
            event_loop
                .watch(relay, Interest::READABLE, |(), _, _| {})
                .unwrap(),
        );
    }
    drop(partner);
    event_loop.run(&mut ()).unwrap();
    event_loop.reify();
    for mut far in far_ends {
        assert_eq!(far.read(&mut [0; 1]).unwrap(), 0, "all three are closed");
    }
    assert!(in_kernels_set(&event_loop).is_empty());
}

/// A descriptor whose owners share it, so that it may be watched again.
struct Shared {
    stream: Rc<UnixStream>,
    watch: Option<Watched<Rc<UnixStream>>>,
    told: Vec<&'static str>,
}

impl Shared {
    fn first(&mut self, event_loop: &mut EventLoop<Shared>, _: Event) {
        self.told.push("first");
        self.watch = None;
        let stream = Rc::clone(&self.stream);
        let again = event_loop.watch(stream, Interest::READABLE, Shared::second);
        self.watch = Some(again.unwrap());
    }

    fn second(&mut self, event_loop: &mut EventLoop<Shared>, _: Event) {
        self.told.push("second");
        event_loop.stop(Ok(()));
    }
}

#[test]
fn a_descriptor_may_be_watched_again_in_the_batch_in_which_its_watch_was_dropped() {
    let mut event_loop = EventLoop::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let stream = Rc::new(near);
    let watch = event_loop.watch(Rc::clone(&stream), Interest::READABLE, Shared::first);
    let mut shared = Shared {
        stream,
        watch: Some(watch.unwrap()),
        told: Vec::new(),
    };
    let record = Record::of(&mut event_loop);
    event_loop.run(&mut shared).unwrap();
    assert_eq!(shared.told, ["first", "second"]);
    assert_eq!(in_kernels_set(&event_loop), [shared.stream.as_raw_fd()]);
    let is_delete = |entry: &Entry| {
        matches!(
            entry,
            Entry::ChangeApplied {
                operation: Operation::Delete,
                ..
            }
        )
    };
    assert_eq!(
        record.count(is_delete),
        0,
        "told with one MOD in place of DEL and ADD"
    );
}

#[test]
fn a_descriptor_watched_again_and_again_in_one_batch_is_heard_by_the_last_watch() {
    let mut event_loop = EventLoop::<Vec<WatcherId>>::new().unwrap();
    let (near, mut far) = pair();
    let near = Rc::new(near);
    let note = |told: &mut Vec<WatcherId>, _: &mut _, event: Event| told.push(event.id);
    let mut watch = |interest| event_loop.watch(Rc::clone(&near), interest, note).unwrap();
    drop(watch(Interest::READABLE));
    drop(watch(Interest::NONE));
    drop(watch(Interest::WRITABLE));
    let last = watch(Interest::READABLE);

    far.write_all(b"hello").unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(told, [last.id(); 2]);
    assert_eq!(in_kernels_set(&event_loop), [near.as_raw_fd()]);
}

#[test]
fn a_dropped_watch_takes_no_later_one_with_it_whatever_came_between() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let near = Rc::new(near);
    let count = |calls: &mut u32, _: &mut _, _| *calls += 1;
    let first = event_loop.watch(Rc::clone(&near), Interest::READABLE, count);
    drop(first.unwrap());
    // The kernel still has the first; this one asks it nothing, and is taken back.
    let second = event_loop.watch(Rc::clone(&near), Interest::NONE, count);
    second.unwrap().into_inner(&mut event_loop).unwrap();
    let third = event_loop.watch(Rc::clone(&near), Interest::READABLE, count);
    let third = third.unwrap();

    let mut calls = 0;
    for _ in 0..2 {
        event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(calls, 2);
    drop(third);
}

#[test]
fn a_second_watch_of_a_descriptor_is_refused_and_names_the_first() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, _far) = pair();
    let near = Rc::new(near);
    let watch = Watch::new(Interest::READABLE).label("the first");
    let _first = event_loop
        .watch(Rc::clone(&near), watch, |(), _, _| {})
        .unwrap();
    let second = event_loop.watch(near, Interest::WRITABLE, |(), _, _| {});
    let err = second.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::AlreadyExists);
    assert!(err.to_string().contains("\"the first\""), "{err}");
}

#[test]
fn a_duplicate_is_another_descriptor_and_may_be_watched_beside_the_first() {
    let mut event_loop = EventLoop::<u32>::new().unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let count = |calls: &mut u32, _: &mut _, _| *calls += 1;
    let duplicate = near.try_clone().unwrap();
    let _first = event_loop.watch(near, Interest::READABLE, count).unwrap();
    let _second = event_loop
        .watch(duplicate, Interest::READABLE, count)
        .unwrap();
    let mut calls = 0;
    event_loop.turn(&mut calls, Some(Duration::ZERO)).unwrap();
    assert_eq!(calls, 2);
}

#[test]
fn an_ended_watch_has_an_id_that_no_later_one_gets() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let watch = |event_loop: &mut EventLoop<()>| {
        let (near, _) = pair();
        event_loop
            .watch(near, Interest::READABLE, |(), _, _| {})
            .unwrap()
    };
    let first = watch(&mut event_loop);
    let ended = first.id();
    drop(first);
    event_loop.reify();
    let second = watch(&mut event_loop);
    assert_eq!(second.id().slot(), ended.slot(), "the slot is used again");
    assert_ne!(second.id(), ended);
    assert!(!event_loop.feed(ended, epoll_loop::Readiness::IN));
}

#[test]
fn into_inner_tells_the_kernel_at_once_and_leaves_nothing_to_the_next_wait() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, _far) = pair();
    let watch = event_loop
        .watch(near, Interest::READABLE, |(), _, _| {})
        .unwrap();
    let record = Record::of(&mut event_loop);
    let near = watch.into_inner(&mut event_loop).unwrap();
    assert!(in_kernels_set(&event_loop).is_empty());
    assert!(matches!(
        record.take()[..],
        [
            Entry::ChangeApplied {
                operation: Operation::Delete,
                ..
            },
            Entry::Closed { .. }
        ]
    ));
    drop(near);
    event_loop.run(&mut ()).unwrap();
    assert!(record.take().is_empty(), "there is nothing to wait for");
}

#[test]
fn a_guard_may_outlive_its_loop() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, mut far) = pair();
    let watch = event_loop
        .watch(near, Interest::READABLE, |(), _, _| {})
        .unwrap();
    drop(event_loop);
    far.write_all(b"hello").unwrap();
    let mut bytes = [0; 5];
    (&*watch).read_exact(&mut bytes).unwrap();
    drop(watch);
    assert_eq!(far.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_loop_that_is_dropped_closes_what_was_dropped_before() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, mut far) = pair();
    drop(
        event_loop
            .watch(near, Interest::READABLE, |(), _, _| {})
            .unwrap(),
    );
    drop(event_loop);
    assert_eq!(far.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
#[should_panic(expected = "watched by another loop")]
fn a_guard_that_is_shown_to_another_loop_is_a_mistake() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let (near, _far) = pair();
    let watch = event_loop
        .watch(near, Interest::READABLE, |(), _, _| {})
        .unwrap();
    watch.set_interest(&mut EventLoop::<()>::new().unwrap(), Interest::NONE);
}
