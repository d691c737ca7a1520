//! WHOIS: what is told about one person, and to whom.

use std::time::Duration;

use crate::harness::{NOON, Room};

/// The 318 that ends the answer about `nick`.
fn end(asker: &str, nick: &str) -> String {
    format!(":irc.test 318 {asker} {nick} :End of /WHOIS list")
}

/// The channels in an answer to WHOIS.
fn channels(answer: &[String]) -> Option<&str> {
    let line = answer.iter().find(|line| line.contains(" 319 "))?;
    Some(line.rsplit_once(" :").unwrap().1)
}

#[test]
fn it_tells_name_channels_server_idle_time_and_since_when() {
    let mut room = Room::new();
    let [ann, _] = room.people_in("#c", ["ann", "Bob"]);
    room.now.instant += Duration::from_secs(90);
    assert_eq!(
        room.ask(ann, "WHOIS bob"),
        [
            ":irc.test 311 ann Bob ~Bob 127.0.0.1 * :Real Bob".to_owned(),
            ":irc.test 319 ann Bob :#c".to_owned(),
            ":irc.test 312 ann Bob irc.test :A chat room on one epoll loop".to_owned(),
            format!(":irc.test 317 ann Bob 90 {NOON} :seconds idle, signon time"),
            end("ann", "bob"),
        ]
    );
}

#[test]
fn it_tells_who_is_away_operator_or_a_bot() {
    let (mut room, sam) = Room::with_operator("sam");
    room.send(sam, "AWAY :gone fishing");
    room.send(sam, "MODE sam +B");
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "WHOIS sam")[2..5],
        [
            ":irc.test 301 ann sam :gone fishing",
            ":irc.test 313 ann sam :is an IRC operator",
            ":irc.test 335 ann sam :is a bot",
        ]
    );
}

#[test]
fn saying_something_ends_being_idle_and_asking_does_not() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let idle = |room: &mut Room| {
        let answer = room.ask(ann, "WHOIS ann");
        let line = answer.iter().find(|line| line.contains(" 317 ")).unwrap();
        line.split(' ').nth(4).unwrap().to_owned()
    };
    room.now.instant += Duration::from_secs(30);
    assert_eq!(idle(&mut room), "30");
    assert_eq!(idle(&mut room), "30");
    room.send(ann, "PRIVMSG ann :hm");
    assert_eq!(idle(&mut room), "0");
}

#[test]
fn nobody_by_that_nick_is_401_and_the_end() {
    let mut room = Room::new();
    let ann = room.person("ann");
    assert_eq!(
        room.ask(ann, "WHOIS Nobody"),
        [
            ":irc.test 401 ann Nobody :No such nick/channel".to_owned(),
            end("ann", "Nobody"),
        ]
    );
    // Somebody who has not registered is nobody yet.
    let early = room.connect();
    room.send(early, "NICK early");
    assert!(room.ask(ann, "WHOIS early")[0].contains(" 401 "));
}

#[test]
fn without_a_nick_it_is_431() {
    let mut room = Room::new();
    let ann = room.person("ann");
    for question in ["WHOIS", "WHOIS :", "WHOIS irc.test :"] {
        assert_eq!(
            room.ask(ann, question),
            [":irc.test 431 ann :No nickname given"]
        );
    }
}

#[test]
fn the_server_to_ask_may_be_named_by_itself_or_by_somebody_on_it() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let answer = room.ask(ann, "WHOIS ann");
    for server in ["irc.test", "IRC.*", "ann", "*"] {
        assert_eq!(room.ask(ann, &format!("WHOIS {server} ann")), answer);
    }
    assert_eq!(
        room.ask(ann, "WHOIS irc.elsewhere ann"),
        [
            ":irc.test 402 ann irc.elsewhere :No such server".to_owned(),
            end("ann", "ann"),
        ]
    );
}

#[test]
fn several_nicks_are_all_answered_before_one_end() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let answer = room.ask(ann, "WHOIS ann,nobody,ANN");
    let codes: Vec<&str> = answer
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(
        codes,
        ["311", "312", "317", "401", "311", "312", "317", "318"]
    );
    assert_eq!(answer[7], end("ann", "ann,nobody,ANN"));

    let nine = ["nobody"; 9].join(",");
    let answer = room.ask(ann, &format!("WHOIS {nine}"));
    assert_eq!(answer.len(), 8 + 2);
    assert_eq!(
        answer[8..],
        [
            ":irc.test 407 ann nobody :Too many targets, the rest is ignored".to_owned(),
            end("ann", &nine),
        ]
    );
}

#[test]
fn a_secret_channel_is_told_only_to_its_members_and_operators() {
    let (mut room, sam) = Room::with_operator("sam");
    let [ann, bob] = room.people_in("#open", ["ann", "bob"]);
    let eve = room.person("eve");
    room.send(ann, "JOIN #secret");
    room.send(bob, "JOIN #secret");
    room.send(ann, "MODE #secret +sv bob");
    for (asker, told) in [
        (eve, "#open"),
        (ann, "#open +#secret"),
        (bob, "#open +#secret"),
        (sam, "#open +#secret"),
    ] {
        assert_eq!(channels(&room.ask(asker, "WHOIS bob")), Some(told));
    }
}

#[test]
fn of_an_invisible_person_only_shared_channels_are_told() {
    let (mut room, sam) = Room::with_operator("sam");
    let [ann] = room.people_in("#a", ["ann"]);
    let eve = room.person("eve");
    room.send(ann, "JOIN #b");
    room.send(ann, "MODE ann +i");
    assert_eq!(channels(&room.ask(eve, "WHOIS ann")), None);
    room.send(eve, "JOIN #b");
    assert_eq!(channels(&room.ask(eve, "WHOIS ann")), Some("@#b"));
    assert_eq!(channels(&room.ask(ann, "WHOIS ann")), Some("@#a @#b"));
    assert_eq!(channels(&room.ask(sam, "WHOIS ann")), Some("@#a @#b"));
}

#[test]
fn with_multi_prefix_both_prefixes_are_told() {
    let mut room = Room::new();
    let [ann] = room.people_in("#c", ["ann"]);
    room.send(ann, "MODE #c +v ann");
    assert_eq!(channels(&room.ask(ann, "WHOIS ann")), Some("@#c"));
    let bob = room.person_with("bob", "multi-prefix");
    assert_eq!(channels(&room.ask(bob, "WHOIS ann")), Some("@+#c"));
}

#[test]
fn a_hundred_channels_take_several_lines_and_none_is_lost() {
    let mut room = Room::new();
    let ann = room.person("ann");
    let names: Vec<String> = (0..100).map(|number| format!("#{number:c>49}")).collect();
    for name in &names {
        room.send(ann, &format!("JOIN {name}"));
        room.lines(ann);
    }
    let told: Vec<String> = room
        .ask(ann, "WHOIS ann")
        .iter()
        .filter_map(|line| line.strip_prefix(":irc.test 319 ann ann :"))
        .flat_map(|names| names.split(' '))
        .map(|name| name.trim_start_matches('@').to_owned())
        .collect();
    assert_eq!(told, names);
}
