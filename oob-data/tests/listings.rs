//! What the printed listings get wrong, seen with the same calls.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Instant;

use chapter::errno_name;
use chapter_tests::{Peer, Pid, Program, Signal, TIMEOUT};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use oob_data::{at_mark, receive_data, receive_urgent, send_urgent, unacknowledged};
use socket2::SockRef;

/// Two ends; what is sent on the first goes out at once.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    sender.set_nodelay(true).unwrap();
    (sender, listener.accept().unwrap().0)
}

/// Waits until the other kernel has everything; the other end is not read meanwhile.
fn delivered(sender: &TcpStream) {
    let begin = Instant::now();
    while unacknowledged(sender).unwrap() > 0 {
        assert!(begin.elapsed() < TIMEOUT, "not delivered");
        std::thread::yield_now();
    }
}

/// What the listing's select says: readable, exceptional.
fn ready(receiver: &TcpStream) -> (bool, bool) {
    let (mut readable, mut exceptional) = (FdSet::new(), FdSet::new());
    readable.insert(receiver.as_fd());
    exceptional.insert(receiver.as_fd());
    let mut at_once = TimeVal::seconds(0);
    select(None, &mut readable, None, &mut exceptional, &mut at_once).unwrap();
    (
        readable.contains(receiver.as_fd()),
        exceptional.contains(receiver.as_fd()),
    )
}

/// Listing 5-6: `send(sockfd, "abc", 3, MSG_OOB)`.
#[test]
fn of_three_bytes_sent_as_urgent_one_is() {
    let (sender, receiver) = pair();
    send_urgent(&sender, b"abc").unwrap();
    delivered(&sender);
    assert_eq!(receive_urgent(&receiver).unwrap(), b"c");
    assert_eq!(receive_data(&receiver).unwrap(), b"ab");
}

/// Listing 5-7: `recv`, `recv(MSG_OOB)`, `recv`, whatever has arrived.
#[test]
fn a_receiver_that_does_not_wait_for_the_announcement_gets_an_error() {
    let (mut sender, receiver) = pair();
    sender.write_all(b"123").unwrap();
    delivered(&sender);
    assert_eq!(receive_data(&receiver).unwrap(), b"123");
    // The listing's second call, a moment too early.
    let err = receive_urgent(&receiver).unwrap_err();
    assert_eq!(errno_name(&err), "EINVAL");
    send_urgent(&sender, b"abc").unwrap();
    let timeout = PollTimeout::try_from(TIMEOUT).unwrap();
    let mut asked = [PollFd::new(receiver.as_fd(), PollFlags::POLLPRI)];
    assert_eq!(poll(&mut asked, timeout), Ok(1));
    assert_eq!(receive_urgent(&receiver).unwrap(), b"c");
}

/// Listing 9-1: `setsockopt(SO_OOBINLINE)`, and then `recv(MSG_OOB)`.
#[test]
fn with_oobinline_no_byte_can_be_taken_out_of_band() {
    let (sender, receiver) = pair();
    SockRef::from(&receiver)
        .set_out_of_band_inline(true)
        .unwrap();
    send_urgent(&sender, b"X").unwrap();
    delivered(&sender);
    assert_eq!(ready(&receiver), (true, true));
    let err = receive_urgent(&receiver).unwrap_err();
    assert_eq!(errno_name(&err), "EINVAL");
    assert!(at_mark(&receiver).unwrap());
    assert_eq!(receive_data(&receiver).unwrap(), b"X");
}

/// Listing 9-1: `if (FD_ISSET(fd, &read_fds)) recv(...); else if (FD_ISSET(fd, &exception_fds))
/// recv(MSG_OOB)`.
#[test]
fn an_else_reads_on_past_the_urgent_byte_and_loses_it() {
    let (mut sender, receiver) = pair();
    sender.write_all(b"12").unwrap();
    send_urgent(&sender, b"X").unwrap();
    sender.write_all(b"34").unwrap();
    delivered(&sender);
    let (mut data, mut urgent) = (Vec::new(), Vec::new());
    loop {
        match ready(&receiver) {
            (true, _) => data.extend(receive_data(&receiver).unwrap()),
            (false, true) => urgent.extend(receive_urgent(&receiver)),
            (false, false) => break,
        }
    }
    assert_eq!(data, b"1234");
    assert!(urgent.is_empty(), "X was never seen");
    assert_eq!(
        errno_name(&receive_urgent(&receiver).unwrap_err()),
        "EINVAL"
    );
}

/// Listing 10-3: `void sig_urg(int sig) { recv(connfd, buffer, BUF_SIZE - 1, MSG_OOB); ... }`.
#[test]
fn two_announcements_that_meet_in_the_queue_are_one_signal() {
    let program = env!("CARGO_BIN_EXE_oob-data");
    let mut receiver = Program::start(program, ["receive", "--via=sigurg"]);
    let mut peer = Peer::connect(receiver.listening_on());
    peer.stream().set_nodelay(true).unwrap();
    peer.send("a");
    receiver.wait_for_line("recv -> 'a'");
    receiver.signal(Signal::SIGSTOP);
    wait_until_stopped(receiver.pid());
    for urgent in [b"x", b"y"] {
        send_urgent(peer.stream(), urgent).unwrap();
        delivered(peer.stream());
    }
    receiver.signal(Signal::SIGCONT);
    receiver.wait_for_line("recv(MSG_OOB) -> 'y'");
    peer.half_close();
    assert!(receiver.wait().success());
    let output = receiver.stdout();
    assert_eq!(output.matches("SIGURG").count(), 1, "{output}");
}

/// `man 5 proc_pid_stat`: the state stands behind the name in brackets.
fn wait_until_stopped(pid: Pid) {
    let begin = Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        if stat.rsplit_once(") ").unwrap().1.starts_with('T') {
            return;
        }
        assert!(begin.elapsed() < TIMEOUT, "not stopped: {stat}");
        std::thread::yield_now();
    }
}
