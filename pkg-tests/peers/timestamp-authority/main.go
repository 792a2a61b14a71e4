// A timestamp authority (RFC 3161) by Sigstore's own packages: `timestamp-authority CHAIN.pem KEY.pem`.
// It listens on a free loopback port, prints "127.0.0.1:PORT" as its only line of output, and serves until it is ended.
// Its authors' program also takes port 2112 for metrics and ends without it, so that two of them cannot run.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatalf("expected the certificate chain and the key, found %d arguments", len(os.Args)-1)
	}
	viper.Set("timestamp-signer", "file")
	viper.Set("timestamp-signer-hash", "sha256")
	viper.Set("certificate-chain-path", os.Args[1])
	viper.Set("file-signer-key-path", os.Args[2])
	viper.Set("enforce-intermediate-eku", true)
	viper.Set("max-request-body-size", uint64(1<<20))
	rest := server.NewRestAPIServer("127.0.0.1", 0, []string{"http"}, false, 10*time.Second, 10*time.Second)
	if err := rest.Listen(); err != nil {
		log.Fatal(err)
	}
	listener, err := rest.HTTPListener()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(rest.Serve())
}
