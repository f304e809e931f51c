// Package deploy tests scripts/deploy: the real script, the real terraform on a small root with the built-in provider, and this test
// binary in the place of aws, docker, podman and curl, over a folder that stands for the account (world_test.go).
package deploy
