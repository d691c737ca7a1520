//! What a successor knows: everything.

use std::fs::File;
use std::time::Duration;

use chapter_tests::{Peer, Signal};

use crate::successor::Dynasty;
use crate::support::{
    OldClients, block_the_writer, join, person, register, settle, small_receiver, stop, wait_until,
};

#[test]
fn the_room_is_the_same_in_the_successor() {
    let mut dynasty = Dynasty::begin(&["--name", "irc.test", "--network", "Home"]);
    let mut old = OldClients::new(dynasty.address);
    for line in [
        "TOPIC #room :of all things",
        "MODE #room +ikl secret 9",
        "MODE #room +b *!*@10.0.0.1",
        "MODE #room +v bob",
        "AWAY :out to lunch",
        "NICK alicia",
    ] {
        old.alice.send_line(line);
    }
    settle(&mut old.alice);
    old.bob.expect_line("NICK :alicia");
    dynasty.succeed(&["--motd", "/dev/null"]);

    for (question, answers) in [
        ("TOPIC #room", &["332 bob #room :of all things"][..]),
        ("MODE #room", &["324 bob #room +intkl secret 9"]),
        ("MODE #room b", &["367 bob #room *!*@10.0.0.1 alice"]),
        ("NAMES #room", &["353 bob = #room", "@alicia", "+bob"]),
        ("WHOIS alicia", &["301 bob alicia :out to lunch"]),
        ("WHOWAS alice", &["314 bob alice ~alice 127.0.0.1"]),
        ("VERSION", &["005 bob MAXLIST", "NETWORK=Home"]),
    ] {
        old.bob.send_line(question);
        let heard = old.bob.expect_line(answers[0]);
        assert!(heard.starts_with(":irc.test "), "{heard}");
        for part in answers {
            assert!(heard.contains(part), "{heard}");
        }
        settle(&mut old.bob);
    }
    old.alice.send_line("MODE #room -i");
    old.bob.expect_line("alicia!~alice@127.0.0.1 MODE #room -i");
}

#[test]
fn nobody_is_lost_where_the_addresses_cannot_be_written() {
    let mut dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let successor = dynasty.launch(&[]).stdout(full).start();
    successor.wait_for_error_line("the addresses could not be written");
    assert!(dynasty.ruling.wait().success());
    old.exchange();
}

#[test]
fn the_same_path_may_be_written_in_two_ways() {
    let mut dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    let folder = dynasty.socket().parent().unwrap().to_owned();
    let again = folder.join("..").join(folder.file_name().unwrap());
    let successor = dynasty.claim_for(&again.join("takeover"), &[]);
    assert_eq!(successor.listening_on(), dynasty.address);
    assert!(dynasty.ruling.wait().success());
    dynasty.ruling = successor;
    dynasty.succeed(&[]);
    old.exchange();
}

#[test]
fn what_was_half_said_is_heard_whole() {
    let mut dynasty = Dynasty::begin(&["--plain-listen", "127.0.0.1:0"]);
    let [_, plain_address] = dynasty.ruling.listening_on_all();
    let mut old = OldClients::new(dynasty.address);
    join(&mut old.bob, "#lobby");
    let mut plain = Peer::connect(plain_address);
    plain.expect_line("Welcome");
    old.bob.expect_line("JOIN #lobby");
    let mut newcomer = Peer::connect(dynasty.address);
    newcomer.send("NICK newcomer\r\nUSER n 0 *");
    old.alice.send("PRIVMSG #room :half a li");
    plain.send("half a wo");
    // What is sent last is read last.
    settle(&mut old.bob);
    dynasty.succeed(&[]);

    old.alice.send("ne\r\n");
    assert_eq!(
        old.bob.read_line(),
        ":alice!~alice@127.0.0.1 PRIVMSG #room :half a line"
    );
    plain.send("rd\r\n");
    old.bob.expect_line("PRIVMSG #lobby :half a word");
    newcomer.send(" :New\r\n");
    newcomer.expect_line("001 newcomer");
}

