//! Comments and pages cite the project's own pages: none of these citations leads nowhere, and what
//! the pages list is complete. Reads the repository, and so is left out of the packaged crate (see
//! `include` in Cargo.toml).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where citations stand.
const FOLDERS: [&str; 10] = [
    "src",
    "fuzz",
    "tests",
    "js",
    "worker",
    "www",
    "pkg-tests",
    "conformance",
    "tools",
    "docs",
];
const PAGES: [&str; 4] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
];
const TEXTS: [&str; 9] = ["rs", "js", "mjs", "ts", "json", "md", "sh", "html", "css"];
/// Pages that lie outside of the repository, which earlier comments named.
const FORMER: [&str; 6] = [
    "TRUST section",
    "TRUST.md",
    "GATEWAY",
    "DESIGN",
    "facts/",
    "STYLE.md",
];
/// How names of files and hosts end that look like codes.
const FILES: [&str; 6] = ["json", "md", "pub", "ts", "rs", "io"];
const CASES: &str = "docs/containers-image.md";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["node_modules", "target"].contains(&name) {
            collect(&path, found);
        } else if path
            .extension()
            .is_some_and(|end| TEXTS.iter().any(|text| end == *text))
            && !["package-lock.json", "citations.rs"].contains(&name)
        {
            found.push(path);
        }
    }
}

/// Every text of the repository by its path, a comment's lines joined to one.
fn texts() -> BTreeMap<String, String> {
    let mut found: Vec<PathBuf> = PAGES.iter().map(|page| root().join(page)).collect();
    for folder in FOLDERS {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 300, "the repository's files were found");
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            (name.replace('\\', "/"), joined(&read(name)))
        })
        .collect()
}

fn joined(text: &str) -> String {
    let bare = |line: &str| {
        let line = line.trim();
        ["///", "//!", "//", "* "]
            .iter()
            .find_map(|sign| line.strip_prefix(sign))
            .unwrap_or(line)
            .trim()
            .to_string()
    };
    text.lines().map(bare).collect::<Vec<_>>().join(" ")
}

/// What may be cited in a page.
#[derive(Default)]
struct Page {
    titles: Vec<String>,
    anchors: BTreeSet<String>,
    sections: BTreeSet<String>,
    cases: BTreeSet<String>,
}

impl Page {
    fn read(path: &str) -> Self {
        let text = read(path);
        let mut page = Self::default();
        for line in text.lines() {
            if let Some(title) = line
                .strip_prefix('#')
                .map(|rest| rest.trim_start_matches('#').trim())
            {
                let number = title.split(' ').next().unwrap().trim_end_matches('.');
                if number.starts_with(|first: char| first.is_ascii_digit()) {
                    page.sections.insert(number.into());
                }
                page.anchors.insert(anchor(title));
                page.titles.push(title.into());
            } else if let Some(first) = line
                .strip_prefix("| ")
                .and_then(|rest| rest.split(' ').next())
                && is_case(first)
            {
                page.cases.insert(first.into());
            }
        }
        page
    }
}

