//! Slow: who reads nothing is put out, and who reads has everything.

use crate::{count, figure, measure, run, server};

#[test]
fn those_who_read_nothing_are_put_out_and_told_why_and_the_others_miss_nothing() {
    let measured = measure(
        &server(),
        "slow --receivers 4 --stalled 2 --rate 4000 --duration 1500ms",
    );
    assert_eq!(count(&measured, "messages"), 6_000);
    assert_eq!(count(&measured, "deliveries"), 24_000);
    assert_eq!(count(&measured, "stalled_closed"), 2, "{measured}");
    assert!(figure(&measured, "first_closed_seconds") > 0.0);
    let notes = measured["notes"].as_array().unwrap();
    let told = notes
        .iter()
        .filter_map(|note| note.as_str())
        .filter(|note| {
            note.contains("told that it is gone (SendQ exceeded); the last it read was ERROR (")
        });
    assert_eq!(told.count(), 2, "{measured}");
}

#[test]
fn those_who_are_not_sent_too_much_are_still_there() {
    let arguments = "slow --receivers 2 --stalled 2 --rate 100 --duration 50ms";
    let measured = measure(&server(), arguments);
    assert_eq!(count(&measured, "deliveries"), 10);
    assert_eq!(count(&measured, "stalled_closed"), 0);
    let note = measured["notes"].as_array().unwrap().last().unwrap();
    assert!(
        note.as_str().unwrap().ends_with("and is still there"),
        "{note}"
    );
}

#[test]
fn a_server_elsewhere_is_attacked_only_if_its_owner_says_so() {
    for measurement in ["slow", "hostile"] {
        run(&format!("192.0.2.1 {measurement}")).is_usage_error("--i-own-this-server");
    }
}
