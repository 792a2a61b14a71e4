// The two calls of the Container Runtime Interface that the kubelet makes for an image: pull it, and list what is there.
//
//	cri ADDRESS pull REFERENCE     prints the reference of the image that the runtime now has; by CRI_USER and CRI_PASSWORD, as by
//	                               the secret of a pod
//	cri ADDRESS images             prints the id of each image, one a line
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	if err := call(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func call(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("expected: cri ADDRESS pull REFERENCE, or cri ADDRESS images")
	}
	connection, err := grpc.NewClient("unix://"+args[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	images := runtime.NewImageServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch {
	case args[1] == "pull" && len(args) == 3:
		request := &runtime.PullImageRequest{Image: &runtime.ImageSpec{Image: args[2]}}
		if user := os.Getenv("CRI_USER"); user != "" {
			request.Auth = &runtime.AuthConfig{Username: user, Password: os.Getenv("CRI_PASSWORD")}
		}
		answer, err := images.PullImage(ctx, request)
		if err != nil {
			return err
		}
		fmt.Println(answer.ImageRef)
		return nil
	case args[1] == "images" && len(args) == 2:
		answer, err := images.ListImages(ctx, &runtime.ListImagesRequest{})
		if err != nil {
			return err
		}
		for _, image := range answer.Images {
			fmt.Println(image.Id)
		}
		return nil
	default:
		return fmt.Errorf("expected pull REFERENCE or images, found %v", args[1:])
	}
}
