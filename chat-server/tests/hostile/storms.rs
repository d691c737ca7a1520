//! More connections than anybody needs.

use std::net::TcpStream;

use chapter_tests::{Peer, limits, process};

use crate::Siege;
use crate::support::{register, settle, wait_until};

/// Descriptors that a test has beside its connections.
const SPARE: usize = 200;

#[test]
fn two_thousand_connections_that_say_nothing_cost_only_themselves() {
    let available = usize::try_from(limits::descriptor_limit()).unwrap();
    let count = 2_000.min((available - SPARE) / 2);
    let mut siege = Siege::begin(&["--flood-rate", "0"]);
    let before = process::descriptors(siege.server.pid());
    let silent: Vec<TcpStream> = (0..count)
        .map(|_| TcpStream::connect(siege.address).unwrap())
        .collect();
    wait_until("all of them are accepted", || {
        siege.old.exchange();
        process::descriptors(siege.server.pid()) == before + count
    });
    siege.holds_with(count);
    drop(silent);
    wait_until("all of them are closed", || {
        siege.old.exchange();
        process::descriptors(siege.server.pid()) == before
    });
    siege.holds_with(count);
    println!("{count} silent connections");
}

/// Connections that find a descriptor in the server, and those that have to wait for one.
const SERVED: usize = 20;
const WAITING: usize = 200;

#[test]
fn a_storm_past_the_limit_of_descriptors_waits_in_the_backlog_until_there_are_some() {
    let mut siege = Siege::begin(&["--trace", "--flood-rate", "0"]);
    let before = process::descriptors(siege.server.pid());
    limits::leave_descriptors(siege.server.pid(), SERVED);
    let mut storm: Vec<Peer> = (0..SERVED + WAITING).map(|_| siege.stranger()).collect();
    siege.server.wait_for_error_line("nobody can be accepted");
    siege.old.exchange();
    assert_eq!(process::descriptors(siege.server.pid()), before + SERVED);

    // Each time the pause is over, which a timer tells, the listener is asked once; a spin would ask
    // it thousands of times in a pause.
    let attempts = |siege: &Siege| siege.server.stderr().matches(" listener IN").count();
    siege.server.wait_for_error_line("call      timer");
    let before_pauses = attempts(&siege);
    for _ in 0..4 {
        siege.server.wait_for_error_line("call      timer");
    }
    let made = attempts(&siege) - before_pauses;
    assert!((3..40).contains(&made), "{made} attempts in four pauses");
    siege.holds_with(SERVED);

    // Those who leave make room for those who wait.
    let mut waiting = storm.split_off(SERVED).into_iter();
    drop(storm);
    let mut served: Vec<Peer> = (0..SERVED)
        .map(|number| register(waiting.next().unwrap(), &format!("first{number}")))
        .collect();
    siege.old.exchange();

    // And so does a higher limit.
    limits::leave_descriptors(siege.server.pid(), WAITING - SERVED);
    served.extend(
        waiting
            .enumerate()
            .map(|(number, peer)| register(peer, &format!("second{number}"))),
    );
    settle(served.last_mut().unwrap());
    siege.holds_with(SERVED + WAITING);
}
