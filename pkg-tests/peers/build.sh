#!/usr/bin/env bash
# Builds the real tools that fixtures and tests are made with.
#
#   build.sh TOOL…     builds each and prints the path of each program, one a line
#
# Each tool is a Go module of its own beside this file (their dependencies disagree), pinned by its go.mod and go.sum.
# A program is built once for each (go.mod, go.sum, source, Go version) and kept in the cache.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${SEALGATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sealgate}/peers"

# Programs of one module that a version of their own binds together share its folder.
folder_of() {
  case "$1" in
    buildctl | buildkitd) echo "$here/buildkit" ;;
    ctr2) echo "$here/containerd2" ;;
    signature-oracle-go) echo "$here/signature-oracle" ;;
    *) echo "$here/$1" ;;
  esac
}

fail() { echo "peers: $*" >&2; exit 1; }

package_of() {
  case "$1" in
    buildctl) echo github.com/moby/buildkit/cmd/buildctl ;;
    buildkitd) echo github.com/moby/buildkit/cmd/buildkitd ;;
    crane) echo github.com/google/go-containerregistry/cmd/crane ;;
    cosign2) echo github.com/sigstore/cosign/v2/cmd/cosign ;;
    containerd2) echo github.com/containerd/containerd/v2/cmd/containerd ;;
    ctr2) echo github.com/containerd/containerd/v2/cmd/ctr ;;
    cosign3) echo github.com/sigstore/cosign/v3/cmd/cosign ;;
    distribution) echo github.com/distribution/distribution/v3/cmd/registry ;;
    dockerd) echo github.com/moby/moby/v2/cmd/dockerd ;;
    fulcio) echo github.com/sigstore/fulcio ;;
    oci-conformance) echo github.com/opencontainers/distribution-spec/conformance ;;
    oras) echo oras.land/oras/cmd/oras ;;
    cri | go-reader | image-copy | mirror-sets | policy-oracle | referrers-registry | signature-oracle | signature-oracle-go) echo . ;;
    rekor2) echo github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix ;;
    timestamp-authority) echo . ;;
    *) return 1 ;;
  esac
}
known="buildctl buildkitd containerd2 cosign2 cosign3 crane cri ctr2 distribution dockerd fulcio go-reader image-copy mirror-sets oci-conformance oras policy-oracle referrers-registry rekor2 signature-oracle signature-oracle-go timestamp-authority"

(( $# > 0 )) || fail "expected the names of tools ($known), found none"
command -v go >/dev/null || fail "expected Go 1.26 or newer on the PATH, found no 'go'; install it from https://go.dev/dl/"

# The version of Go that is installed decides, and it is part of the cache key; a download behind our back is neither.
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly
go_version="$(go env GOVERSION)"
[[ "$go_version" =~ ^go1\.([0-9]+) ]] && (( BASH_REMATCH[1] >= 26 )) \
  || fail "expected Go 1.26 or newer, found $go_version ($(command -v go)); install a newer one from https://go.dev/dl/"

build() {
  local tool="$1" folder package key dir
  package="$(package_of "$tool")" || fail "expected one of: $known; found '$tool'"
  folder="$(folder_of "$tool")"
  [[ -f "$folder/go.mod" ]] || fail "expected $folder/go.mod, found none"
  key="$({ cat "$folder"/{go.mod,go.sum}; find "$folder" -name '*.go' -exec cat {} +; echo "$go_version"; } | sha256sum | cut -c1-16)"
  dir="$cache/$tool-$key"
  if [[ ! -x "$dir/$tool" ]]; then
    mkdir -p "$dir"
    # Test files run side by side: one builds, the others wait and find it there.
    exec 9>"$dir/lock"
    flock 9
    if [[ ! -x "$dir/$tool" ]]; then
      echo "peers: building $tool (once; a few minutes for cosign)" >&2
      # containers/image with OpenPGP in Go, so that no library in C is needed; signature-oracle alone has GnuPG's.
      (cd "$folder" \
        && case "$tool" in policy-oracle | image-copy | mirror-sets | signature-oracle-go)
             export CGO_ENABLED=0 GOFLAGS="$GOFLAGS -tags=containers_image_openpgp" ;; esac \
        && go build -buildvcs=false -ldflags='-s -w' -o "$dir/$tool.new" "$package") >&2 \
        || fail "go build of $tool failed (the lines above say why; the Go module proxy must be reachable the first time)"
      mv "$dir/$tool.new" "$dir/$tool"
    fi
    exec 9>&-
  fi
  echo "$dir/$tool"
}

for tool in "$@"; do build "$tool"; done
