//! Hand-overs that come to nothing: the old server goes on as if nothing had been.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;

use chapter_tests::{Launch, Peer, Signal, TemporaryDirectory, limits, process};
use fd_passing::handover::{Message, Messages};

use crate::successor::{Dynasty, Pretender};
use crate::support::{OldClients, SERVER, person, settle};

/// What a pretender does before it goes.
type Act = fn(&mut Pretender);

#[test]
fn a_successor_that_ends_at_any_phase_before_commit_changes_nothing() {
    let acts: [(&str, Act); 8] = [
        ("connects", |_| {}),
        ("hears the offer", |pretender| {
            pretender.hear().unwrap();
        }),
        ("refuses", |pretender| {
            pretender.hear().unwrap();
            pretender.say(&Message::Refuse("no".to_owned()));
        }),
        ("accepts", Pretender::accept),
        ("takes a first piece", |pretender| {
            pretender.accept();
            pretender.hear().unwrap();
            assert!(!pretender.descriptors.is_empty());
        }),
        ("takes everything", Pretender::collect),
        ("is ready too early", |pretender| {
            pretender.accept();
            pretender.say(&Message::Ready);
            while pretender.hear().is_ok() {}
        }),
        ("talks nonsense", |pretender| {
            pretender.hear().unwrap();
            pretender.socket().write_all(&[99; 100]).unwrap();
            while pretender.hear().is_ok() {}
        }),
    ];
    let dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    old.exchange();
    let before = process::descriptors(dynasty.ruling.pid());
    for (act, does) in acts {
        let mut pretender = Pretender::connect(&dynasty.socket());
        does(&mut pretender);
        // Said while the server stands still, or not; heard in any case.
        old.alice
            .send_line(format!("PRIVMSG #room :while it {act}"));
        drop(pretender);
        old.bob.expect_line([":while it", act]);
        old.exchange();
    }
    let mut eve = person(dynasty.address, "eve");
    settle(&mut eve);
    drop(eve);
    settle(&mut old.alice);
    assert_eq!(process::descriptors(dynasty.ruling.pid()), before);
}

#[test]
fn a_successor_that_is_silent_is_given_up_after_the_timeout() {
    let dynasty = Dynasty::begin(&["--takeover-timeout", "50ms"]);
    let mut old = OldClients::new(dynasty.address);
    for act in [(|_| {}) as Act, Pretender::accept, Pretender::collect] {
        let mut pretender = Pretender::connect(&dynasty.socket());
        act(&mut pretender);
        old.alice.send_line("PRIVMSG #room :patience");
        old.bob.expect_line("PRIVMSG #room :patience");
        let refusal = loop {
            if let Message::Refuse(why) = pretender.hear().expect("it is told") {
                break why;
            }
        };
        assert_eq!(refusal, "timed out");
        old.exchange();
    }
}

#[test]
fn nothing_is_written_and_nobody_is_accepted_while_the_server_stands_still() {
    let dynasty = Dynasty::begin(&["--ping-interval", "20ms", "--flood-rate", "50"]);
    let mut old = OldClients::new(dynasty.address);
    // Somebody who has to wait for flood control, and timers that are due at once.
    let mut eve = person(dynasty.address, "eve");
    eve.send("PING :x\r\n".repeat(100));
    eve.expect_line("PONG");
    let mut pretender = Pretender::connect(&dynasty.socket());
    pretender.collect();
    old.alice.send_line("PRIVMSG #room :into the silence");
    let late = Peer::connect(dynasty.address);
    // The old server's own sockets, shared with the pretender: what is there to be read stays.
    let held: usize = pretender
        .descriptors
        .iter()
        .filter_map(|descriptor| rustix::io::ioctl_fionread(descriptor).ok())
        .filter(|&bytes| bytes > 0)
        .count();
    assert!(held >= 1, "what alice has said is in the kernel");
    drop(pretender);
    old.bob.expect_line("PRIVMSG #room :into the silence");
    eve.expect_line("PONG");
    drop(late);
}

