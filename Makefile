# The two commands: make run, make test. Everything they need and lack, they install (Debian packages, npm, Go modules).
export GOWORK := off
export GOTOOLCHAIN := local

.PHONY: run build plugin test test-all check bench bench-edge fuzz deploy plan destroy clean

run: build ## the main job: everything on this machine, with the commands to try next
	scripts/need curl
	bin/sallyport dev

build:
	cd server && go build -trimpath -o ../bin/sallyport ./cmd/sallyport

NAKAMA ?= 3.40.0
plugin: ## the Nakama plugin, for a release: make plugin NAKAMA=3.38.0
	scripts/need gcc
	scripts/plugin $(NAKAMA)

test: ## all tests, with the race detector, against the real other sides
	scripts/test

check: ## format, vet, staticcheck and the architecture test, for every module
	scripts/check

bench: ## our cost beside the peers' and the floor, in one run
	scripts/need gcc
	cd bench && go run .

bench-edge: ## the gate beside nginx, HAProxy, Caddy and a Go reverse proxy: HTTP and WebSocket, in about two minutes
	scripts/need nginx haproxy caddy wrk
	cd bench && go run ./edge $(BENCHFLAGS)

fuzz: ## every fuzz target for 60 s each; FUZZTIME=5s make fuzz is shorter
	scripts/fuzz

test-all: check test fuzz ## what is slower, too: 50 kills of a store at work, a minute of fuzzing for each parser
	cd store/bolt && SALLYPORT_TEST_LONG=1 go test -race -count=1 -timeout 30m ./...
	cd e2e/nodes && SALLYPORT_TEST_LONG=1 go test -race -count=1 -timeout 180m -v ./...
	cd deploy/awstest && SALLYPORT_TEST_LONG=1 go test -count=1 -timeout 60m ./mutants
	cd deploy/awstest && SALLYPORT_TEST_LONG=1 go test -count=1 -timeout 60m -run KICS -v ./check
	cd deploy/docker && SALLYPORT_TEST_LONG=1 go test -count=1 -timeout 30m .

deploy: ## build, push, apply, wait, smoke-test, roll back on failure: make deploy ENV=dev (docs/aws.md)
	scripts/deploy deploy $(ENV)

plan: ## what make deploy would change in AWS besides the images: make plan ENV=dev
	scripts/deploy plan $(ENV)

destroy: ## take an environment in AWS down: make destroy ENV=dev
	scripts/deploy destroy $(ENV)

clean:
	rm -rf bin
