module github.com/chatbridge/chatbridge/clients/go/packaging

go 1.26.0

require golang.org/x/mod v0.43.0
