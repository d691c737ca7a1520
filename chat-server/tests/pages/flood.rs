//! Somebody who says four lines where three are allowed.

use chapter_tests::Peer;

use crate::support::serve;
use crate::{joined, transcript};

#[test]
fn who_says_too_much_is_not_watched_until_it_is_earned() {
    let server = serve(&[
        "--trace",
        "--log=off",
        "--plain-listen=127.0.0.1:0",
        "--flood-rate=1",
        "--flood-burst=3",
    ]);
    let [_, plain] = server.listening_on_all();
    let mut eve = Peer::connect(plain);
    eve.expect_line("In #lobby");
    eve.send("one\ntwo\nthree\n/help\n");
    // What has had to wait is answered.
    eve.expect_line("Anything without a slash");
    server.wait_for_error_line("ADD IN|RDHUP");
    let lines = server.trace();
    let read = lines.iter().position(|line| line.contains("for none"));
    let read = read.expect("she is not read from") - 3;
    let again = lines
        .iter()
        .position(|line| line.contains(" ADD "))
        .expect("waited for");
    transcript("flood.txt").compare(&joined(&lines[read..=again]));
}
