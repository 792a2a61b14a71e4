// What OpenShift's machine-config operator writes into the registries.conf of its nodes, by the function that it calls for that.
//
//	mirror-sets FILE     reads ImageDigestMirrorSet, ImageTagMirrorSet and Image documents, and prints the registries.conf that is
//	                     made of them and an empty one
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/BurntSushi/toml"
	"github.com/containers/image/v5/pkg/sysregistriesv2"
	config "github.com/openshift/api/config/v1"
	"github.com/openshift/runtime-utils/pkg/registries"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := render(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("expected: mirror-sets FILE")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var image config.Image
	var digests []*config.ImageDigestMirrorSet
	var tags []*config.ImageTagMirrorSet
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var what struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &what); err != nil {
			return err
		}
		switch what.Kind {
		case "ImageDigestMirrorSet":
			digests = append(digests, &config.ImageDigestMirrorSet{})
			err = yaml.UnmarshalStrict(document, digests[len(digests)-1])
		case "ImageTagMirrorSet":
			tags = append(tags, &config.ImageTagMirrorSet{})
			err = yaml.UnmarshalStrict(document, tags[len(tags)-1])
		case "Image":
			err = yaml.UnmarshalStrict(document, &image)
		default:
			err = fmt.Errorf("expected mirror sets and an image configuration, found a document of kind %q", what.Kind)
		}
		if err != nil {
			return err
		}
	}
	sources := image.Spec.RegistrySources
	conf := sysregistriesv2.V2RegistriesConf{}
	if err := registries.EditRegistriesConfig(&conf, sources.InsecureRegistries, sources.BlockedRegistries, nil, digests, tags); err != nil {
		return err
	}
	return toml.NewEncoder(os.Stdout).Encode(conf)
}
