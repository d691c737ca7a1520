//! Real clients in one room: irssi, WeeChat, nc, and our own client line by line and on its screen.
//!
//! Shows: what people see in the programs they use; and that irssi and WeeChat, which ask a server
//! more than a person does, get an answer to all they ask.

mod irssi;
mod person;
mod piped;
mod queries;
mod relay;
mod room;
mod screen;
mod screens;
mod weechat;

use crate::irssi::Irssi;
use crate::person::Person;
use crate::queries::{refusals, unanswered};
use crate::relay::Sender;
use crate::room::{Everyone, LOBBY, Room, Shown, Tools};
use crate::weechat::WeeChat;

#[test]
fn irssi_and_weechat_join_and_no_question_of_theirs_stays_open() {
    let Some(tools) = Tools::find() else { return };
    let room = Room::open();
    let irssi = Irssi::join(&room, &tools);
    let mut weechat = WeeChat::join(&room, &tools);
    // irssi asks for the bans by itself.
    weechat.types(&format!("/mode {LOBBY} b"));
    weechat.sees("End of channel ban list");

    for (relay, refused) in [
        // It tries to join before it has said who it is, to learn what the server is.
        (
            &irssi.relay,
            vec!["<< :chat.localhost 451 * :You have not registered"],
        ),
        (&weechat.relay, vec![]),
    ] {
        let lines = relay.wait_until("an answer to each question", |lines| {
            unanswered(lines).is_empty()
        });
        for end in ["324", "329", "315", "368"] {
            assert!(
                lines.iter().any(|line| line.message().is(end.as_bytes())),
                "it has not asked for what ends with {end}"
            );
        }
        assert_eq!(refusals(&lines), refused);
    }
}

#[test]
fn what_each_says_everyone_else_sees() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    let said = |nick: &str| format!("here is {nick}: naïve, 日本語, Привет, 🦀");
    everyone.each_in_turn(
        |speaker| speaker.types(&said(speaker.nick())),
        |listener, nick| listener.hears(nick, &said(nick)),
    );
    everyone.each_in_turn(
        |speaker| speaker.types("/me waves 👋"),
        |listener, nick| listener.hears_action(nick, "waves 👋"),
    );
}

#[test]
fn text_arrives_byte_for_byte() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    // Seven people in four characters, a flag, a letter with two marks, right to left, formatting.
    let said = "👩‍👩‍👧‍👦 👍🏽 🇨🇭 ạ̈ שלום \u{2}bold\u{2} \u{3}04red\u{3} |:;{}~";
    everyone.nc.types(said);
    let received = format!("PRIVMSG {LOBBY} :{said}");
    for relay in [&everyone.irssi.relay, &everyone.weechat.relay] {
        relay.wait_for(Sender::Server, &received);
    }
}

#[test]
fn names_and_whois_tell_of_everyone() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    everyone.irssi.types("/names");
    everyone.irssi.sees("[@iris] [ lena] [ nora] [ wendy]");
    for nick in ["iris", "wendy", "nora", "lena"] {
        assert!(
            everyone.weechat.lists(nick),
            "{nick} is in WeeChat's list of nicks"
        );
    }
    everyone.nc.types("/who");
    everyone.nc.sees("-- In #lobby: @iris wendy nora lena");
    everyone.line_client.types("/names");
    everyone
        .line_client
        .sees("#lobby -- here: @iris wendy nora lena");

    everyone.irssi.look_at_status();
    everyone.irssi.types("/whois wendy");
    for line in [
        "wendy [~wendy@127.0.0.1]",
        " ircname  : Wendy",
        " channels : #lobby",
        " server   : chat.localhost [",
        " idle     : ",
        "End of WHOIS",
    ] {
        everyone.irssi.sees(line);
    }
    everyone.weechat.types("/whois iris");
    for line in [
        "[iris] (~iris@127.0.0.1): Iris",
        "[iris] @#lobby",
        "[iris] chat.localhost (",
        "[iris] idle: ",
        "[iris] End of /WHOIS list",
    ] {
        everyone.weechat.sees(line);
    }
}

