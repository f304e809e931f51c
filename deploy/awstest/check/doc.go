// Package check holds the tests of deploy/terraform: every module by itself, both examples in every topology, the code
// and the plans before linters and policies, and a whole life of a deployment from bootstrap to destroy.
//
//	cd deploy/awstest && go test ./check                                    # the stand-in provider; no account, no registry
//	cd deploy/awstest && SALLYPORT_AWS_REGISTRY=1 go test ./check           # the real provider, from its registry; no account
package check
