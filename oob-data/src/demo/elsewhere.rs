//! Where else `MSG_OOB` and the third set of select mean something, and where not.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;

use chapter::errno_name;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::termios::{FlushArg, tcflush};
use oob_data::{at_mark, packet_mode, receive_data, receive_urgent, send_urgent};
use socket2::{Domain, Socket, Type};

use super::{Demo, PATIENCE, show};

/// What the kernel must have been built with for urgent data on UNIX sockets (Linux 5.15).
const UNIX_NEED: &str = "CONFIG_AF_UNIX_OOB";

impl Demo {
    /// "The one exception that select knows is out-of-band data": there are others, and a failed
    /// connect is none.
    pub(super) fn other_exceptions(&mut self) -> io::Result<()> {
        let terminal = openpty(None, None)?;
        packet_mode(&terminal.master)?;
        tcflush(&terminal.slave, FlushArg::TCIFLUSH)?;
        self.note(
            "select",
            "a pseudo-terminal in packet mode (TIOCPKT), whose input was flushed",
        )?;
        self.select("select", &terminal.master, "readable 1, exceptional 1")?;
        self.note(
            "select",
            "so urgent data is not the only exceptional condition",
        )?;

        let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
        let begun = socket.connect(&closed.into());
        self.timeline.answer(
            "select",
            "connect to a closed port",
            "EINPROGRESS",
            begun.map_or_else(|err| errno_name(&err), |()| "0".to_owned()),
        )?;
        let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
        let mut refused = [PollFd::new(
            std::os::fd::AsFd::as_fd(&socket),
            PollFlags::POLLIN,
        )];
        poll(&mut refused, patience)?;
        self.select("select", &socket, "readable 1, exceptional 0")?;
        self.note("select", "and an error is none: it is readable")?;

        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(socket.local_addr()?)?;
        let sent = send_urgent(&socket, b"u");
        self.timeline.answer(
            "select",
            "send(MSG_OOB) on UDP",
            "EOPNOTSUPP",
            sent.map_or_else(|err| errno_name(&err), |count| count.to_string()),
        )
    }

    pub(super) fn unix_sockets(&mut self) -> io::Result<()> {
        let (sender, receiver) = UnixStream::pair()?;
        io::Write::write_all(&mut &sender, b"12")?;
        let sent = send_urgent(&sender, b"X");
        if sent
            .as_ref()
            .is_err_and(|err| errno_name(err) == "EOPNOTSUPP")
        {
            for _ in 0..6 {
                let skipped = format_args!("skipped: needs {UNIX_NEED}");
                self.timeline.say("unix", skipped)?;
            }
            return Ok(());
        }
        io::Write::write_all(&mut &sender, b"34")?;
        let sent = sent.map_or_else(|err| errno_name(&err), |count| count.to_string());
        self.unix("send(MSG_OOB)", "1", &sent)?;
        let reported = super::reported(&receiver)?;
        self.unix("epoll", "IN|PRI", &reported)?;
        let data = show(receive_data(&receiver));
        self.unix("recv", "'12'", &data)?;
        let marked = u8::from(at_mark(&receiver)?).to_string();
        self.unix("sockatmark", "1", &marked)?;
        let urgent = show(receive_urgent(&receiver));
        self.unix("recv(MSG_OOB)", "'X'", &urgent)?;
        let data = show(receive_data(&receiver));
        self.unix("recv", "'34'", &data)
    }

    /// A line that not every kernel can print.
    fn unix(&mut self, what: &str, expected: &str, answered: &str) -> io::Result<()> {
        let mark = |text: &str| format!("{text} [needs {UNIX_NEED}]");
        self.timeline
            .answer("unix", what, mark(expected), mark(answered))
    }
}
