//! Which servers there are beside ours, and what they are to be told.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// An IRC server that can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherServer {
    /// `ngIRCd`, in C: one process, one thread, its own loop.
    Ngircd,
    /// `InspIRCd`, in C++, likewise, with modules.
    Inspircd,
}

/// Whether a server limits how fast people talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Nobody is slowed down: what is measured is the server and not its patience.
    Lifted,
    /// As it is served to people.
    AsUsual,
}

impl OtherServer {
    /// The name of the program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            OtherServer::Ngircd => "ngircd",
            OtherServer::Inspircd => "inspircd",
        }
    }

    /// What a line on standard output has in it when it serves.
    #[must_use]
    pub fn ready(self) -> &'static str {
        match self {
            OtherServer::Ngircd => "ready.",
            OtherServer::Inspircd => "is now running as",
        }
    }

    /// Writes a configuration into `directory` by which it serves at `address`, an address of IPv4;
    /// returns the arguments that the program is to be started with. It then stays in the
    /// foreground.
    ///
    /// There are no look-ups, and no limit of people from one address.
    /// `modules` are those that `InspIRCd` is to load beside its core; ngIRCd has none.
    ///
    /// # Errors
    ///
    /// What writing the file reports; if `directory` is not named in UTF-8.
    pub fn configure(
        self,
        directory: &Path,
        address: SocketAddr,
        limits: Limits,
        modules: &[&str],
    ) -> io::Result<Vec<String>> {
        // ngIRCd, started by root, reads its files as nobody.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
        let file = directory.join(format!("{}.conf", self.program()));
        let (Some(directory), Some(name)) = (directory.to_str(), file.to_str()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let template = match self {
            OtherServer::Ngircd => NGIRCD,
            OtherServer::Inspircd => INSPIRCD,
        };
        let modules: Vec<String> = modules
            .iter()
            .map(|module| format!("<module name=\"{module}\">\n"))
            .collect();
        let limits = match (self, limits) {
            // Without penalties, which are seconds of silence after commands.
            (OtherServer::Ngircd, Limits::Lifted) => "MaxPenaltyTime = 0",
            (OtherServer::Ngircd, Limits::AsUsual) => "",
            (OtherServer::Inspircd, Limits::Lifted) => INSPIRCD_LIFTED,
            (OtherServer::Inspircd, Limits::AsUsual) => INSPIRCD_AS_USUAL,
        };
        let configuration = template
            .replace("{limits}", limits)
            .replace("{address}", &address.ip().to_string())
            .replace("{port}", &address.port().to_string())
            .replace("{directory}", directory)
            .replace("{modules}", &modules.concat());
        fs::write(&file, configuration)?;
        let arguments: &[&str] = match self {
            OtherServer::Ngircd => &["-n", "-f", name],
            // As root it refuses to run unless told so; for anybody else the word changes nothing.
            OtherServer::Inspircd => &[
                "--nofork",
                "--nopid",
                "--nolog",
                "--runasroot",
                "--config",
                name,
            ],
        };
        Ok(arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect())
    }
}

/// An address of loopback on which nobody listens, for a server that cannot be told to take any
/// port and say which.
///
/// # Errors
///
/// What `bind(2)` reports.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// No look-ups, and no limit of connections.
const NGIRCD: &str = "\
[Global]
Name = irc.example.net
Info = A server for a test
Listen = {address}
Ports = {port}
MotdPhrase = \"Be kind.\"
AdminInfo1 = test
AdminEMail = admin@example.net
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 20
{limits}
[Options]
DNS = no
Ident = no
PAM = no
";

/// Nothing that slows a sender down, and queues that hold a window of messages.
const INSPIRCD_LIFTED: &str = "hardsendq=\"1M\" softsendq=\"1M\" recvq=\"1M\" \
threshold=\"4000000\" commandrate=\"1000000000\" fakelag=\"off\"";

/// What its own example has.
const INSPIRCD_AS_USUAL: &str = "hardsendq=\"1M\" softsendq=\"8192\" recvq=\"8K\" \
threshold=\"10\" commandrate=\"1000\" fakelag=\"on\"";

/// No look-ups, no limit of connections, and a backlog that does not overflow.
const INSPIRCD: &str = "\
<config format=\"xml\">
<server name=\"irc.example.net\" description=\"A server for a test\" network=\"ExampleNet\" id=\"97K\">
<admin name=\"test\" nick=\"test\" email=\"admin@example.net\">
<bind address=\"{address}\" port=\"{port}\" type=\"clients\">
<connect allow=\"*\" timeout=\"60\" pingfreq=\"120\" {limits} limit=\"100000\" \
localmax=\"100000\" globalmax=\"100000\" resolvehostnames=\"no\" useident=\"no\">
<cidr ipv4clone=\"32\" ipv6clone=\"128\">
<options casemapping=\"rfc1459\" defaultmodes=\"not\">
<performance nouserdns=\"yes\" softlimit=\"100000\" somaxconn=\"4096\">
<path datadir=\"{directory}\" logdir=\"{directory}\" runtimedir=\"{directory}\">
{modules}";
