# The rules that come with tflint, all of them. Its ruleset for AWS cannot be built from the Go module proxy.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
