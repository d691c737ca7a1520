//! A number that is used again: within the batch it cannot be, unless the owner
//! closes it himself, and even then the old event reaches nobody.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Stdin, Write, stdin};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use epoll_loop::{Entry, Event, EventLoop, Interest, Readiness, Watch, Watched, WatcherId};
use nix::errno::Errno;
use nix::unistd::{close, dup2_stdin};

use crate::record::Record;
use crate::sockets::{in_kernels_set, pair};

crate::harness::tests![
    a_dropped_watch_keeps_its_number_until_the_batch_is_over,
    a_stale_event_does_not_reach_who_gets_the_number_in_the_same_batch,
    with_the_number_as_the_name_alices_words_would_be_bobs,
    a_descriptor_closed_behind_the_loops_back_ends_its_watch_with_an_error_event,
    a_watch_that_was_fed_in_the_turn_in_which_it_ended_so_has_no_timeout,
    a_watch_that_has_ended_so_hears_nothing_more,
    the_number_of_a_watch_that_has_ended_so_may_be_watched_by_its_next_owner,
    what_was_closed_behind_the_loops_back_is_given_back_and_not_closed_again,
    a_number_closed_and_opened_again_behind_the_loops_back_is_added_anew,
    a_ghost_in_the_kernels_set_is_left_behind,
    a_ghost_of_a_one_shot_watch_is_left_behind_too,
    a_descriptor_that_came_back_under_its_number_is_taken_over,
];

/// Alice and Bob are ready; whoever is called first throws the other out, and a
/// newcomer comes in.
struct Room {
    members: Vec<Watched<UnixStream>>,
    /// Those who are ready, with their numbers.
    ready: Vec<RawFd>,
    newcomer: Option<Watched<UnixStream>>,
    newcomers_peer: Option<UnixStream>,
    called: Vec<WatcherId>,
    /// Whether the one thrown out is closed at once or only dropped.
    closes_at_once: bool,
}

impl Room {
    fn throw_out_the_other(&mut self, event_loop: &mut EventLoop<Room>, event: Event) {
        self.called.push(event.id);
        let Some(index) = self.members.iter().position(|other| other.id() != event.id) else {
            return;
        };
        let other = self.members.remove(index);
        if self.closes_at_once {
            drop(other.into_inner(event_loop).unwrap());
        } else {
            drop(other);
        }
        let (near, far) = pair();
        self.newcomers_peer = Some(far);
        let newcomer = event_loop.watch(near, Interest::READABLE, Room::note);
        self.newcomer = Some(newcomer.unwrap());
    }

    fn note(&mut self, _: &mut EventLoop<Room>, event: Event) {
        self.called.push(event.id);
    }
}

/// After one turn in which both were ready.
fn throw_out(closes_at_once: bool) -> (EventLoop<Room>, Room) {
    let mut event_loop = EventLoop::new().unwrap();
    let mut far_ends = Vec::new();
    let members: Vec<_> = (0..2)
        .map(|_| {
            let (near, mut far) = pair();
            far.write_all(b"secret").unwrap();
            far_ends.push(far);
            event_loop
                .watch(near, Interest::READABLE, Room::throw_out_the_other)
                .unwrap()
        })
        .collect();
    let mut room = Room {
        ready: members.iter().map(|member| member.as_raw_fd()).collect(),
        members,
        newcomer: None,
        newcomers_peer: None,
        called: Vec::new(),
        closes_at_once,
    };
    event_loop.turn(&mut room, Some(Duration::ZERO)).unwrap();
    (event_loop, room)
}

impl Room {
    fn newcomer(&self) -> &Watched<UnixStream> {
        self.newcomer.as_ref().unwrap()
    }

    /// The number of the one that was thrown out.
    fn number_of_the_other(&self) -> RawFd {
        let own = self.members[0].as_raw_fd();
        *self.ready.iter().find(|&&number| number != own).unwrap()
    }
}

fn is_open(number: RawFd) -> bool {
    std::fs::exists(format!("/proc/self/fd/{number}")).unwrap()
}

fn a_dropped_watch_keeps_its_number_until_the_batch_is_over() {
    let (mut event_loop, room) = throw_out(false);
    assert_eq!(room.called, [room.members[0].id()]);
    assert_ne!(room.newcomer().as_raw_fd(), room.number_of_the_other());
    assert!(is_open(room.number_of_the_other()));
    event_loop.reify();
    assert!(!is_open(room.number_of_the_other()));
}

fn a_stale_event_does_not_reach_who_gets_the_number_in_the_same_batch() {
    let (mut event_loop, mut room) = throw_out(true);
    assert_eq!(
        room.newcomer().as_raw_fd(),
        room.number_of_the_other(),
        "the lowest free number is that of the one just closed"
    );
    assert_eq!(
        room.called,
        [room.members[0].id()],
        "nobody is called for the old event"
    );

    // The newcomer is called when it has something to say itself.
    room.called.clear();
    room.newcomers_peer
        .as_ref()
        .unwrap()
        .write_all(b"hello")
        .unwrap();
    event_loop.turn(&mut room, Some(Duration::ZERO)).unwrap();
    room.called.sort_unstable();
    let mut expected = [room.members[0].id(), room.newcomer().id()];
    expected.sort_unstable();
    assert_eq!(room.called, expected);
}

