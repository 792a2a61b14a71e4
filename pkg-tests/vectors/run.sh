#!/bin/sh
# Runs the test vectors: VECTORS=DIR (default ../shared/vectors, from the repository), TOPICS=a,b (default all),
# ON=native|wasm (default native), PROVIDER=rust|webcrypto (default rust; webcrypto only with ON=wasm).
set -eu
cd "$(dirname "$0")/../.."

VECTORS=${VECTORS:-../shared/vectors}
TOPICS=$(printf %s "${TOPICS:-}" | tr ',' ' ')
ON=${ON:-native}
export PROVIDER="${PROVIDER:-rust}"
PACKAGE=pkg-tests/vectors
BUILT=target/vectors

build() {
  cargo build --quiet --locked --manifest-path "$PACKAGE/Cargo.toml" --target-dir "$BUILT" "$@"
}

# Topics are words of letters and dashes: splitting is meant.
case "$ON" in
native)
  build
  # shellcheck disable=SC2086
  exec "$BUILT/debug/sealgate-vectors" "$VECTORS" $TOPICS
  ;;
wasm)
  build --target wasm32-wasip1
  # shellcheck disable=SC2086
  exec node --no-warnings "$PACKAGE/wasi.mjs" "$BUILT/wasm32-wasip1/debug/sealgate-vectors.wasm" "$VECTORS" $TOPICS
  ;;
*)
  echo "ON=$ON: expected native or wasm" >&2
  exit 2
  ;;
esac
