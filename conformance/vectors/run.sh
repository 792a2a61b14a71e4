#!/bin/sh
# Runs the test vectors: VECTORS=DIR (default ../shared/vectors, from the repository), TOPICS=a,b (default all),
# ON=native|wasm|chromium (default native), PROVIDER=rust|webcrypto (default rust; webcrypto not natively).
# wasm and chromium want the package, which `make build` leaves in pkg/; SEALGATE_PACKAGE=DIR names another.
set -eu
cd "$(dirname "$0")/../.."

VECTORS=${VECTORS:-../shared/vectors}
TOPICS=$(printf %s "${TOPICS:-}" | tr ',' ' ')
ON=${ON:-native}
export PROVIDER="${PROVIDER:-rust}"
HERE=conformance/vectors
BUILT=target/vectors

build() {
  cargo build --quiet --locked --manifest-path "$HERE/Cargo.toml" --target-dir "$BUILT" "$@"
}

# Topics are words of letters and dashes: splitting is meant.
case "$ON" in
native)
  build
  # shellcheck disable=SC2086
  exec "$BUILT/debug/sealgate-vectors" "$VECTORS" $TOPICS
  ;;
wasm | chromium)
  build --target wasm32-wasip1
  [ "$ON" = wasm ] && runner=wasi.mjs || runner=chromium.mjs
  # shellcheck disable=SC2086
  exec node --no-warnings "$HERE/$runner" "$BUILT/wasm32-wasip1/debug/sealgate-vectors.wasm" "$VECTORS" $TOPICS
  ;;
*)
  echo "ON=$ON: expected native, wasm or chromium" >&2
  exit 2
  ;;
esac
