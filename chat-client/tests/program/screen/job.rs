//! Ctrl-Z, `fg` and `&` in an interactive shell.

use chapter_tests::{Launch, Program, Pty, Signal, TerminalModes, tools};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::{READY, Sitting};
use crate::fake_server::{CLIENT, FakeServer};

/// An interactive bash on a terminal.
struct Shell {
    pty: Pty,
    bash: Program,
    /// The terminal while the shell waits for a command.
    at_prompt: TerminalModes,
}

impl Shell {
    fn start() -> Option<Shell> {
        tools::find("bash")?;
        let pty = Pty::open((80, 24));
        // Without line editing the modes at the prompt are those of a command.
        let script = "exec bash --norc --noprofile --noediting -i 2>&1";
        let launch = Launch::new("sh")
            .args(["-c", script])
            .env("PS1", "prompt> ");
        let bash = pty.start(launch)?;
        pty.wait_for_screen("prompt>");
        let at_prompt = pty.modes();
        Some(Shell {
            pty,
            bash,
            at_prompt,
        })
    }

    /// Waits for the prompt after `output`, which is on the screen so many times
    /// by then: what was there before comes back before the modes do.
    fn wait_for_prompt(&self, output: &str, times: usize) {
        let what = format!("with a prompt after {output:?}");
        self.pty.wait_until(&what, |screen| {
            let contents = screen.contents();
            let rest = contents.rsplit(output).next().unwrap_or_default();
            contents.matches(output).count() == times && rest.contains("prompt>")
        });
        assert_eq!(self.pty.modes(), self.at_prompt, "after {output}");
    }

    fn exit(mut self) {
        self.pty.send("exit\r");
        self.pty.wait_for_exit(&mut self.bash);
    }
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_fg_brings_the_screen_back() {
    let server = FakeServer::open();
    let Some(shell) = Shell::start() else { return };
    shell
        .pty
        .send(format!("{CLIENT} {} --nick ann\r", server.address()));
    let mut client = server.welcome();
    shell.pty.wait_for_screen(READY);
    for (time, count) in [("first", 1), ("second", 2)] {
        shell.pty.send("half a line");
        shell.pty.wait_for_screen("#lobby> half a line");
        shell.pty.send("\x1a");
        shell.wait_for_prompt("Stopped", count);
        shell.pty.send(format!("echo the {time} ti''me\r"));
        shell.wait_for_prompt(&format!("the {time} time"), 1);
        shell.pty.send("fg\r");
        shell.pty.wait_for_screen("#lobby> half a line");
        shell.pty.send("\x15");
        shell.pty.wait_for_screen(READY);
    }
    shell.pty.send("/quit\r");
    client.expect_line("QUIT");
    drop(client);
    shell.wait_for_prompt("--nick ann", 5);
    shell.exit();
}

#[test]
fn a_screen_that_is_started_in_the_background_opens_when_it_comes_to_the_front() {
    let server = FakeServer::open();
    let Some(shell) = Shell::start() else { return };
    shell
        .pty
        .send(format!("{CLIENT} {} --nick ann &\r", server.address()));
    shell.wait_for_prompt("[1]", 1);
    shell.pty.send("fg\r");
    let mut client = server.welcome();
    shell.pty.wait_for_screen(READY);
    shell.pty.send("/quit\r");
    client.expect_line("QUIT");
    drop(client);
    shell.wait_for_prompt("prompt> fg", 1);
    shell.exit();
}

#[test]
fn a_stop_that_came_from_elsewhere_is_repaired_when_it_goes_on() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    sitting.hears("good morning");
    sitting.program.signal(Signal::SIGSTOP);
    // Meanwhile somebody has used the terminal.
    std::io::Write::write_all(&mut sitting.pty.program_side(), b"\x1b[?1049l\x1b[2J").unwrap();
    sitting.pty.wait_until("that is empty", |screen| {
        screen.contents().trim().is_empty()
    });
    sitting.program.signal(Signal::SIGCONT);
    sitting.pty.wait_for_screen("good morning");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}

#[test]
fn where_nobody_could_bring_it_back_it_does_not_stop() {
    let Some(mut sitting) = Sitting::begin() else {
        return;
    };
    // The client leads the session, so no shell has its jobs.
    sitting.pty.send("\x1a");
    sitting
        .pty
        .wait_for_screen("there is no shell that could bring the program back");
    kill(
        Pid::from_raw(sitting.program.pid().as_raw()),
        Signal::SIGTSTP,
    )
    .unwrap();
    sitting.hears("still here");
    sitting.pty.send("/quit\r");
    sitting.ends_well();
}
