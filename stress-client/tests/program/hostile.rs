//! Hostile: each attack is told of, and a server that lets a witness down is found out.

use chapter_tests::{Peer, Program};

use crate::{STRESS_CLIENT, fake_server, figure, measure, run};

#[test]
fn our_server_outlives_every_attack_and_its_witnesses_are_answered() {
    let server = Program::start(STRESS_CLIENT, ["--serve", "as-usual"]);
    let measured = measure(&server, "hostile --each 100ms");
    let figures = measured["figures"].as_object().unwrap();
    let delays = figures
        .keys()
        .filter(|key| key.ends_with("_worst_milliseconds"));
    assert_eq!(delays.count(), 16, "{measured}");
    assert!(figure(&measured, "nothing_worst_milliseconds") > 0.0);
    // Each attack but "nothing" is told of.
    let notes = measured["notes"].as_array().unwrap();
    let notes: Vec<&str> = notes.iter().filter_map(|note| note.as_str()).collect();
    assert!(notes.len() >= 15, "{notes:?}");
    let note = |name: &str| {
        let found = notes.iter().find(|note| note.starts_with(name));
        found.unwrap_or_else(|| panic!("no {name} in {notes:?}"))
    };
    let half_open = note("half-open: ");
    assert!(
        half_open.contains("ended by the server (ERROR "),
        "{half_open}"
    );
    assert!(!note("giant-line: ").contains(" 0 KiB taken"), "{notes:?}");
    assert!(
        note("silent: ").contains(": 200 connections, 0 KiB taken"),
        "{notes:?}"
    );
    let mut peer = Peer::connect(server.listening_on());
    peer.send("NICK after\r\nUSER after 0 * :After\r\n");
    peer.expect_line(" 001 after ");
}

#[test]
fn a_server_that_drops_a_witness_is_named_with_the_attack() {
    let (address, serving) = fake_server::crowd(40, |mut peers| {
        // It closes everything with the first question.
        peers[0].expect_line("PING :0-0");
    });
    let finished = run(&format!("{address} hostile --quiet"));
    serving.join().unwrap();
    assert_eq!(finished.status.code(), Some(1));
    let said = &finished.stderr;
    assert!(said.starts_with("stress-client: nothing: the "), "{said}");
    assert!(said.contains(" connection of w0000"), "{said}");
}

#[test]
fn connections_that_do_not_come_about_are_not_said_to_be_ended_by_the_server() {
    let (address, serving) = fake_server::crowd(40, |mut peers| {
        // 40 questions a second, of which four are in each attack.
        for attack in 0..16 {
            if attack > 0 {
                fake_server::settle(&mut peers);
            }
            for (number, peer) in peers[..4].iter_mut().enumerate() {
                peer.expect_line(&format!("PING :{attack}-{number}"));
                peer.send_line(format!(":x PONG x :{attack}-{number}"));
            }
        }
    });
    let finished = run(&format!("{address} hostile --each 100ms --quiet"));
    serving.join().unwrap();
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    for line in finished
        .stdout
        .lines()
        .filter(|line| line.contains(" connections, "))
    {
        assert!(
            line.contains(" could not be begun, 0 ended by the server"),
            "{line}"
        );
    }
    assert!(
        finished.stdout.contains(" connections, "),
        "{}",
        finished.stdout
    );
}
