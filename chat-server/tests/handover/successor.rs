//! Servers that follow one another, and one that only pretends to.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chapter_tests::{Launch, Program, TIMEOUT, TemporaryDirectory};
use fd_passing::MAX_DESCRIPTORS;
use fd_passing::handover::{MAX_BODY_BYTES, Message, MessageError, Messages};

use crate::support::{SERVER, serve};

/// A server that can be taken over, and its successors, one after the other.
pub(crate) struct Dynasty {
    directory: TemporaryDirectory,
    pub(crate) ruling: Program,
    pub(crate) address: SocketAddr,
}

impl Dynasty {
    pub(crate) fn begin(arguments: &[&str]) -> Dynasty {
        let directory = TemporaryDirectory::new();
        let path = directory.join("takeover");
        let own = ["--takeover-socket", path.to_str().unwrap()];
        let ruling = serve(&[&own, arguments].concat());
        Dynasty {
            address: ruling.listening_on(),
            ruling,
            directory,
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("takeover")
    }

    /// Starts a server that wants to take over.
    pub(crate) fn claim(&self, arguments: &[&str]) -> Program {
        self.launch(arguments).start()
    }

    /// The same, to be taken over itself by another path.
    pub(crate) fn claim_for(&self, path: &Path, arguments: &[&str]) -> Program {
        let claimant = Launch::new(SERVER)
            .args(["--takeover".into(), self.socket()])
            .args(["--takeover-socket".into(), path.to_owned()]);
        claimant.args(arguments).start()
    }

    /// The same with at most so many descriptors.
    pub(crate) fn claim_with_descriptors(&self, limit: u64) -> Program {
        self.launch(&[]).descriptor_limit(limit).start()
    }

    /// The same, about to be started.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Launch {
        let path = self.socket().to_str().unwrap().to_owned();
        let own = ["--takeover", &path, "--takeover-socket", &path];
        Launch::new(SERVER).args(own).args(arguments)
    }

    /// Has a new server take over; the old one ends.
    pub(crate) fn succeed(&mut self, arguments: &[&str]) {
        let new = self.claim(arguments);
        assert_eq!(new.listening_on(), self.address);
        let mut old = std::mem::replace(&mut self.ruling, new);
        assert!(old.wait().success(), "{}", old.stderr());
    }
}

/// A successor that does as the test wants.
pub(crate) struct Pretender {
    socket: UnixStream,
    messages: Messages,
    /// What has come, and is kept as a real one would.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// The state that has come.
    document: Vec<u8>,
}

impl Pretender {
    pub(crate) fn connect(path: &Path) -> Pretender {
        Pretender::over(UnixStream::connect(path).unwrap())
    }

    fn over(socket: UnixStream) -> Pretender {
        socket.set_nonblocking(true).unwrap();
        Pretender {
            socket,
            messages: Messages::new(),
            descriptors: Vec::new(),
            document: Vec::new(),
        }
    }

    /// Gives what was taken on to a claimant, as an old server does; returns when
    /// the claimant is ready.
    pub(crate) fn pass_on(&mut self, listener: &UnixListener) -> Pretender {
        let (socket, _) = listener.accept().unwrap();
        let mut claimant = Pretender::over(socket);
        let count = u32::try_from(self.descriptors.len()).unwrap();
        claimant.say(&Message::Offer {
            version: chat_server::FORMAT_VERSION,
            descriptors: count,
        });
        assert_eq!(claimant.hear().unwrap(), Message::Accept);
        let descriptors: Vec<_> = self.descriptors.iter().map(AsFd::as_fd).collect();
        let mut rest = descriptors.as_slice();
        for piece in self.document.chunks(MAX_BODY_BYTES) {
            let (now, later) = rest.split_at(rest.len().min(MAX_DESCRIPTORS));
            rest = later;
            let message = Message::State(piece.to_vec());
            let messages = &mut claimant.messages;
            messages.send(&claimant.socket, &message, now).unwrap();
            if !now.is_empty() {
                assert_eq!(claimant.hear().unwrap(), Message::Got);
            }
        }
        claimant.say(&Message::End {
            bytes: self.document.len() as u64,
            descriptors: count,
        });
        assert_eq!(claimant.hear().unwrap(), Message::Ready);
        claimant
    }

    pub(crate) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    pub(crate) fn say(&mut self, message: &Message) {
        self.messages.send(&self.socket, message, &[]).unwrap();
    }

    /// The next message, or why there is none.
    pub(crate) fn hear(&mut self) -> Result<Message, MessageError> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            assert!(Instant::now() < deadline, "the old server says nothing");
            if let Some((message, descriptors)) = self.messages.receive(&self.socket)? {
                self.descriptors.extend(descriptors);
                return Ok(message);
            }
        }
    }

    /// Accepts the offer.
    pub(crate) fn accept(&mut self) {
        assert!(matches!(self.hear(), Ok(Message::Offer { .. })));
        self.say(&Message::Accept);
    }

    /// Accepts the offer and takes everything, but says READY to nothing.
    pub(crate) fn collect(&mut self) {
        self.accept();
        loop {
            let before = self.descriptors.len();
            match self.hear().unwrap() {
                Message::State(piece) => {
                    self.document.extend(piece);
                    if self.descriptors.len() > before {
                        self.say(&Message::Got);
                    }
                }
                Message::End { .. } => return,
                other => panic!("{other:?}"),
            }
        }
    }
}
