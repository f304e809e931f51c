package nakama

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"
)

// A panic in a hook ends the whole of Nakama, so nothing of ours is registered without one of these around it. The value
// of the panic is not logged, because it may hold a token.

type (
	beforeHook[T any] func(context.Context, runtime.Logger, *sql.DB, runtime.NakamaModule, *T) (*T, error)
	rpcHook           func(context.Context, runtime.Logger, *sql.DB, runtime.NakamaModule, string) (string, error)
	eventHook         func(context.Context, runtime.Logger, *api.Event)
)

func recovered(logger runtime.Logger, what string, failed func()) {
	if v := recover(); v != nil {
		logger.Error("sallyport: %s panicked with a %T\n%s", what, v, debug.Stack())
		failed()
	}
}

// before makes a hook of a function. A nil request is one that no client can send.
func before[T any](what string, fn func(context.Context, runtime.Logger, *T) error) beforeHook[T] {
	return func(ctx context.Context, logger runtime.Logger, _ *sql.DB, _ runtime.NakamaModule, in *T) (out *T, err error) {
		defer recovered(logger, what, func() { out, err = nil, errInternal })
		if in == nil {
			return nil, errRequest
		}
		if err := fn(ctx, logger, in); err != nil {
			return nil, err
		}
		return in, nil
	}
}

func rpc(what string, fn func(context.Context, runtime.Logger, string) (string, error)) rpcHook {
	return func(ctx context.Context, logger runtime.Logger, _ *sql.DB, _ runtime.NakamaModule, payload string) (out string, err error) {
		defer recovered(logger, what, func() { out, err = "", errInternal })
		return fn(ctx, logger, payload)
	}
}

func event(what string, fn func(context.Context, runtime.Logger)) eventHook {
	return func(ctx context.Context, logger runtime.Logger, _ *api.Event) {
		defer recovered(logger, what, func() {})
		fn(ctx, logger)
	}
}

// guarded runs fn and makes an error of a panic.
func guarded(logger runtime.Logger, what string, fn func() error) (err error) {
	defer recovered(logger, what, func() { err = fmt.Errorf("%s panicked", what) })
	return fn()
}
