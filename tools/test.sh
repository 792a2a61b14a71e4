#!/usr/bin/env bash
# Makes targets one after the other until one fails, and says how long each took: test.sh TARGET…
#
# Beside the first of them the tests' Go programs and mdBook are built where they are missing: Rust's long steps, each a single optimised
# module, leave a core idle. Before the first test that looks at a clock, which browsers and clients do, they are waited for.
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory apt-peers
log="$(mktemp)"
nice make --no-print-directory go-peers mdbook > "$log" 2>&1 &
peers=$!
trap 'kill "$peers" 2> /dev/null || true; rm -f "$log"' EXIT

wait_for_peers() {
  [ -n "$peers" ] || return 0
  wait "$peers" || { cat "$log" >&2; return 1; }
  peers=""
}

took=()
for target in "$@"; do
  started=$SECONDS
  case "$target" in
    test-package | test-wasm-pack | test-page | test-element | test-docs-site | test-clients | test-deploy) wait_for_peers ;;
  esac
  make --no-print-directory "$target"
  took+=("$((SECONDS - started)) s  $target")
done
printf '%s\n' "${took[@]}" "$SECONDS s  in all"
