//! How the rooms (folders of `src/`) and their files depend on each other: docs/design.md section
//! 2.
//!
//! - Imports point down the list of rooms; names on one line do not import each other.
//! - Inside a room no files import each other in a circle.
//! - A type's name stands for one thing: once a room, at most twice in the crate.
//! - Nothing is decided by the text of a code: codes are printed.

extern crate std;

mod source;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use source::{Import, Source, sources};

const LAYERS: [&[&str]; 13] = [
    &["wasm"],
    &["gateway"],
    &["verify"],
    &["policy"],
    &["cosign", "openpgp"],
    &["sigstore"],
    &["oci", "timestamp"],
    &["x509", "tlog", "simple_signing"],
    &["host"],
    &["crypto"],
    &["reference"],
    &["digest"],
    &["encoding"],
];
const BOTTOM: [&str; 5] = ["error", "keyed", "limits", "shared", "time"];

fn rank(module: &str) -> Option<usize> {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .or_else(|| BOTTOM.contains(&module).then_some(LAYERS.len()))
}

impl Source {
    fn room(&self) -> &str {
        &self.module[0]
    }

    /// Whether it only lists what is a child's (`mod a; pub use a::B;`): a file that has children is
    /// their table of contents.
    fn lists(&self, import: &Import) -> bool {
        let is_child = |name| self.children.contains(name);
        let below = import.path.strip_prefix(&*self.module);
        import.shared && below.and_then(|path| path.first()).is_some_and(is_child)
    }
}

/// The files of rooms that are judged.
fn judged() -> Vec<Source> {
    let mut sources = sources();
    sources.retain(|source| rank(source.room()).is_some());
    sources
}

