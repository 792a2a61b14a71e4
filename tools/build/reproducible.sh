#!/usr/bin/env bash
# Builds the package once more, in another folder and with Cargo's sources in another place, and compares its modules and the element: reproducible.sh
# With the name of a module that make builds, that one alone, before wasm-bindgen and wasm-opt: reproducible.sh target/modules/….wasm
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

clone="$scratch/somewhere/else"
mkdir -p "$clone" "$scratch/cargo"
git ls-files -z --cached --others --exclude-standard -- ':!fixtures' | tar --null --ignore-failed-read -T - -cf - | tar -xf - -C "$clone"
ln -s "$PWD/tools/node_modules" "$clone/tools/node_modules"
# Sources are found under another path, and need not be downloaded again.
home=${CARGO_HOME:-$HOME/.cargo}
for part in registry config.toml; do [ ! -e "$home/$part" ] || ln -s "$home/$part" "$scratch/cargo/$part"; done

CARGO_HOME="$scratch/cargo" make --no-print-directory -C "$clone" "${1:-pkg/package.json}"
for module in ${1:-pkg/*.wasm pkg/element*.js}; do
  if ! cmp "$module" "$clone/$module"; then
    echo "two builds of the same sources gave different modules: what of the folder got in? (strings $module)" >&2
    exit 1
  fi
  sha256sum "$module"
done
