//! Fan-out: every delivery is counted, whoever has sent it.

use chapter_tests::Launch;

use crate::{compare_table, count, fake_server, figure, measure, run, server};

#[test]
fn each_message_is_delivered_to_everybody_but_its_sender() {
    let server = server();
    for (receivers, senders, window, messages) in [(1, 1, 1, 5), (7, 1, 64, 300), (5, 3, 10, 200)] {
        let measured = measure(
            &server,
            &format!(
                "fan-out --receivers {receivers} --senders {senders} --window {window} \
                 --messages {messages} --bytes 60"
            ),
        );
        let sent = senders * messages;
        let deliveries = sent * (receivers + senders - 1);
        assert_eq!(count(&measured, "messages"), sent);
        assert_eq!(count(&measured, "deliveries"), deliveries);
        // Beside the text: the source, the command, the channel.
        let bytes = figure(&measured, "bytes_per_second") * figure(&measured, "seconds");
        assert!(bytes > 60.0 * figure(&measured, "deliveries"), "{measured}");
        assert!(figure(&measured, "server_cpu_seconds_per_million_deliveries") > 0.0);
        assert_eq!(count(&measured, "server_threads"), 1);
        // So few may fit into what the server has already: it is told, whatever it is.
        let _ = figure(&measured, "server_bytes_per_client");
    }
}

#[test]
fn the_table_is_for_people() {
    let server = server();
    let address = server.listening_on();
    let finished = run(&format!(
        "{address} fan-out --receivers 3 --duration 50ms --quiet"
    ));
    assert!(finished.status.success(), "{finished:?}");
    let table = finished.stdout;
    assert!(
        table.starts_with("fan-out: 3 receivers, 1 sender, 256 outstanding, 100 bytes\n"),
        "{table}"
    );
    assert!(table.contains("  deliveries a second  "), "{table}");
    assert!(table.contains(" core"), "the machine: {table}");
    assert!(
        !table.contains("server's CPU"),
        "nobody has told its pid: {table}"
    );
    assert_eq!(finished.stderr, "");
}

#[test]
fn a_process_that_does_nothing_meanwhile_is_said_not_to_be_the_server() {
    let server = server();
    let address = server.listening_on();
    let other = Launch::new("cat").stdin_pipe().start();
    let finished = run(&format!(
        "{address} fan-out --messages 20000 --pid {} --quiet",
        other.pid()
    ));
    assert!(
        finished.stdout.contains("is it the server?"),
        "{}",
        finished.stdout
    );
}

#[test]
fn the_table_with_what_the_server_used_is_the_books() {
    let server = server();
    let (address, pid) = (server.listening_on(), server.pid());
    let finished = run(&format!(
        "{address} fan-out --messages 5000 --pid {pid} --quiet"
    ));
    assert!(finished.status.success(), "{finished:?}");
    compare_table("fan-out", &finished.stdout);
}

#[test]
fn what_a_sender_hears_of_itself_is_no_delivery() {
    let (address, serving) = fake_server::start(2, |mut peers| {
        let lines: Vec<String> = (0..5).map(|_| peers[0].expect_line("PRIVMSG")).collect();
        for line in &lines {
            peers[0].send_line(format!(":s000000!stress@x {line}"));
        }
        for line in &lines[1..] {
            peers[1].send_line(format!(":s000000!stress@x {line}"));
        }
        peers[0].expect_eof();
    });
    let finished = run(&format!(
        "{address} fan-out --receivers 1 --messages 5 --patience 1s"
    ));
    serving.join().unwrap();
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    let last = finished.stderr.lines().last().unwrap();
    assert!(last.contains(": 4 deliveries in "), "{last}");
}

#[test]
fn a_server_that_delivers_nothing_is_not_waited_for_for_ever() {
    let (address, serving) = fake_server::start(2, |mut peers| {
        peers[0].expect_line("PRIVMSG #stress :");
        peers[0].expect_eof();
    });
    let finished = run(&format!(
        "{address} fan-out --receivers 1 --window 4 --patience 1s"
    ));
    serving.join().unwrap();
    assert_eq!(finished.status.code(), Some(1));
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with(
            "stress-client: nothing has come from the server for 1s: 0 deliveries in "
        ),
        "{}",
        finished.stderr
    );
}