#[test]
fn after_commit_the_old_server_ends_whatever_becomes_of_the_new_one() {
    let mut dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    let mut pretender = Pretender::connect(&dynasty.socket());
    pretender.collect();
    pretender.say(&Message::Ready);
    assert_eq!(pretender.hear().unwrap(), Message::Commit);
    old.alice.send_line("PRIVMSG #room :to the new one");
    assert!(dynasty.ruling.wait().success());
    // The connections live on with who has them now, and with them they end.
    assert!(old.bob.try_send("PING :x\r\n").is_ok());
    drop(pretender);
    old.alice.expect_closed();
    assert_eq!(old.bob.expect_closed(), [""; 0], "the old one is silent");
}

#[test]
fn nothing_that_comes_behind_ready_takes_commit_back() {
    let refuse = Message::Refuse("changed my mind".to_owned());
    for behind in [Message::Ready.encode(0), refuse.encode(0)] {
        let mut dynasty = Dynasty::begin(&[]);
        let mut old = OldClients::new(dynasty.address);
        let mut pretender = Pretender::connect(&dynasty.socket());
        pretender.collect();
        let both = [Message::Ready.encode(0), behind].concat();
        pretender.socket().write_all(&both).unwrap();
        assert_eq!(pretender.hear().unwrap(), Message::Commit);
        old.alice.send_line("PRIVMSG #room :to the new one");
        assert!(dynasty.ruling.wait().success());
        drop(pretender);
        assert_eq!(old.bob.expect_closed(), [""; 0], "the old one is silent");
    }
}

#[test]
fn only_one_successor_at_a_time_is_heard() {
    let dynasty = Dynasty::begin(&[]);
    let mut first = Pretender::connect(&dynasty.socket());
    first.accept();
    let mut second = Pretender::connect(&dynasty.socket());
    let Ok(Message::Refuse(why)) = second.hear() else {
        panic!("it is heard");
    };
    assert_eq!(why, "a hand-over is under way");
    drop(first);
    OldClients::new(dynasty.address).exchange();
}

#[test]
fn a_server_that_is_told_to_end_during_a_hand_over_ends_itself() {
    let mut dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    let mut pretender = Pretender::connect(&dynasty.socket());
    pretender.collect();
    dynasty.ruling.signal(Signal::SIGTERM);
    old.alice.expect_line("ERROR :Closing link");
    old.bob.expect_line("ERROR :Closing link");
    drop((old, pretender));
    assert!(dynasty.ruling.wait().success());
    assert!(!dynasty.socket().exists(), "the name is gone with it");
}

#[test]
fn a_successor_with_too_few_descriptors_says_so_and_touches_nothing() {
    let dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    let crowd: Vec<Peer> = (0..40).map(|_| Peer::connect(dynasty.address)).collect();
    settle(&mut old.alice);
    let refused = dynasty.claim_with_descriptors(70).finish();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused
            .stderr
            .contains("takeover: 75 descriptors are needed, and 70 may be open"),
        "{}",
        refused.stderr
    );
    old.exchange();
    drop(crowd);
}

#[test]
fn a_successor_takes_no_path_of_anybody_else() {
    let dynasty = Dynasty::begin(&[]);
    let neighbour = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    let precious = dynasty.socket().with_file_name("precious");
    fs::write(&precious, "precious").unwrap();
    for (path, why) in [
        (precious.clone(), "precious: entity already exists\n"),
        (neighbour.socket(), "takeover: address in use\n"),
    ] {
        let claimant = dynasty.claim_for(&path, &[]).finish();
        assert_eq!(claimant.status.code(), Some(1));
        assert!(claimant.stderr.ends_with(why), "{}", claimant.stderr);
        old.exchange();
    }
    assert_eq!(fs::read(precious).unwrap(), b"precious");
    OldClients::new(neighbour.address).exchange();
}

#[test]
fn a_successor_that_is_told_to_end_while_it_waits_ends_at_once() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("takeover");
    let listener = UnixListener::bind(&path).unwrap();
    let own = path.to_str().unwrap();
    let arguments = ["--takeover", own, "--takeover-socket", own];
    let mut claimant = chapter_tests::Program::start(SERVER, arguments);
    let (_socket, _) = listener.accept().unwrap();
    claimant.signal(Signal::SIGTERM);
    let ended_by = claimant.wait().signal();
    assert_eq!(ended_by, Some(Signal::SIGTERM as i32));
    let names = fs::read_dir(&*directory).unwrap().count();
    assert_eq!(names, 1, "nothing is left behind");
}

