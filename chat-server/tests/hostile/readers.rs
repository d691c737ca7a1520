//! Clients that do not read, and clients that go away in the middle of things.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use chapter_tests::{Peer, TIMEOUT};

use crate::Siege;
use crate::support::{block_the_writer, join, small_receiver, waits_for_room};

#[test]
fn a_reset_in_the_middle_of_a_write_ends_that_client_only() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let mut eve = small_receiver(siege.address, "eve");
    join(&mut eve, "#room");
    siege.old.bob.expect_line("JOIN #room");
    block_the_writer(&siege.server, &mut eve, &mut siege.old.alice);
    eve.reset();
    assert_eq!(
        siege.old.bob.read_line(),
        ":eve!~eve@127.0.0.1 QUIT :Connection reset by peer"
    );
    siege.holds_with(1);
    assert!(!waits_for_room(&siege.server));
}

#[test]
fn last_words_before_a_half_close_are_heard_and_answered() {
    let mut siege = Siege::begin(&[]);
    let mut eve = siege.person("eve");
    join(&mut eve, "#room");
    siege.old.bob.expect_line("JOIN #room");
    eve.send(
        "PRIVMSG #room :last\r\nPRIVMSG #room :words\nPING :answered\r\nPRIVMSG #room :unfini",
    );
    eve.half_close();
    for heard in [
        "PRIVMSG #room :last",
        "PRIVMSG #room :words",
        "QUIT :Connection closed",
    ] {
        assert_eq!(
            siege.old.bob.read_line(),
            format!(":eve!~eve@127.0.0.1 {heard}")
        );
    }
    assert_eq!(
        eve.expect_eof(),
        [
            ":chat.localhost PONG chat.localhost :answered",
            "ERROR :Closing link: (~eve@127.0.0.1) [Connection closed]"
        ]
    );
    siege.holds_with(0);
}

/// Bytes of text that are said to the one who never reads.
const SAID_BYTES: usize = 100_000_000;
const TEXT_BYTES: usize = 450;
const SENDERS: usize = 4;
/// Messages that a sender sends before the others have their turn.
const MESSAGES_A_BLOCK: usize = 100;
/// Messages that may be under way to the healthy receiver: fewer bytes than `--sendq` allows.
const MESSAGES_UNDER_WAY: usize = 1_000;

/// What `sender` says as its message `number`.
fn text(sender: usize, number: usize) -> String {
    let number = format!("{sender} {number:08} ");
    let filling = "z".repeat(TEXT_BYTES - number.len());
    format!("{number}{filling}")
}

#[test]
fn a_receiver_that_never_reads_costs_those_who_do_nothing() {
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let mut healthy = siege.person("healthy");
    join(&mut healthy, "#flood");
    healthy.send_line("MODE #flood -n");
    healthy.expect_line("MODE #flood -n");
    let mut stalled = siege.person("stalled");
    join(&mut stalled, "#flood");
    healthy.expect_line("JOIN #flood");
    let mut senders: Vec<Peer> = (0..SENDERS)
        .map(|sender| siege.person(&format!("sender{sender}")))
        .collect();

    let (progress, heard) = channel();
    let stream = healthy.stream().try_clone().unwrap();
    let listener = thread::spawn(move || listen(stream, &progress));
    let (mut said, mut heard_messages) = (0, 0);
    while said * TEXT_BYTES < SAID_BYTES {
        for (index, sender) in senders.iter_mut().enumerate() {
            let first = said / SENDERS;
            let numbers = first..first + MESSAGES_A_BLOCK;
            let lines =
                numbers.map(|number| format!("PRIVMSG #flood :{}\r\n", text(index, number)));
            sender.send(lines.collect::<Vec<_>>().concat());
        }
        said += SENDERS * MESSAGES_A_BLOCK;
        while heard_messages + MESSAGES_UNDER_WAY < said {
            heard_messages += wait_for(&heard);
        }
    }
    while heard_messages < said {
        heard_messages += wait_for(&heard);
    }
    siege.holds_with(SENDERS + 2);
    healthy.half_close();
    assert_eq!(
        listener.join().unwrap(),
        [
            ":stalled!~stalled@127.0.0.1 QUIT :SendQ exceeded",
            "ERROR :Closing link: (~healthy@127.0.0.1) [Connection closed]"
        ]
    );
    drop(stalled);
}

fn wait_for(heard: &Receiver<usize>) -> usize {
    heard
        .recv_timeout(TIMEOUT)
        .expect("the healthy receiver hears what is said")
}

/// Takes what the healthy receiver is sent, checks that each sender's messages come whole and in
/// order, and reports how many have come. Returns the lines that are no messages.
fn listen(stream: TcpStream, progress: &Sender<usize>) -> Vec<String> {
    let mut reader = BufReader::with_capacity(1 << 18, stream);
    let mut next = [0; SENDERS];
    let (mut line, mut unreported, mut others) = (Vec::new(), 0, Vec::new());
    while reader.read_until(b'\n', &mut line).unwrap() > 0 {
        let expected = (0..SENDERS).find_map(|sender| {
            let source = format!(":sender{sender}!~sender{sender}@127.0.0.1 PRIVMSG #flood :");
            let said = line.strip_prefix(source.as_bytes())?;
            Some((said, sender))
        });
        match expected {
            Some((said, sender)) => {
                let expected = format!("{}\r\n", text(sender, next[sender]));
                assert!(
                    said == expected.as_bytes(),
                    "{}",
                    String::from_utf8_lossy(&line)
                );
                next[sender] += 1;
                unreported += 1;
            }
            None => others.push(String::from_utf8_lossy(line.trim_ascii_end()).into_owned()),
        }
        line.clear();
        if unreported == MESSAGES_A_BLOCK {
            // The other end stops listening when it has failed.
            let _ = progress.send(std::mem::take(&mut unreported));
        }
    }
    others
}
