//! Churn: so many cycles as were asked for, and nobody is left behind.

use chapter_tests::Peer;

use crate::{count, figure, measure, server};

#[test]
fn as_many_come_and_go_as_were_asked_for() {
    let server = server();
    let measured = measure(&server, "churn --clients 10 --cycles 333");
    assert_eq!(count(&measured, "cycles"), 333);
    assert!(figure(&measured, "server_cpu_microseconds_per_cycle") > 0.0);
    let mut witness = Peer::connect(server.listening_on());
    witness.send("NICK witness\r\nUSER witness 0 * :Witness\r\n");
    witness.expect_line(" 422 ");
    witness.send_line("LUSERS");
    witness.expect_line([" 251 witness ", " 1 "]);
    witness.send_line("LIST");
    witness.expect_line(" 321 ");
    witness.expect_line(" 323 ");
}

#[test]
fn it_ends_when_its_time_is_over() {
    let measured = measure(&server(), "churn --clients 3 --duration 50ms");
    assert!(count(&measured, "cycles") >= 3, "{measured}");
}
