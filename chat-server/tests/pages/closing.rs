//! A word, and a reset behind it.

use chapter_tests::{Peer, Signal};

use crate::support::{reset_when_delivered, serve, stop};
use crate::{about_the_last_watched, joined, transcript};

#[test]
fn last_words_come_with_the_reset_and_are_heard() {
    let server = serve(&["--trace", "--log=off", "--plain-listen=127.0.0.1:0"]);
    let [_, plain] = server.listening_on_all();
    let mut bob = Peer::connect(plain);
    bob.expect_line("In #lobby");
    let mut eve = Peer::connect(plain);
    eve.expect_line("In #lobby");
    stop(&server);
    eve.send_line("last words");
    reset_when_delivered(eve);
    server.signal(Signal::SIGCONT);
    bob.expect_line("guest2: last words");
    bob.expect_line("guest2 has quit (Connection reset by peer)");
    server.wait_for_error_line("end       fd");
    let shown = about_the_last_watched(&server.trace());
    transcript("reset.txt").compare(&joined(&shown));
}