/// Claim 15, what the loop takes care of: a table by descriptor number.
fn with_the_number_as_the_name_alices_words_would_be_bobs() {
    use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let name = |socket: &UnixStream| u64::try_from(socket.as_raw_fd()).unwrap();
    let (alice, mut alices_peer) = pair();
    let (bob, mut bobs_peer) = pair();
    for (socket, peer) in [(&alice, &mut alices_peer), (&bob, &mut bobs_peer)] {
        epoll
            .add(socket, EpollEvent::new(EpollFlags::EPOLLIN, name(socket)))
            .unwrap();
        peer.write_all(b"hello").unwrap();
    }
    let mut events = [EpollEvent::empty(); 4];
    assert_eq!(epoll.wait(&mut events, EpollTimeout::ZERO), Ok(2));
    // Handling the first event closes the second's socket; carol comes in.
    let second = events[1].data();
    let (first, second_socket) = if name(&bob) == second {
        (alice, bob)
    } else {
        (bob, alice)
    };
    drop(second_socket);
    let (carol, mut carols_peer) = pair();
    carols_peer.write_all(b"carol's secret").unwrap();
    assert_eq!(name(&carol), second, "the old event now names carol");
    let mut words = [0; 64];
    let count = (&carol).read(&mut words).unwrap();
    assert_eq!(
        &words[..count],
        b"carol's secret",
        "and is handled as if it were bob's"
    );
    drop(first);
}

/// Makes standard input a socket, and gives its far end. `io::Stdin` names a
/// descriptor and does not own it, so it can be closed behind the loop's back.
fn socket_as_standard_input() -> UnixStream {
    let (near, far) = pair();
    dup2_stdin(near).unwrap();
    far
}

/// The number of standard input.
const NUMBER: RawFd = 0;

/// What was told of a watch whose descriptor is gone.
type Told = Vec<Readiness>;

fn note(told: &mut Told, _: &mut EventLoop<Told>, event: Event) {
    told.push(event.readiness);
}

/// A watch whose descriptor was closed behind the loop's back, and which has
/// been changed, so that the loop finds out.
fn closed_behind_the_loops_back() -> (EventLoop<Told>, Watched<Stdin>) {
    let mut event_loop = EventLoop::new().unwrap();
    let _far = socket_as_standard_input();
    let watch = Watch::new(Interest::READABLE).timeout(Duration::from_millis(1));
    let watch = event_loop.watch(stdin(), watch, note).unwrap();
    close(NUMBER).unwrap();
    watch.set_interest(&mut event_loop, Interest::WRITABLE);
    (event_loop, watch)
}

fn a_descriptor_closed_behind_the_loops_back_ends_its_watch_with_an_error_event() {
    let (mut event_loop, _watch) = closed_behind_the_loops_back();
    let record = Record::of(&mut event_loop);
    let mut told = Told::new();
    // It is the only watch, and has ended: nothing keeps the loop running.
    event_loop.run(&mut told).unwrap();
    assert_eq!(told, [Readiness::ERR | Readiness::ENDED]);
    let refused = |entry: &Entry| matches!(entry, Entry::ChangeRefused { name, error: Errno::EBADF } if name.number == NUMBER);
    assert_eq!(record.count(refused), 1);
}

fn a_watch_that_has_ended_so_hears_nothing_more() {
    let (mut event_loop, watch) = closed_behind_the_loops_back();
    let mut told = Told::new();
    event_loop.run(&mut told).unwrap();
    told.clear();
    assert!(!event_loop.feed(watch.id(), Readiness::IN));
    watch.set_interest(&mut event_loop, Interest::READABLE);
    watch.set_timeout(&mut event_loop, Some(Duration::ZERO));
    event_loop
        .turn(&mut told, Some(Duration::from_millis(5)))
        .unwrap();
    assert!(told.is_empty(), "not even its timeout: {told:?}");
    watch.into_inner(&mut event_loop).unwrap();
}

fn a_watch_that_was_fed_in_the_turn_in_which_it_ended_so_has_no_timeout() {
    let (mut event_loop, watch) = closed_behind_the_loops_back();
    assert!(event_loop.feed(watch.id(), Readiness::IN));
    let mut told = Told::new();
    event_loop.run(&mut told).unwrap();
    assert_eq!(told, [Readiness::IN | Readiness::ERR | Readiness::ENDED]);
    event_loop
        .turn(&mut told, Some(Duration::from_millis(5)))
        .unwrap();
    assert_eq!(told.len(), 1, "its timeout is a millisecond: {told:?}");
}