/// As GitHub makes them.
fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// `A1`, `P36`: a decision case of containers/image.
fn is_case(word: &str) -> bool {
    word.strip_prefix(['P', 'S', 'M', 'G', 'C', 'A'])
        .is_some_and(|digits| {
            (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
}

/// The numbers of `section 2.2`, `sections 1, 4 and 6` and `sections 3 to 6`.
fn sections(after: &str) -> Vec<String> {
    let Some(list) = after
        .trim_start_matches([',', ' '])
        .strip_prefix("section")
        .map(|rest| rest.trim_start_matches('s'))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for word in list.split_whitespace() {
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let number = word[..end.unwrap_or(word.len())].trim_end_matches('.');
        let is_number = !number.is_empty();
        if is_number {
            found.push(number.to_string());
        }
        let goes_on = is_number && (word.ends_with(',') || word == number);
        if !goes_on && !["and", "to"].contains(&word) {
            break;
        }
    }
    found
}

/// What a citation of `page`, followed by `after`, names that is not there.
fn missing(page: &Page, after: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let numbers = sections(after);
    if numbers.is_empty() && after.trim_start_matches([',', ' ']).starts_with("section") {
        missing.push("a section without number".into());
    }
    missing.extend(
        numbers
            .iter()
            .filter(|number| !page.sections.contains(*number))
            .map(|number| format!("section {number}")),
    );
    if let Some(title) = after
        .strip_prefix(" \"")
        .and_then(|rest| rest.split('"').next())
        && !page.titles.iter().any(|known| known == title)
    {
        missing.push(format!("{title:?}"));
    }
    if let Some(wanted) = after.strip_prefix('#').map(|rest| {
        rest.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_')))
            .next()
            .unwrap()
    }) && !page.anchors.contains(wanted)
    {
        missing.push(format!("#{wanted}"));
    }
    missing
}

#[test]
fn no_citation_leads_nowhere() {
    let mut pages: BTreeMap<String, Page> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, text) in texts() {
        for (at, _) in text.match_indices("docs/") {
            let rest = &text[at..];
            let length = "docs/".len()
                + rest["docs/".len()..]
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                    .unwrap_or(0);
            let Some(after) = rest[length..].strip_prefix(".md") else {
                continue;
            };
            let path = format!("{}.md", &rest[..length]);
            count += 1;
            if !root().join(&path).exists() {
                wrong.push(format!("{file}: {path} does not exist"));
                continue;
            }
            let page = pages
                .entry(path.clone())
                .or_insert_with(|| Page::read(&path));
            for what in missing(page, after) {
                wrong.push(format!("{file}: {path} has no {what}"));
            }
        }
    }
    assert!(count > 150, "citations were found: {count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_cites_what_is_not_in_the_repository() {
    let wrong: Vec<String> = texts()
        .iter()
        .flat_map(|(file, text)| {
            FORMER
                .iter()
                .filter(|name| text.contains(**name))
                .map(move |name| format!("{file} cites {name}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn cases_have_their_rows() {
    let page = Page::read(CASES);
    assert_eq!(page.cases.len(), 117);
    let wrong: Vec<String> = texts()
        .iter()
        .filter(|(file, text)| file.ends_with(".rs") && text.contains(CASES))
        .flat_map(|(file, text)| {
            words(text)
                .filter(|word| is_case(word) && !page.cases.contains(*word))
                .map(move |case| format!("{file}: {CASES} has no {case}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Links from page to page, `[…](trust.md#8-indexes)`, and from the root's pages into docs/.
#[test]
fn no_link_leads_nowhere() {
    let mut wrong = Vec::new();
    let pages = texts().into_iter().filter(|(file, _)| {
        file.ends_with(".md") && (!file.contains('/') || file.starts_with("docs/"))
    });
    for (file, text) in pages {
        let folder = Path::new(&file).parent().unwrap().to_path_buf();
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|target| !target.contains("://"))
        {
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let path = match path {
                "" => file.clone(),
                _ => folder.join(path).to_str().unwrap().to_string(),
            };
            if !root().join(&path).exists() {
                wrong.push(format!("{file}: {target}"));
            } else if !fragment.is_empty() && !Page::read(&path).anchors.contains(fragment) {
                wrong.push(format!("{file}: {target} has no such heading"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `| PL01 | default-open | warning |` for each line of the linter's table.
#[test]
fn every_lint_is_explained() {
    let mut lints = Vec::new();
    for (file, _) in texts()
        .iter()
        .filter(|(file, _)| file.starts_with("src/policy/lint/"))
    {
        for line in read(file).lines() {
            let parts: Vec<&str> = line.trim().split('"').collect();
            if let [_, id, " ", name, severity] = parts[..]
                && let Some(severity) = severity.trim().strip_suffix(';')
            {
                lints.push(format!("| {id} | {name} | {} |", severity.to_lowercase()));
            }
        }
    }
    assert!(lints.len() > 40, "lints were found: {}", lints.len());
    let page = read("docs/policy.md");
    let rows: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with("| PL") || line.starts_with("| SL"))
        .map(|line| line.splitn(5, '|').take(4).collect::<Vec<_>>().join("|") + "|")
        .collect();
    assert_eq!(rows, lints.into_iter().collect());
}

/// Each setting that a runtime reads has a row.
#[test]
fn every_setting_of_the_gateway_is_explained() {
    let code = [read("js/config.js"), read("worker/index.js")].concat();
    let settings: Vec<&str> = code
        .lines()
        .filter_map(|line| line.trim().strip_prefix("* @property ")?.split_once("} ["))
        .filter_map(|(_, rest)| rest.split(']').next())
        .collect();
    assert!(settings.len() > 10, "settings were found: {settings:?}");
    let page = read("docs/gateway.md");
    let unexplained: Vec<&str> = settings
        .into_iter()
        .filter(|name| !page.contains(&format!("\n| `{name}` | ")))
        .collect();
    assert_eq!(unexplained, Vec::<&str>::new());
}

/// A page that names a code of a kind that there is names one that there is.
#[test]
fn codes_in_pages_exist() {
    let list = read("js/codes.d.ts");
    let codes: BTreeSet<&str> = list.split('"').skip(1).step_by(2).collect();
    let kinds: BTreeSet<&str> = codes
        .iter()
        .filter_map(|code| Some(code.split_once('.')?.0))
        .collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, text) in texts()
        .iter()
        .filter(|(file, _)| file.ends_with(".md") && *file != "CHANGELOG.md")
    {
        for word in text.split('`').skip(1).step_by(2) {
            let Some((kind, rest)) = word.split_once('.') else {
                continue;
            };
            let is_code = kinds.contains(kind)
                && !rest.is_empty()
                && rest
                    .bytes()
                    .all(|c| c.is_ascii_lowercase() || c == b'-' || c == b'.')
                && !FILES.iter().any(|end| rest.ends_with(end));
            count += usize::from(is_code);
            if is_code && !codes.contains(word) {
                wrong.push(format!("{file}: {word}"));
            }
        }
    }
    assert!(count > 30, "codes were found: {count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
