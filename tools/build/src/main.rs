//! Makes `pkg/`, the npm package: each module with its glue (by wasm-bindgen), made smaller (by
//! wasm-opt), and what `js/`, `www/` and `fixtures/demo/` hold.
//!
//! `sealgate-build PKG NAME.wasm… [--root DIR] [--wasm-opt PROGRAM | --no-wasm-opt]`
//!
//! `NAME.wasm` becomes `NAME.js` and `NAME_bg.wasm`.
//!
//! The package is written beside its place and moved there when it is whole, so that nobody meets
//! half of it.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_bindgen_cli_support::Bindgen;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Where npm puts binaryen's wasm-opt, seen from the root of the repository.
const WASM_OPT: &str = "tools/node_modules/binaryen/bin/wasm-opt";
/// Measured: -O1 gives the smallest brotli in a third of the time; -Os and -Oz save raw bytes and
/// cost 4 % on the wire.
const WASM_OPT_LEVEL: &str = "-O1";
/// Measured (docs/performance.md "Size"): functions of at most 12 nodes are written where they are
/// called, which takes a tenth off a bundle's time for 0.5 % on the wire; 20 gain no more for 4 %.
const INLINING: [&str; 5] = [
    "--inlining-optimizing",
    "--always-inline-max-function-size",
    "12",
    "--one-caller-inline-max-function-size",
    "0",
];
/// What rustc switches on for wasm32-unknown-unknown; wasm-opt is told to stay within it.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];
/// Copied from the root when they are there.
const PAPERS: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];
/// What `sealgate serve` shows: the page, and the layouts of the demo registry. What the other ways
/// to run the gateway begin with.
const FOLDERS: [(&str, &str); 3] = [
    ("www", "www"),
    ("fixtures/demo", "demo"),
    ("deploy", "deploy"),
];
/// The worker's modules, without what runs it in a clone.
const WORKER: [&str; 5] = ["admin.js", "index.js", "policy.js", "state.js", "store.js"];

struct Options {
    modules: Vec<PathBuf>,
    package: PathBuf,
    root: PathBuf,
    wasm_opt: Option<PathBuf>,
}

fn main() {
    if let Err(error) = parse_options(std::env::args().skip(1)).and_then(|options| build(&options))
    {
        eprintln!("sealgate-build: {error}");
        std::process::exit(1);
    }
}

fn build(options: &Options) -> Outcome<()> {
    check_versions(&options.root)?;
    let fresh = sibling(&options.package, "new");
    remove(&fresh)?;
    fs::create_dir_all(&fresh)?;

    let mut made = Vec::new();
    for module in &options.modules {
        let name = bind(module, &fresh)?;
        if let Some(wasm_opt) = &options.wasm_opt {
            optimise(wasm_opt, &fresh.join(&name))?;
        }
        made.push(options.package.join(name));
    }
    copy_tree(&options.root.join("js"), &fresh)?;
    for (from, to) in FOLDERS {
        copy_tree(&options.root.join(from), &fresh.join(to))?;
    }
    fs::create_dir_all(fresh.join("worker"))?;
    for module in WORKER {
        fs::copy(
            options.root.join("worker").join(module),
            fresh.join("worker").join(module),
        )?;
    }
    for paper in PAPERS {
        let from = options.root.join(paper);
        if from.is_file() {
            fs::copy(&from, fresh.join(paper))?;
        }
    }

    stamp(&options.root, &fresh)?;

    put_in_place(&fresh, &options.package)?;
    print_sizes(&options.root, &made)
}

/// The glue that `init()` without arguments can load, and that can start over after a trap. Gives
/// the bound module's file name.
fn bind(module: &Path, out: &Path) -> Outcome<String> {
    if !module.is_file() {
        return Err(format!(
            "{}: no such file; build the crate for wasm32-unknown-unknown first",
            module.display()
        )
        .into());
    }
    let name = module
        .file_stem()
        .and_then(OsStr::to_str)
        .ok_or("a module's name is text")?;
    Bindgen::new()
        .input_path(module)
        .out_name(name)
        .web(true)?
        .omit_default_module_path(false)
        .reset_state_function(true)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
        .map_err(|error| format!("wasm-bindgen: {error:#}"))?;
    // It types the raw exports, which nobody but the glue may call.
    fs::remove_file(out.join(format!("{name}_bg.wasm.d.ts")))?;
    Ok(format!("{name}_bg.wasm"))
}

