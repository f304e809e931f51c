// Command profile is a second runtime plugin for the benchmark: it takes processor profiles of the Nakama that it is in.
package main

import (
	"context"
	"database/sql"
	"net/http"
	"os"
	"runtime/pprof"

	"github.com/heroiclabs/nakama-common/runtime"
)

// InitModule is what Nakama calls when it has loaded the plugin. GET /profile?file=PATH begins a profile, without a
// file it ends.
func InitModule(_ context.Context, _ runtime.Logger, _ *sql.DB, _ runtime.NakamaModule, initializer runtime.Initializer) error {
	return initializer.RegisterHttp("/profile", profile, http.MethodGet)
}

func profile(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("file")
	if path == "" {
		pprof.StopCPUProfile()
		return
	}
	file, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func main() {} // never runs