#[test]
fn a_successor_touches_nobody_before_commit_and_is_told_to_end_in_order_after_it() {
    // Time enough for one that did not wait for COMMIT to end its drain.
    for (is_committed, timeout) in [(true, "1m"), (false, "1s")] {
        let mut dynasty = Dynasty::begin(&[]);
        let mut old = OldClients::new(dynasty.address);
        let mut relay = Pretender::connect(&dynasty.socket());
        relay.collect();
        let path = dynasty.socket().with_file_name("relay");
        let listener = UnixListener::bind(&path).unwrap();
        let claimant = Launch::new(SERVER).args(["--takeover".into(), path]);
        let limits = ["--takeover-timeout", timeout, "--drain", "1ms"];
        let mut claimant = claimant.args(limits).start();
        let mut to_claimant = relay.pass_on(&listener);
        claimant.signal(Signal::SIGTERM);
        old.alice.send_line("PRIVMSG #room :into the silence");
        if is_committed {
            relay.say(&Message::Ready);
            assert_eq!(relay.hear().unwrap(), Message::Commit);
            assert!(dynasty.ruling.wait().success());
            to_claimant.say(&Message::Commit);
            drop(relay);
            assert!(old.bob.read_line().starts_with("ERROR :Closing link"));
            drop(old);
            assert!(claimant.wait().success());
        } else {
            assert_eq!(claimant.wait().code(), Some(1));
            let why = "relay: timed out after 1s\n";
            assert!(claimant.stderr().ends_with(why), "{}", claimant.stderr());
            drop(relay);
            let heard = old.bob.read_line();
            assert!(
                heard.ends_with("PRIVMSG #room :into the silence"),
                "{heard}"
            );
            old.exchange();
        }
    }
}

#[test]
fn a_server_without_descriptors_waits_for_some_and_hears_its_successor_then() {
    let dynasty = Dynasty::begin(&["--trace"]);
    let mut old = OldClients::new(dynasty.address);
    limits::leave_descriptors(dynasty.ruling.pid(), 0);
    let mut pretender = Pretender::connect(&dynasty.socket());
    dynasty
        .ruling
        .wait_for_error_line("nobody can be accepted for the moment");
    old.exchange();
    // A pause in front of each attempt, in which the loop waits.
    for _ in 0..3 {
        dynasty.ruling.wait_for_error_line(" takeover socket IN");
    }
    let seen = dynasty.ruling.stderr();
    let turns = seen.matches(" us  wait ").count();
    assert!(turns < 100, "{turns} turns");
    limits::leave_descriptors(dynasty.ruling.pid(), 1);
    assert!(matches!(pretender.hear(), Ok(Message::Offer { .. })));
}

#[test]
fn a_server_that_writes_another_version_is_left_alone() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("takeover");
    let listener = UnixListener::bind(&path).unwrap();
    let claimant = chapter_tests::Program::start(SERVER, ["--takeover", path.to_str().unwrap()]);
    let (socket, _) = listener.accept().unwrap();
    let offer = Message::Offer {
        version: 99,
        descriptors: 1,
    };
    Messages::new().send(&socket, &offer, &[]).unwrap();
    let refused = claimant.finish();
    assert_eq!(refused.status.code(), Some(1));
    let why = "takeover: its state has version 99, and this program reads 2\n";
    assert!(refused.stderr.ends_with(why), "{}", refused.stderr);
    let (message, _) = Messages::new().receive(&socket).unwrap().unwrap();
    assert!(matches!(message, Message::Refuse(_)), "{message:?}");
}

#[test]
fn nobody_to_take_over_from_is_an_error_with_the_path() {
    let directory = TemporaryDirectory::new();
    let path = directory.join("nobody");
    let refused = chapter_tests::Program::start(SERVER, ["--takeover", path.to_str().unwrap()]);
    let refused = refused.finish();
    assert_eq!(refused.status.code(), Some(1));
    let why = "nobody: no such file or directory\n";
    assert!(refused.stderr.ends_with(why), "{}", refused.stderr);
}
