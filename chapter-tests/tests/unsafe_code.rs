//! Where the workspace has unsafe code, and why; and that it is denied everywhere else.
//!
//! The compiler denies it (`unsafe_code` in the workspace's lints), but any file can allow itself
//! an exception, and a new member can leave the lints out. Here the exceptions stand on one list.

use std::fs;
use std::path::{Path, PathBuf};

/// Each file that may have unsafe code, from the root of the workspace, and the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "chapter-tests/src/allocations.rs",
        "an allocator that counts, for tests which show that nothing is allocated",
    ),
    (
        "claims/src/sys.rs",
        "fork, and the calls that a claim is about and no crate offers or lets through",
    ),
    (
        "epoll-loop/src/spawn.rs",
        "the signal mask of a child is restored between fork and exec",
    ),
    (
        "epoll-loop/tests/own_process/fork.rs",
        "what a forked child must call, and what happens without it",
    ),
    (
        "oob-data/src/sys.rs",
        "SIOCATMARK, SIOCOUTQ, F_SETOWN and TIOCPKT are in no crate that we use",
    ),
];

/// What can follow the keyword, as rustfmt lays it out.
const OPENINGS: [&str; 6] = [" {", " fn ", " impl", " extern ", " trait ", "("];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a member is below the root")
}

/// All Rust files of the workspace, sorted; what cargo and git keep for themselves is left out.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (name, path) = (entry.file_name(), entry.path());
        if name == "target" || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a line of code has the keyword. An example in documentation counts, a comment does not.
fn has_unsafe(line: &str) -> bool {
    let line = line.trim_start();
    let is_comment = line.starts_with("//") && !line.starts_with("///") && !line.starts_with("//!");
    let mut words = line.match_indices("unsafe");
    !is_comment
        && words.any(|(start, word)| {
            let (before, after) = (&line[..start], &line[start + word.len()..]);
            let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "_`".contains(c));
            begins && OPENINGS.iter().any(|opening| after.starts_with(opening))
        })
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|err| panic!("{}: {err}", file.display()))
}

#[test]
fn unsafe_code_is_only_where_the_list_says() {
    let files = rust_files(root());
    assert!(files.len() > 20, "the workspace was not found: {files:?}");
    let mut complaints = Vec::new();
    for file in &files {
        let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
        let listed = EXCEPTIONS.iter().any(|(exception, _)| *exception == path);
        match (read(file).lines().position(has_unsafe), listed) {
            (Some(line), false) => {
                complaints.push(format!("{path}:{}: unsafe code, not on the list", line + 1));
            }
            (None, true) => {
                complaints.push(format!("{path}: on the list, but without unsafe code"));
            }
            (Some(_), true) | (None, false) => {}
        }
    }
    for (exception, _) in EXCEPTIONS {
        if !files.contains(&root().join(exception)) {
            complaints.push(format!("{exception}: on the list, but not there"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_exception_says_why_it_is_sound() {
    for (exception, _) in EXCEPTIONS {
        let text = read(&root().join(exception));
        let allowed = "(unsafe_code, reason = ";
        assert!(
            text.contains(allowed),
            "{exception}: no #[allow{allowed}...)]"
        );
        let whole_file = format!("#![allow{allowed}");
        assert!(
            !text.contains(&whole_file),
            "{exception}: allowed for more than one item"
        );
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if has_unsafe(line) && !line.contains("unsafe fn") {
                let before = &lines[number.saturating_sub(8)..number];
                let says = before
                    .iter()
                    .any(|line| line.trim_start().starts_with("// SAFETY:"));
                assert!(says, "{exception}:{}: no // SAFETY: above it", number + 1);
            }
        }
    }
}

#[test]
fn every_member_takes_the_workspace_lints() {
    let manifest = read(&root().join("Cargo.toml"));
    assert!(manifest.contains("\nunsafe_code = \"deny\"\n"));
    let members = manifest
        .split_once("members = [")
        .unwrap()
        .1
        .split_once(']')
        .unwrap()
        .0;
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.contains(&"chapter-tests"));
    for member in members {
        let manifest = read(&root().join(member).join("Cargo.toml"));
        assert!(
            manifest.contains("[lints]\nworkspace = true\n"),
            "{member}: no workspace lints"
        );
    }
}

#[test]
fn a_panic_unwinds_in_every_profile() {
    // Guards restore the terminal and the signal mask when they are dropped.
    let manifest = read(&root().join("Cargo.toml"));
    let aborts = manifest
        .lines()
        .any(|line| line.trim_start().starts_with("panic") && line.contains("abort"));
    assert!(!aborts, "a profile of Cargo.toml sets panic = \"abort\"");
}

#[test]
fn the_keyword_is_told_from_the_word() {
    // Written otherwise, or this file would be found itself.
    for code in [
        "let n = UNSAFE { libc::fork() };",
        "    UNSAFE fn f() {}",
        "pub(crate) UNSAFE extern \"C\" fn f() {}",
        "UNSAFE impl GlobalAlloc for Counting {",
        "UNSAFE impl<T> Send for Cell<T> {}",
        "#[UNSAFE(no_mangle)]",
        "/// UNSAFE { documented() }",
    ] {
        assert!(has_unsafe(&code.replace("UNSAFE", "unsafe")), "{code}");
    }
    for other in [
        "#![deny(UNSAFE_code)]",
        "#[allow(UNSAFE_code, reason = \"fork\")]",
        "// UNSAFE { } is not needed here",
        "/// No `UNSAFE` is needed, nor an UNSAFE block.",
        "fn not_UNSAFE() {}",
    ] {
        assert!(!has_unsafe(&other.replace("UNSAFE", "unsafe")), "{other}");
    }
}
