//! Bytes from one descriptor to another, without passing through the program.
//!
//! Shows: `splice(2)` moves pages between a pipe and anything else, so that two
//! calls and a pipe of one's own carry bytes from a socket to a file; what
//! cannot be spliced is read and written.
//! Leaves out: `SPLICE_F_MOVE`, which has had no effect since Linux 2.6.21.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, SpliceFFlags, splice};
use nix::unistd::{pipe2, read, write};

/// The most that is moved at once: what a pipe holds, unless it was made
/// smaller.
const SPLICE_BYTES: usize = 64 * 1024;

/// `PIPE_BUF`: a pipe that is writable, or empty, takes this much.
pub(super) const PIPE_BUF_BYTES: usize = 4096;

/// One direction of a relay, with a pipe as its buffer.
#[derive(Debug)]
pub(super) struct Conveyor {
    from_pipe: OwnedFd,
    to_pipe: OwnedFd,
    /// Bytes in the pipe.
    in_pipe: usize,
    /// Bytes taken out of the pipe to be written, where splicing out does not
    /// work.
    taken: Vec<u8>,
    splices_in: bool,
    splices_out: bool,
    has_ended: bool,
}

impl Conveyor {
    /// # Errors
    ///
    /// What `pipe2(2)` reports: `EMFILE`, `ENFILE`.
    pub(super) fn new() -> io::Result<Conveyor> {
        let (from_pipe, to_pipe) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        Ok(Conveyor {
            from_pipe,
            to_pipe,
            in_pipe: 0,
            taken: Vec::new(),
            splices_in: true,
            splices_out: true,
            has_ended: false,
        })
    }

    /// Bytes that have come in and not gone out.
    pub(super) fn held(&self) -> usize {
        self.in_pipe + self.taken.len()
    }

    /// Whether the source has given its last byte, and all are gone out: the
    /// end is found by a read of nothing, and only an empty pipe is filled.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Takes what `source` has; to be called when it is readable and nothing is
    /// held.
    ///
    /// # Errors
    ///
    /// What `splice(2)` or `read(2)` report, but for `EAGAIN` and `EINTR`.
    pub(super) fn fill(&mut self, source: impl AsFd) -> io::Result<()> {
        let source = source.as_fd();
        debug_assert_eq!(self.held(), 0, "the pipe has room for everything");
        let mut result = Err(Errno::EINVAL);
        if self.splices_in {
            result = splice_some(source, &self.to_pipe, SPLICE_BYTES);
            self.splices_in = !is_refusal(result);
        }
        if !self.splices_in {
            result = self.copy_in(source);
        }
        match result {
            Ok(0) => self.has_ended = true,
            Ok(count) => self.in_pipe += count,
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(err) => return Err(err.into()),
        }
        Ok(())
    }

    /// Gives `sink` what it takes, `most` bytes at the most; to be called when
    /// it is writable.
    ///
    /// # Errors
    ///
    /// What `splice(2)` or `write(2)` report, but for `EAGAIN` and `EINTR`.
    pub(super) fn drain(&mut self, sink: impl AsFd, most: usize) -> io::Result<()> {
        let sink = sink.as_fd();
        if self.splices_out && self.in_pipe > 0 {
            let result = splice_some(&self.from_pipe, sink, most.min(self.in_pipe));
            self.splices_out = !is_refusal(result);
            if self.splices_out {
                self.in_pipe -= moved(result)?;
                return Ok(());
            }
        }
        if self.taken.is_empty() && self.in_pipe > 0 {
            let mut buffer = [0; PIPE_BUF_BYTES];
            let count = moved(read(&self.from_pipe, &mut buffer))?;
            self.in_pipe -= count;
            self.taken.extend_from_slice(&buffer[..count]);
        }
        let most = most.min(self.taken.len());
        let count = moved(write(sink, &self.taken[..most]))?;
        self.taken.drain(..count);
        Ok(())
    }

