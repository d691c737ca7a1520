//! Several servers, started by the program: figures of each, and ratios.

use std::fs;
use std::path::Path;

use chapter_tests::{Launch, Signal, tools};
use serde_json::Value;

use crate::{STRESS_CLIENT, run};

/// Compares those servers that this machine has with ours.
fn compare(measurement: &str, rounds: usize) -> (Vec<&'static str>, Value) {
    let others = ["ngircd", "inspircd"].into_iter();
    let there: Vec<&str> = others.filter(|name| tools::find(name).is_some()).collect();
    let servers = [&["ours"], there.as_slice()].concat();
    let finished = run(&format!(
        "--compare --servers {} --rounds {rounds} {measurement} --json --quiet",
        servers.join(",")
    ));
    assert!(finished.status.success(), "{finished:?}");
    assert_eq!(finished.stderr, "");
    let compared = serde_json::from_str(&finished.stdout).expect("it is JSON");
    (servers, compared)
}

#[test]
fn every_server_delivers_every_message_in_every_round() {
    let (servers, compared) = compare("fan-out --receivers 5 --senders 2 --messages 40", 2);
    for server in servers {
        let of_this = &compared["servers"][server];
        assert_eq!(
            of_this["medians"]["deliveries"], 480.0,
            "{server}: {compared}"
        );
        assert_eq!(of_this["rounds"].as_array().unwrap().len(), 2, "{server}");
        let ratio = &of_this["ratios_to_ours"]["deliveries"];
        if server == "ours" {
            assert!(ratio.is_null(), "{compared}");
        } else {
            assert_eq!(*ratio, 1.0, "{server}: {compared}");
        }
    }
}

#[test]
fn every_server_registers_idle_clients_and_lets_them_come_and_go() {
    for (measurement, key, count) in [
        ("idle --clients 20", "clients", 20.0),
        ("churn --clients 4 --cycles 12", "cycles", 12.0),
        (
            "latency --receivers 2 --senders 2 --rate 100 --duration 100ms",
            "deliveries",
            30.0,
        ),
    ] {
        let (servers, compared) = compare(measurement, 1);
        for server in servers {
            let found = &compared["servers"][server]["medians"][key];
            assert_eq!(*found, count, "{server}: {compared}");
        }
    }
}

#[test]
fn the_table_has_a_column_for_each_server_and_says_what_its_ratios_mean() {
    let finished = run("--compare --servers ours --rounds 1 fan-out --receivers 2 --messages 5");
    assert!(finished.status.success(), "{finished:?}");
    let table = finished.stdout;
    let first = table.lines().next().unwrap();
    assert_eq!(
        first,
        "fan-out: 2 receivers, 1 sender, 256 outstanding, 100 bytes; 1 round"
    );
    assert!(table.lines().nth(1).unwrap().trim() == "ours", "{table}");
    assert!(table.contains("  deliveries  "), "{table}");
}

#[test]
fn what_is_compared_is_started_here_and_not_named() {
    for (arguments, said) in [
        ("127.0.0.1 --compare fan-out", "leave TARGET out"),
        ("--compare fan-out --pid 7", "leave --pid out"),
        ("127.0.0.1 fan-out --rounds 2", "--rounds"),
        ("127.0.0.1 --servers ours fan-out", "--servers"),
        ("--compare", "what is to be measured?"),
        (
            "--compare --servers ours,unreal fan-out",
            "the servers that can be started are ours, ngircd, inspircd",
        ),
    ] {
        run(arguments).is_usage_error(said);
    }
}

#[test]
fn who_interrupts_a_comparison_leaves_no_server_behind() {
    let program = Launch::new(STRESS_CLIENT)
        .args([
            "--compare",
            "--servers",
            "ours",
            "fan-out",
            "--duration",
            "1h",
        ])
        .start();
    program.wait_for_error_line("deliveries in");
    let pid = program.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let server = format!("/proc/{}", children.trim());
    assert!(Path::new(&server).join("stat").exists(), "{children:?}");
    program.signal(Signal::SIGINT);
    let finished = program.finish();
    assert_eq!(finished.status.code(), Some(1));
    assert!(
        finished.stderr.ends_with("stress-client: interrupted\n"),
        "{}",
        finished.stderr
    );
    assert!(!Path::new(&server).exists(), "{server}");
}