fn optimise(wasm_opt: &Path, wasm: &Path) -> Outcome<()> {
    let small = wasm.with_extension("opt.wasm");
    let mut command = Command::new(wasm_opt);
    command
        .arg(WASM_OPT_LEVEL)
        .args(INLINING)
        .args(WASM_FEATURES)
        .arg(wasm)
        .arg("-o")
        .arg(&small);
    run(
        &mut command,
        "`npm ci --prefix tools` installs it; --wasm-opt names another, --no-wasm-opt goes without",
    )?;
    fs::rename(&small, wasm)?;
    Ok(())
}

/// The package says which crates it is made of, takes what it carries along, and says which modules it
/// holds.
fn stamp(root: &Path, package: &Path) -> Outcome<()> {
    for script in ["sbom.mjs", "stamp.mjs"] {
        run(
            Command::new("node")
                .arg(root.join("tools/build").join(script))
                .arg(package),
            "it is Node, which the project needs anyway",
        )?;
    }
    Ok(())
}

fn print_sizes(root: &Path, modules: &[PathBuf]) -> Outcome<()> {
    run(
        Command::new("node")
            .arg(root.join("tools/build/sizes.mjs"))
            .args(modules),
        "it is Node, which the project needs anyway",
    )
}

fn run(command: &mut Command, remedy: &str) -> Outcome<()> {
    let program = command.get_program().to_owned();
    let name = Path::new(&program).display();
    match command.status() {
        Err(error) => Err(format!("cannot run {name}: {error}; {remedy}").into()),
        Ok(status) if !status.success() => Err(format!("{name} failed ({status})").into()),
        Ok(_) => Ok(()),
    }
}

/// The crate and the package are one thing under one version.
fn check_versions(root: &Path) -> Outcome<()> {
    let of_crate = quoted_after(
        &fs::read_to_string(root.join("Cargo.toml"))?,
        "\nversion = ",
    );
    let of_package = quoted_after(
        &fs::read_to_string(root.join("js/package.json"))?,
        "\n  \"version\": ",
    );
    if of_crate.is_none() || of_crate != of_package {
        return Err(format!(
            "Cargo.toml has version {of_crate:?}, js/package.json {of_package:?}; expected the \
             same in both"
        )
        .into());
    }
    Ok(())
}

fn quoted_after(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(key)?;
    Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned())
}

fn copy_tree(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Two renames: whoever looks meets the old package or the new one.
fn put_in_place(fresh: &Path, package: &Path) -> Outcome<()> {
    let old = sibling(package, "old");
    remove(&old)?;
    if package.exists() {
        fs::rename(package, &old)?;
    }
    fs::rename(fresh, package)?;
    remove(&old)
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or(OsStr::new("pkg")).to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn remove(folder: &Path) -> Outcome<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn parse_options(mut arguments: impl Iterator<Item = String>) -> Outcome<Options> {
    let (mut places, mut root, mut wasm_opt, mut optimised) =
        (Vec::new(), PathBuf::from("."), None, true);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--root" => root = value()?.into(),
            "--wasm-opt" => wasm_opt = Some(PathBuf::from(value()?)),
            "--no-wasm-opt" => optimised = false,
            other if other.starts_with('-') => return Err(format!("unknown option {other}").into()),
            _ => places.push(PathBuf::from(argument)),
        }
    }
    let [package, modules @ ..] = places.as_slice() else {
        return Err("expected PKG and at least one NAME.wasm, found nothing".into());
    };
    if modules.is_empty() {
        return Err("expected at least one NAME.wasm after PKG, found none".into());
    }
    let wasm_opt = optimised.then(|| {
        wasm_opt
            .or_else(|| std::env::var_os("WASM_OPT").map(PathBuf::from))
            .unwrap_or_else(|| root.join(WASM_OPT))
    });
    Ok(Options {
        modules: modules.to_vec(),
        package: package.clone(),
        root,
        wasm_opt,
    })
}
