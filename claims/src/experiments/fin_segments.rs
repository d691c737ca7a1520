//! Claim 24: ending a TCP connection takes four segments.
//!
//! Shows: each direction is ended by FIN and an acknowledgement, but the acknowledgement of the
//! first rides on the second FIN if the peer closes at once; the kernel's own count of segments.

use std::io;
use std::net::Shutdown;

use rustix::net::sockopt::set_tcp_quickack;
use socket2::Socket;

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::sys::tcp_info;
use crate::tcp;
use crate::words::returned;

pub(crate) const CLAIM: Claim = Claim {
    number: 24,
    name: "fin-segments",
    chapter: Chapter::OnTheWire,
    sentences: &[Sentence {
        original: Some("TCP建立连接需要3次握手，而终止一个连接需要4次握手"),
        english: "TCP needs a handshake of 3 to make a connection and one of 4 to end it",
        verdict: Verdict::Imprecise,
    }],
    question: "How many segments does the end of a connection take?",
    answers: &[
        "Four, always",
        "Three, always",
        "Four, or three if the peer closes at once",
    ],
    answer: 'c',
    does: "It ends connections from both sides, the second side at once or only when the first FIN \
           has been acknowledged, and asks the kernel (TCP_INFO) how many segments one end has sent \
           and received meanwhile. No packets are captured, so nobody needs to be root. A machine \
           with other work may be too slow for \"at once\", so that is tried several times and the \
           fewest are taken.",
    lesson: "Each direction ends with a FIN that is acknowledged: that makes four. The kernel waits a \
             little before it acknowledges, and if the program closes meanwhile the acknowledgement \
             goes with its FIN: three. Four is what you see when the other side has more to say, \
             which it may: after one FIN the other direction works on. So do not count segments; \
             wait for the end of each direction.",
    code: &[place!(
        "tcp-udp-server/src/tcp.rs",
        "self.stream.shutdown(Shutdown::Write)?;",
        "one direction is ended here, and the other when the peer ends it"
    )],
    sources: &[
        "RFC 9293, section 3.6, figure 12; section 3.8.6.3: an acknowledgement may be delayed",
        "tcp(7), TCP_INFO, TCP_QUICKACK",
    ],
    run,
};

/// How often it is tried to be fast enough.
const TRIES: usize = 20;

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("segments of the end, the fewest of some tries");
    let at_once = fewest(3, |near, far| {
        near.shutdown(Shutdown::Write)?;
        far.shutdown(Shutdown::Write)
    })?;
    report.exact("the peer closes at once", 3, at_once);
    let later = fewest(4, |near, far| {
        near.shutdown(Shutdown::Write)?;
        tcp::until(|| Ok(tcp::state(near)? == "FIN_WAIT2"))?;
        far.shutdown(Shutdown::Write)
    })?;
    report.exact("the peer closes when that was acknowledged", 4, later);

    report.heading("between the two");
    let (near, far) = tcp::pair()?;
    near.shutdown(Shutdown::Write)?;
    tcp::until(|| Ok(tcp::state(&near)? == "FIN_WAIT2"))?;
    report.exact("this end is", "FIN_WAIT2", tcp::state(&near)?);
    report.exact("the peer is", "CLOSE_WAIT", tcp::state(&far)?);
    report.exact("the peer sends, bytes", 5, returned(far.send(b"later")));
    let received = nix::unistd::read(&near, &mut [0; 8]);
    report.exact("this end reads, bytes", 5, returned(received));

    Ok(match (at_once, later) {
        (4, 4) => Finding::new('a', [Verdict::Right]),
        (3, 3) => Finding::new('b', [Verdict::Wrong]),
        _ => Finding::new('c', [Verdict::Imprecise]),
    })
}

/// The fewest segments that an end takes; not tried again when `enough` are seen.
fn fewest(enough: u32, end: impl Fn(&Socket, &Socket) -> io::Result<()>) -> io::Result<u32> {
    let mut fewest = u32::MAX;
    for _ in 0..TRIES {
        let (near, far) = tcp::pair()?;
        // As after a while of talking: acknowledgements are not sent at once.
        set_tcp_quickack(&far, false)?;
        let before = segments(&near)?;
        end(&near, &far)?;
        // The last acknowledgement has come.
        tcp::until(|| Ok(tcp::state(&far)? == "CLOSE"))?;
        fewest = fewest.min(segments(&near)? - before);
        if fewest <= enough {
            break;
        }
    }
    Ok(fewest)
}

/// Sent and received by this end so far.
fn segments(socket: &Socket) -> io::Result<u32> {
    let info = tcp_info(socket)?;
    Ok(info.tcpi_segs_out + info.tcpi_segs_in)
}
