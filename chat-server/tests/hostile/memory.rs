//! Clients that have the server hold as much as it will.
//!
//! Each of these servers is asked for the bound that chat-server promises: 32 MiB, what all queues
//! together may hold, and 16 KiB a client.

use chapter_tests::{Peer, Signal, limits, process};

use crate::Siege;
use crate::support::{join, settle, small_receiver, stop, tiny_receiver, wait_until, watched};

/// Bytes of the tags of a message from a client, without `@` and the space: the most that is taken.
const TAG_BYTES: usize = 4_094;

/// Tags of that length, for everybody who wants them.
fn tags() -> String {
    let begin = "+draft/x=";
    format!("{begin}{}", "t".repeat(TAG_BYTES - begin.len()))
}

#[test]
fn queues_full_of_tags_are_within_the_bound() {
    const QUEUES_BYTES: u64 = 256 << 20;
    const READERS: usize = 120;
    let mut siege =
        Siege::begin_with_queues(QUEUES_BYTES, &["--sendq", "3MiB", "--flood-rate", "0"]);
    let with_tags = |mut peer: Peer| {
        peer.send_line("CAP REQ :message-tags server-time");
        peer.expect_line("ACK");
        join(&mut peer, "#tags");
        peer
    };
    let mut eve = with_tags(siege.person("eve"));
    let readers: Vec<Peer> = (0..READERS)
        .map(|number| with_tags(small_receiver(siege.address, &format!("reader{number}"))))
        .collect();
    let message = format!("@{} TAGMSG #tags\r\n", tags());
    // All of them together are too much before any one of them is.
    loop {
        eve.send(message.repeat(20));
        eve.send_line("PING :said");
        let line = eve.expect_line(|line: &str| line.contains("PONG") || line.contains("QUIT"));
        if line.contains("QUIT") {
            break;
        }
    }
    let peak = process::peak_resident_bytes(siege.server.pid());
    println!("{peak} bytes for queues of {QUEUES_BYTES}");
    assert!(
        peak > QUEUES_BYTES,
        "{peak} bytes: the queues were not full"
    );
    siege.holds_with(READERS + 1);
    drop(readers);
}

/// Lines that a client may say at once, and what one of them costs in bytes without an end.
const BURST: usize = 20;
const BYTES_A_LINE: usize = 512;

/// Those who make the answer to LIST long, and how many channels each of them has: about as
/// much as the kernel keeps for one of the tiny receivers.
const SPEAKERS: usize = 10;
const TOPICS: usize = 7;

#[test]
fn clients_who_fill_all_that_is_kept_for_one_are_within_the_bound() {
    const QUEUES_BYTES: u64 = 6 << 20;
    let available = usize::try_from(limits::descriptor_limit()).unwrap();
    let count = 1_000.min(available / 2 - 200);
    let mut siege = Siege::begin_with_queues(QUEUES_BYTES, &[]);
    let speakers: Vec<Peer> = (0..SPEAKERS)
        .map(|number| {
            let mut speaker = siege.person(&format!("speaker{number}"));
            for topic in 0..TOPICS {
                let channel = format!("#{number}.{topic}");
                join(&mut speaker, &channel);
                speaker.send_line(format!("TOPIC {channel} :{}", "t".repeat(390)));
                speaker.expect_line("TOPIC");
            }
            speaker
        })
        .collect();
    let before = process::peak_resident_bytes(siege.server.pid());
    let mut crowd: Vec<Peer> = (0..count)
        .map(|number| tiny_receiver(siege.address, &format!("eve{number}")))
        .collect();
    for eve in &mut crowd {
        eve.send_line(format!("AWAY :{}", "a".repeat(200)));
        eve.send_line("LIST");
    }
    let all = count + SPEAKERS + 2;
    wait_until("hardly any of them can be written to", || {
        for eve in &mut crowd {
            eve.send_line("LIST #0.0");
        }
        siege.old.exchange();
        let waiting = watched(&siege.server);
        waiting
            .into_iter()
            .filter(|one| one.wants_to_write())
            .count()
            >= count * 9 / 10
    });
    // They earn as fast as alice, who says more than a burst.
    for _ in 0..=BURST {
        siege.old.exchange();
    }
    stop(&siege.server);
    // An unfinished line of tags, for as long as the burst lasts, and after that what is held.
    let prefix = TAG_BYTES / BYTES_A_LINE;
    let lines = "PONG x\r\n".repeat(BURST - prefix);
    for eve in &mut crowd {
        eve.send(format!("{lines}@{}", tags()));
        eve.send("c".repeat(16 << 10));
    }
    siege.server.signal(Signal::SIGCONT);
    wait_until("nobody of them may say more", || {
        siege.old.exchange();
        let reading = watched(&siege.server);
        reading
            .into_iter()
            .filter(|one| one.wants_to_read())
            .count()
            <= all - count + 2
    });
    let grown = process::peak_resident_bytes(siege.server.pid()) - before;
    println!("{} bytes a client, for {count}", grown / count as u64);
    assert!(
        grown <= QUEUES_BYTES + (count as u64) * (16 << 10),
        "{grown} bytes"
    );
    siege.holds_with(count + SPEAKERS);
    drop((crowd, speakers));
}

#[test]
fn channels_and_masks_that_come_and_go_are_within_the_bound() {
    const OWNERS: usize = 100;
    const CHANNELS: usize = 100;
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let mut owners: Vec<Peer> = (0..OWNERS)
        .map(|number| siege.person(&format!("owner{number}")))
        .collect();
    // As long as names, topics and keys may be.
    let name_of = |owner: usize, channel: usize| {
        let begin = format!("#{owner}.{channel}.");
        format!("{begin}{}", "n".repeat(50 - begin.len()))
    };
    for (number, owner) in owners.iter_mut().enumerate() {
        for channel in 0..CHANNELS {
            let name = name_of(number, channel);
            owner.send(format!(
                "JOIN {name}\r\nTOPIC {name} :{}\r\nMODE {name} +k {}\r\n",
                "t".repeat(390),
                "k".repeat(23),
            ));
        }
        settle(owner);
    }
    for round in 0..4 {
        for (number, owner) in owners.iter_mut().enumerate() {
            let name = name_of(number, 0);
            // Masks of every length, of which every other one goes again, until a list is full.
            for mask in 0..100 {
                let length = (round * 31 + mask * 7 + number) % 80;
                let mask = format!("{round}.{mask}.{}!*@*", "m".repeat(length));
                let letter = ["b", "e", "I"][length % 3];
                owner.send(format!("MODE {name} +{letter} {mask}\r\n"));
                if length % 2 == 0 {
                    owner.send(format!("MODE {name} -{letter} {mask}\r\n"));
                }
            }
            settle(owner);
            // And every other channel goes with all that it has.
            if number % 2 == round % 2 {
                owner.send(format!("PART {name}\r\nJOIN {name}\r\n"));
                settle(owner);
            }
        }
    }
    let peak = process::peak_resident_bytes(siege.server.pid());
    println!("{peak} bytes for {OWNERS} owners of {CHANNELS} channels");
    siege.holds_with(OWNERS);
}
