//! Who is at the other end.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

/// The process that has connected, or listened: as it was at that moment, by the
/// kernel's word and not by its own. (`SO_PEERCRED`, `man 7 unix`)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its process id; another process may have got the number since.
    pub process: i32,
    /// Its effective user id.
    pub user: u32,
    /// Its effective group id.
    pub group: u32,
}

impl Peer {
    /// The peer of `socket`.
    ///
    /// # Errors
    ///
    /// What `getsockopt(2)` reports.
    pub fn of(socket: &UnixStream) -> io::Result<Peer> {
        let credentials = socket_peercred(socket)?;
        Ok(Peer {
            process: credentials.pid.as_raw_nonzero().get(),
            user: credentials.uid.as_raw(),
            group: credentials.gid.as_raw(),
        })
    }
}

/// The users from whom descriptors are taken, or to whom they are given.
///
/// A descriptor is a right: whoever holds it may use the file, whatever the
/// file's permissions say. And whoever sends them to us can fill our table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowList {
    users: Vec<u32>,
}

impl AllowList {
    /// Only processes of the user that this process runs as.
    #[must_use]
    pub fn same_user() -> AllowList {
        AllowList::users([geteuid().as_raw()])
    }

    /// Only processes of these users.
    #[must_use]
    pub fn users(users: impl IntoIterator<Item = u32>) -> AllowList {
        AllowList {
            users: users.into_iter().collect(),
        }
    }

    // ANCHOR: check
    /// The peer of `socket`, if it is on the list.
    ///
    /// # Errors
    ///
    /// [`PeerError::NotAllowed`] if it is not; else what `getsockopt(2)` reports.
    pub fn check(&self, socket: &UnixStream) -> Result<Peer, PeerError> {
        let peer = Peer::of(socket).map_err(PeerError::System)?;
        if self.users.contains(&peer.user) {
            Ok(peer)
        } else {
            Err(PeerError::NotAllowed(peer))
        }
    }
    // ANCHOR_END: check
}

/// Why a peer is turned away.
#[derive(Debug)]
pub enum PeerError {
    /// Its user is not on the list.
    NotAllowed(Peer),
    /// What `getsockopt(2)` has reported.
    System(io::Error),
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerError::NotAllowed(Peer { process, user, .. }) => {
                write!(f, "process {process} of user {user} is not allowed")
            }
            PeerError::System(err) => f.write_str(&chapter::why(err)),
        }
    }
}

impl Error for PeerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PeerError::System(err) => Some(err),
            PeerError::NotAllowed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_known_by_what_the_kernel_says_of_it() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let peer = AllowList::same_user().check(&ours).unwrap();
        assert_eq!(peer.process, i32::try_from(std::process::id()).unwrap());
        assert_eq!(peer.user, geteuid().as_raw());
    }

    #[test]
    fn who_is_not_on_the_list_is_turned_away() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let other = geteuid().as_raw() + 1;
        let refused = AllowList::users([other]).check(&ours).unwrap_err();
        assert!(matches!(refused, PeerError::NotAllowed(_)), "{refused}");
        assert!(AllowList::users([]).check(&ours).is_err());
    }
}
