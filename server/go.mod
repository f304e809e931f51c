// Module server is the sallyport binary: configuration, command line, logging, and the wiring of the root module's packages.
module github.com/sallyport-auth/sallyport/server

go 1.26.0

require (
	github.com/goccy/go-yaml v1.19.2
	github.com/prometheus/client_golang v1.25.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/sallyport-auth/sallyport v0.0.0
	github.com/sallyport-auth/sallyport/store/bolt v0.0.0
	github.com/sallyport-auth/sallyport/store/redis v0.0.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	golang.org/x/term v0.47.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/coder/websocket v1.8.15
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/redis/rueidis v1.0.79 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.36.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace (
	github.com/sallyport-auth/sallyport => ../
	github.com/sallyport-auth/sallyport/store/bolt => ../store/bolt
	github.com/sallyport-auth/sallyport/store/redis => ../store/redis
)
