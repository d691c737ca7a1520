//! Each thing that can be wrong with the book is said with its file and line.

mod small_workspace;

use small_workspace::{PAGE, SOURCE, SmallWorkspace};

/// What `check` says of a workspace: a line for each mistake, sorted, and the last one.
fn mistakes(workspace: &SmallWorkspace) -> Vec<String> {
    let finished = workspace.run(["check"]);
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    let lines = finished.stderr.lines();
    let mut lines: Vec<_> = lines.map(|line| line.replace("docs: ", "")).collect();
    let last = lines.pop().unwrap();
    assert!(last.starts_with("the book: "), "{last}");
    lines
}

/// Breaks one thing in the small book, and expects one mistake and nothing else.
fn expect(file: &str, from: &str, to: &str, mistake: &str) {
    let workspace = SmallWorkspace::new();
    workspace.replace(file, from, to);
    let said = mistakes(&workspace);
    let [only] = said.as_slice() else {
        panic!("{from:?} -> {to:?}: {said:#?}")
    };
    assert!(only.contains(mistake), "{from:?} -> {to:?}: {only}");
}

#[test]
fn a_book_with_nothing_wrong_passes() {
    let workspace = SmallWorkspace::new();
    let finished = workspace.run(["check"]);
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.stdout, "2 pages, nothing is wrong\n");
}

#[test]
fn a_listing_that_is_not_there() {
    let missing = "{{#listing program/src/main.rs:main}}";
    let workspace = SmallWorkspace::new();
    workspace.replace(PAGE, missing, "{{#listing program/src/main.rs:mein}}");
    let said = mistakes(&workspace).join("\n");
    assert!(
        said.contains("docs/pages/loop.md:24: listing program/src/main.rs:mein: no such anchor"),
        "{said}"
    );
    workspace.replace(PAGE, "main.rs:mein", "mein.rs:main");
    let said = mistakes(&workspace).join("\n");
    assert!(
        said.contains("docs/pages/loop.md:24: listing program/src/mein.rs: no such file"),
        "{said}"
    );
    for outside in ["/etc/passwd", "../secret.rs:main"] {
        let workspace = SmallWorkspace::new();
        workspace.replace(PAGE, missing, &format!("{{{{#listing {outside}}}}}"));
        let said = mistakes(&workspace).join("\n");
        assert!(said.contains("docs/pages/loop.md:24: listing"), "{said}");
        assert!(said.contains("no such file"), "{said}");
    }
}

#[test]
fn a_listing_that_is_too_long() {
    expect(
        SOURCE,
        "        call();\n",
        &"        call();\n".repeat(23),
        "docs/pages/loop.md:24: listing program/src/main.rs:main: 26 lines, and 25 are the most",
    );
    // The comments of anchors do not count.
    let workspace = SmallWorkspace::new();
    workspace.replace(SOURCE, "        call();\n", &"        call();\n".repeat(22));
    assert!(workspace.run(["check"]).status.success());
}

#[test]
fn anchors_that_are_wrong() {
    expect(
        SOURCE,
        "        // ANCHOR_END: wait\n",
        "        // ANCHOR_END: wait\n// ANCHOR: other\n        // ANCHOR_END: other\n",
        "program/src/main.rs:7: anchor other: no listing shows it",
    );
    let workspace = SmallWorkspace::new();
    workspace.replace(
        SOURCE,
        "    // ANCHOR_END: main\n}\n",
        "    // ANCHOR_END: main\n}\n// ANCHOR: wait\n// ANCHOR_END: wait\n",
    );
    let said = mistakes(&workspace).join("\n");
    let twice = "program/src/main.rs:11: anchor wait: a second one";
    assert!(said.contains(twice), "{said}");
    expect(
        SOURCE,
        "    // ANCHOR_END: main\n}\n",
        "    // ANCHOR_END: main\n}\n// ANCHOR: open\n",
        "program/src/main.rs:11: anchor open: has no end",
    );
}

#[test]
fn links_that_lead_nowhere() {
    let lines = "[waits](#wait)";
    for (from, to, mistake) in [
        (
            lines,
            "[waits](#wait) [x](#xyz)",
            "loop.md:26: link #xyz: no anchor",
        ),
        (
            "index.md#start",
            "indes.md",
            "loop.md:17: link indes.md: no such page",
        ),
        (
            "index.md#start",
            "index.md#end",
            "loop.md:17: link index.md#end: index.md has no",
        ),
        (
            "main.rs#L2",
            "main.rs#L20",
            "loop.md:17: link ../../program/src/main.rs#L20: ",
        ),
        (
            "src/main.rs#L2",
            "src/m.rs",
            "loop.md:17: link ../../program/src/m.rs: no such page",
        ),
        (
            "https://man7.org/",
            "htps://man7.org/",
            "loop.md:18: link htps:",
        ),
        (
            "https://man7.org/linux",
            "https:///linux",
            "loop.md:18: link https:///",
        ),
    ] {
        expect(PAGE, from, to, mistake);
    }
    // The lines of a listing are linked to, or nobody shows them.
    expect(
        PAGE,
        lines,
        "waits",
        "program/src/main.rs:4: anchor wait: no listing shows it",
    );
}

