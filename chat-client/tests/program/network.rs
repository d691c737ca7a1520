//! A network of a test's own, where port 6667 is free.
//!
//! Shows: a network namespace belongs to a thread (`man 7 network_namespaces`);
//! what the thread starts is in it too. Where the machine does not allow that,
//! the tests that need these ports wait for one another.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::panic::resume_unwind;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

/// The ports that the client takes for its own room.
const PORTS: [&str; 2] = ["127.0.0.1:6667", "127.0.0.1:6668"];

/// Runs `test` where nobody else uses the ports of the room.
pub(crate) fn with_free_ports(test: impl FnOnce() + Send) {
    let result = thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if unshare(CloneFlags::CLONE_NEWNET).is_ok() {
                bring_loopback_up();
                return test();
            }
            // One test at a time, of all that run on this machine.
            let path = std::env::temp_dir().join("chat-client-tests.lock");
            let file = File::options()
                .create(true)
                .append(true)
                .open(path)
                .unwrap();
            file.lock().unwrap();
            if PORTS
                .iter()
                .all(|address| TcpListener::bind(address).is_ok())
            {
                test();
            } else {
                // Not eprintln: the test runner keeps that back when the test passes.
                let line = "skipped: needs free ports 6667 and 6668, or network namespaces\n";
                std::io::stderr().write_all(line.as_bytes()).unwrap();
            }
        });
        thread.join()
    });
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

/// A new network has a loopback device that is down. Says `RTM_NEWLINK` to the
/// kernel (`man 7 rtnetlink`): set the flag UP of device 1.
fn bring_loopback_up() {
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST_AND_ACK: u16 = 1 | 4;
    const IFF_UP: u32 = 1;
    const LOOPBACK: u32 = 1;
    // struct nlmsghdr: length, type, flags, sequence number, sender.
    let mut request = 32_u32.to_ne_bytes().to_vec();
    request.extend(RTM_NEWLINK.to_ne_bytes());
    request.extend(NLM_F_REQUEST_AND_ACK.to_ne_bytes());
    request.extend([1_u32, 0].map(u32::to_ne_bytes).as_flattened());
    // struct ifinfomsg: family and type unspecified, device, flags, which of them to change.
    request.extend(
        [0, LOOPBACK, IFF_UP, IFF_UP]
            .map(u32::to_ne_bytes)
            .as_flattened(),
    );
    let kernel = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )
    .unwrap();
    let to = NetlinkAddr::new(0, 0);
    sendto(kernel.as_raw_fd(), &request, &to, MsgFlags::empty()).unwrap();
    let mut answer = [0; 1024];
    recv(kernel.as_raw_fd(), &mut answer, MsgFlags::empty()).unwrap();
    // struct nlmsgerr: 0 where it has worked.
    assert_eq!(answer[16..20], [0; 4], "loopback comes up");
}
