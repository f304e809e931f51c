// Module bolt is Sallyport's durable store in one file, apart from the root module because it requires bbolt.
module github.com/sallyport-auth/sallyport/store/bolt

go 1.25.0

require (
	github.com/sallyport-auth/sallyport v0.0.0
	go.etcd.io/bbolt v1.5.0
)

require golang.org/x/sys v0.45.0 // indirect

replace github.com/sallyport-auth/sallyport => ../../
