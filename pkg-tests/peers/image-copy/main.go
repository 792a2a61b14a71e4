// image-copy copies an image as podman, skopeo and buildah of today do, whose library it is: from a registry into a folder, where the
// policy allows it, with the signatures that the registry has.
//
//	image-copy POLICY REGISTRIES_D docker://REFERENCE FOLDER [all]     all: every image of an index
package main

import (
	"context"
	"fmt"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/directory"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 4 || len(args) > 5 || len(args[2]) < len("docker:") {
		return fmt.Errorf("expected: image-copy POLICY REGISTRIES_D docker://REFERENCE FOLDER [all]")
	}
	policy, err := signature.NewPolicyFromFile(args[0])
	if err != nil {
		return err
	}
	rules, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	defer rules.Destroy()
	source, err := docker.ParseReference(args[2][len("docker:"):])
	if err != nil {
		return err
	}
	target, err := directory.NewReference(args[3])
	if err != nil {
		return err
	}
	system := &types.SystemContext{RegistriesDirPath: args[1], DockerInsecureSkipTLSVerify: types.OptionalBoolTrue, SystemRegistriesConfPath: "/dev/null"}
	options := &copy.Options{SourceCtx: system, DestinationCtx: system, ImageListSelection: copy.CopySystemImage}
	if len(args) == 5 {
		options.ImageListSelection = copy.CopyAllImages
	}
	_, err = copy.Image(context.Background(), rules, target, source, options)
	return err
}
