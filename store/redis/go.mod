// Module redis is the store of many nodes: revocations, refresh families and tickets in Redis.
module github.com/sallyport-auth/sallyport/store/redis

go 1.25.0

require (
	github.com/redis/rueidis v1.0.79
	github.com/sallyport-auth/sallyport v0.0.0
)

require golang.org/x/sys v0.47.0 // indirect

replace github.com/sallyport-auth/sallyport => ../../
