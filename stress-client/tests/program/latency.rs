//! Latency: from the time in the schedule, whatever the server does.

use crate::{compare_table, count, fake_server, figure, measure, run, server};

#[test]
fn each_delivery_of_the_schedule_is_in_the_percentiles() {
    let arguments = "latency --receivers 4 --senders 3 --rate 500 --duration 200ms";
    let measured = measure(&server(), arguments);
    assert_eq!(count(&measured, "messages"), 100);
    assert_eq!(count(&measured, "deliveries"), 100 * (4 + 3 - 1));
    let percentiles = ["p50", "p90", "p99", "p99_9", "max"]
        .map(|name| figure(&measured, &format!("latency_{name}_milliseconds")));
    assert!(
        percentiles.is_sorted() && percentiles[0] > 0.0,
        "{measured}"
    );
}

#[test]
fn a_pause_of_the_server_makes_all_late_that_were_due_in_it() {
    let measured = serde_json::from_str(&during_a_pause("--json")).unwrap();
    assert_eq!(count(&measured, "deliveries"), 20);
    // The percentiles are rounded to three digits.
    assert!(
        figure(&measured, "latency_max_milliseconds") > 189.0,
        "{measured}"
    );
    assert!(
        figure(&measured, "latency_p50_milliseconds") > 89.0,
        "{measured}"
    );
}

#[test]
fn the_table_of_a_pause_is_the_books() {
    compare_table("pause", &during_a_pause("--quiet"));
}

/// What is said of a server that pauses: it delivers nothing until twenty have come, which takes
/// 190 ms by the schedule.
fn during_a_pause(option: &str) -> String {
    let (address, serving) = fake_server::start(2, |mut peers| {
        let lines: Vec<String> = (0..20).map(|_| peers[0].expect_line("PRIVMSG")).collect();
        for line in lines {
            peers[1].send_line(format!(":s000000!stress@x {line}"));
        }
        peers[0].expect_eof();
    });
    let finished = run(&format!(
        "{address} latency --receivers 1 --senders 1 --rate 100 --duration 200ms {option}"
    ));
    serving.join().unwrap();
    assert!(finished.status.success(), "{finished:?}");
    finished.stdout
}

#[test]
fn a_message_that_comes_twice_does_not_stand_for_one_that_is_missing() {
    let (address, serving) = fake_server::start(2, |mut peers| {
        let lines: Vec<String> = (0..5).map(|_| peers[0].expect_line("PRIVMSG")).collect();
        for which in [0, 1, 1, 2, 3] {
            peers[1].send_line(format!(":s000000!stress@x {}", lines[which]));
        }
        peers[0].expect_closed();
    });
    let finished = run(&format!(
        "{address} latency --receivers 1 --senders 1 --rate 100 --duration 50ms --quiet"
    ));
    serving.join().unwrap();
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_eq!(
        finished.stderr,
        "stress-client: r000001 has message 1 of s000000 where 2 was to come: one is missing, or \
         has come twice\n"
    );
}

#[test]
fn a_schedule_that_cannot_be_kept_is_told() {
    // A million a second, each in a line of its own: nobody can write that.
    let arguments = "latency --receivers 1 --senders 1 --rate 1000000 --duration 100ms --json";
    let server = server();
    let finished = run(&format!("{} {arguments}", server.listening_on()));
    assert!(finished.status.success(), "{finished:?}");
    let measured: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(count(&measured, "messages"), 100_000);
    assert_eq!(measured["generator_is_the_limit"], true, "{measured}");
    let note = measured["notes"][0].as_str().unwrap();
    assert!(
        note.starts_with("the generator is the limit: it sent "),
        "{note}"
    );
}
