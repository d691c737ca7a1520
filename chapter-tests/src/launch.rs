//! How a program is to be started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{Finished, Program};
use crate::{TIMEOUT, tools};

/// A program about to be started, for what [`Program::start`] does not offer.
///
/// Standard input is `/dev/null`, both outputs are collected, the environment is inherited.
///
/// ```
/// use chapter_tests::Launch;
///
/// let finished = Launch::new("sh").args(["-c", "echo $GREETING"]).env("GREETING", "hi").run();
/// assert!(finished.status.success());
/// assert_eq!(finished.stdout, "hi\n");
/// ```
#[derive(Debug)]
pub struct Launch {
    program: OsString,
    args: Vec<OsString>,
    under: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    stdin: Stdio,
    stdout: Stdio,
    stderr: Stdio,
    stdout_is_unread: bool,
    timeout: Duration,
}

impl Launch {
    /// A program by its path: in a test of a package's own binary, `env!("CARGO_BIN_EXE_name")`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            under: Vec::new(),
            // What the person at this machine has set is no business of a test.
            environment: vec![("XDG_CONFIG_HOME".into(), "/nonexistent".into())],
            directory: None,
            stdin: Stdio::null(),
            stdout: Stdio::piped(),
            stderr: Stdio::piped(),
            stdout_is_unread: false,
            timeout: TIMEOUT,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the program's environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts it in this directory instead of the test's own, which is the package's.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// Gives it a pipe as standard input, for [`Program::write`] and [`Program::close_stdin`].
    #[must_use]
    pub fn stdin_pipe(self) -> Self {
        self.stdin(Stdio::piped())
    }

    /// Gives it something else as standard input: a [`File`](std::fs::File) for example.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Sends standard output to a file or a descriptor; nothing of it is collected.
    #[must_use]
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = stdout.into();
        self.stdout_is_unread = true;
        self
    }

    /// Makes standard output a pipe that nobody reads until the test does what it wants with
    /// [`Program::take_stdout`].
    #[must_use]
    pub fn stdout_unread(self) -> Self {
        self.stdout(Stdio::piped())
    }

    /// Starts it through another program that ends in `exec` of its last arguments or runs them as
    /// a child: `["strace", "-f", "-o", file]`. The tool must be one that [`tools`] knows.
    ///
    /// With a tool that runs it as a child, [`Program::pid`] and signals mean the tool.
    ///
    /// # Panics
    ///
    /// If the tool is not listed or not installed.
    #[must_use]
    pub fn under<A: AsRef<OsStr>>(mut self, tool: &str, args: impl IntoIterator<Item = A>) -> Self {
        let path = tools::locate(tool).unwrap_or_else(|| panic!("{tool} is not installed"));
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.under
            .splice(0..0, std::iter::once(path.into()).chain(args));
        self
    }

    /// Starts it with so many descriptors as its hard and soft limit, through a shell's ulimit.
    #[must_use]
    pub fn descriptor_limit(mut self, limit: u64) -> Self {
        let script = format!("ulimit -n {limit} && exec \"$@\"");
        self.under
            .splice(0..0, ["/bin/sh", "-c", &script, "sh"].map(OsString::from));
        self
    }

    /// How long each wait for the program may last before the test fails, instead of [`TIMEOUT`].
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts the program.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start(self) -> Program {
        let name = Path::new(&self.program)
            .file_name()
            .unwrap_or(&self.program);
        let name = name.to_string_lossy().into_owned();
        let mut line = self.under;
        line.push(self.program);
        line.extend(self.args);
        let mut command = Command::new(&line[0]);
        command
            .args(&line[1..])
            .envs(self.environment)
            .stdin(self.stdin)
            .stdout(self.stdout)
            .stderr(self.stderr);
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        Program::spawn(name, command, self.stdout_is_unread, self.timeout)
    }

    /// Starts the program, waits for its end and gives everything it said.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or does not end in time.
    #[must_use]
    pub fn run(self) -> Finished {
        self.start().finish()
    }
}