#[test]
fn transcripts_that_are_not_there_or_that_no_test_compares() {
    for (from, to, mistake) in [
        (
            "output.txt",
            "outpt.txt",
            "loop.md:7: transcript program/tests/outpt.txt: no such file",
        ),
        (
            "turn 1",
            "turn 3",
            "loop.md:7: transcript program/tests/output.txt: no line has \"turn 3\"",
        ),
        (
            "to=\"turn 2\"",
            "to=\"begin\"",
            "no line has \"begin\" after line 2",
        ),
        (
            "program/tests/output.txt from=\"turn 1\" to=\"turn 2\"",
            "program/src/main.rs",
            "loop.md:7: transcript program/src/main.rs: not in a directory tests",
        ),
    ] {
        expect(PAGE, from, to, mistake);
    }
}

#[test]
fn sections_that_are_missing_or_elsewhere() {
    for (from, to, mistake) in [
        (
            "# The loop\n",
            "The loop\n",
            "loop.md:1: a page begins with its title",
        ),
        ("## The idea\n", "## An idea\n", "section \"The idea\""),
        (
            "1. One.\n",
            "",
            "loop.md:32: section \"Try this\": 2 numbered experiments",
        ),
        (
            "{{#run true}}\n",
            "",
            "loop.md:9: section \"Run it\": no {{#run",
        ),
        (
            "<details><summary>One?</summary>\n\nYes.\n\n</details>\n",
            "",
            "loop.md:38: section \"Questions\": 2 folded answers",
        ),
    ] {
        let workspace = SmallWorkspace::new();
        workspace.replace(PAGE, from, to);
        let said = mistakes(&workspace).join("\n");
        assert!(said.contains(mistake), "{from:?} -> {to:?}: {said}");
    }
    let workspace = SmallWorkspace::new();
    workspace.replace(PAGE, "## Run it\n\n{{#run true}}\n\n", "");
    workspace.replace(
        PAGE,
        "## The code\n",
        "## Run it\n\n{{#run true}}\n\n## The code\n",
    );
    let said = mistakes(&workspace).join("\n");
    assert!(
        said.contains("section \"The idea\": the order is"),
        "{said}"
    );
    expect(
        "docs/pages/index.md",
        "## Sources\n",
        "## Links\n",
        "docs/pages/index.md: no section \"Sources\"",
    );
}

#[test]
fn figures_that_are_not_there_not_used_or_unreadable() {
    let workspace = SmallWorkspace::new();
    workspace.replace(PAGE, "turn.svg", "tern.svg");
    let said = mistakes(&workspace);
    assert!(
        said[0].contains("figures/turn.svg: no page shows it"),
        "{said:?}"
    );
    assert!(
        said[1].contains("loop.md:15: figure tern.svg: no such file"),
        "{said:?}"
    );
    let figure = "docs/pages/figures/turn.svg";
    for (from, to, mistake) in [
        (
            "viewBox",
            "box",
            "loop.md:15: figure turn.svg: <svg> needs a viewBox",
        ),
        (
            "viewBox",
            "width=\"720\" viewBox",
            "loop.md:15: figure turn.svg: <svg> has a fixed",
        ),
        (
            "font-size=\"16\"",
            "font-size=\"9\"",
            "figures/turn.svg:1: font-size 9",
        ),
        (
            "font-size",
            "fill=\"#333\" font-size",
            "figures/turn.svg:1: colour #333",
        ),
    ] {
        expect(figure, from, to, mistake);
    }
}

#[test]
fn pages_that_the_table_of_contents_lacks_or_has_alone() {
    let summary = "docs/pages/SUMMARY.md";
    expect(
        summary,
        "- [The loop](loop.md)\n",
        "",
        "docs/pages/loop.md: not in docs/pages/SUMMARY.md",
    );
    expect(
        summary,
        "- [The loop](loop.md)\n",
        "- [The loop](loop.md)\n- [More](more.md)\n",
        "docs/pages/SUMMARY.md:6: more.md: no such page",
    );
}

#[test]
fn directives_that_are_none() {
    for (to, mistake) in [
        ("{{#runs true}}", "loop.md:11: runs: no such directive"),
        (
            "{{#run true}} now",
            "loop.md:11: a directive is alone on its line",
        ),
        (
            "  {{#run true}}",
            "loop.md:11: a directive begins at the beginning",
        ),
        (
            "{{#run needs=irssi true}}",
            "loop.md:11: needs irssi: not in chapter-tests/tools.txt",
        ),
        (
            "{{#run then=INT true}}",
            "loop.md:11: run: then=... comes after until=",
        ),
        (
            "{{#run true}}\n\n{{#claim nonsense}}",
            "loop.md:13: claim nonsense: no such claim",
        ),
    ] {
        let workspace = SmallWorkspace::new();
        workspace.replace(PAGE, "{{#run true}}", to);
        let said = mistakes(&workspace).join("\n");
        assert!(said.contains(mistake), "{to:?}: {said}");
    }
}

