//! Starts the servers, each with a configuration of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chapter_tests::{Launch, Program, TemporaryDirectory, tools};

/// A server on a port of the loopback device.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _program: Program,
    _directory: TemporaryDirectory,
}

impl Server {
    /// `ngIRCd`; nothing if this machine has none, and the test is to be skipped.
    pub(crate) fn ngircd() -> Option<Server> {
        let tool = tools::find("ngircd")?;
        Some(Server::start("ready.", |directory, port| {
            let file = directory.join("ngircd.conf");
            let configuration = NGIRCD.replace("{port}", &port.to_string());
            fs::write(&file, configuration).expect("the directory is writable");
            let file = file.to_str().expect("the name is text").to_owned();
            Launch::new(&tool).args(["-n", "-f", &file])
        }))
    }

    /// `InspIRCd`; nothing if this machine has none.
    pub(crate) fn inspircd() -> Option<Server> {
        let tool = tools::find("inspircd")?;
        Some(Server::start("is now running as", |directory, port| {
            let file = directory.join("inspircd.conf");
            let directory = directory.to_str().expect("the name is text");
            let configuration = INSPIRCD
                .replace("{port}", &port.to_string())
                .replace("{directory}", directory);
            fs::write(&file, configuration).expect("the directory is writable");
            let file = file.to_str().expect("the name is text").to_owned();
            // As root it refuses to run unless told so; for anybody else the word changes nothing.
            let args = [
                "--nofork",
                "--nopid",
                "--nolog",
                "--runasroot",
                "--config",
                &file,
            ];
            Launch::new(&tool).args(args)
        }))
    }

    /// Starts it on a free port: neither can be told to take any and say which.
    fn start(ready: &str, launch: impl FnOnce(&Path, u16) -> Launch) -> Server {
        let directory = TemporaryDirectory::new();
        // ngIRCd, started by root, reads its files as nobody.
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&directory, mode).expect("the directory is ours");
        let address = free_address();
        let program = launch(&directory, address.port()).start();
        program.wait_for_line(ready);
        Server {
            address,
            _program: program,
            _directory: directory,
        }
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound")
}

/// No look-ups, and no limit that several people from one address meet.
const NGIRCD: &str = "\
[Global]
Name = irc.example.net
Info = A server for a test
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = \"Be kind.\"
AdminInfo1 = test
AdminEMail = admin@example.net
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 20
[Options]
DNS = no
Ident = no
PAM = no
";

/// With every extension that it has by itself.
const INSPIRCD: &str = "\
<config format=\"xml\">
<server name=\"irc.example.net\" description=\"A server for a test\" network=\"ExampleNet\" id=\"97K\">
<admin name=\"test\" nick=\"test\" email=\"admin@example.net\">
<bind address=\"127.0.0.1\" port=\"{port}\" type=\"clients\">
<connect allow=\"*\" timeout=\"60\" pingfreq=\"120\" hardsendq=\"1M\" softsendq=\"8192\" recvq=\"64K\" \
threshold=\"1000\" commandrate=\"100000\" fakelag=\"off\" localmax=\"100\" globalmax=\"100\" \
resolvehostnames=\"no\" useident=\"no\">
<cidr ipv4clone=\"32\" ipv6clone=\"128\">
<options casemapping=\"rfc1459\" defaultmodes=\"not\">
<performance nouserdns=\"yes\">
<path datadir=\"{directory}\" logdir=\"{directory}\" runtimedir=\"{directory}\">
<module name=\"cap\">
<module name=\"chanhistory\">
<module name=\"ircv3\">
<module name=\"ircv3_batch\">
<module name=\"ircv3_capnotify\">
<module name=\"ircv3_chghost\">
<module name=\"ircv3_ctctags\">
<module name=\"ircv3_echomessage\">
<module name=\"ircv3_invitenotify\">
<module name=\"ircv3_servertime\">
<module name=\"namesx\">
<module name=\"setname\">
<module name=\"uhnames\">
";
