//! Somebody who does not read, as the loop sees him.

use chapter_tests::Signal;

use crate::support::{join, person, serve, small_receiver};
use crate::{about_the_last_watched, joined, transcript};

#[test]
fn who_does_not_read_is_watched_for_room_once_and_put_out_in_the_end() {
    let mut server = serve(&[
        "--trace",
        "--log=off",
        "--flood-rate=0",
        "--sendq=64KiB",
        "--drain=1h",
    ]);
    let mut ann = person(server.listening_on(), "ann");
    join(&mut ann, "#talk");
    let mut slow = small_receiver(server.listening_on(), "slow");
    join(&mut slow, "#talk");
    let said = format!("PRIVMSG #talk :{}\r\n", "y".repeat(300)).repeat(20);
    let mut line = String::new();
    while !line.contains("QUIT") {
        ann.send(&said);
        ann.send_line("PING :said");
        line = ann.expect_line(|line: &str| line.contains("PONG") || line.contains("QUIT"));
    }
    assert!(
        slow.expect_eof()
            .pop()
            .expect("an ERROR")
            .contains("SendQ exceeded")
    );
    drop(slow);
    server.wait_for_error_line("end       fd");
    let shown = about_the_last_watched(&server.trace());
    drop(ann);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0));
    transcript("slow-reader.txt").compare(&joined(&shown));
}
