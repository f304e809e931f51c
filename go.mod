module github.com/sallyport-auth/sallyport

go 1.25.0
