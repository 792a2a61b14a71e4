// signature-oracle asks containers/image's successor whether simple signatures (OpenPGP) make an image acceptable: one
// question a line on standard input, one answer a line on standard output, both JSON. It is built twice: with GnuPG's
// library, and (tag containers_image_openpgp) with OpenPGP in Go.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sirupsen/logrus"
	"go.podman.io/image/v5/directory"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/signature"
)

// Byte fields are base64.
type question struct {
	Policy     []byte   `json:"policy"`
	Reference  string   `json:"reference"`
	Manifest   []byte   `json:"manifest"`
	Signatures [][]byte `json:"signatures"`
}

// The error is null where the image is allowed.
type answer struct {
	Allowed bool    `json:"allowed"`
	Error   *string `json:"error"`
}

func main() {
	logrus.SetOutput(io.Discard)
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		var asked question
		check(json.Unmarshal(line, &asked))
		allowed, err := decide(asked)
		result := answer{Allowed: allowed}
		if err != nil {
			text := err.Error()
			result.Error = &text
		}
		check(json.NewEncoder(out).Encode(result))
		check(out.Flush())
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "signature-oracle:", err)
		os.Exit(1)
	}
}

// The image lies in a folder in the format of the transport dir:, and has a name of docker:.
func decide(asked question) (bool, error) {
	// A policy or a name that does not parse is a fault of whoever asks.
	policy, err := signature.NewPolicyFromBytes(asked.Policy)
	check(err)
	name, err := docker.ParseReference("//" + asked.Reference)
	check(err)
	folder, err := os.MkdirTemp("", "signature-oracle-")
	check(err)
	defer os.RemoveAll(folder)
	check(os.WriteFile(filepath.Join(folder, "manifest.json"), asked.Manifest, 0o600))
	for number, stored := range asked.Signatures {
		check(os.WriteFile(filepath.Join(folder, fmt.Sprintf("signature-%d", number+1)), stored, 0o600))
	}
	stored, err := directory.NewReference(folder)
	check(err)
	ctx := context.Background()
	source, err := stored.NewImageSource(ctx, nil)
	check(err)
	defer source.Close()
	unparsed := image.UnparsedInstanceWithReference(image.UnparsedInstance(source, nil), name)
	policies, err := signature.NewPolicyContext(policy)
	check(err)
	defer policies.Destroy()
	return policies.IsRunningImageAllowed(ctx, unparsed)
}
