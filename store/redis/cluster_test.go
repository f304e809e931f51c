package redis_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/session"
	"github.com/sallyport-auth/sallyport/store/redis"
)

// startCluster starts a cluster of three masters with a third of the slots each.
func startCluster(t *testing.T) []*server {
	t.Helper()
	bounds := []int{0, 5461, 10923, 16384}
	var servers []*server
	for i := range 3 {
		s := startServer(t, "cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000",
			"cluster-port "+strconv.Itoa(freePort(t)), `save ""`, user+" +cluster|slots +cluster|shards")
		s.do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(bounds[i]), strconv.Itoa(bounds[i+1]-1))
		servers = append(servers, s)
	}
	for _, s := range servers[1:] {
		bus := strings.TrimPrefix(servers[0].lines[3], "cluster-port ")
		s.do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(servers[0].port), bus)
	}
	for _, s := range servers {
		eventually(t, "the cluster is whole", func() bool {
			return s.says("cluster_state:ok", "CLUSTER", "INFO") && s.says("cluster_known_nodes:3", "CLUSTER", "INFO")
		})
	}
	return servers
}

func TestConformanceOnACluster(t *testing.T) {
	t.Parallel()
	servers := startCluster(t)
	config := redis.Config{
		Addresses: []string{servers[0].address(), servers[1].address()}, Cluster: true, Username: "node", Password: "a-long-password",
	}
	t.Run("Suite", func(t *testing.T) { conform(t, config) })

	// Families and tickets are spread, so that no server has them all.
	store := open(t, config)
	for n := range 60 {
		must(t, store.Create(context.Background(), family(n)))
		must(t, store.Put(context.Background(), digest(n), []byte("sealed"), family(n).Expires))
	}
	for _, s := range servers {
		keys := s.do("EVAL", "return #redis.call('KEYS', ARGV[1])", "0", "sallyport:1:*")
		if n, err := strconv.Atoi(keys); err != nil || n < 10 {
			t.Errorf("a server of the cluster has %s of 120 keys, want a fair share", keys)
		}
	}
	// What is pushed reaches whoever listens at another server of the cluster.
	var told []<-chan session.Event
	for range 4 {
		told = append(told, follow(t, open(t, config)))
	}
	listen := func() int {
		n := 0
		for _, s := range servers {
			n += strings.Count(s.do("CLIENT", "LIST"), " sub=1 ")
		}
		return n
	}
	eventually(t, "all listen", func() bool { return listen() == len(told) })
	stored := appendEvent(t, store, 1_000_000)
	for _, events := range told {
		eventually(t, "a follower is told", func() bool { return len(events) > 0 && <-events == stored })
	}
	for n := range 60 {
		if _, err := store.Rotate(context.Background(), id(n), 0); err != nil {
			t.Errorf("family %d: %v", n, err)
		}
		if _, err := store.Take(context.Background(), digest(n)); err != nil {
			t.Errorf("ticket %d: %v", n, err)
		}
	}
}
