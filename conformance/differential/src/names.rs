//! References, and texts that look like some.

use crate::random::Random;

const HOSTS: &[(usize, &str)] = &[
    (30, "registry.example/"),
    (6, "registry.example:5000/"),
    (8, "a.b.registry.example/"),
    (3, "localhost/"),
    (3, "localhost:5000/"),
    (8, "docker.io/"),
    (4, "index.docker.io/"),
    (3, "127.0.0.1:5000/"),
    (2, "Registry.Example/"),
    (1, "a.b_c/"),
    (1, "-a.b/"),
    (1, "a-.b/"),
    (1, "a..b/"),
    (1, "[::1]:5000/"),
    (1, "a.b:/"),
    (1, "a.b:80:90/"),
    (1, "UPPER/"),
    (1, "host/"),
    (1, ".a/"),
    (1, "http://a.b/"),
    (15, ""),
];
const PATHS: &[(usize, &str)] = &[
    (40, "team/app"),
    (12, "team/app/deep"),
    (8, "team/other"),
    (8, "team"),
    (6, "busybox"),
    (4, "library/busybox"),
    (3, "team/app2"),
    (1, "a--b/c_d"),
    (1, "a__b/c"),
    (1, "a___b"),
    (1, "a.-b"),
    (1, "Team/app"),
    (1, "team/App"),
    (1, "team//app"),
    (1, "team/"),
    (1, "-a"),
    (1, "a-"),
    (1, ""),
    (1, "é"),
    (
        1,
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    (1, "team/app "),
    (1, "team/app\n"),
];
const TAGS: &[(usize, &str)] = &[
    (50, ":1"),
    (12, ":latest"),
    (10, ":2"),
    (14, ""),
    (1, ":V1.0-x_y"),
    (1, ":_a"),
    (1, ":.a"),
    (1, ":-a"),
    (1, ":"),
    (1, ":a:b"),
    (1, ":é"),
    (1, ":1/x"),
    (1, ":5000/x:1"),
];

/// What people might ask for, or a signature might name. `digest` is that of the image at hand.
pub fn reference(random: &mut Random, digest: &str) -> String {
    let (host, path) = (random.weighted(HOSTS), random.weighted(PATHS));
    let tag = if random.chance(1) {
        format!(":{}", "t".repeat(127 + random.below(3)))
    } else {
        random.weighted(TAGS).into()
    };
    let path = if random.chance(1) {
        format!("{path}{}", "x".repeat(200 + random.below(80)))
    } else {
        path.into()
    };
    let at = suffix(random, digest);
    match (tag.as_str(), at.as_str()) {
        (_, "") => format!("{host}{path}{tag}"),
        _ if random.chance(20) => format!("{host}{path}{tag}{at}"),
        _ => format!("{host}{path}{at}"),
    }
}

fn suffix(random: &mut Random, digest: &str) -> String {
    let hex = digest.split_once(':').map_or("", |(_, hex)| hex);
    match random.below(40) {
        0..=5 => format!("@{digest}"),
        6 => format!("@sha256:{}", "ab".repeat(32)),
        7 if random.chance(30) => format!("@sha512:{}", "ab".repeat(64)),
        7 if random.chance(30) => format!("@sha384:{}", "ab".repeat(48)),
        7 if random.chance(30) => format!("@sha256:{}", hex.to_uppercase()),
        7 if random.chance(30) => format!("@md5:{}", "ab".repeat(16)),
        7 if random.chance(30) => format!("@sha256:{}", "ab".repeat(31)),
        7 if random.chance(30) => "@".into(),
        _ => String::new(),
    }
}

/// A good name, as most that are judged are.
pub fn good_reference(random: &mut Random, digest: &str) -> String {
    let name = random.weighted(&[
        (60, "registry.example/team/app"),
        (10, "registry.example:5000/team/app"),
        (10, "a.b.registry.example/team/app/deep"),
        (8, "busybox"),
        (6, "index.docker.io/team/app"),
        (6, "localhost/team"),
    ]);
    match random.below(10) {
        0 => format!("{name}:2"),
        1 => name.into(),
        2 | 3 => format!("{name}@{digest}"),
        _ => format!("{name}:1"),
    }
}

/// Without tag and digest.
pub fn repository(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

/// What a signature may name when the image is called `reference`.
pub fn signed(random: &mut Random, reference: &str, digest: &str) -> String {
    let name = repository(reference);
    match random.below(20) {
        0..=7 => reference.into(),
        8..=11 => name.into(),
        12 => format!("{name}:other"),
        13 => format!("{name}@{digest}"),
        14 => format!("{name}:1@{digest}"),
        15 => name.replacen("registry.example", "signed.example", 1) + ":1",
        16 => format!("docker.io/library/{name}:1"),
        17 => String::new(),
        _ => self::reference(random, digest),
    }
}

/// A scope that may be hit, or nearly.
pub fn scope(random: &mut Random, reference: &str) -> String {
    let full = if reference.contains(['.', ':']) && reference.contains('/') {
        reference.into()
    } else {
        format!("docker.io/library/{reference}")
    };
    let name = repository(&full).to_owned();
    let host = name.split('/').next().unwrap_or_default().to_owned();
    match random.below(24) {
        0..=3 => full,
        4..=6 => name,
        7..=9 => name
            .rsplit_once('/')
            .map_or(name.clone(), |(parent, _)| parent.into()),
        10 | 11 => host,
        12 => host.split(':').next().unwrap_or_default().into(),
        13..=15 => {
            let labels = host.split(':').next().unwrap_or_default();
            let start = random.below(labels.matches('.').count() + 1);
            let rest: Vec<&str> = labels.split('.').skip(start).collect();
            format!("*.{}", rest.join("."))
        }
        16 | 17 => String::new(),
        18 => format!("{name}/"),
        19 => full.to_uppercase(),
        20 => "docker.io".into(),
        21 => "docker.io/library".into(),
        22 => format!("{name}:latest"),
        _ => reference.into(),
    }
}

/// Scopes of other transports, good and bad.
pub const SCOPES: &[&str] = &[
    "",
    "/",
    "/a",
    "/a/",
    "/a/../b",
    "/a//b",
    "a",
    "/a/.b",
    "/..",
    "/.",
    "//",
    "/a b",
    "sha256:abababababababababababababababababababababababababababababababab",
    "sha256:ab",
    "md5:abababababababababababababababab",
    "h/n/s:t",
    "h/n:t",
    "h/n/s/x",
    "h/n/s:t:u",
    "h//s",
    "h",
    "h:5000/n/s",
    "*.a",
    "[/r]x",
    "[d@/r]x:1",
    "[@/r]x",
    "[d@r]",
    "[/r",
    "[/r]x@abababababababababababababababababababababababababababababababab",
    "[/r]x@sha256:abababababababababababababababababababababababababababababababab",
    "[/r]@abababababababababababababababababababababababababababababababab",
    "[/r]x@sha256:abababababababababababababababababababababababababababababababab@\
     abababababababababababababababababababababababababababababababab",
    "[/r/]x",
    "[/r/../s]x",
    "[d@/r+o=1]x",
    "[]x",
    "[/]x",
    "[d@/r]x@y",
];
