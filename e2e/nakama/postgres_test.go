package nakama_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// database is the one PostgreSQL of the run; every Nakama has a database of its own in it.
var database struct {
	once    sync.Once
	process *process
	port    int
	err     error
}

func databaseAddress(t testing.TB, name string) string {
	t.Helper()
	database.once.Do(func() { database.err = startDatabase() })
	if database.err != nil {
		t.Fatal(database.err)
	}
	return fmt.Sprintf("postgres@127.0.0.1:%d/%s", database.port, name)
}

func stopDatabase() {
	if database.process != nil {
		database.process.stop(syscall.SIGINT)
	}
}

func startDatabase() error {
	bin, err := postgresFolder()
	if err != nil {
		return err
	}
	who, data := nobody(), filepath.Join(dir, "pg")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if who != nil {
		if err := os.Chown(data, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	if err := initDatabase(bin, data, who); err != nil {
		return err
	}
	if database.port, err = freePorts(); err != nil {
		return err
	}
	database.process, err = launch("postgres", who, filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(database.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+data, "-c", "fsync=off", "-c", "max_connections=300")
	if err != nil {
		return err
	}
	return database.process.await(accepts(database.port))
}

func initDatabase(bin, data string, who *syscall.Credential) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: who}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// postgresFolder finds the programs: Debian keeps them out of the path.
func postgresFolder() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is missing: these tests run Nakama on it; install it (apt-get install postgresql)")
	}
	return filepath.Dir(path), nil
}

// nobody is the user whom PostgreSQL runs as where the tests run as root, which it refuses.
func nobody() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
