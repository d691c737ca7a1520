//! A regular file and `/dev/null`, which epoll refuses, are always ready.

use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

use chapter_tests::TemporaryDirectory;
use epoll_loop::{Entry, Event, EventLoop, Interest, Readiness, WaitReason, Watch, Watched};

use crate::record::Record;
use crate::sockets::{in_kernels_set, pair};

type Told = Vec<Readiness>;

fn note(told: &mut Told, _: &mut EventLoop<Told>, event: Event) {
    told.push(event.readiness);
}

#[test]
fn a_regular_file_is_read_to_its_end_as_a_socket_is() {
    struct Copy {
        file: Option<Watched<File>>,
        bytes: Vec<u8>,
    }
    let directory = TemporaryDirectory::new();
    let path = directory.join("words");
    let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&path, &text).unwrap();

    let mut event_loop = EventLoop::new().unwrap();
    let file = File::open(&path).unwrap();
    let read = |copy: &mut Copy, _: &mut EventLoop<Copy>, event: Event| {
        assert_eq!(event.readiness, Readiness::IN);
        let mut buffer = [0; 4_096];
        let mut file: &File = copy.file.as_ref().unwrap();
        match file.read(&mut buffer).unwrap() {
            0 => copy.file = None,
            count => copy.bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let file = event_loop.watch(file, Interest::READABLE, read).unwrap();
    let mut copy = Copy {
        file: Some(file),
        bytes: Vec::new(),
    };
    event_loop.run(&mut copy).unwrap();
    assert!(copy.bytes == text);
}

#[test]
fn the_null_device_is_ready_for_whatever_is_asked() {
    let mut event_loop = EventLoop::new().unwrap();
    let null = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .unwrap();
    let record = Record::of(&mut event_loop);
    let watch = event_loop.watch(null, Interest::READABLE, note).unwrap();
    assert!(matches!(
        record.take()[..],
        [Entry::Registered {
            always_ready: true,
            ..
        }]
    ));
    let mut told = Told::new();
    let interests = [
        Interest::READABLE,
        Interest::WRITABLE,
        Interest::READABLE | Interest::WRITABLE,
        Interest::NONE,
    ];
    for interest in interests {
        watch.set_interest(&mut event_loop, interest);
        event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(
        told,
        [
            Readiness::IN,
            Readiness::OUT,
            Readiness::IN | Readiness::OUT
        ],
        "and while nothing is asked, nothing is told"
    );
}

#[test]
fn while_one_is_ready_the_loop_does_not_wait_and_serves_the_others_too() {
    let mut event_loop = EventLoop::new().unwrap();
    let null = File::open("/dev/null").unwrap();
    let file = event_loop.watch(null, Interest::READABLE, note).unwrap();
    let (near, mut far) = pair();
    far.write_all(b"hello").unwrap();
    let _watch = event_loop.watch(near, Interest::READABLE, note).unwrap();
    let record = Record::of(&mut event_loop);
    let mut told = Told::new();
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, [Readiness::IN; 2]);
    let waited = |entry: &Entry| match entry {
        Entry::Waited {
            timeout, reason, ..
        } => Some((*timeout, *reason)),
        _ => None,
    };
    let waits: Vec<_> = record.take().iter().filter_map(waited).collect();
    assert_eq!(waits, [(Some(Duration::ZERO), WaitReason::AlwaysReady)]);

    file.set_interest(&mut event_loop, Interest::NONE);
    event_loop
        .turn(&mut told, Some(Duration::from_millis(1)))
        .unwrap();
    let waits: Vec<_> = record.take().iter().filter_map(waited).collect();
    assert!(
        matches!(waits[..], [(_, WaitReason::Limit)]),
        "paused, it keeps nobody awake"
    );
}

#[test]
fn it_ends_as_any_watch_does() {
    let mut event_loop = EventLoop::new().unwrap();
    let null = || File::open("/dev/null").unwrap();
    let watches = [(); 2].map(|()| event_loop.watch(null(), Interest::READABLE, note).unwrap());
    let [dropped, taken] = watches;
    drop(dropped);
    assert_eq!(
        taken
            .into_inner(&mut event_loop)
            .unwrap()
            .read(&mut [0; 1])
            .unwrap(),
        0
    );
    let mut told = Told::new();
    event_loop.run(&mut told).unwrap();
    assert!(told.is_empty());
}

#[test]
fn one_that_is_watched_for_nothing_at_first_is_found_out_when_it_is_asked_for_something() {
    let mut event_loop = EventLoop::new().unwrap();
    let null = File::open("/dev/null").unwrap();
    let watch = event_loop.watch(null, Interest::NONE, note).unwrap();
    let mut told = Told::new();
    event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
    assert!(told.is_empty());
    watch.set_interest(&mut event_loop, Interest::READABLE);
    event_loop.turn(&mut told, None).unwrap();
    assert_eq!(told, [Readiness::IN]);
    assert!(in_kernels_set(&event_loop).is_empty());
}

#[test]
fn a_one_shot_watch_of_one_is_told_once_for_each_time_it_is_armed() {
    let mut event_loop = EventLoop::new().unwrap();
    let null = File::open("/dev/null").unwrap();
    let watch = Watch::new(Interest::READABLE).one_shot();
    let watch = event_loop.watch(null, watch, note).unwrap();
    let mut told = Told::new();
    for armed in 1..=3 {
        for _ in 0..2 {
            event_loop.turn(&mut told, Some(Duration::ZERO)).unwrap();
        }
        assert_eq!(told.len(), armed);
        assert_eq!(watch.interest(&event_loop), Interest::NONE);
        watch.set_interest(&mut event_loop, Interest::READABLE);
    }
}

#[test]
fn a_change_of_interest_of_one_is_noted_and_nothing_else_is_said_of_it() {
    let mut event_loop = EventLoop::<()>::new().unwrap();
    let null = File::open("/dev/null").unwrap();
    let watch = event_loop
        .watch(null, Interest::NONE, |(), _, _| {})
        .unwrap();
    watch.set_interest(&mut event_loop, Interest::READABLE);
    event_loop.reify();
    let record = Record::of(&mut event_loop);
    watch.set_interest(&mut event_loop, Interest::NONE);
    event_loop.reify();
    // Not that it is as it was before, since it is not.
    assert!(matches!(record.take()[..], [Entry::ChangeNoted { .. }]));
}
