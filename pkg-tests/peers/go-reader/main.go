// go-reader says what Go's encoding/json makes of a document in the types by which containerd and docker read images: one document in
// base64 a line on standard input, one answer in JSON a line on standard output. Where a type does not fit, what was read until
// then counts.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

type answer struct {
	// It names a config or layers.
	Manifest bool `json:"manifest"`
	// It lists manifests.
	Index bool `json:"index"`
	// It says what to start, or as whom.
	Config bool `json:"config"`
	// The digests that it lists, as config, layers or manifests.
	Lists []string `json:"lists"`
	// The layers that it says a root file system is made of.
	DiffIDs []string `json:"diffIds"`
}

func main() {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		document, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		check(err)
		check(json.NewEncoder(out).Encode(read(document)))
		check(out.Flush())
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(document []byte) answer {
	var manifest v1.Manifest
	var index v1.Index
	var image v1.Image
	// An error of one member leaves the others as they were read.
	_ = json.Unmarshal(document, &manifest)
	_ = json.Unmarshal(document, &index)
	_ = json.Unmarshal(document, &image)
	own := image.Config
	made := answer{
		Manifest: manifest.Config.Digest != "" || len(manifest.Layers) > 0,
		Index:    len(index.Manifests) > 0,
		Config:   own.User != "" || own.WorkingDir != "" || len(own.Entrypoint)+len(own.Cmd)+len(own.Env)+len(own.Volumes)+len(own.ExposedPorts)+len(own.Labels) > 0,
		Lists:    []string{},
		DiffIDs:  []string{},
	}
	for _, one := range append(append(manifest.Layers, manifest.Config), index.Manifests...) {
		if one.Digest != "" {
			made.Lists = append(made.Lists, one.Digest.String())
		}
	}
	for _, id := range image.RootFS.DiffIDs {
		made.DiffIDs = append(made.DiffIDs, id.String())
	}
	return made
}
