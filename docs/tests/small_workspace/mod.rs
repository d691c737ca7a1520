//! A workspace with a book of two pages, in which a test may break something.

use std::fs;
use std::path::Path;

use chapter_tests::{Finished, Launch, TemporaryDirectory};

/// The page that tests break.
pub(crate) const PAGE: &str = "docs/pages/loop.md";

/// The source that it shows.
pub(crate) const SOURCE: &str = "program/src/main.rs";

const LOOP: &str = r#"# The loop

One loop, shown in three lines.

## What you will see

{{#transcript program/tests/output.txt from="turn 1" to="turn 2"}}

## Run it

{{#run true}}

## The idea

{{#figure turn.svg "One turn"}}

See [the start](index.md#start), [the source](../../program/src/main.rs#L2) and
[epoll](https://man7.org/linux/man-pages/man7/epoll.7.html).

## The code

### All of it

{{#listing program/src/main.rs:main}}

It [waits](#wait) first, and then calls.

## What the printed listing gets wrong

Nothing.

## Try this

1. One.
2. Two.
3. Three.

## Questions

<details><summary>One?</summary>

Yes.

</details>
<details><summary>Two?</summary>

Yes.

</details>
<details><summary>Three?</summary>

Yes.

</details>

## Sources

- epoll(7)
"#;

const INDEX: &str = "# Start\n\nThe beginning.\n\n## Sources\n\n- epoll(7)\n";

const SUMMARY: &str = "# Contents\n\n[Start](index.md)\n\n- [The loop](loop.md)\n";

// In one line each, so that this file has no anchors itself.
const MAIN: &str = concat!(
    "fn main() {\n",
    "    // ANCHOR: main\n",
    "    loop {\n",
    "        // ANCHOR: wait\n",
    "        wait();\n",
    "        // ANCHOR_END: wait\n",
    "        call();\n",
    "    }\n",
    "    // ANCHOR_END: main\n",
    "}\n",
);

const FIGURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 100\">\
                      <text x=\"10\" y=\"50\" font-size=\"16\">turn</text></svg>\n";

/// A workspace on disk, removed when dropped.
pub(crate) struct SmallWorkspace(TemporaryDirectory);

impl SmallWorkspace {
    /// One with nothing wrong.
    pub(crate) fn new() -> Self {
        let workspace = Self(TemporaryDirectory::new());
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut theme: Vec<_> = fs::read_dir(own.join("theme"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        theme.push(own.join("book.toml"));
        for file in theme {
            let name = file.strip_prefix(own).unwrap().to_str().unwrap();
            workspace.write(&format!("docs/{name}"), &fs::read_to_string(&file).unwrap());
        }
        workspace.write("docs/pages/SUMMARY.md", SUMMARY);
        workspace.write("docs/pages/index.md", INDEX);
        workspace.write(PAGE, LOOP);
        workspace.write("docs/pages/figures/turn.svg", FIGURE);
        workspace.write(SOURCE, MAIN);
        workspace.write("program/tests/output.txt", "begin\nturn 1\nturn 2\nend\n");
        workspace.write("chapter-tests/tools.txt", "strace strace\n");
        workspace
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and the directories that it is in.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts another text in the place of one that a file has.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.0.join(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// Starts the program with this workspace, and whatever it builds inside of it.
    pub(crate) fn launch<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Launch {
        Launch::new(env!("CARGO_BIN_EXE_docs"))
            .args(["--root", self.0.to_str().unwrap()])
            .args(args)
            .env("CARGO_TARGET_DIR", self.0.join("target"))
    }

    /// Runs the program to its end.
    #[allow(dead_code, reason = "not all tests that share this module do")]
    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Finished {
        self.launch(args).run()
    }
}
