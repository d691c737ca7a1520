//! Who is in a channel, and what it is about.

use super::*;

fn shown(conversation: &Conversation, channel: &str) -> String {
    let channel = conversation.session.channel(channel).expect("it is known");
    let members = channel.members().map(|member| {
        let sign = member.prefix().map(String::from).unwrap_or_default();
        let away = if member.is_away() { " (away)" } else { "" };
        format!("{sign}{}{away}", member.nick())
    });
    members.collect::<Vec<_>>().join(", ")
}

fn on_screen() -> Conversation {
    let settings = Settings::new("ann", &["#a".to_owned()], Surface::Screen);
    let mut conversation = Conversation::begin_with(settings);
    conversation.server(":irc.example CAP * LS :away-notify");
    conversation.server(":irc.example CAP * ACK :away-notify");
    conversation.server(":irc.example 001 ann :Welcome");
    conversation.server(
        ":irc.example 005 ann PREFIX=(qov)~@+ CASEMAPPING=ascii NETWORK=Example :are supported",
    );
    conversation.sent();
    conversation.server(":ann!~guest@10.0.0.1 JOIN #a");
    conversation.server(":irc.example 353 ann = #a :ann @+bob!b@h ~carol");
    conversation.server(":irc.example 366 ann #a :End");
    conversation
}

#[test]
fn the_members_follow_what_happens() {
    let mut conversation = on_screen();
    assert_eq!(shown(&conversation, "#A"), "~carol, @bob, ann");
    for (line, expected) in [
        (":dave!d@h JOIN #a", "~carol, @bob, ann, dave"),
        (
            ":carol!c@h MODE #a +v-o dave bob",
            "~carol, +bob, +dave, ann",
        ),
        (":bob!b@h NICK Zoe", "~carol, +dave, +Zoe, ann"),
        (":zoe!b@h AWAY :lunch", "~carol, +dave, +Zoe (away), ann"),
        (":zoe!b@h AWAY", "~carol, +dave, +Zoe, ann"),
        (":dave!d@h PART #a", "~carol, +Zoe, ann"),
        (":carol!c@h KICK #a Zoe :x", "~carol, ann"),
        (":carol!c@h QUIT :x", "ann"),
    ] {
        conversation.server(line);
        assert_eq!(shown(&conversation, "#a"), expected, "{line}");
    }
    conversation.session.disconnect();
    assert_eq!(shown(&conversation, "#a"), "");
    assert!(!conversation.session.channel("#a").unwrap().is_joined());
}

#[test]
fn a_list_of_names_is_told_without_what_is_behind_them() {
    let mut conversation = Conversation::registered(&["#a"]);
    let news = conversation.told(":irc.example 353 ann = #a :@ann!~guest@h +bob!b@h carol ");
    assert_eq!(news[0].to_string(), "#a -- here: @ann +bob carol");
}

#[test]
fn a_quit_and_a_new_nick_name_the_channels_in_which_the_two_have_met() {
    let mut conversation = on_screen();
    conversation.server(":ann!~guest@10.0.0.1 JOIN #b");
    conversation.server(":carol!c@h JOIN #b");
    conversation.news();
    let channels = |news: Vec<News>| match news.as_slice() {
        [News::Quit { channels, .. } | News::Renamed { channels, .. }] => channels.join(" "),
        _ => panic!("{news:?}"),
    };
    assert_eq!(channels(conversation.told(":bob!b@h NICK bobby")), "#a");
    assert_eq!(
        channels(conversation.told(":ann!~guest@h NICK anna")),
        "#a #b"
    );
    assert_eq!(channels(conversation.told(":carol!c@h QUIT :x")), "#a #b");
    assert_eq!(channels(conversation.told(":nobody!n@h QUIT :x")), "");
}

#[test]
fn what_a_screen_asks_by_itself_is_known_and_not_told() {
    let mut conversation = on_screen();
    assert_eq!(conversation.sent(), ["MODE #a", "WHO #a"]);
    conversation.news();
    for line in [
        "324 ann #a +nt",
        "329 ann #a 1700000000",
        "352 ann #a b h irc.example bob G@ :0 Bob",
        "352 ann #a a h irc.example ann H :0 Ann",
        "315 ann #a :End",
    ] {
        assert_eq!(
            conversation.told(&format!(":irc.example {line}")),
            [],
            "{line}"
        );
    }
    assert_eq!(shown(&conversation, "#a"), "~carol, @bob (away), ann");
    assert_eq!(conversation.session.channel("#a").unwrap().modes(), "+nt");
    // Asked by the person.
    for line in ["324 ann #a +nt", "352 ann #a b h irc.example bob G@ :0 Bob"] {
        assert_eq!(
            conversation.told(&format!(":irc.example {line}")).len(),
            1,
            "{line}"
        );
    }
    conversation.server(":irc.example 366 ann #a :End");
    assert_eq!(conversation.sent(), [""; 0], "who is away is asked once");
}

