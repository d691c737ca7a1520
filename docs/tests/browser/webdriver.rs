//! A real browser: chromium, through chromedriver.
//!
//! Shows: `WebDriver` is JSON over HTTP, one request after the other, so that a client of it is a
//! few lines (<https://www.w3.org/TR/webdriver2/>); what chromium adds (`goog/cdp`, `se/log`) is
//! asked for in the same way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use chapter_tests::{Peer, Program, Signal, TIMEOUT, TemporaryDirectory, tools};
use serde_json::{Value, json};

/// What names an element in the driver's answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page. It ends with this.
pub(crate) struct Browser {
    driver: SocketAddr,
    session: String,
    // Dropped in this order: the driver before the directory of its browser.
    program: Program,
    profile: TemporaryDirectory,
}

impl Browser {
    /// Starts it; none if it is not installed, which has been said.
    pub(crate) fn start() -> Option<Self> {
        let chromium = tools::find("chromium")?;
        let chromedriver = tools::find("chromedriver")?;
        let program = Program::start(chromedriver, ["--port=0"]);
        let line = program.wait_for_line("started successfully on port ");
        let port = line
            .rsplit(' ')
            .next()
            .and_then(|port| port.trim_end_matches('.').parse().ok())
            .expect("the line ends with the port");
        let profile = TemporaryDirectory::new();
        let mut browser = Self {
            driver: SocketAddr::from(([127, 0, 0, 1], port)),
            session: String::new(),
            program,
            profile,
        };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            &format!("--user-data-dir={}", browser.profile.display()),
        ];
        let session = browser.ask(
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": { "binary": chromium, "args": arguments },
                "goog:loggingPrefs": { "browser": "ALL" },
            }}}),
        );
        let id = session["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("/session/{id}");
        Some(browser)
    }

    /// One request, and the value of its answer.
    fn ask(&self, path: &str, body: &Value) -> Value {
        let mut peer = Peer::connect(self.driver);
        let body = body.to_string();
        peer.send(format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.driver,
            body.len()
        ));
        let status = peer.read_line();
        let mut length = 0;
        loop {
            let line = peer.read_line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length is a number");
            }
        }
        let answer: Value = serde_json::from_slice(&peer.read_bytes(length)).unwrap();
        let value = answer["value"].clone();
        assert!(
            status.contains(" 200 "),
            "{path}: {status}: {}",
            value["message"]
        );
        value
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.ask(&format!("{}{command}", self.session), body)
    }

    /// Goes to a page and waits until it is loaded.
    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Runs a script: the body of a function.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The same for a function that says when it is done by calling its last argument.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// A command of chromium's own.
    fn chromium(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
    }

    /// Gives the page so many pixels, fewer than a window may have.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.chromium(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    /// The whole page as a picture, PNG in base64.
    pub(crate) fn screenshot(&self) -> String {
        let metrics = self.chromium("Page.getLayoutMetrics", &json!({}));
        let size = &metrics["cssContentSize"];
        let clip = json!({
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
        });
        let parameters = json!({ "captureBeyondViewport": true, "clip": clip });
        let picture = self.chromium("Page.captureScreenshot", &parameters);
        picture["data"].as_str().expect("it is text").to_owned()
    }

    /// Types, a key after the other, where the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let presses = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        });
        let keyboard = json!({
            "type": "key", "id": "keyboard", "actions": presses.collect::<Vec<_>>(),
        });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Moves the mouse to an element, and presses it there if wanted.
    pub(crate) fn point(&self, selector: &str, click: bool) {
        let found = self.post(
            "/element",
            &json!({ "using": "css selector", "value": selector }),
        );
        let mut actions = vec![json!({
            "type": "pointerMove", "duration": 0, "x": 0, "y": 0,
            "origin": { ELEMENT: found[ELEMENT] },
        })];
        if click {
            actions.push(json!({ "type": "pointerDown", "button": 0 }));
            actions.push(json!({ "type": "pointerUp", "button": 0 }));
        }
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": actions });
        self.post("/actions", &json!({ "actions": [mouse] }));
    }

    /// Moves the mouse to a place where nothing is.
    pub(crate) fn point_nowhere(&self) {
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": [
            { "type": "pointerMove", "duration": 0, "x": 1, "y": 1, "origin": "viewport" },
        ]});
        self.post("/actions", &json!({ "actions": [mouse] }));
    }

    /// What the console has said since it was asked last, warnings and errors.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().expect("a log is a list");
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].to_string())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind. Whatever becomes of it: a test that
        // has failed already is not to fail in another way.
        let Ok(mut stream) = TcpStream::connect(self.driver) else {
            return;
        };
        let _ = stream.set_read_timeout(Some(TIMEOUT));
        let request = format!(
            "DELETE {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.session, self.driver
        );
        let _ = stream.write_all(request.as_bytes());
        // The answer begins when the browser has ended; the driver does not close behind it.
        let _ = stream.read_exact(&mut [0; "HTTP/1.1 200".len()]);
        self.program.signal(Signal::SIGTERM);
    }
}
