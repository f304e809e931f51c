// Module nodes tests several nodes of Sallyport over one store, with faults between them.
module github.com/sallyport-auth/sallyport/e2e/nodes

go 1.26.0

replace (
	github.com/sallyport-auth/sallyport => ../../
	github.com/sallyport-auth/sallyport/store/bolt => ../../store/bolt
	github.com/sallyport-auth/sallyport/store/redis => ../../store/redis
)

require (
	github.com/Shopify/toxiproxy/v2 v2.5.0
	github.com/anishathalye/porcupine v1.3.1
	github.com/prometheus/client_golang v1.13.0
	github.com/rs/zerolog v1.28.0
	github.com/sallyport-auth/sallyport v0.0.0
	github.com/sallyport-auth/sallyport/store/bolt v0.0.0-00010101000000-000000000000
	github.com/sallyport-auth/sallyport/store/redis v0.0.0
)

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.1.2 // indirect
	github.com/golang/protobuf v1.5.2 // indirect
	github.com/gorilla/mux v1.8.0 // indirect
	github.com/mattn/go-colorable v0.1.13 // indirect
	github.com/mattn/go-isatty v0.0.16 // indirect
	github.com/matttproud/golang_protobuf_extensions v1.0.1 // indirect
	github.com/prometheus/client_model v0.2.0 // indirect
	github.com/prometheus/common v0.37.0 // indirect
	github.com/prometheus/procfs v0.8.0 // indirect
	github.com/redis/rueidis v1.0.79 // indirect
	github.com/rs/xid v1.4.0 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	google.golang.org/protobuf v1.28.1 // indirect
	gopkg.in/tomb.v1 v1.0.0-20141024135613-dd632973f1e7 // indirect
)
