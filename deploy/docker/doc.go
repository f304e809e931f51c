// Package docker tests the recipes of the images without an engine that builds them: each is parsed and linted by BuildKit's own
// front end, its build stage is replayed command by command in a folder, and compose.yaml is loaded by Compose's own loader.
package docker
