// Module server is the sallyport binary: configuration, command line, logging, and the wiring of the root module's packages.
module github.com/sallyport-auth/sallyport/server

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	github.com/rogpeppe/go-internal v1.16.0
	github.com/sallyport-auth/sallyport v0.0.0
	github.com/sallyport-auth/sallyport/store/bolt v0.0.0
	github.com/sallyport-auth/sallyport/store/redis v0.0.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	golang.org/x/term v0.47.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/redis/rueidis v1.0.79 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.36.0 // indirect
)

replace (
	github.com/sallyport-auth/sallyport => ../
	github.com/sallyport-auth/sallyport/store/bolt => ../store/bolt
	github.com/sallyport-auth/sallyport/store/redis => ../store/redis
)
