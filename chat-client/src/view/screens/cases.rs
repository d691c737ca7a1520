//! The screens that are compared.

use super::scene::Scene;

/// A channel in which a little of everything has happened.
fn busy(columns: u16, rows: u16) -> Scene {
    let mut scene = Scene::with(columns, rows, |_| {}, &["#rust", "#lobby"]);
    scene.go_online();
    talk(&mut scene);
    scene
}

fn talk(scene: &mut Scene) {
    scene.hear(":carol!c@h PART #lobby");
    scene.hear(":dave!d@h JOIN #lobby");
    scene.hear(":carol!c@h JOIN #lobby");
    scene.say("bob", "hello ann, nice to see you");
    scene.say("bob", "\x01ACTION waves\x01");
    scene.enter("hello bob");
    scene.wait(60);
    scene.hear(":erin!e@h PRIVMSG #rust :has anybody read the epoll page?");
    scene.hear(":bob!b@h PRIVMSG ann :a word with you alone");
    scene.say(
        "carol",
        "the page is at https://man7.org/linux/man-pages/man7/epoll.7.html and worth the time",
    );
    scene.say("dave", "thanks \x02carol\x02, \x0304red\x03 and plain");
    scene.hear(":bob!b@h NOTICE #lobby :the kettle is on");
    scene.hear(":bob!b@h TOPIC #lobby :Welcome to the lobby, tea at four");
}

#[test]
fn first_run() {
    let mut scene = Scene::with(80, 24, |_| {}, &["#lobby"]);
    scene.host();
    scene.connect();
    scene.compare("first-run-connecting");
    scene.hear(":irc.example 001 ann :Welcome");
    scene.update(crate::app::AppEvent::Link(crate::app::LinkState::Online));
    scene.join("#lobby", "@ann");
    scene.compare("first-run");
}

#[test]
fn busy_channel() {
    busy(120, 24).compare("busy-channel");
}
