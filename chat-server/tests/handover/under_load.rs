//! Ten hand-overs while a thousand people talk, and one of them uses irssi.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use chapter_tests::tmux::Tmux;
use chapter_tests::{TemporaryDirectory, limits, tools};
use epoll_loop::EventLoop;

use crate::crowd::Crowd;
use crate::successor::Dynasty;
use crate::support::{join, person, wait_until};

const HAND_OVERS: usize = 10;

/// People who talk all the time, ten in a channel.
const CIRCLES: usize = 100;

#[test]
fn a_thousand_people_and_irssi_miss_nothing_during_ten_hand_overs() {
    let (Some(irssi), Some(tmux)) = (tools::find("irssi"), tools::find("tmux")) else {
        return;
    };
    // Both ends of each connection, here and there.
    let room = usize::try_from(limits::descriptor_limit()).unwrap() / 2;
    let circles = CIRCLES.min(room / 10);
    println!("{} people talk", circles * 10);
    let arguments = ["--flood-rate", "0"];
    let mut dynasty = Dynasty::begin(&arguments);

    // The one who uses irssi, and the one who talks to it.
    let mut ann = person(dynasty.address, "ann");
    join(&mut ann, "#calm");
    let home = TemporaryDirectory::new();
    let own = "settings = { core = { real_name = \"I\"; user_name = \"i\"; nick = \"iris\"; }; };";
    fs::write(home.join("config"), own).unwrap();
    let command = [
        irssi.display().to_string(),
        format!("--home={}", home.display()),
        format!("--connect={}", dynasty.address.ip()),
        format!("--port={}", dynasty.address.port()),
    ];
    let mut terminal = Tmux::start(&tmux, command, (100, 50));
    terminal.wait_for_screen("Welcome to");
    terminal.type_text("/join #calm");
    terminal.press("Enter");
    ann.expect_line(["iris", "JOIN"]);

    let (stop, messages) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let crowd = {
        let (stop, messages, address) = (stop.clone(), messages.clone(), dynasty.address);
        thread::spawn(move || {
            let mut event_loop = EventLoop::new()?;
            let mut crowd = Crowd::gather(&mut event_loop, address, circles, stop, messages)?;
            event_loop.run(&mut crowd)
        })
    };
    for number in 1..=HAND_OVERS {
        let before = messages.load(Ordering::Relaxed);
        wait_until("people talk", || {
            assert!(!crowd.is_finished(), "somebody was missed");
            thread::yield_now();
            messages.load(Ordering::Relaxed) > before + 1_000
        });
        ann.send_line(format!("PRIVMSG #calm :before {number}"));
        dynasty.succeed(&arguments);
        ann.send_line(format!("PRIVMSG #calm :after {number}"));
        terminal.wait_for_screen(&format!("after {number}"));
        terminal.type_text(&format!("heard {number}"));
        terminal.press("Enter");
        ann.expect_line([":heard", &number.to_string()]);
    }
    stop.store(true, Ordering::Relaxed);
    crowd.join().expect("nobody missed anything").unwrap();
    println!("{} messages were heard", messages.load(Ordering::Relaxed));
    let screen = terminal.screen();
    for number in 1..=HAND_OVERS {
        for word in ["before", "after", "heard"] {
            let line = format!("{word} {number}\n");
            assert_eq!(screen.matches(&line).count(), 1, "{line}{screen}");
        }
    }
}
