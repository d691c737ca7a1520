//! Every claim is tested, and the kernel has to answer as its text says.
//!
//! `transcripts/NAME.txt` is what `claims NAME --no-question` printed. Figures that vary have a ~
//! before them and do not count, nor do the bars of a chart and the line of a place in our code.

use std::time::Duration;

use chapter_tests::{Finished, Launch, Mask, Transcript, tools};

/// More than the program itself gives an experiment, so that the program says which one hangs.
const TIMEOUT: Duration = Duration::from_mins(1);

fn claims(args: &[&str]) -> Finished {
    let launch = Launch::new(env!("CARGO_BIN_EXE_claims"));
    launch.args(args).timeout(TIMEOUT).run()
}

fn is_as_documented(name: &str) {
    let finished = claims(&[name, "--no-question"]);
    let needed = finished
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("skipped: needs "));
    if let Some(feature) = needed {
        return tools::say_lacking(feature);
    }
    // First what differs, then that it failed: the difference says why.
    Transcript::new(format!("tests/transcripts/{name}.txt"))
        .hide(Mask::After("~"))
        .hide(Mask::After("Linux "))
        .hide(Mask::After(".rs:"))
        .hide(Mask::Bars)
        .compare(&finished.stdout);
    assert!(finished.status.success(), "{}", finished.stderr);
    assert_eq!(finished.stderr, "");
}

/// A test for each claim, named as its file is.
macro_rules! claims_as_documented {
    ($($name:ident)*) => {
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        mod the_kernel_answers_as_documented {
            $(
                #[test]
                fn $name() {
                    super::is_as_documented(&stringify!($name).replace('_', "-"));
                }
            )*
        }
    };
}

claims_as_documented! {
    mmap
    fd_set_size
    create_size
    connect_timeout
    connect_result
    write_after_close
    hang_up
    aborted_client
    backlog
    thundering_herd
    edge_calls
    edge_events
    edge_listener
    urgent_byte
    close_and_epoll
    blocking_write
    writable_mark
    busy_loops
    interrupted_sleep
    one_buffer
    async_sockets
    descriptor_flags
    cost_by_number
    fin_segments
    segment_order
    zombies
    reentrant
    reuse_address
    inherited_flags
    regular_file
    close_wakes
    passed_descriptor
    cost_per_client
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    for name in TESTED {
        let name = name.replace('_', "-");
        let path = format!(
            "{}/tests/transcripts/{name}.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let columns = textwrap::core::display_width(line);
            assert!(columns <= 80, "{name}: {columns} columns: {line}");
        }
    }
}

#[test]
fn no_claim_is_left_out() {
    let listed = claims(&["--json"]).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let names = listed["claims"].as_array().unwrap().iter();
    let names: Vec<_> = names
        .map(|claim| claim["name"].as_str().unwrap().replace('-', "_"))
        .collect();
    assert_eq!(names, TESTED);
}
