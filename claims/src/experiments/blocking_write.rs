//! Claim 16: a blocking write returns when all fits the buffer, with the number that was asked for.
//!
//! Shows: it copies through a buffer that is far smaller than the data; and the three ways in which
//! it returns less.

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use nix::sys::epoll::EpollFlags;
use nix::unistd::write;
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::readiness;
use crate::report::{Finding, Report, Stop};
use crate::signals::Signals;
use crate::tcp;
use crate::words::returned;

pub(crate) const CLAIM: Claim = Claim {
    number: 16,
    name: "blocking-write",
    chapter: Chapter::Writing,
    sentences: &[
        Sentence {
            original: Some("阻塞模式下，write 只有在发送缓冲区足以容纳应用程序的输出字节时才返回"),
            english: "in blocking mode write returns only when the send buffer has room for all \
                      bytes of the application",
            verdict: Verdict::Imprecise,
        },
        Sentence {
            original: Some(
                "阻塞模式下的 write 有个特例, 就是对方主动关闭了套接字，这个时候 write 调用会立即返回，并通过返回值告诉应用程序实际写入的字节数，如果再次对这样的套接字进行 write 操作，就会返回失败",
            ),
            english: "there is one special case: the peer closes the socket; then write returns at \
                      once and tells how many bytes were written, and another write fails",
            verdict: Verdict::Imprecise,
        },
    ],
    question: "When does a blocking write return less than asked?",
    answers: &[
        "Never: it waits until all is written",
        "Only when the peer closes",
        "When the peer closes, a signal comes or a timeout ends it",
    ],
    answer: 'c',
    does: "It gives sockets a small send buffer and writes 1 MiB with one blocking call: while the \
           peer reads everything; while it reads 100,000 bytes and closes; while signals come; and \
           with SO_SNDTIMEO. With signals and with the timeout nobody reads.",
    lesson: "A blocking write copies piece by piece, as the peer makes room. When it has to stop, \
             what it has copied so far is its result, and the reason shows only in the next call, if \
             at all. SA_RESTART does not help: a call that has done something is not restarted. So a \
             short write is normal for blocking sockets too: keep what is left and go on with it. \
             (write_all of Rust does so for a blocking socket.)",
    code: &[place!(
        "epoll-loop/src/send_queue.rs",
        "/// Writes until the queue is empty or `io` takes no more; returns the",
        "what a write did not take stays in the queue"
    )],
    sources: &[
        "write(2), RETURN VALUE: the number of bytes written may be less than count",
        "signal(7), Interruption of system calls: a count if anything was transferred, else EINTR",
        "socket(7), SO_SNDTIMEO",
    ],
    run,
};

const ASKED: usize = 1 << 20;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    let data = vec![0; ASKED];

    report.heading("the peer reads everything");
    let (near, mut far) = connected()?;
    let buffer = near.send_buffer_size()?;
    let reader = thread::spawn(move || io::copy(&mut far, &mut io::sink()));
    let written = write(&near, &data)?;
    drop(near);
    report.exact("write of 1048576 bytes", ASKED, written);
    report.relation(
        "the send buffer has",
        format_args!("~{buffer} bytes"),
        "less than was written",
        buffer < written,
    );
    let read = reader.join().expect("it does not panic")?;
    report.exact("the peer has read", ASKED, read);

    report.heading("the peer reads 100,000 bytes and closes");
    let (near, mut far) = connected()?;
    let reader = thread::spawn(move || -> io::Result<()> {
        far.read_exact(&mut vec![0; 100_000])?;
        // With bytes that are not read, so that RST is all that the writer gets.
        readiness::at_least(&far, EpollFlags::EPOLLIN)?;
        Ok(())
    });
    let until_closed = write(&near, &data)?;
    reader.join().expect("it does not panic")?;
    let closed = is_short(report, "write", until_closed);
    report.exact("next write", "ECONNRESET", returned(write(&near, b"x")));

    let mut interrupted = false;
    for (restart, heading) in [
        (false, "signals come, with a handler"),
        (true, "signals come, with a handler and SA_RESTART"),
    ] {
        report.heading(heading);
        let (near, _far) = connected()?;
        let signals = Signals::start(restart)?;
        let written = write(&near, &data)?;
        interrupted |= is_short(report, "write", written);
        if !restart {
            // With SA_RESTART this one would go on for ever.
            let reason = until_it_fails(&near, &data);
            report.exact("and when nothing fits any more", "EINTR", reason);
        }
        drop(signals);
    }

    report.heading("SO_SNDTIMEO");
    let (near, _far) = connected()?;
    near.set_write_timeout(Some(Duration::from_millis(50)))?;
    let written = write(&near, &data)?;
    let timed_out = is_short(report, "write", written);
    let reason = until_it_fails(&near, &data);
    report.exact("and when nothing fits any more", "EAGAIN", reason);

    let answer = match (closed, interrupted || timed_out) {
        (_, true) => 'c',
        (true, false) => 'b',
        (false, false) => 'a',
    };
    let needs_room_for_all = if buffer < ASKED {
        Verdict::Imprecise
    } else {
        Verdict::Right
    };
    let one_case = match answer {
        'c' => Verdict::Imprecise,
        'b' => Verdict::Right,
        _ => Verdict::Wrong,
    };
    Ok(Finding::new(answer, [needs_room_for_all, one_case]))
}

/// Two connected sockets; what the first sends passes through small buffers.
fn connected() -> io::Result<(Socket, Socket)> {
    let (near, far) = tcp::pair()?;
    near.set_send_buffer_size(16_384)?;
    Ok((near, far))
}

/// Writes until a write has done nothing; why.
fn until_it_fails(socket: &Socket, data: &[u8]) -> String {
    loop {
        let result = write(socket, data);
        if result.is_err() {
            return returned(result);
        }
    }
}

fn is_short(report: &mut Report, what: &str, written: usize) -> bool {
    let is_short = written > 0 && written < ASKED;
    let relation = "some, and less than 1048576";
    report.relation(what, format_args!("~{written}"), relation, is_short)
}