#[test]
fn an_over_long_line_is_dropped_once_and_to_its_end() {
    let mut dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    old.alice.send("x".repeat(5_000));
    old.alice.expect_line("417 alice");
    dynasty.succeed(&[]);
    old.alice.send("PRIVMSG #room :no line of its own\r\n");
    old.exchange();
}

#[test]
fn what_waits_for_a_slow_reader_comes_in_order_and_once() {
    let mut dynasty = Dynasty::begin(&["--flood-rate", "0"]);
    let mut old = OldClients::new(dynasty.address);
    let mut slow = small_receiver(dynasty.address, "slow");
    let asked = block_the_writer(&dynasty.ruling, &mut slow, &mut old.alice);
    dynasty.succeed(&["--flood-rate", "0"]);
    dynasty.succeed(&["--flood-rate", "0"]);
    slow.send_line("PING :last");
    for number in 0..asked {
        let line = slow.read_line();
        assert!(line.ends_with(&"x".repeat(400)), "{number}: {line}");
    }
    slow.expect_line("PONG chat.localhost :last");
    old.exchange();
}

#[test]
fn who_talks_too_fast_waits_on_and_is_heard() {
    let mut dynasty = Dynasty::begin(&["--flood-rate", "20", "--flood-burst", "5"]);
    let mut old = OldClients::new(dynasty.address);
    let mut eve = person(dynasty.address, "eve");
    join(&mut eve, "#room");
    old.bob.expect_line("eve!~eve@127.0.0.1 JOIN #room");
    let lines = (0..30).map(|number| format!("PRIVMSG #room :{number}\r\n"));
    eve.send(lines.collect::<Vec<_>>().concat());
    old.bob.expect_line("PRIVMSG #room :0");
    dynasty.succeed(&["--flood-rate", "20", "--flood-burst", "5"]);
    for number in 1..30 {
        let line = old.bob.read_line();
        assert!(line.ends_with(&format!("#room :{number}")), "{line}");
    }
}

#[test]
fn timers_go_on_with_what_remained_of_them() {
    let mut dynasty = Dynasty::begin(&["--registration-timeout", "500ms"]);
    let mut old = OldClients::new(dynasty.address);
    let mut mute = Peer::connect(dynasty.address);
    settle(&mut old.alice);
    dynasty.succeed(&["--registration-timeout", "1h"]);
    // Under the new settings alone it would have an hour.
    mute.expect_line("Registration timed out");
}

#[test]
fn clients_over_a_lower_limit_stay_and_new_ones_do_not_come_in() {
    let mut dynasty = Dynasty::begin(&[]);
    let mut old = OldClients::new(dynasty.address);
    dynasty.succeed(&["--max-clients", "1"]);
    old.exchange();
    let mut late = Peer::connect(dynasty.address);
    late.expect_line("Server is full");
    old.exchange();
}

#[test]
fn the_last_bytes_to_a_leaver_are_written_by_the_successor() {
    let mut dynasty = Dynasty::begin(&["--flood-rate", "0", "--drain", "1m"]);
    let mut old = OldClients::new(dynasty.address);
    let mut slow = small_receiver(dynasty.address, "slow");
    let asked = block_the_writer(&dynasty.ruling, &mut slow, &mut old.alice);
    slow.send_line("QUIT :bye");
    wait_until("the server has heard the QUIT", || {
        old.alice.send_line("ISON slow");
        old.alice.expect_line("303 alice").ends_with(':')
    });
    dynasty.succeed(&[]);
    for _ in 0..asked {
        assert!(slow.read_line().contains("PONG"));
    }
    assert!(slow.read_line().starts_with("ERROR :Closing link"));
    slow.expect_eof();
}

#[test]
fn a_waiting_connection_is_accepted_by_the_successor() {
    let mut dynasty = Dynasty::begin(&[]);
    stop(&dynasty.ruling);
    let late = Peer::connect(dynasty.address);
    let claimant = dynasty.claim(&[]);
    dynasty.ruling.signal(Signal::SIGCONT);
    claimant.listening_on();
    dynasty.ruling = claimant;
    let mut late = register(late, "late");
    late.set_timeout(Duration::from_secs(10));
    settle(&mut late);
}
