//! The program around the experiments: what it lists, asks, prints for machines, and how it ends.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use chapter_tests::tmux::Tmux;
use chapter_tests::{Finished, Launch, tools};
use serde_json::Value;

const CLAIMS: &str = env!("CARGO_BIN_EXE_claims");

/// What all experiments may take together on a machine that has other work as well.
const TIMEOUT: Duration = Duration::from_mins(10);

fn claims(args: &[&str]) -> Finished {
    Launch::new(CLAIMS).args(args).timeout(TIMEOUT).run()
}

fn json(args: &[&str]) -> Value {
    let finished = claims(args);
    assert!(finished.status.success(), "{}", finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn the_list_has_every_claim_once_with_its_question_and_no_verdict() {
    let list = claims(&[]).stdout;
    for claim in json(&["--json"])["claims"].as_array().unwrap() {
        let (number, name) = (&claim["number"], claim["name"].as_str().unwrap());
        let line = list
            .lines()
            .filter(|line| line.trim().starts_with(&format!("{number}  {name} ")));
        let line: Vec<_> = line.collect();
        assert_eq!(line.len(), 1, "{name}: {line:?}");
        assert!(
            line[0].ends_with(claim["question"].as_str().unwrap()),
            "{}",
            line[0]
        );
        assert!(line[0].chars().count() <= 80, "{}", line[0]);
    }
    for verdict in ["wrong", "outdated", "imprecise"] {
        assert!(!list.contains(verdict), "{list}");
    }
}

#[test]
fn a_number_and_a_name_call_the_same_claim() {
    let [by_number, by_name] = [claims(&["1"]), claims(&["mmap"])];
    assert!(by_number.stdout.starts_with("Claim 1: mmap\n"));
    assert_eq!(
        by_number.stdout.lines().count(),
        by_name.stdout.lines().count()
    );
}

#[test]
fn an_answer_on_the_command_line_is_compared_with_the_kernels() {
    let right = claims(&["mmap", "--answer", "b"]);
    assert!(
        right.stdout.contains("So the answer is b, as you guessed."),
        "{}",
        right.stdout
    );
    let wrong = claims(&["mmap", "--answer", "a"]);
    assert!(
        wrong
            .stdout
            .contains("So the answer is b, and not what you guessed.")
    );
    assert!(
        right.status.success() && wrong.status.success(),
        "a wrong guess is no failure"
    );
}

#[test]
fn the_learner_is_asked_on_a_terminal_and_answered_by_the_kernel() {
    let Some(tmux) = tools::find("tmux") else {
        return;
    };
    let mut terminal = Tmux::start(&tmux, [CLAIMS, "mmap"], (100, 50));
    let before = terminal.wait_for_screen("Your guess, a or b");
    assert!(!before.contains("What the kernel did"), "{before}");
    terminal.type_text("x");
    terminal.press("Enter");
    terminal.wait_for_screen_with("the question again", |screen| {
        screen.matches("Your guess").count() == 2
    });
    terminal.type_text("a");
    terminal.press("Enter");
    terminal.wait_for_screen("So the answer is b, and not what you guessed.");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn nobody_is_asked_who_does_not_want_to_be() {
    let Some(tmux) = tools::find("tmux") else {
        return;
    };
    let mut terminal = Tmux::start(&tmux, [CLAIMS, "mmap", "--no-question"], (100, 50));
    let screen = terminal.wait_for_screen("So the answer is b.");
    assert!(!screen.contains("Your guess"), "{screen}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_there_is() {
    for (args, says) in [
        (
            &["0"][..],
            "no such claim; without arguments they are listed",
        ),
        (
            &["mmap", "--answer", "z"],
            "the answers to claim 1 are a or b",
        ),
        (
            &["mmap", "--answer", "a", "--no-question"],
            "cannot be used with",
        ),
        (&["mmap", "--all"], "cannot be used with"),
        (&["--answer", "a"], "required"),
    ] {
        claims(args).is_usage_error(says);
    }
}

#[test]
fn an_experiment_that_cannot_be_carried_out_is_one_line_and_exit_code_1() {
    let short = || Launch::new(CLAIMS).descriptor_limit(12);
    let one = short().args(["create-size"]).run();
    assert_eq!(one.status.code(), Some(1));
    assert_eq!(one.stderr, "claims: create-size: too many open files\n");
    assert!(
        one.stdout.contains("  failed: too many open files\n"),
        "{}",
        one.stdout
    );
    let machine = short().args(["create-size", "--json"]).run();
    assert_eq!(machine.status.code(), Some(1));
    let object: Value = serde_json::from_str(&machine.stdout).unwrap();
    assert_eq!(object["claims"][0]["outcome"]["result"], "failed");
}

#[test]
fn a_feature_that_is_lacking_skips_the_experiment_and_is_no_failure() {
    if !tools::ptrace_allowed() {
        return;
    }
    let traced = [
        "-f",
        "-o",
        "/dev/null",
        "-e",
        "inject=io_uring_setup:error=EPERM",
    ];
    let without = Launch::new(CLAIMS).under("strace", traced);
    let finished = without.args(["async-sockets"]).run();
    assert!(finished.status.success(), "{}", finished.stderr);
    assert!(
        finished.stdout.ends_with("  skipped: needs io_uring\n"),
        "{}",
        finished.stdout
    );
}

/// All experiments together, one after the other, as a reader would run them.
#[test]
fn all_claims_are_tested_and_told_to_machines() {
    let all = json(&["--all", "--json"]);
    let listed = json(&["--json"]);
    let names = |object: &Value| -> BTreeSet<String> {
        let claims = object["claims"].as_array().unwrap().iter();
        claims
            .map(|claim| claim["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&all), names(&listed));
    for claim in all["claims"].as_array().unwrap() {
        let (name, outcome) = (&claim["name"], &claim["outcome"]);
        match outcome["result"].as_str().unwrap() {
            "as expected" => {
                assert_eq!(outcome["finding"]["answer"], claim["answer"], "{name}");
                assert!(!outcome["rows"].as_array().unwrap().is_empty(), "{name}");
            }
            "skipped" => tools::say_lacking(outcome["why"].as_str().unwrap()),
            other => panic!("{name}: {other}: {outcome:#}"),
        }
    }
    for claim in listed["claims"].as_array().unwrap() {
        assert_eq!(claim["outcome"], Value::Null, "only listed");
    }
}

#[test]
fn a_reader_who_has_had_enough_is_no_failure() {
    for args in [&["mmap"][..], &["--json"], &[]] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let finished = Launch::new(CLAIMS).args(args).stdout(writer).run();
        assert_eq!(finished.stderr, "", "{args:?}");
        assert!(finished.status.success(), "{args:?}");
    }
}
