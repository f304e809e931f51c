// Module server is the sallyport binary: configuration, command line, logging, and the wiring of the root module's packages.
module github.com/sallyport-auth/sallyport/server

go 1.25.0

require github.com/goccy/go-yaml v1.19.2