#[test]
fn a_topic_and_a_new_nick_are_seen_by_everyone() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    everyone.irssi.types("/topic the weather, and tea");
    everyone.see(&Shown {
        irssi: "iris changed the topic of #lobby to: the weather, and tea",
        weechat: "iris has changed topic for #lobby to \"the weather, and tea\"",
        nc: "-- iris has set the topic of #lobby: the weather, and tea",
        line_client: "#lobby -- iris set the topic: the weather, and tea",
    });
    everyone.weechat.types("/nick wanda");
    everyone.see(&Shown {
        irssi: "wendy is now known as wanda",
        weechat: "You are now known as wanda",
        nc: "-- wendy is now wanda",
        line_client: "-- wendy is now wanda",
    });
}

#[test]
fn a_kick_is_seen_by_everyone_and_an_invitation_lets_back_in() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    everyone.irssi.types("/mode +i");
    everyone.line_client.sees("#lobby -- iris set mode +i");
    everyone.irssi.types("/kick lena out of the kitchen");
    everyone.see(&Shown {
        irssi: "lena was kicked from #lobby by iris [out of the kitchen]",
        weechat: "iris has kicked lena (out of the kitchen)",
        nc: "-- iris has kicked lena from #lobby (out of the kitchen)",
        line_client: "#lobby <-- lena was thrown out by iris (out of the kitchen)",
    });
    everyone.line_client.types("/join #lobby");
    everyone.line_client.sees("Cannot join channel (+i)");
    // Else her first arrival would be taken for the second.
    everyone.irssi.clear();
    everyone.irssi.types("/invite lena");
    everyone.line_client.sees("-- iris invites you to #lobby");
    everyone.line_client.types("/join #lobby");
    everyone.see(&Shown {
        irssi: "lena [~guest@127.0.0.1] has joined #lobby",
        weechat: "(~guest@127.0.0.1) has joined #lobby",
        nc: "-- lena has joined #lobby",
        line_client: "#lobby --> lena joined",
    });
}

#[test]
fn who_is_away_is_known_and_answers_with_the_reason() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    everyone.irssi.look_at_status();
    everyone.irssi.types("/away fetching tea");
    everyone.irssi.sees("You have been marked as being away");
    let notified = ":iris!~iris@127.0.0.1 AWAY :fetching tea";
    everyone.weechat.relay.wait_for(Sender::Server, notified);
    everyone.weechat.types("/whois iris");
    everyone.weechat.sees("[iris] is away: fetching tea");
    everyone.nc.types("/msg iris are you there?");
    everyone.nc.sees("-- iris is away: fetching tea");
    everyone.line_client.types("/msg iris are you there?");
    everyone.line_client.sees("iris is away: fetching tea");

    everyone.irssi.types("/away");
    everyone
        .irssi
        .sees("You are no longer marked as being away");
}

#[test]
fn ctcp_questions_are_answered_by_the_clients() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    everyone.irssi.look_at_status();
    everyone.irssi.types("/ctcp wendy version");
    everyone
        .irssi
        .sees("CTCP VERSION reply from wendy: WeeChat ");
    everyone.irssi.types("/ctcp lena version");
    everyone.irssi.sees("CTCP VERSION reply from lena: ");
    everyone.weechat.types("/ctcp iris version");
    everyone
        .weechat
        .sees("CTCP reply from iris: VERSION irssi ");
}

#[test]
fn everyone_left_sees_who_quits() {
    let Some(mut everyone) = Everyone::meet() else {
        return;
    };
    everyone.line_client.types("/quit good night");
    everyone
        .irssi
        .sees("lena [~guest@127.0.0.1] has quit [Quit: good night]");
    everyone
        .weechat
        .sees("lena (~guest@127.0.0.1) has quit (Quit: good night)");
    everyone.nc.sees("-- lena has quit (Quit: good night)");
    assert!(everyone.line_client.program.wait().success());

    everyone.nc.types("/quit sleep well");
    everyone
        .irssi
        .sees("nora [~plain@127.0.0.1] has quit [Quit: sleep well]");
    everyone
        .weechat
        .sees("nora (~plain@127.0.0.1) has quit (Quit: sleep well)");
    // nc reads on from its standard input until that ends too.
    everyone.nc.program.close_stdin();
    assert!(everyone.nc.program.wait().success());

    everyone.weechat.types("/quit me too");
    everyone
        .irssi
        .sees("wendy [~wendy@127.0.0.1] has quit [Quit: me too]");
    assert!(everyone.weechat.program.wait().success());

    everyone.irssi.types("/quit");
    everyone
        .irssi
        .relay
        .wait_for(Sender::Server, "ERROR :Closing link");
    assert_eq!(everyone.irssi.terminal.wait_for_exit(), 0);
}
