//! Addresses to connect from.
//!
//! Shows: one address has some 28,000 ports (`net.ipv4.ip_local_port_range`), and all of 127.0.0.0/8
//! is this machine, so a client may have as many addresses as it needs on loopback.
//! Leaves out: addresses of other interfaces. Over a network a run has one address, and its ports.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::Socket;

/// Connections from one address before the next is taken.
const CONNECTIONS_AN_ADDRESS: u32 = 5_000;

/// Hosts of a block: 127.x.y.1 to 127.x.y.254.
const HOSTS: u32 = 254;

/// Where connections to one server come from.
#[derive(Debug)]
pub(crate) struct Sources {
    server: SocketAddr,
    begun: u32,
}

impl Sources {
    pub(crate) fn new(server: SocketAddr) -> Sources {
        Sources { server, begun: 0 }
    }

    /// What is connected to.
    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    /// Begins the next connection, on a socket that is prepared before.
    pub(crate) fn connect(
        &mut self,
        prepare: impl FnOnce(&Socket) -> io::Result<()>,
    ) -> io::Result<Socket> {
        let number = self.begun;
        self.begun = self.begun.wrapping_add(1);
        let socket = nonblock_connect::new_socket(self.server)?;
        prepare(&socket)?;
        if let IpAddr::V4(ip) = self.server.ip()
            && ip.is_loopback()
        {
            nonblock_connect::bind_source(&socket, source(number).into())?;
        }
        nonblock_connect::begin_on(&socket, self.server)?;
        Ok(socket)
    }
}

/// The address that a connection comes from. Each run has a block of its own, since the ports of
/// the last one stay taken for a minute (`TIME_WAIT`), and looking for free ones among them takes
/// the kernel longer than all the rest.
fn source(number: u32) -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    let host = number / CONNECTIONS_AN_ADDRESS % HOSTS + 1;
    Ipv4Addr::new(127, high.max(1), low, u8::try_from(host).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_has_more_connections_than_ports_until_all_hosts_have_been_used() {
        let last = CONNECTIONS_AN_ADDRESS - 1;
        assert_eq!(source(0), source(last));
        assert_ne!(source(last), source(last + 1));
        assert_eq!(source(CONNECTIONS_AN_ADDRESS * HOSTS - 1).octets()[3], 254);
        assert_eq!(source(CONNECTIONS_AN_ADDRESS * HOSTS), source(0));
        assert!(source(0).octets()[1] > 0, "127.0.0.0/16 has other users");
    }
}
