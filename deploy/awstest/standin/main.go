// Command terraform-provider-aws, built from this folder, stands in for the AWS provider: it serves the schema of
// hashicorp/aws 6.66.0 to the real Terraform, so that init, validate, plan, test and apply run with no AWS account and no
// provider registry. It opens no connection but the plugin's own.
//
//	go build -o MIRROR/registry.terraform.io/hashicorp/aws/6.66.0/linux_amd64/terraform-provider-aws_v6.66.0 .
//
// Package tf builds and uses it. It checks names, types, required arguments, block counts and, where a table says so,
// values. What AWS itself would refuse it does not know. schema.json.gz is rebuilt by extract.mjs from the npm package
// @cdktn/provider-aws@25.7.0 (MPL-2.0; see NOTICE).
package main

import (
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	log.SetFlags(0)
	srv := newServer()
	if err := tf5server.Serve("registry.terraform.io/hashicorp/aws", func() tfprotov5.ProviderServer { return srv }); err != nil {
		log.Print(err)
		os.Exit(1)
	}
}
