//! The book in a real browser.
//!
//! Pictures of all pages are left in `target/book-screenshots`.

#[path = "browser/webdriver.rs"]
mod webdriver;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chapter_tests::{Launch, Program};
use docs::{Book, Workspace};
use webdriver::Browser;

const MEASURE: &str = include_str!("browser/measure.js");

/// The book as it is served, and a browser.
struct Reader {
    browser: Browser,
    origin: String,
    _server: Program,
}

/// None if there is no browser here, which has been said.
fn reader() -> Option<Reader> {
    let browser = Browser::start()?;
    let server = Launch::new(env!("CARGO_BIN_EXE_docs"))
        .args(["serve", "--port", "0"])
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .start();
    let origin = format!("http://{}", server.listening_on());
    Some(Reader {
        browser,
        origin,
        _server: server,
    })
}

/// All pages, and a whole file beside them.
fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let book = Book::read(Workspace::new(root)).unwrap();
    let pages = book.pages().iter();
    let mut pages: Vec<_> = pages
        .map(|page| page.name.replace(".md", ".html"))
        .collect();
    pages.push("source/index.html".to_owned());
    pages.push("source/epoll-loop/src/turn.rs.html".to_owned());
    pages
}

/// Where the pictures go: beside the directory that cargo has for tests.
struct Pictures(PathBuf);

impl Pictures {
    fn new() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let directory = target.join("book-screenshots");
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn take(&self, browser: &Browser, page: &str, width: u32, theme: &str) {
        let picture = BASE64_STANDARD.decode(browser.screenshot()).unwrap();
        let page = page.trim_end_matches(".html").replace('/', "-");
        let file = self.0.join(format!("{page}-{width}-{theme}.png"));
        fs::write(file, picture).unwrap();
    }
}

impl Reader {
    fn go(&self, page: &str) {
        self.browser.go(&format!("{}/{page}", self.origin));
    }

