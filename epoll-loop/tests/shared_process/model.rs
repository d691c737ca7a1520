//! Any sequence of calls gives the events that poll(2) would give.
//!
//! The model knows nothing of epoll, change lists and batches: before each turn
//! it asks poll(2) what is ready among the descriptors that are watched, and
//! each watch has to be told exactly that, once, unless an earlier callback of
//! the turn has ended it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use epoll_loop::{Event, EventLoop, Interest, Readiness, Watch, Watched, WatcherId};
use proptest::prelude::*;
use rustix::event::{PollFd, PollFlags, poll};

use crate::sockets::{in_kernels_set, pair};

/// So many socket pairs are played with.
const PAIRS: usize = 12;

/// A call of the program on one of the pairs.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// Watches the near end, unless it is watched.
    Watch {
        interest: usize,
        one_shot: bool,
    },
    Drop,
    IntoInner,
    SetInterest(usize),
    /// Lets both ends go, and takes new ones.
    Renew,
}

/// Something that happens to one of the pairs from outside.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// The far end sends.
    FarWrites,
    /// The near end takes all that has come.
    NearReads,
    /// The near end sends until nothing more fits.
    NearFills,
    /// The far end takes all that has come.
    FarReads,
    /// The far end sends no more.
    FarHalfCloses,
    FarCloses,
    /// Somebody else holds the near end too, from here on.
    NearIsDuplicated,
}

#[derive(Clone, Debug)]
enum Step {
    Act(usize, Action),
    Happen(usize, Happening),
    /// One turn, and what the callbacks do: the n-th of them the n-th of these.
    Turn(Vec<(usize, Action)>),
}

fn interest(index: usize) -> Interest {
    let both = Interest::READABLE | Interest::WRITABLE;
    [Interest::NONE, Interest::READABLE, Interest::WRITABLE, both][index]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0..4_usize, any::<bool>())
            .prop_map(|(interest, one_shot)| Action::Watch { interest, one_shot }),
        2 => Just(Action::Drop),
        1 => Just(Action::IntoInner),
        4 => (0..4_usize).prop_map(Action::SetInterest),
        1 => Just(Action::Renew),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => Just(Happening::FarWrites),
        2 => Just(Happening::NearReads),
        1 => Just(Happening::NearFills),
        2 => Just(Happening::FarReads),
        1 => Just(Happening::FarHalfCloses),
        1 => Just(Happening::FarCloses),
        1 => Just(Happening::NearIsDuplicated),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..PAIRS;
    let actions = prop::collection::vec((which.clone(), action()), 0..6);
    prop_oneof![
        4 => (which.clone(), action()).prop_map(|(which, action)| Step::Act(which, action)),
        4 => (which, happening()).prop_map(|(which, happening)| Step::Happen(which, happening)),
        2 => actions.prop_map(Step::Turn),
    ]
}

/// One socket pair, and the watch of its near end.
struct Pair {
    near: Rc<UnixStream>,
    far: Option<UnixStream>,
    watch: Option<Watched<Rc<UnixStream>>>,
    /// What the model thinks: asked for, one-shot, and had its event.
    interest: Interest,
    one_shot: bool,
    is_disarmed: bool,
}

impl Pair {
    fn new() -> Pair {
        let (near, far) = pair();
        Pair {
            near: Rc::new(near),
            far: Some(far),
            watch: None,
            interest: Interest::NONE,
            one_shot: false,
            is_disarmed: false,
        }
    }

    /// What poll(2) says of the near end, as far as its watch wants to know.
    fn readiness(&self) -> Option<(WatcherId, Readiness)> {
        let id = self.watch.as_ref()?.id();
        if self.is_disarmed || self.interest == Interest::NONE {
            return None;
        }
        let mut wanted = PollFlags::empty();
        if self.interest.contains(Interest::READABLE) {
            wanted |= PollFlags::IN | PollFlags::RDHUP;
        }
        if self.interest.contains(Interest::WRITABLE) {
            wanted |= PollFlags::OUT;
        }
        let mut polled = [PollFd::new(&*self.near, wanted)];
        let timeout = rustix::event::Timespec::default();
        poll(&mut polled, Some(&timeout)).unwrap();
        let names = [
            (PollFlags::IN, Readiness::IN),
            (PollFlags::OUT, Readiness::OUT),
            (PollFlags::ERR, Readiness::ERR),
            (PollFlags::HUP, Readiness::HUP),
            (PollFlags::RDHUP, Readiness::RDHUP),
        ];
        let reported = polled[0].revents();
        let mut readiness = Readiness::default();
        for (flag, name) in names {
            if reported.contains(flag) {
                readiness |= name;
            }
        }
        (readiness != Readiness::default()).then_some((id, readiness))
    }

