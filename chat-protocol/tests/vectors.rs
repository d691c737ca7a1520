//! The parser-tests vectors of ircdocs, see tests/vectors/README.md.

use std::collections::BTreeMap;

use chat_protocol::{LineWriter, Message, Source, mask_matches};
use yaml_rust2::{Yaml, YamlLoader};

/// The entries under `tests:` in one vector file.
fn vectors(file: &str) -> Vec<Yaml> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let documents = YamlLoader::load_from_str(&text).unwrap();
    let tests = documents[0]["tests"].as_vec().unwrap().clone();
    assert!(!tests.is_empty(), "{file} holds no test");
    tests
}

fn string(yaml: &Yaml) -> &str {
    yaml.as_str()
        .unwrap_or_else(|| panic!("not a string: {yaml:?}"))
}

/// The strings of a list; none if the key is missing.
fn strings(yaml: &Yaml) -> Vec<&str> {
    yaml.as_vec()
        .map(|list| list.iter().map(string).collect())
        .unwrap_or_default()
}

/// The tags among some atoms.
fn tags(atoms: &Yaml) -> BTreeMap<&[u8], Vec<u8>> {
    let Some(tags) = atoms["tags"].as_hash() else {
        return BTreeMap::new();
    };
    tags.iter()
        .map(|(key, value)| (string(key).as_bytes(), string(value).into()))
        .collect()
}

#[test]
fn lines_split_into_their_atoms() {
    for test in vectors("msg-split.yaml") {
        let input = string(&test["input"]);
        let atoms = &test["atoms"];
        let message = Message::parse(input.as_bytes()).unwrap();

        assert_eq!(
            message.command,
            string(&atoms["verb"]).as_bytes(),
            "{input:?}"
        );
        let source = atoms["source"].as_str().map(str::as_bytes);
        assert_eq!(
            message.source.map(|source| source.raw()),
            source,
            "{input:?}"
        );
        let parameters: Vec<&[u8]> = strings(&atoms["params"])
            .into_iter()
            .map(str::as_bytes)
            .collect();
        assert_eq!(*message.parameters, parameters, "{input:?}");

        let expected = tags(atoms);
        let found: BTreeMap<&[u8], Vec<u8>> = message
            .tags
            .iter()
            .map(|(key, value)| (key, value.unescape().into_owned()))
            .collect();
        assert_eq!(found, expected, "{input:?}");
        for (key, value) in expected {
            assert_eq!(
                message.tags.get(key).unwrap().unescape(),
                value,
                "{input:?}"
            );
        }
    }
}

#[test]
fn atoms_join_to_one_of_the_allowed_lines() {
    for test in vectors("msg-join.yaml") {
        let atoms = &test["atoms"];
        let mut out = Vec::new();
        let mut writer = LineWriter::new(&mut out);
        for (key, value) in &tags(atoms) {
            writer = writer.tag(key, value);
        }
        if let Some(source) = atoms["source"].as_str() {
            writer = writer.source(source.as_bytes());
        }
        let parameters: Vec<&[u8]> = strings(&atoms["params"])
            .into_iter()
            .map(str::as_bytes)
            .collect();
        let written = writer
            .command(string(&atoms["verb"]).as_bytes())
            .parameters(&parameters)
            .finish();

        assert!(!written.cut && !written.replaced, "{test:?}");
        let line = String::from_utf8(out).unwrap();
        let line = line.strip_suffix("\r\n").unwrap();
        let allowed = strings(&test["matches"]);
        assert!(allowed.contains(&line), "{line:?} is none of {allowed:?}");
    }
}

#[test]
fn sources_split_into_nick_user_and_host() {
    for test in vectors("userhost-split.yaml") {
        let source = Source::new(string(&test["source"]).as_bytes());
        let atom = |name: &str| test["atoms"][name].as_str().map(str::as_bytes);
        assert_eq!(Some(source.nick()), atom("nick"), "{source:?}");
        assert_eq!(source.user(), atom("user"), "{source:?}");
        assert_eq!(source.host(), atom("host"), "{source:?}");
    }
}

#[test]
fn masks_match_and_fail_to_match() {
    for test in vectors("mask-match.yaml") {
        let mask = string(&test["mask"]);
        for text in strings(&test["matches"]) {
            assert!(
                mask_matches(mask.as_bytes(), text.as_bytes()),
                "{mask} should match {text}"
            );
        }
        for text in strings(&test["fails"]) {
            assert!(
                !mask_matches(mask.as_bytes(), text.as_bytes()),
                "{mask} should not match {text}"
            );
        }
    }
}
