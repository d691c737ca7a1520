//! What the program says to those who use it wrongly.

use std::net::TcpListener;

use crate::run;

#[test]
fn what_is_not_understood_is_exit_code_2() {
    for (arguments, said) in [
        ("", "what is to be measured?"),
        ("fan-out", "which server?"),
        ("127.0.0.1", "what is to be measured?"),
        ("127.0.0.1 fan-in", "fan-in"),
        ("127.0.0.1:0 fan-out", "127.0.0.1:0"),
        ("127.0.0.1 fan-out --receivers 0", "--receivers"),
        ("127.0.0.1 fan-out --bytes 400", "--bytes"),
        ("127.0.0.1 fan-out --pid 0", "--pid"),
        ("127.0.0.1 fan-out --messages 3 --duration 1s", "--duration"),
        ("127.0.0.1 latency --rate 0", "--rate"),
        ("127.0.0.1 idle --under-way 0", "--under-way"),
    ] {
        run(arguments).is_usage_error(said);
    }
}

#[test]
fn a_failure_is_one_line_that_says_what_and_why() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for (arguments, said) in [
        (
            format!("{nobody} fan-out"),
            "stress-client: connect: connection refused\n".to_owned(),
        ),
        (
            format!("{nobody} fan-out --pid 2147483647"),
            "stress-client: --pid 2147483647: ".to_owned(),
        ),
        (
            "nobody.invalid fan-out".to_owned(),
            "stress-client: nobody.invalid: ".to_owned(),
        ),
    ] {
        let finished = run(&arguments);
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        assert!(finished.stderr.starts_with(&said), "{}", finished.stderr);
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    }
}
