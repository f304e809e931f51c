module github.com/sallyport-auth/sallyport/bench

go 1.25.0

replace github.com/sallyport-auth/sallyport => ../

require (
	github.com/clerk/clerk-sdk-go/v2 v2.7.0
	github.com/cristalhq/jwt/v5 v5.4.0
	github.com/go-jose/go-jose/v4 v4.1.8
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/sallyport-auth/sallyport v0.0.0-00010101000000-000000000000
)

require (
	github.com/go-jose/go-jose/v3 v3.0.4 // indirect
	golang.org/x/crypto v0.43.0 // indirect
)
