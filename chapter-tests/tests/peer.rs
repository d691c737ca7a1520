//! A peer against the other end of its connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chapter_tests::Peer;

/// A peer and the plain socket that it is connected to.
fn pair() -> (Peer, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = Peer::connect(listener.local_addr().unwrap());
    (peer, listener.accept().unwrap().0)
}

/// The message with which a peer gives up.
fn failure<T>(action: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(action))
        .err()
        .expect("this must panic");
    *payload.downcast::<String>().expect("panic! with arguments")
}

#[test]
fn lines_are_put_together_whichever_way_they_are_cut() {
    let (mut peer, mut other) = pair();
    other.write_all(b"one\r\ntwo\nthr").unwrap();
    assert_eq!(peer.read_line(), "one");
    assert_eq!(peer.read_line(), "two");
    other.write_all(b"ee\r\n\r\nlast").unwrap();
    assert_eq!(peer.read_line(), "three");
    assert_eq!(peer.read_line(), "");
    drop(other);
    assert_eq!(peer.expect_eof(), ["last"]);
}

#[test]
fn an_expected_line_is_found_behind_others() {
    let (mut peer, mut other) = pair();
    other
        .write_all(b":s 353 bob = #lobby :bob\r\n:s 366 bob #lobby :End\r\n:s 315\r\n")
        .unwrap();
    assert_eq!(
        peer.expect_line([" 366 ", "#lobby"]),
        ":s 366 bob #lobby :End"
    );
    assert_eq!(peer.read_line(), ":s 315");
}

#[test]
fn what_is_sent_arrives() {
    let (mut peer, mut other) = pair();
    peer.send_line("NICK bob");
    peer.send(b"\x00\xff");
    peer.half_close();
    let mut received = Vec::new();
    other.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"NICK bob\r\n\x00\xff");
    other.write_all(b"still open this way\n").unwrap();
    assert_eq!(peer.read_line(), "still open this way");
}

#[test]
fn bytes_and_lines_may_be_mixed() {
    let (mut peer, mut other) = pair();
    other.write_all(b"line\nabcdefg\nend").unwrap();
    drop(other);
    assert_eq!(peer.read_line(), "line");
    assert_eq!(peer.read_bytes(3), b"abc");
    assert_eq!(peer.read_line(), "defg");
    assert_eq!(peer.read_to_end(), b"end");
}

#[test]
fn a_reset_is_told_from_an_end() {
    let (peer, mut other) = pair();
    peer.reset();
    assert_eq!(
        other.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );

    let (mut peer, other) = pair();
    Peer::over(other).reset();
    assert!(failure(|| peer.expect_eof()).contains("no end of file: "));
    let (mut peer, other) = pair();
    Peer::over(other).reset();
    assert_eq!(peer.expect_closed(), [""; 0]);
}

#[test]
fn a_close_is_expected_in_either_form() {
    let (mut peer, mut other) = pair();
    other.write_all(b"ERROR :bye\r\n").unwrap();
    drop(other);
    assert_eq!(peer.expect_closed(), ["ERROR :bye"]);
}

#[test]
fn a_line_that_does_not_come_shows_what_did() {
    let (mut peer, mut other) = pair();
    peer.set_timeout(Duration::from_millis(300));
    other.write_all(b"seen\r\nhalf").unwrap();
    let message = failure(|| peer.expect_line("PONG"));
    for part in ["no line \"PONG\": timed out", "seen\n", "half"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(failure(|| peer.read_bytes(9)).contains("4 of 9 bytes: timed out"));
    assert!(failure(|| peer.expect_closed()).contains("not closed: timed out"));

    drop(other);
    assert!(failure(|| peer.read_line()).contains("no line: end of file"));
}

#[test]
fn an_other_end_that_does_not_read_is_given_up() {
    let (mut peer, _other) = pair();
    peer.set_timeout(Duration::from_millis(300));
    let err = peer.try_send(vec![b'x'; 64 << 20]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TimedOut);
}

#[test]
fn an_endless_line_fails_instead_of_filling_the_memory() {
    let (mut peer, mut other) = pair();
    let writer = std::thread::spawn(move || {
        // Fails when the peer has gone.
        let chunk = vec![b'x'; 64 << 10];
        (0..64).all(|_| other.write_all(&chunk).is_ok())
    });
    assert!(failure(|| peer.read_line()).contains("more than 1048576 bytes without a newline"));
    drop(peer);
    writer.join().unwrap();
}