fn the_number_of_a_watch_that_has_ended_so_may_be_watched_by_its_next_owner() {
    let (mut event_loop, watch) = closed_behind_the_loops_back();
    let mut told = Told::new();
    event_loop.run(&mut told).unwrap();
    told.clear();
    let (next, mut far) = pair();
    assert_eq!(next.as_raw_fd(), NUMBER);
    far.write_all(b"hello").unwrap();
    let _next = event_loop.watch(next, Interest::READABLE, note).unwrap();
    drop(watch);
    for _ in 0..2 {
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(
        told,
        [Readiness::IN; 2],
        "the old watch has not taken the new one along"
    );
    let second = event_loop.watch(stdin(), Interest::READABLE, note);
    assert_eq!(second.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(in_kernels_set(&event_loop), [NUMBER]);
}

fn what_was_closed_behind_the_loops_back_is_given_back_and_not_closed_again() {
    /// Would close its number when it is dropped, whoever has that by then.
    struct Owner(Stdin, Rc<Cell<bool>>);

    impl AsFd for Owner {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Drop for Owner {
        fn drop(&mut self) {
            self.1.set(true);
        }
    }

    let mut event_loop = EventLoop::<()>::new().unwrap();
    let _far = socket_as_standard_input();
    let is_dropped = Rc::new(Cell::new(false));
    let owner = Owner(stdin(), Rc::clone(&is_dropped));
    let watch = event_loop
        .watch(owner, Interest::READABLE, |(), _, _| {})
        .unwrap();
    close(NUMBER).unwrap();
    let owner = watch.into_inner(&mut event_loop).unwrap();
    assert!(!is_dropped.get());
    std::mem::forget(owner);
    event_loop.run(&mut ()).unwrap();
    assert!(!is_dropped.get());
}

/// MOD answers ENOENT then; the other operation is the right one.
fn a_number_closed_and_opened_again_behind_the_loops_back_is_added_anew() {
    let mut event_loop = EventLoop::<Told>::new().unwrap();
    let _far = socket_as_standard_input();
    let watch = event_loop.watch(stdin(), Interest::READABLE, note).unwrap();
    close(NUMBER).unwrap();
    let (next, mut far) = pair();
    assert_eq!(next.as_raw_fd(), NUMBER);
    far.write_all(b"hello").unwrap();
    let both = Interest::READABLE | Interest::WRITABLE;
    watch.set_interest(&mut event_loop, both);
    let mut told = Told::new();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told, [Readiness::IN | Readiness::OUT]);
    assert_eq!((&next).read(&mut [0; 5]).unwrap(), 5);
    drop(watch);
    event_loop.reify();
}

fn a_ghost_in_the_kernels_set_is_left_behind() {
    leave_a_ghost_behind(Watch::new(Interest::READABLE));
}

fn a_ghost_of_a_one_shot_watch_is_left_behind_too() {
    leave_a_ghost_behind(Watch::new(Interest::READABLE).one_shot());
}

/// A descriptor that was closed while a duplicate of it is open: the kernel goes
/// on reporting it, and nobody can take it out of the set.
fn leave_a_ghost_behind(watch: Watch) {
    let mut event_loop = EventLoop::new().unwrap();
    let mut far = socket_as_standard_input();
    let watch = event_loop.watch(stdin(), watch, note).unwrap();
    let _duplicate = stdin().as_fd().try_clone_to_owned().unwrap();
    close(NUMBER).unwrap();
    watch.set_interest(&mut event_loop, Interest::WRITABLE);
    let mut told = Told::new();
    event_loop.run(&mut told).unwrap();
    assert_eq!(told, [Readiness::ERR | Readiness::ENDED]);
    far.write_all(b"hello").unwrap();
    let limit = Some(Duration::from_millis(5));
    // The first turn finds the ghost, the next is rid of it.
    event_loop.turn(&mut told, limit).unwrap();
    let record = Record::of(&mut event_loop);
    event_loop.turn(&mut told, limit).unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    let ghosts = |entry: &Entry| matches!(entry, Entry::Waited { events, .. } if *events > 0);
    assert_eq!(record.count(ghosts), 0);
    assert!(in_kernels_set(&event_loop).is_empty());
    drop(watch);
    event_loop.run(&mut told).unwrap();
}

/// The kernel's set knows a descriptor by its number and its open file, and
/// still has both: adding it is an error, changing it is right.
fn a_descriptor_that_came_back_under_its_number_is_taken_over() {
    let (mut event_loop, mut told) = (EventLoop::new().unwrap(), Told::new());
    let mut far = socket_as_standard_input();
    let watch = event_loop.watch(stdin(), Interest::READABLE, note).unwrap();
    let duplicate = stdin().as_fd().try_clone_to_owned().unwrap();
    close(NUMBER).unwrap();
    watch.set_interest(&mut event_loop, Interest::WRITABLE);
    event_loop.run(&mut told).unwrap();
    assert_eq!(told, [Readiness::ERR | Readiness::ENDED]);
    told.clear();
    dup2_stdin(duplicate).unwrap();
    let _back = event_loop.watch(stdin(), Interest::READABLE, note).unwrap();
    far.write_all(b"hello").unwrap();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert_eq!(told, [Readiness::IN]);
}
