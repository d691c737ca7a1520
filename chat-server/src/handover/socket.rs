//! Where an old server and its successor meet: a UNIX socket in the file system.
//!
//! Shows: a name is taken by `rename(2)`, in one step: whoever connects finds the
//! old server or the new one, never nobody. The mode is set between `bind(2)`
//! and `listen(2)`, so that there is no moment at which others could connect.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// Successors that may wait; a second one is refused anyhow.
const BACKLOG: i32 = 4;

/// A listening socket at a path, for this user alone (mode 0600). Its name is
/// removed when it is dropped, unless somebody else has taken it.
#[derive(Debug)]
pub struct TakeoverSocket {
    listener: UnixListener,
    /// Where it will be.
    path: PathBuf,
    /// Where it is.
    name: PathBuf,
    /// Device and inode: how the file is known again. None if it is to stay.
    file: Option<(u64, u64)>,
}

impl TakeoverSocket {
    /// Listens at `path`. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if somebody listens there; else what `socket(2)`, `bind(2)`
    /// and `rename(2)` report.
    pub fn bind(path: &Path) -> io::Result<TakeoverSocket> {
        match UnixStream::connect(path) {
            Ok(_) => return Err(ErrorKind::AddrInUse.into()),
            // Left behind. Files of other kinds refuse a connection too.
            Err(err) if err.kind() == ErrorKind::ConnectionRefused => {
                if !fs::symlink_metadata(path)?.file_type().is_socket() {
                    return Err(ErrorKind::AlreadyExists.into());
                }
            }
            Err(err) if err.kind() == ErrorKind::NotFound => {}
            Err(err) => return Err(err),
        }
        let mut socket = TakeoverSocket::prepare(path)?;
        socket.publish()?;
        Ok(socket)
    }

    /// Listens beside `path`, until [`TakeoverSocket::publish`].
    ///
    /// # Errors
    ///
    /// What `socket(2)` and `bind(2)` report.
    pub fn prepare(path: &Path) -> io::Result<TakeoverSocket> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let name = path.with_file_name(name);
        let listener = listen(&name)?;
        Ok(TakeoverSocket {
            listener,
            file: Some(identify(&name)?),
            path: path.to_owned(),
            name,
        })
    }

    /// Takes the path, whoever had it.
    ///
    /// # Errors
    ///
    /// What `rename(2)` reports.
    pub fn publish(&mut self) -> io::Result<()> {
        fs::rename(&self.name, &self.path)?;
        self.name.clone_from(&self.path);
        Ok(())
    }

    /// Ends without removing the name, which may be a successor's by now.
    pub(super) fn leave(mut self) {
        self.file = None;
    }

    pub(super) fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl std::os::fd::AsFd for TakeoverSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for TakeoverSocket {
    fn drop(&mut self) {
        // A successor may have put its own socket there.
        if identify(&self.name).is_ok_and(|file| Some(file) == self.file) {
            let _ = fs::remove_file(&self.name);
        }
    }
}

fn identify(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking().cloexec(), None)?;
    // Left behind by a process that had the same number and was killed.
    match fs::remove_file(path) {
        Err(err) if err.kind() != ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    socket.bind(&SockAddr::unix(path)?)?;
    let listening = fs::set_permissions(path, Permissions::from_mode(0o600))
        .and_then(|()| socket.listen(BACKLOG));
    if let Err(err) = listening {
        let _ = fs::remove_file(path);
        return Err(err);
    }
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use chapter_tests::TemporaryDirectory;

    use super::*;

    #[test]
    fn the_socket_is_for_this_user_alone_and_its_name_goes_with_it() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("takeover");
        let socket = TakeoverSocket::bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 1);
        drop(socket);
        assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
    }

    #[test]
    fn a_living_socket_is_not_stolen_and_a_dead_one_is_replaced() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("takeover");
        let first = TakeoverSocket::bind(&path).unwrap();
        let refused = TakeoverSocket::bind(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        // As after a crash: the file stays, nobody listens.
        let file = fs::canonicalize(&path).unwrap();
        drop(first);
        drop(UnixListener::bind(file).unwrap());
        assert!(path.exists());
        TakeoverSocket::bind(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("takeover");
        fs::write(&path, "precious").unwrap();
        let refused = TakeoverSocket::bind(&path).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn who_was_replaced_does_not_remove_the_name_of_its_successor() {
        let directory = TemporaryDirectory::new();
        let path = directory.join("takeover");
        let old = TakeoverSocket::bind(&path).unwrap();
        let mut new = TakeoverSocket::prepare(&path).unwrap();
        new.publish().unwrap();
        drop(old);
        assert!(UnixStream::connect(&path).is_ok());
    }
}
