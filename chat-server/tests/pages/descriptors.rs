//! A server with no descriptor left.

use chapter_tests::{Peer, limits};

use crate::support::serve;
use crate::{joined, transcript};

#[test]
fn without_a_descriptor_the_listeners_rest_and_people_wait_in_the_backlog() {
    let server = serve(&["--trace", "--plain-listen=127.0.0.1:0", "--drain=1h"]);
    let [_, plain] = server.listening_on_all();
    let mut first = Peer::connect(plain);
    first.expect_line("In #lobby");
    limits::leave_descriptors(server.pid(), 0);
    let before = server.trace().len();
    let mut second = Peer::connect(plain);
    server.wait_for_error_line("nobody can be accepted");
    // The pause is over, and there is none still.
    server.wait_for_error_line("due       timer");
    server.wait_for_error_line("tell      fd");
    limits::leave_descriptors(server.pid(), 1);
    second.expect_line("In #lobby");
    server.wait_for_error_line("people can be accepted again");
    let lines = &server.trace()[before..];
    let find = |text: &str| lines.iter().position(|line| line.contains(text));
    let pause = find("in 250 ms").expect("the listeners rest") - 3;
    let again = find(" ADD ").expect("the pause is over") + 1;
    transcript("descriptors.txt").compare(&joined(&lines[pause..=again]));
}
