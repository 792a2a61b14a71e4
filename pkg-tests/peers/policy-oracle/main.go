// policy-oracle asks containers/image's successor for its verdicts: one question a line on standard input, one answer a
// line on standard output, both JSON. The images lie in a folder and have references of docker:; nothing
// is fetched.
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
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
	"go.podman.io/image/v5/directory"
	"go.podman.io/image/v5/docker"
	_ "go.podman.io/image/v5/docker/archive"
	_ "go.podman.io/image/v5/docker/daemon"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/image"
	_ "go.podman.io/image/v5/oci/archive"
	_ "go.podman.io/image/v5/oci/layout"
	_ "go.podman.io/image/v5/openshift"
	_ "go.podman.io/image/v5/sif"
	"go.podman.io/image/v5/signature"
	_ "go.podman.io/image/v5/storage"
	_ "go.podman.io/image/v5/tarball"
	"go.podman.io/image/v5/types"
)

// Byte fields are base64.
type question struct {
	Policy     []byte
	Reference  string
	Manifest   []byte
	Signatures []layer
}

// One layer of the .sig manifest.
type layer struct {
	MediaType   string            `json:"mimeType"`
	Payload     []byte            `json:"payload"`
	Annotations map[string]string `json:"annotations"`
}

// Errors are null where there is none; a verdict is there when policy and reference are good.
type answer struct {
	PolicyError    *string `json:"policyError"`
	ReferenceError *string `json:"referenceError"`
	// The reference in full.
	Identity string `json:"identity"`
	// The scope of docker: that was hit; null is the policy's default.
	Scope   *string `json:"scope"`
	Allowed bool    `json:"allowed"`
	Error   *string `json:"error"`
}

func main() {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.DebugLevel)
	heard := &listener{}
	logrus.AddHook(heard)
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		var asked question
		check(json.Unmarshal(line, &asked))
		check(json.NewEncoder(out).Encode(decide(asked, heard)))
		check(out.Flush())
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "policy-oracle:", err)
		os.Exit(1)
	}
}

func decide(asked question, heard *listener) answer {
	policy, policyError := signature.NewPolicyFromBytes(asked.Policy)
	reference, referenceError := docker.ParseReference("//" + asked.Reference)
	result := answer{PolicyError: text(policyError), ReferenceError: text(referenceError)}
	if referenceError == nil {
		result.Identity = reference.DockerReference().String()
	}
	if policyError != nil || referenceError != nil {
		return result
	}
	heard.scope = nil
	allowed, err := judge(policy, reference, asked)
	result.Allowed, result.Error, result.Scope = allowed, text(err), heard.scope
	return result
}

// As package copy does it: the manifest is hashed before the policy is asked.
func judge(policy *signature.Policy, name types.ImageReference, asked question) (bool, error) {
	folder, err := os.MkdirTemp("", "policy-oracle-")
	check(err)
	defer os.RemoveAll(folder)
	pinned := digestOf(name)
	check(store(folder, pinned, asked))
	stored, err := directory.NewReference(folder)
	check(err)
	ctx := context.Background()
	source, err := stored.NewImageSource(ctx, nil)
	check(err)
	defer source.Close()
	unparsed := image.UnparsedInstanceWithReference(image.UnparsedInstance(source, pinned), name)
	policies, err := signature.NewPolicyContext(policy)
	check(err)
	defer policies.Destroy()
	_, _, manifestError := unparsed.Manifest(ctx)
	// Asked in any case, so that the scope is known.
	allowed, err := policies.IsRunningImageAllowed(ctx, unparsed)
	if manifestError != nil {
		return false, manifestError
	}
	return allowed, err
}

// The digest by which the image is asked for, if it is.
func digestOf(name types.ImageReference) *digest.Digest {
	if canonical, ok := name.DockerReference().(reference.Canonical); ok {
		digest := canonical.Digest()
		return &digest
	}
	return nil
}

// In the format of the transport dir:, the only one whose images carry Cosign's signatures and need no registry.
func store(folder string, pinned *digest.Digest, asked question) error {
	prefix := ""
	if pinned != nil {
		prefix = pinned.Encoded() + "."
		if pinned.Algorithm() != digest.Canonical {
			prefix = pinned.Algorithm().String() + "-" + prefix
		}
	}
	if err := os.WriteFile(filepath.Join(folder, prefix+"manifest.json"), asked.Manifest, 0o600); err != nil {
		return err
	}
	for number, layer := range asked.Signatures {
		content, err := json.Marshal(layer)
		if err != nil {
			return err
		}
		content = append([]byte("\x00sigstore-json\n"), content...)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%ssignature-%d", prefix, number+1)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func text(err error) *string {
	if err == nil {
		return nil
	}
	text := err.Error()
	return &text
}

// listener hears which scope was chosen, which is said nowhere else.
type listener struct{ scope *string }

func (*listener) Levels() []logrus.Level { return []logrus.Level{logrus.DebugLevel} }

func (l *listener) Fire(entry *logrus.Entry) error {
	words := strings.TrimSpace(entry.Message)
	if !strings.HasPrefix(words, "Using transport ") {
		return nil
	}
	var transport, scope string
	rest := strings.Replace(words, " specific policy section", " policy section", 1)
	if _, err := fmt.Sscanf(rest, "Using transport %q policy section %q", &transport, &scope); err != nil {
		return err
	}
	l.scope = &scope
	return nil
}
