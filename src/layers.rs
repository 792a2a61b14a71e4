//! Imports point down the list of docs/design.md section 2; names on one line do not import each
//! other.

use alloc::vec::Vec;
use std::string::String;

extern crate std;

const LAYERS: [&[&str]; 13] = [
    &["wasm"],
    &["gateway"],
    &["verify"],
    &["policy"],
    &["cosign"],
    &["sigstore"],
    &["oci", "timestamp"],
    &["x509", "tlog", "simple_signing"],
    &["host"],
    &["crypto"],
    &["reference"],
    &["digest"],
    &["encoding"],
];
const BOTTOM: [&str; 3] = ["error", "limits", "time"];

fn rank(module: &str) -> Option<usize> {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .or_else(|| BOTTOM.contains(&module).then_some(LAYERS.len()))
}

fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found)
        } else {
            found.push(path)
        }
    }
}

#[test]
fn imports_point_down() {
    // Tests run in the package's folder.
    let root = std::path::PathBuf::from("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    let mut wrong: Vec<String> = Vec::new();
    for path in found {
        let inside = path.strip_prefix(&root).unwrap().with_extension("");
        let module = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .map(String::from)
            .unwrap();
        let Some(own) = rank(&module) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        for used in text.split("crate::").skip(1) {
            let name: String = used
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            let upwards = rank(&name).is_some_and(|rank| rank <= own);
            if upwards && name != module {
                wrong.push(std::format!("{} imports {name}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
