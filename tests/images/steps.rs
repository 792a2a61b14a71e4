//! The names of steps, which `report.schema.json` lists and the TypeScript types are made from.

use crate::support::read;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const SCHEMA: &str = "js/report.schema.json";

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn literal_at_start(text: &str) -> Option<&str> {
    Some(text.trim_start().strip_prefix('"')?.split_once('"')?.0)
}

/// What stands behind each occurrence of `before`, which must be a literal.
fn literals<'a>(path: &Path, text: &'a str, before: &str) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .map(|rest| {
            literal_at_start(rest).unwrap_or_else(|| {
                panic!(
                    "{}: expected the name of a step as a literal after {before:?}",
                    path.display()
                )
            })
        })
        .collect()
}

/// Rules are named where they are made, signatures by their roles.
fn names() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = String::from_utf8(read(&file)).unwrap();
        names.extend(
            literals(&file, &text, "Rule::new(")
                .into_iter()
                .map(String::from),
        );
        if file.ends_with("crypto/check.rs") {
            let (_, role) = text.split_once("impl Role {").unwrap();
            let (role, _) = role.split_once("\n}\n").unwrap();
            names.extend(literals(&file, role, "=> ").into_iter().map(String::from));
        }
    }
    names
}

#[test]
fn names_of_steps_are_in_the_schema() {
    let names = names();
    assert!(names.contains("digest.equals") && names.contains("signature.cosign-payload"));
    let text = String::from_utf8(read(SCHEMA)).unwrap();
    let (before, rest) = text.split_once("\"stepName\": {").unwrap();
    let (head, rest) = rest.split_once("\"enum\": [").unwrap();
    let (_, after) = rest.split_once(']').unwrap();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("\n        {name:?}"))
        .collect();
    let expected = format!(
        "{before}\"stepName\": {{{head}\"enum\": [{}\n      ]{after}",
        lines.join(",")
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(SCHEMA, &expected).unwrap();
    }
    assert_eq!(
        String::from_utf8(read(SCHEMA)).unwrap(),
        expected,
        "UPDATE=1 cargo test --test images names_of_steps, then node tools/build/report-types.mjs"
    );
}