#[test]
fn imports_point_down() {
    let mut wrong: Vec<String> = Vec::new();
    for source in sources() {
        let Some(own) = rank(source.room()) else {
            continue;
        };
        for used in source.text.split("crate::").skip(1) {
            let name: String = used
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            let upwards = rank(&name).is_some_and(|rank| rank <= own);
            if upwards && name != source.room() {
                wrong.push(std::format!("{} imports {name}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Files by their modules.
struct Crate<'a>(BTreeMap<&'a [String], &'a Source>);

impl<'a> Crate<'a> {
    fn of(sources: &'a [Source]) -> Self {
        let by_module = sources.iter().map(|source| (&*source.module, source));
        Self(by_module.collect())
    }

    /// The files that `path` leads through, the last one being that which defines what it names.
    fn targets(&self, path: &[String]) -> Vec<&'a Source> {
        let mut path = path.to_vec();
        let mut targets = Vec::new();
        // A name is passed on a few times at most.
        for _ in 0..8 {
            let found = (1..=path.len())
                .rev()
                .find_map(|end| self.0.get(&path[..end]).map(|source| (end, *source)));
            let Some((end, source)) = found else { break };
            let passed_on = (path.get(end)).and_then(|name| source.imported(name));
            if !passed_on.is_some_and(|import| source.lists(import)) {
                targets.push(source);
            }
            let Some(import) = passed_on else { break };
            let rest = path.split_off(end + 1);
            path = import.path.clone();
            path.extend(rest);
        }
        targets
    }

    /// The files of its own room that `source` imports from.
    fn imports(&self, source: &'a Source) -> BTreeSet<&'a str> {
        let imports = (source.imports.iter())
            .filter(|import| !source.lists(import) || source.words.contains(&import.name))
            .map(|import| import.path.clone());
        let inline = source.paths.iter().map(|path| {
            // `use super::a;` and then `a::B`.
            match source.imported(&path[0]) {
                Some(import) => import.path.iter().chain(&path[1..]).cloned().collect(),
                None => path.clone(),
            }
        });
        imports
            .chain(inline)
            .filter(|path| path.first() == source.module.first())
            .flat_map(|path| self.targets(&path))
            .filter(|target| target.room() == source.room() && target.module != source.module)
            .map(|target| &*target.file)
            .collect()
    }

    /// Which file imports which, inside the rooms.
    fn edges(&self) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        self.0
            .values()
            .map(|source| (&*source.file, self.imports(source)))
            .collect()
    }
}

/// Each group of files that lead to each other, with who imports whom in it.
fn circles(edges: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Vec<String>> {
    let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for from in edges.keys() {
        let mut open = Vec::from([*from]);
        let mut seen = BTreeSet::new();
        while let Some(file) = open.pop() {
            open.extend(edges[file].iter().filter(|next| seen.insert(**next)));
        }
        reached.insert(from, seen);
    }
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for (file, from_it) in &reached {
        if !from_it.contains(file) || told.contains(file) {
            continue;
        }
        let group: BTreeSet<_> = (from_it.iter().copied())
            .filter(|other| reached[other].contains(file))
            .collect();
        let inside = group.iter().flat_map(|from| {
            let others = edges[from].intersection(&group);
            others.map(move |to| std::format!("{from} imports {to}"))
        });
        circles.push(inside.collect());
        told.extend(group);
    }
    circles
}

#[test]
fn no_files_of_a_room_import_each_other() {
    let sources = judged();
    let circles = circles(&Crate::of(&sources).edges());
    assert!(circles.is_empty(), "{circles:#?}");
}

/// Names of types that are declared twice in a room, or more than twice in all, and where.
fn doubles(sources: &[Source]) -> BTreeMap<&str, Vec<&str>> {
    let mut places: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        for name in &source.types {
            places.entry(name).or_default().push(source);
        }
    }
    places.retain(|_, places| {
        let rooms: BTreeSet<_> = places.iter().map(|source| source.room()).collect();
        rooms.len() < places.len() || places.len() > 2
    });
    places
        .into_iter()
        .map(|(name, places)| (name, places.iter().map(|source| &*source.file).collect()))
        .collect()
}

#[test]
fn a_type_name_stands_for_one_thing() {
    let sources = judged();
    let doubles = doubles(&sources);
    assert!(doubles.is_empty(), "{doubles:#?}");
}

#[test]
fn codes_decide_nothing() {
    let compared: Vec<String> = judged()
        .iter()
        .flat_map(|source| {
            let at = |found: &String| std::format!("{}: {found}", source.file);
            source.compared_codes.iter().map(at).collect::<Vec<_>>()
        })
        .collect();
    assert!(
        compared.is_empty(),
        "decide on the failure's kind (src/error.rs): {compared:#?}"
    );
}

/// The tests above, on files that are wrong on purpose.
mod planted {
    use super::*;

    /// Files of the room `oci`, each by its name and text.
    fn room(files: &[(&str, &str)]) -> Vec<Source> {
        files
            .iter()
            .map(|(file, text)| Source::of(&std::format!("oci/{file}"), (*text).into()))
            .collect()
    }

    /// Who imports whom in a circle.
    fn circle(files: &[(&str, &str)]) -> Vec<String> {
        let sources = room(files);
        circles(&Crate::of(&sources).edges()).concat()
    }

    #[test]
    fn every_way_to_import_is_seen() {
        let back = "use super::a::A; struct B;";
        for import in [
            "use super::b::B;",
            "use super::{b::B, c};",
            "use crate::{digest, oci::{c::{C, D}, b::{self, B as E}}};",
            "pub use super::b::B;",
            "pub(crate) use crate::oci::b::B;",
            "fn f() -> super::b::B {}",
            "fn f() { crate::oci::b::f::<u8>(1) }",
            "use super::super::oci::b;",
            "use crate::oci; fn f() -> oci::b::B {}",
            "use super::B;",
            "use super::Again;",
        ] {
            let contents = "mod a; mod b; pub use b::B; pub use b::B as Again;";
            let found = circle(&[("mod.rs", contents), ("a.rs", import), ("b.rs", back)]);
            assert_eq!(
                found,
                ["oci/a.rs imports oci/b.rs", "oci/b.rs imports oci/a.rs"],
                "{import}"
            );
        }
    }

    #[test]
    fn tests_comments_and_strings_import_nothing() {
        let back = "use super::a::A;";
        for harmless in [
            "// use super::b::B;",
            "/// [`super::b::B`]",
            "/* use super::b; */",
            "const A: &str = \"super::b::B\";",
            "const A: &str = r#\"\" super::b::B\"#;",
            "const A: &[char] = &['\"', '\\'', 'a']; // '\" super::b::B",
            "#[cfg(test)] use super::b::{B};",
            "#[cfg(test)] #[allow(x)] mod tests { use super::b; fn f() { { b::c() } } }",
            "use crate::digest::b;",
            "use super::a::A;",
        ] {
            let found = circle(&[
                ("mod.rs", "mod a; mod b;"),
                ("a.rs", harmless),
                ("b.rs", back),
            ]);
            assert_eq!(found, [""; 0], "{harmless}");
        }
    }

    #[test]
    fn a_table_of_contents_is_no_import() {
        let circle = |contents, child| circle(&[("mod.rs", contents), ("a.rs", child)]);
        let (uses, alone) = ("use super::Own; pub struct A;", "pub struct A;");
        assert_eq!(
            circle("mod a; pub use a::A; pub struct Own;", uses),
            [""; 0]
        );
        for contents in [
            "mod a; use a::A; pub struct Own;",
            "mod a; use self::a::A; pub struct Own;",
            "mod a; pub struct Own(a::A);",
            "mod a; pub use a::A; pub struct Own(A);",
        ] {
            assert_eq!(circle(contents, uses).len(), 2, "{contents}");
            assert_eq!(circle(contents, alone), [""; 0], "{contents}");
        }
    }

    #[test]
    fn who_passes_a_name_on_is_imported_too() {
        let found = circle(&[
            ("a.rs", "use super::b::C;"),
            ("b.rs", "pub use super::c::C; fn f() -> super::a::A {}"),
            ("c.rs", "struct C;"),
        ]);
        let expected = ["oci/a.rs imports oci/b.rs", "oci/b.rs imports oci/a.rs"];
        assert_eq!(found, expected);
    }

    #[test]
    fn long_circles_are_told_once_and_whole() {
        let sources = room(&[
            ("a.rs", "use super::b::b;"),
            ("b.rs", "use super::c::d::d;"),
            ("c/mod.rs", "mod d;"),
            ("c/d.rs", "use super::super::a::a;"),
            ("e.rs", "use super::a::a;"),
        ]);
        let found = circles(&Crate::of(&sources).edges());
        assert_eq!(
            found,
            [[
                "oci/a.rs imports oci/b.rs",
                "oci/b.rs imports oci/c/d.rs",
                "oci/c/d.rs imports oci/a.rs"
            ]]
        );
    }

    #[test]
    fn a_code_that_is_compared_is_told() {
        for (text, times) in [
            ("fn f() { a.code == \"x\" }", 1),
            ("fn f() { \"x\" != a.b.code }", 1),
            ("fn f() { a.code() == b }", 1),
            ("fn f() { a.code.starts_with(\"x.\") }", 1),
            ("fn f() { match a.code { _ => 1 } }", 1),
            ("fn f() { match (a, b.code()) { _ => 1 } }", 1),
            ("fn f() { matches!(a.b.code, \"x\" | \"y\") }", 1),
            ("fn f() { if let \"x\" = a { b.code } }", 0),
            ("fn f() { match a { B => b.code, C => c.code } }", 0),
            ("fn f() { g(a.code, a.code()); a.code.into() }", 0),
        ] {
            let source = Source::of("oci/a.rs", text.into());
            assert_eq!(source.compared_codes.len(), times, "{text}");
        }
    }

    #[test]
    fn a_name_declared_twice_is_told() {
        let mut sources = room(&[
            (
                "a.rs",
                "struct One; enum Two {} #[cfg(x)] struct Four; #[cfg(y)] struct Four;",
            ),
            (
                "b.rs",
                "codes! { pub enum One {} } impl A for B { type Two = u8; }",
            ),
            ("c.rs", "#[cfg(test)] struct Two; trait Three {}"),
        ]);
        let one = BTreeMap::from([("One", Vec::from(["oci/a.rs", "oci/b.rs"]))]);
        assert_eq!(doubles(&sources), one);
        sources.push(Source::of("tlog/mod.rs", "pub type Three = u8;".into()));
        assert_eq!(doubles(&sources), one);
        sources.push(Source::of("x509/a.rs", "union Three {}".into()));
        let three = Vec::from(["oci/c.rs", "tlog/mod.rs", "x509/a.rs"]);
        assert_eq!(doubles(&sources).get("Three"), Some(&three));
    }
}
