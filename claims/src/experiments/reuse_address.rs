//! Claim 28: with `SO_REUSEADDR` a server can be started again at once.
//!
//! Shows: connections that its predecessor closed stay in `TIME_WAIT` at the port, and both must have
//! set the option: the one that starts, and the one that has gone.

use std::io;
use std::net::Shutdown;

use socket2::{SockAddr, Socket};

use crate::claim::{Chapter, Claim, Sentence, Verdict, place};
use crate::report::{Finding, Report, Stop};
use crate::tcp;
use crate::words::succeeded;

pub(crate) const CLAIM: Claim = Claim {
    number: 28,
    name: "reuse-address",
    chapter: Chapter::Accepting,
    sentences: &[Sentence {
        original: None,
        english: "a server that sets SO_REUSEADDR can take its port again while old connections \
                  are in TIME_WAIT",
        verdict: Verdict::Imprecise,
    }],
    question: "SO_REUSEADDR now; the server before had not. bind?",
    answers: &[
        "It works",
        "It fails with EADDRINUSE",
        "It works, and the old connections are reset",
    ],
    answer: 'b',
    does: "A server closes a connection first, so that TIME_WAIT stays at its port, and ends. \
           Another binds the same port. That in four ways: the old server had set SO_REUSEADDR or \
           not, and so has the new one. Then the old one is still listening.",
    lesson: "TIME_WAIT stays with the side that closes first, for a minute on Linux, and it keeps \
             what the socket had set. The new server may share the port with it only if both have \
             SO_REUSEADDR. So set it always, before bind, from the first start on; the fix does not \
             help the restart for which it was written. It never lets two servers listen on one \
             port: that is SO_REUSEPORT.",
    code: &[place!(
        "epoll-loop/src/listener.rs",
        "// A server that is started again shall not wait for the old one's TIME_WAIT.",
        "every listener of ours has it, from the first start"
    )],
    sources: &[
        "socket(7), SO_REUSEADDR, SO_REUSEPORT",
        "RFC 9293, section 3.6.1: TIME-WAIT",
    ],
    run,
};

fn run(report: &mut Report) -> Result<Finding, Stop> {
    report.heading("bind while the old server's connection is in TIME_WAIT");
    let mut bound = Vec::new();
    for (old, new, name, expected) in [
        (false, false, "set by neither", "EADDRINUSE"),
        (false, true, "set by the new one", "EADDRINUSE"),
        (true, false, "set by the old one", "EADDRINUSE"),
        (true, true, "mended: set by both", "ok"),
    ] {
        let (listener, address) = used_port(old)?;
        drop(listener);
        let result = bind(&address, new);
        bound.push(result.is_ok());
        report.exact(name, expected, succeeded(result));
    }

    report.heading("bind while the old server still listens");
    let (_listener, address) = used_port(true)?;
    report.exact("set by both", "EADDRINUSE", succeeded(bind(&address, true)));

    Ok(match bound[..] {
        [_, false, _, true] => Finding::new('b', [Verdict::Imprecise]),
        [_, true, ..] => Finding::new('a', [Verdict::Right]),
        _ => Finding::new('b', [Verdict::Wrong]),
    })
}

/// A listener that has closed a connection before its client did.
fn used_port(reuse: bool) -> io::Result<(Socket, SockAddr)> {
    let listener = tcp::socket()?;
    listener.set_reuse_address(reuse)?;
    let any = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    listener.bind(&any.into())?;
    listener.listen(1)?;
    let address = listener.local_addr()?;
    let client = tcp::socket()?;
    client.connect(&address)?;
    let (accepted, _) = listener.accept()?;
    accepted.shutdown(Shutdown::Write)?;
    tcp::until(|| Ok(tcp::state(&accepted)? == "FIN_WAIT2"))?;
    drop(client);
    // What is left of it is a TIME_WAIT that belongs to no descriptor.
    tcp::until(|| Ok(tcp::state(&accepted)? == "CLOSE"))?;
    Ok((listener, address))
}

fn bind(address: &SockAddr, reuse: bool) -> io::Result<Socket> {
    let listener = tcp::socket()?;
    listener.set_reuse_address(reuse)?;
    listener.bind(address)?;
    listener.listen(1)?;
    Ok(listener)
}