    fn happen(&mut self, happening: Happening, duplicates: &mut Vec<UnixStream>) {
        let mut buffer = vec![0; 1 << 16];
        let mut near: &UnixStream = &self.near;
        match happening {
            Happening::FarWrites => {
                if let Some(far) = &mut self.far {
                    // It may have closed its half, or the queue may be full.
                    let _ = far.write(&[7; 100]);
                }
            }
            Happening::NearReads => while let Ok(1..) = near.read(&mut buffer) {},
            Happening::NearFills => while let Ok(1..) = near.write(&buffer) {},
            Happening::FarReads => {
                if let Some(far) = &mut self.far {
                    while let Ok(1..) = far.read(&mut buffer) {}
                }
            }
            Happening::FarHalfCloses => {
                if let Some(far) = &self.far {
                    far.shutdown(Shutdown::Write).unwrap();
                }
            }
            Happening::FarCloses => self.far = None,
            Happening::NearIsDuplicated => duplicates.push(near.try_clone().unwrap()),
        }
    }
}

/// The state of the loop, and the model beside it.
struct World {
    pairs: Vec<Pair>,
    duplicates: Vec<UnixStream>,
    /// What is still to be told in this turn.
    expected: BTreeMap<WatcherId, Readiness>,
    /// What the callbacks of this turn do.
    actions: std::vec::IntoIter<(usize, Action)>,
}

impl World {
    fn told(&mut self, event_loop: &mut EventLoop<World>, event: Event) {
        let expected = self.expected.remove(&event.id);
        assert_eq!(expected, Some(event.readiness), "{:?} was told", event.id);
        if let Some((which, action)) = self.actions.next() {
            self.act(event_loop, which, action);
        }
    }

    fn act(&mut self, event_loop: &mut EventLoop<World>, which: usize, action: Action) {
        let pair = &mut self.pairs[which];
        match action {
            Action::Watch {
                interest: index,
                one_shot,
            } => {
                if pair.watch.is_some() {
                    return;
                }
                let mut watch = Watch::new(interest(index));
                if one_shot {
                    watch = watch.one_shot();
                }
                let watch = event_loop.watch(Rc::clone(&pair.near), watch, World::told);
                pair.watch = Some(watch.unwrap());
                pair.interest = interest(index);
                pair.one_shot = one_shot;
                pair.is_disarmed = false;
            }
            Action::Drop => {
                if let Some(watch) = pair.watch.take() {
                    self.expected.remove(&watch.id());
                }
            }
            Action::IntoInner => {
                if let Some(watch) = pair.watch.take() {
                    self.expected.remove(&watch.id());
                    watch.into_inner(event_loop).unwrap();
                }
            }
            Action::SetInterest(index) => {
                let Some(watch) = &pair.watch else { return };
                watch.set_interest(event_loop, interest(index));
                if pair.is_disarmed && index == 0 {
                    return;
                }
                pair.interest = interest(index);
                pair.is_disarmed = false;
                assert_eq!(watch.interest(event_loop), interest(index));
            }
            Action::Renew => {
                if let Some(watch) = pair.watch.take() {
                    self.expected.remove(&watch.id());
                }
                *pair = Pair::new();
            }
        }
    }

    fn turn(&mut self, event_loop: &mut EventLoop<World>, actions: Vec<(usize, Action)>) {
        // One-shot: what the kernel reports disarms, whenever it is told.
        for pair in &mut self.pairs {
            let readiness = pair.readiness();
            pair.is_disarmed |= pair.one_shot && readiness.is_some();
            self.expected.extend(readiness);
        }
        self.actions = actions.into_iter();
        event_loop.turn(self, Some(Duration::ZERO)).unwrap();
        assert_eq!(self.expected, BTreeMap::new(), "was not told");
        event_loop.reify();
        let wanted = self.pairs.iter().filter(|pair| {
            pair.watch.is_some() && (pair.is_disarmed || pair.interest != Interest::NONE)
        });
        let wanted: BTreeSet<RawFd> = wanted.map(|pair| pair.near.as_raw_fd()).collect();
        let in_set: BTreeSet<RawFd> = in_kernels_set(&event_loop).into_iter().collect();
        assert_eq!(in_set, wanted, "what the kernel watches");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_sequence_of_calls_is_told_what_poll_tells(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut event_loop = EventLoop::new().unwrap();
        let mut world = World {
            pairs: (0..PAIRS).map(|_| Pair::new()).collect(),
            duplicates: Vec::new(),
            expected: BTreeMap::new(),
            actions: Vec::new().into_iter(),
        };
        for step in steps {
            match step {
                Step::Act(which, action) => world.act(&mut event_loop, which, action),
                Step::Happen(which, happening) => {
                    world.pairs[which].happen(happening, &mut world.duplicates);
                }
                Step::Turn(actions) => world.turn(&mut event_loop, actions),
            }
        }
        world.turn(&mut event_loop, Vec::new());
    }
}
