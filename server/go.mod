// Module server is the sallyport binary: configuration, command line, logging, and the wiring of the root module's packages.
module github.com/sallyport-auth/sallyport/server

go 1.26.0

require github.com/goccy/go-yaml v1.19.2

require (
	github.com/rogpeppe/go-internal v1.16.0
	github.com/sallyport-auth/sallyport v0.0.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/term v0.47.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)

replace github.com/sallyport-auth/sallyport => ../