    /// Reads, and writes into the empty pipe, which takes it whole.
    fn copy_in(&self, source: impl AsFd) -> Result<usize, Errno> {
        let mut buffer = [0; PIPE_BUF_BYTES];
        let count = read(source, &mut buffer)?;
        write(&self.to_pipe, &buffer[..count])
    }

    /// As where neither side can be spliced.
    #[cfg(test)]
    fn copying() -> Conveyor {
        Conveyor {
            splices_in: false,
            splices_out: false,
            ..Conveyor::new().unwrap()
        }
    }
}

fn splice_some(from: impl AsFd, to: impl AsFd, most: usize) -> Result<usize, Errno> {
    // Says of the pipes that the call shall not wait for them; of a socket or a
    // terminal its own O_NONBLOCK says it.
    splice(from, None, to, None, most, SpliceFFlags::SPLICE_F_NONBLOCK)
}

/// Whether the kernel cannot splice this at all: a file opened for appending,
/// or a driver that knows only read and write (`man 2 splice`).
fn is_refusal(result: Result<usize, Errno>) -> bool {
    matches!(result, Err(Errno::EINVAL | Errno::ENOSYS))
}

/// How many bytes were moved; none is no error.
fn moved(result: Result<usize, Errno>) -> io::Result<usize> {
    match result {
        Ok(count) => Ok(count),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        Err(err) => Err(err.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    /// Has `bytes` carried from one socket to another, by a sink that stops
    /// taking now and then.
    fn carry(mut conveyor: Conveyor, bytes: &[u8]) -> Vec<u8> {
        let (mut writer, source) = UnixStream::pair().unwrap();
        let (sink, mut reader) = UnixStream::pair().unwrap();
        for socket in [&source, &sink, &reader] {
            socket.set_nonblocking(true).unwrap();
        }
        let bytes_to_write = bytes.to_vec();
        let thread = std::thread::spawn(move || writer.write_all(&bytes_to_write).unwrap());
        let mut carried = Vec::new();
        while !(conveyor.has_ended() && conveyor.held() == 0) {
            if conveyor.held() == 0 {
                conveyor.fill(&source).unwrap();
            }
            if conveyor.held() > 0 {
                conveyor.drain(&sink, 3_000).unwrap();
            }
            let mut buffer = [0; 1_000];
            if let Ok(count) = reader.read(&mut buffer) {
                carried.extend_from_slice(&buffer[..count]);
            }
        }
        drop(sink);
        reader.set_nonblocking(false).unwrap();
        reader.read_to_end(&mut carried).unwrap();
        thread.join().unwrap();
        carried
    }

    #[test]
    fn spliced_or_copied_the_bytes_are_the_same() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        assert!(carry(Conveyor::new().unwrap(), &bytes) == bytes);
        assert!(carry(Conveyor::copying(), &bytes) == bytes);
    }

    #[test]
    fn a_file_opened_for_appending_cannot_be_spliced_to_and_is_written_to() {
        let directory = chapter_tests::TemporaryDirectory::new();
        let path = directory.join("log");
        std::fs::write(&path, "before ").unwrap();
        let log = File::options().append(true).open(&path).unwrap();
        let (mut writer, source) = UnixStream::pair().unwrap();
        writer.write_all(b"and after").unwrap();
        let mut conveyor = Conveyor::new().unwrap();
        conveyor.fill(&source).unwrap();
        conveyor.drain(&log, SPLICE_BYTES).unwrap();
        assert!(!conveyor.splices_out && conveyor.splices_in);
        assert_eq!(std::fs::read(&path).unwrap(), b"before and after");
    }

    #[test]
    fn dev_null_has_ended() {
        let mut conveyor = Conveyor::new().unwrap();
        conveyor.fill(File::open("/dev/null").unwrap()).unwrap();
        assert!(conveyor.has_ended() && conveyor.held() == 0);
    }
}