#[test]
fn code_of_the_pages_own_that_is_too_long() {
    let code = format!("```text\n{}```\n", "line\n".repeat(9));
    expect(
        PAGE,
        "It [waits](#wait) first, and then calls.\n",
        &format!("It [waits](#wait) first.\n\n{code}"),
        "loop.md:28: 9 lines of code of the page's own, and 8 are the most",
    );
}

#[test]
fn an_element_that_is_not_closed() {
    let workspace = SmallWorkspace::new();
    workspace.replace(PAGE, "Nothing.\n", "<div>\n\nNothing.\n");
    for command in ["check", "build"] {
        let finished = workspace.run([command]);
        assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
        assert!(
            finished
                .stderr
                .contains("unclosed HTML tag `<div>` found in `loop.md`"),
            "{}",
            finished.stderr
        );
    }
    assert!(!workspace.path().join("target/book").exists());
}

#[test]
fn a_claim_that_is_not_on_the_page_of_claims() {
    let workspace = SmallWorkspace::new();
    workspace.write(
        "docs/pages/claims.md",
        "# Claims\n\nAll.\n\n{{#claim mmap}}\n\n## Sources\n\n- none\n",
    );
    workspace.replace(
        "docs/pages/SUMMARY.md",
        "- [The",
        "- [Claims](claims.md)\n- [The",
    );
    let said = mistakes(&workspace).join("\n");
    // What the small workspace does not have either.
    assert!(
        said.contains("claims.md:5: claim mmap: claims/tests/transcripts/mmap.txt: no such file"),
        "{said}"
    );
    assert!(
        said.contains("claims.md: claim backlog: not on this page"),
        "{said}"
    );
}

#[test]
fn all_mistakes_are_said_and_none_is_built() {
    let workspace = SmallWorkspace::new();
    workspace.replace(PAGE, "output.txt", "outpt.txt");
    workspace.replace(PAGE, "turn.svg", "tern.svg");
    let finished = workspace.run(["build"]);
    assert_eq!(finished.status.code(), Some(1));
    let lines: Vec<_> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].starts_with("docs: docs/pages/loop.md:7: "));
    assert!(lines[1].starts_with("docs: docs/pages/loop.md:15: "));
    assert!(lines[2].starts_with("docs: the book: 2 mistakes"));
    assert!(!workspace.path().join("target/book").exists());
}

#[test]
fn a_book_that_cannot_be_built_leaves_the_old_one() {
    let workspace = SmallWorkspace::new();
    let built = workspace.run(["build"]);
    assert!(built.status.success(), "{}", built.stderr);
    let book = workspace.path().join("target/book");
    assert!(book.join("source/program/src/main.rs.html").exists());
    workspace.replace(PAGE, "turn.svg", "tern.svg");
    assert!(!workspace.run(["build"]).status.success());
    assert!(book.join("index.html").exists());
    workspace.replace(PAGE, "tern.svg", "turn.svg");
    assert!(workspace.run(["build"]).status.success());
    let beside = std::fs::read_dir(workspace.path().join("target")).unwrap();
    let beside: Vec<_> = beside.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["book"], "nothing is left of the old one");
}

#[test]
fn what_is_no_book_is_not_replaced_by_one() {
    let workspace = SmallWorkspace::new();
    workspace.write("precious/letter.txt", "hello");
    for (destination, kept) in [
        ("precious", "precious/letter.txt"),
        ("precious/letter.txt", "precious/letter.txt"),
        // The workspace itself.
        (".", PAGE),
    ] {
        let destination = workspace.path().join(destination);
        let finished = workspace.run(["build", "--dest", destination.to_str().unwrap()]);
        assert!(workspace.path().join(kept).exists(), "{destination:?}");
        assert_eq!(finished.status.code(), Some(1), "{destination:?}");
        assert!(
            finished.stderr.contains("not empty and not a book"),
            "{}",
            finished.stderr
        );
    }
    // An empty one may well be.
    let empty = workspace.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for _ in 0..2 {
        let built = workspace.run(["build", "--dest", empty.to_str().unwrap()]);
        assert!(built.status.success(), "{}", built.stderr);
    }
    let left: Vec<_> = std::fs::read_dir(workspace.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains(".new-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for args in [
        &[][..],
        &["read"],
        &["serve", "--port", "x"],
        &["check", "--all"],
    ] {
        let workspace = SmallWorkspace::new();
        let finished = workspace.run(args.iter().copied());
        assert_eq!(finished.status.code(), Some(2), "{args:?}");
    }
}
