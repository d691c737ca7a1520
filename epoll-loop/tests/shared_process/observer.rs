//! What an observer is told of each step.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;

use epoll_loop::{
    Entry, EventLoop, Interest, Name, Observer, Operation, Readiness, Source, WaitReason, Watch,
};

use crate::record::Record;
use crate::sockets::pair;

#[test]
fn the_life_of_a_watch_is_told_from_beginning_to_end() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let name = Name {
        number: near.as_raw_fd(),
        label: "peer",
    };
    let watch = Watch::new(Interest::READABLE).label("peer");
    let watch = event_loop.watch(near, watch, |(), _, _| {}).unwrap();
    let id = watch.id();
    event_loop.turn(&mut (), None).unwrap();
    watch.set_interest(&mut event_loop, Interest::WRITABLE);
    event_loop.reify();
    drop(watch);
    event_loop.reify();

    let entries = record.take();
    let [registered, waited, dispatched, noted, told, deleted, closed] = entries[..] else {
        panic!("{entries:#?}")
    };
    let interest = Interest::READABLE;
    assert_eq!(
        registered,
        Entry::Registered {
            name,
            interest,
            always_ready: false
        }
    );
    let Entry::Waited {
        timeout: None,
        reason: WaitReason::Events,
        events: 1,
        ..
    } = waited
    else {
        panic!("{waited:?}")
    };
    let Entry::Dispatched {
        source,
        id: called,
        readiness,
        ..
    } = dispatched
    else {
        panic!("{dispatched:?}")
    };
    let source_expected = Source::Descriptor(name);
    assert_eq!(
        (source, called, readiness),
        (source_expected, id, Readiness::IN)
    );
    let interest = Interest::WRITABLE;
    assert_eq!(noted, Entry::ChangeNoted { name, interest });
    let operation = Operation::Modify;
    assert_eq!(
        told,
        Entry::ChangeApplied {
            name,
            operation,
            interest
        }
    );
    let (operation, interest) = (Operation::Delete, Interest::NONE);
    assert_eq!(
        deleted,
        Entry::ChangeApplied {
            name,
            operation,
            interest
        }
    );
    assert_eq!(closed, Entry::Closed { name });
}

#[test]
fn each_wait_is_told_with_the_reason_for_its_length() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    let reason = |event_loop: &mut EventLoop<()>, limit| {
        event_loop.turn(&mut (), limit).unwrap();
        let waits: Vec<_> = record
            .take()
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Waited { reason, .. } => Some(reason),
                _ => None,
            })
            .collect();
        let [reason] = waits[..] else {
            panic!("{waits:?}")
        };
        reason
    };
    let short = Some(Duration::from_millis(1));
    assert_eq!(reason(&mut event_loop, short), WaitReason::Limit);
    let timer = event_loop.every(Duration::from_millis(1), |(), _, _| {});
    assert_eq!(reason(&mut event_loop, None), WaitReason::Timer(timer));
    let hour = Some(Duration::from_hours(1));
    assert_eq!(reason(&mut event_loop, hour), WaitReason::Timer(timer));
    let null = File::open("/dev/null").unwrap();
    let file = event_loop
        .watch(null, Interest::READABLE, |(), _, _| {})
        .unwrap();
    assert_eq!(reason(&mut event_loop, None), WaitReason::AlwaysReady);
    event_loop.when_idle(|(), _, _| {});
    assert_eq!(reason(&mut event_loop, None), WaitReason::Idle);
    event_loop.feed(file.id(), Readiness::IN);
    assert_eq!(reason(&mut event_loop, None), WaitReason::Pending);
}

#[test]
fn a_timer_is_told_when_it_is_set_when_it_is_due_and_when_it_is_called() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    let id = event_loop.after(Duration::from_millis(2), |(), _, _| {});
    event_loop.push_out(id, Duration::from_millis(3));
    event_loop.run(&mut ()).unwrap();
    let entries = record.take();
    let [set, pushed, waited, fired, called] = entries[..] else {
        panic!("{entries:#?}")
    };
    for (entry, most) in [(set, 2), (pushed, 3)] {
        let Entry::TimerSet { id: which, due_in } = entry else {
            panic!("{entry:?}")
        };
        assert!(which == id && due_in <= Duration::from_millis(most));
    }
    let Entry::Waited {
        reason, events: 0, ..
    } = waited
    else {
        panic!("{waited:?}")
    };
    assert_eq!(reason, WaitReason::Timer(id));
    assert!(matches!(fired, Entry::TimerFired { id: which, .. } if which == id));
    let Entry::Dispatched {
        source: Source::Timer,
        id: which,
        ..
    } = called
    else {
        panic!("{called:?}")
    };
    assert_eq!(which, id);
}

#[test]
fn what_is_called_is_told_by_what_it_was_called_for() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let record = Record::of(&mut event_loop);
    event_loop.before_wait(|(), _, _| {});
    event_loop.after_wait(|(), _, _| {});
    let waker = event_loop.waker(|(), _, _| {}).unwrap();
    waker.wake();
    event_loop.turn(&mut (), None).unwrap();
    let called = record.take().into_iter().filter_map(|entry| match entry {
        Entry::Dispatched {
            source, readiness, ..
        } => Some((source, readiness)),
        _ => None,
    });
    assert_eq!(
        called.collect::<Vec<_>>(),
        [
            (Source::Turn, Readiness::BEFORE_WAIT),
            (Source::Turn, Readiness::AFTER_WAIT),
            (Source::Waker, Readiness::WOKEN),
        ]
    );
}

#[test]
fn an_observer_may_be_a_type_of_its_own_and_may_be_taken_off() {
    struct Count(Rc<RefCell<usize>>);
    impl Observer for Count {
        fn observe(&mut self, _: &Entry) {
            *self.0.borrow_mut() += 1;
        }
    }
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let count = Rc::new(RefCell::new(0));
    event_loop.set_observer(Some(Box::new(Count(Rc::clone(&count)))));
    event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
    assert_eq!(*count.borrow(), 1);
    event_loop.set_observer(None);
    event_loop.turn(&mut (), Some(Duration::ZERO)).unwrap();
    assert_eq!(*count.borrow(), 1);
    assert_eq!(Rc::strong_count(&count), 1, "the loop has dropped it");
}