#[test]
fn the_topic_is_kept_with_its_formatting() {
    let mut conversation = on_screen();
    conversation.server(":irc.example 332 ann #a :\u{2}news");
    assert_eq!(
        conversation.session.channel("#a").unwrap().topic(),
        "\u{2}news"
    );
    conversation.server(":bob!b@h TOPIC #a :other");
    assert_eq!(conversation.session.channel("#a").unwrap().topic(), "other");
    conversation.server(":irc.example 331 ann #a :No topic");
    assert_eq!(conversation.session.channel("#a").unwrap().topic(), "");
}

#[test]
fn names_are_compared_as_the_server_compares_them() {
    let mut conversation = Conversation::registered(&["#[a]"]);
    assert_eq!(conversation.session.fold("Ann[É]"), "ann{É}");
    assert!(conversation.session.channel("#{A}").is_some());
    conversation.server(":irc.example 005 ann CASEMAPPING=ascii CHANTYPES=# NETWORK=Example :x");
    assert_eq!(conversation.session.fold("Ann[É]"), "ann[É]");
    assert!(conversation.session.channel("#{A}").is_none());
    assert!(!conversation.session.is_channel("&a"));
    assert_eq!(conversation.session.network(), Some("Example"));
}

#[test]
fn a_line_goes_to_the_channel_or_person_in_whose_buffer_it_was_typed() {
    let mut conversation = on_screen();
    conversation.sent();
    conversation.news();
    let mut typed = |target: Target, line: &str| {
        conversation.session.type_line(target, line.to_owned());
        conversation.sent()
    };
    let named = |name: &str| Target::Named(name.to_owned());
    assert_eq!(typed(named("#b"), "hello"), ["PRIVMSG #b :hello"]);
    assert_eq!(
        typed(named("bob"), "/me waves"),
        ["PRIVMSG bob :\x01ACTION waves\x01"]
    );
    assert_eq!(typed(named("#b"), "/topic x"), ["TOPIC #b :x"]);
    assert_eq!(typed(Target::Server, "hello"), [""; 0]);
    assert!(conversation.hints().contains("not sent"));
}

#[test]
fn a_channel_whose_name_is_no_utf8_can_be_talked_in() {
    let mut conversation = on_screen();
    conversation.sent();
    conversation
        .session
        .receive(b":ann!~guest@10.0.0.1 JOIN #gr\xfcn", Instant::now());
    let name = conversation
        .session
        .channels
        .iter()
        .last()
        .unwrap()
        .name()
        .to_owned();
    assert_eq!(name, "#gr\u{FFFD}n");
    let target = Target::Named(name);
    conversation.session.type_line(target, "hi".to_owned());
    conversation
        .session
        .fill(&mut conversation.queue, Instant::now());
    let mut bytes = Vec::new();
    conversation.queue.write_to(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"PRIVMSG #gr\xfcn :hi\r\n"));
}

#[test]
fn the_room_for_text_is_what_one_line_takes() {
    let mut conversation = Conversation::registered(&["#a"]);
    let room = conversation.session.room_for_text("#a");
    assert_eq!(conversation.typed(&"x".repeat(room)).len(), 1);
    assert_eq!(conversation.typed(&"x".repeat(room + 1)).len(), 2);
    assert_eq!(conversation.session.room_for_text(&"x".repeat(500)), 0);
}

#[test]
fn another_host_leaves_another_room() {
    let mut conversation = Conversation::registered(&["#a"]);
    let room = conversation.session.room_for_text("#a");
    conversation.server(":irc.example 396 ann a.cloaked.host :is your host");
    assert_eq!(
        conversation.session.room_for_text("#a"),
        room + "10.0.0.1".len() - "a.cloaked.host".len()
    );
    conversation.server(":ann!~guest@h CHGHOST other 10.0.0.1");
    assert_eq!(
        conversation.session.room_for_text("#a"),
        room + "~guest".len() - "other".len()
    );
}

#[test]
fn a_message_for_operators_says_so() {
    let mut conversation = Conversation::registered(&["#a"]);
    conversation.server(":irc.example 005 ann STATUSMSG=@+ :x");
    let news = conversation.told(":bob!b@h PRIVMSG @#a :psst");
    assert!(matches!(
        &news[..],
        [News::Said { place: Place::Channel(channel), only_for: Some('@'), .. }] if channel == "#a"
    ));
    assert_eq!(news[0].to_string(), "@#a <bob> psst");
}
