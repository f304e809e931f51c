module github.com/sallyport-auth/sallyport/nakama

go 1.26.5

require (
	github.com/heroiclabs/nakama-common v1.47.0
	github.com/sallyport-auth/sallyport v0.0.0-00010101000000-000000000000
)

require google.golang.org/protobuf v1.36.11 // indirect

replace github.com/sallyport-auth/sallyport => ../