    /// What a measurement of this page finds wrong.
    fn measure(&self, what: &str) -> Vec<String> {
        let found = self
            .browser
            .run(&format!("{MEASURE}\nreturn measure.{what}();"));
        let found = found.as_array().expect("a list of mistakes").iter();
        found
            .map(|mistake| mistake.as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn is(&self, condition: &str) -> bool {
        self.browser.run(&format!("return Boolean({condition});")) == true
    }

    /// The first page that has a link to lines of the listing beside it.
    fn go_to_lines(&self) {
        for page in pages() {
            self.go(&page);
            if self.is("document.querySelector('.spread a[href^=\"#lines-\"]')") {
                return;
            }
        }
        panic!("no page has a link to lines");
    }
}

#[test]
fn every_page_fits_every_screen_is_legible_and_asks_no_other_host() {
    let Some(reader) = reader() else { return };
    let pictures = Pictures::new();
    let mut wrong = Vec::new();
    for page in pages() {
        reader.go(&page);
        for (width, measurements) in [
            (1400, &["beside", "overflow", "strangers"][..]),
            (1200, &["beside", "overflow"]),
            (700, &["stacked", "overflow"]),
            (360, &["stacked", "overflow"]),
        ] {
            reader.browser.resize(width, 900);
            for what in measurements {
                let mistakes = reader.measure(what);
                wrong.extend(
                    mistakes
                        .iter()
                        .map(|it| format!("{page}, {width} px: {it}")),
                );
            }
            for (theme, name) in [("light", "light"), ("navy", "dark")] {
                reader.browser.run(&format!(
                    "document.documentElement.className = 'js {theme}';"
                ));
                let mistakes = reader.measure("contrast");
                wrong.extend(mistakes.iter().map(|it| format!("{page}, {name}: {it}")));
                if width == 1400 || width == 360 {
                    pictures.take(&reader.browser, &page, width, name);
                }
            }
        }
        let complaints = reader.browser.complaints();
        wrong.extend(complaints.iter().map(|it| format!("{page}, console: {it}")));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_theme_that_a_reader_has_chosen_is_also_that_of_whole_files() {
    let Some(reader) = reader() else { return };
    reader.go("index.html");
    reader
        .browser
        .run("localStorage.setItem('mdbook-theme', 'navy');");
    for page in ["index.html", "source/index.html"] {
        reader.go(page);
        assert!(
            reader.is("document.documentElement.classList.contains('navy')"),
            "{page}"
        );
        assert_eq!(reader.measure("contrast"), [""; 0]);
        let paper = "return getComputedStyle(document.documentElement).backgroundColor;";
        let paper = reader.browser.run(paper).to_string();
        assert!(paper.contains("rgb(20, 23, 30)"), "{page}: {paper}");
    }
}

#[test]
fn the_table_of_contents_does_not_squeeze_the_columns() {
    let Some(reader) = reader() else { return };
    reader.browser.resize(1400, 900);
    reader.go_to_lines();
    let is_open = "document.getElementById('mdbook-sidebar-toggle-anchor').checked";
    assert!(!reader.is(is_open), "closed at first");
    reader.browser.point("#mdbook-sidebar-toggle", true);
    assert!(reader.is(is_open), "opened by its button");
    assert_eq!(reader.measure("beside"), [""; 0]);
    assert_eq!(reader.measure("overflow"), [""; 0]);
    reader.go("index.html");
    assert!(!reader.is(is_open), "it does not lie on the next page");
}

#[test]
fn a_listing_stays_while_its_prose_is_scrolled() {
    let Some(reader) = reader() else { return };
    reader.browser.resize(1400, 900);
    reader.go_to_lines();
    let moved = reader.browser.run(
        "const spread = document.querySelector('.spread');
         const [prose, listing] = spread.children[0].matches('.prose')
             ? [...spread.children] : [...spread.children].reverse();
         prose.style.minHeight = `${listing.offsetHeight + 1500}px`;
         const top = () => Math.round(listing.getBoundingClientRect().top);
         scrollTo({ top: spread.offsetTop + 300, behavior: 'instant' });
         const before = [top(), prose.getBoundingClientRect().top];
         scrollBy({ top: 500, behavior: 'instant' });
         const after = [top(), prose.getBoundingClientRect().top];
         return [after[0] - before[0], before[1] - after[1], after[0]];",
    );
    assert_eq!(moved[0], 0, "the listing has moved: {moved}");
    assert_eq!(moved[1], 500, "the prose has not: {moved}");
    let top = moved[2].as_i64().unwrap();
    assert!((50..200).contains(&top), "below the menu bar: {moved}");
}

#[test]
fn lines_are_marked_by_mouse_by_keyboard_and_without_scripts() {
    let Some(reader) = reader() else { return };
    reader.browser.resize(1400, 900);
    reader.go_to_lines();
    let link = ".spread a[href^=\"#lines-\"]";
    reader.browser.run(&format!(
        "window.link = document.querySelector('{link}');
         window.lines = document.getElementById(link.hash.slice(1));
         window.color = () => getComputedStyle(lines).backgroundColor;
         window.plain = color();
         link.scrollIntoView({{ block: 'center', behavior: 'instant' }});"
    ));
    let is_marked = || reader.is("lines.offsetHeight > 10 && color() !== plain");
    assert!(!is_marked());
    reader.browser.point(link, false);
    assert!(is_marked(), "the mouse is on the words");
    reader.browser.point_nowhere();
    assert!(!is_marked(), "the mouse has gone");
    reader.browser.run("link.focus();");
    assert!(is_marked(), "the words have the focus");
    reader.browser.run("link.blur();");
    assert!(!is_marked(), "the focus has gone");

    let before = reader.browser.run("return scrollY;");
    reader.browser.point(link, true);
    reader.browser.point_nowhere();
    assert!(is_marked(), "a click lets it stay");
    assert_eq!(
        reader.browser.run("return scrollY;"),
        before,
        "nothing jumps"
    );
    reader.browser.run("link.blur();");
    reader.browser.press("\u{e00c}");
    assert!(!is_marked(), "Escape ends it");

    // What a browser does by itself with the address of a link.
    reader.browser.run("location.hash = link.hash;");
    assert!(is_marked(), "the address names the lines");
}

#[test]
fn a_caption_leads_to_the_line_in_the_whole_file_and_back() {
    let Some(reader) = reader() else { return };
    reader.browser.resize(1400, 900);
    reader.go_to_lines();
    let page = reader.browser.run("return location.pathname.slice(1);");
    let first = reader
        .browser
        .run("return document.querySelector('figure.listing .line').textContent.trim();");
    reader
        .browser
        .run("document.querySelector('figure.listing figcaption a').click();");
    let line = "document.querySelector('.line:target')";
    assert!(reader.is("location.pathname.startsWith('/source/')"));
    let there = reader
        .browser
        .run(&format!("return {line}.textContent.trim();"));
    assert_eq!(there, first);
    assert!(reader.is(&format!(
        "{line}.getBoundingClientRect().top > 0 && {line}.getBoundingClientRect().bottom < 900"
    )));
    assert!(
        reader.is(&format!(
            "document.querySelector('.shown-on a[href$={page}]')"
        )),
        "{page}"
    );
}

#[test]
fn the_search_finds_a_word() {
    let Some(reader) = reader() else { return };
    reader.browser.resize(1400, 900);
    reader.go("index.html");
    reader.browser.press("/");
    reader.browser.run_async(
        "const done = arguments[0];
         const look = () => document.activeElement.id === 'mdbook-searchbar'
             ? done() : setTimeout(look, 20);
         look();",
    );
    reader.browser.press("epoll");
    // The search waits for a pause, and then says how many it has found.
    let found = reader.browser.run_async(
        "const done = arguments[0];
         const list = document.getElementById('mdbook-searchresults');
         const look = () => list.querySelector('li a')
             ? done([...list.querySelectorAll('li a')].map(link => link.getAttribute('href')))
             : setTimeout(look, 20);
         look();",
    );
    assert!(!found.as_array().unwrap().is_empty());
    reader
        .browser
        .run("document.querySelector('#mdbook-searchresults li a').click();");
    assert!(
        reader.is("document.querySelector('main mark')"),
        "marked on its page"
    );
}

/// A browser has six connections to a server, and a page that waits for news holds one.
#[test]
fn any_number_of_pages_may_be_open_at_a_time() {
    let Some(reader) = reader() else { return };
    reader.go("index.html");
    // Frames in place of tabs: each is hidden, as a tab is when the next one is opened.
    let opened = reader.browser.run_async(
        "const done = arguments[arguments.length - 1];
        setTimeout(() => done('one is waited for'), 10000);
        const open = count => {
            if (count === 0) return done('all');
            const frame = document.createElement('iframe');
            frame.addEventListener('load', () => {
                const page = frame.contentDocument;
                Object.defineProperty(page, 'visibilityState', { value: 'hidden' });
                page.dispatchEvent(new Event('visibilitychange'));
                open(count - 1);
            });
            frame.src = '/claims.html';
            document.body.append(frame);
        };
        open(8);",
    );
    assert_eq!(opened, "all");
}
