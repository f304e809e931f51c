package jws_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/internal/testvectors"
	"github.com/sallyport-auth/sallyport/jws"
)

func cacheKey(t *testing.T) *jws.Key {
	t.Helper()
	key, err := jws.NewSecretKey("", testvectors.Secret("hs-1"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// remember has a cache remember: it takes two times.
func remember[T any](cache *jws.Cache[T], token string, t *jws.Token, value *T) {
	cache.Put(token, t, value)
	cache.Put(token, t, value)
}

func TestCacheTakesWhatComesTwice(t *testing.T) {
	t.Parallel()
	cache, value := jws.NewCache[int](1024), 7
	token := &jws.Token{Key: cacheKey(t), Expiry: testvectors.Now.Unix() + 60}
	for i, found := range []bool{false, true, true} {
		cache.Put("token", token, &value)
		if _, got := cache.Get("token", testvectors.Now); got != found {
			t.Errorf("after %d times found is %v", i+1, got)
		}
	}
	for i := range 100_000 {
		cache.Put("once "+strconv.Itoa(i), token, &value)
	}
	if _, found := cache.Get("token", testvectors.Now); !found {
		t.Error("tokens that came once made another one go")
	}
}

func TestCacheChecksAgain(t *testing.T) {
	t.Parallel()
	now := testvectors.Now
	put := func() (*jws.Cache[int], *jws.Key) {
		cache, key, value := jws.NewCache[int](100), cacheKey(t), 7
		remember(cache, "a.b.c", &jws.Token{Key: key, Expiry: now.Unix() + 60, NotBefore: now.Unix()}, &value)
		return cache, key
	}
	for name, c := range map[string]struct {
		token  string
		at     time.Time
		before func(*jws.Key)
		found  bool
	}{
		"remembered":          {"a.b.c", now, nil, true},
		"last second":         {"a.b.c", now.Add(59 * time.Second), nil, true},
		"expired":             {"a.b.c", now.Add(60 * time.Second), nil, false},
		"nbf within leeway":   {"a.b.c", now.Add(-5 * time.Second), nil, true},
		"nbf beyond leeway":   {"a.b.c", now.Add(-6 * time.Second), nil, false},
		"other token":         {"a.b.d", now, nil, false},
		"distrusted key":      {"a.b.c", now, (*jws.Key).Distrust, false},
		"stale key":           {"a.b.c", now, func(k *jws.Key) { k.TrustUntil(now) }, false},
		"key not stale yet":   {"a.b.c", now, func(k *jws.Key) { k.TrustUntil(now.Add(1)) }, true},
		"bound taken away":    {"a.b.c", now, func(k *jws.Key) { k.TrustUntil(now); k.TrustUntil(time.Time{}) }, true},
		"distrusted for ever": {"a.b.c", now, func(k *jws.Key) { k.Distrust(); k.TrustUntil(now.Add(time.Hour)) }, false},
	} {
		cache, key := put()
		if c.before != nil {
			c.before(key)
		}
		value, found := cache.Get(c.token, c.at)
		if found != c.found || (found && *value != 7) {
			t.Errorf("%s: found is %v", name, found)
		}
	}
}

func TestCacheDropsWhatFell(t *testing.T) {
	t.Parallel()
	cache, key, value := jws.NewCache[int](8), cacheKey(t), 7
	remember(cache, "token", &jws.Token{Key: key, Expiry: testvectors.Now.Unix()}, &value)
	if _, found := cache.Get("token", testvectors.Now); found {
		t.Fatal("an expired entry was returned")
	}
	if _, found := cache.Get("token", testvectors.Now.Add(-time.Hour)); found {
		t.Error("the entry is still there")
	}
}

func TestCacheReplaces(t *testing.T) {
	t.Parallel()
	cache, old, fresh := jws.NewCache[int](8), 1, 2
	token := &jws.Token{Key: cacheKey(t), Expiry: testvectors.Now.Unix() + 60}
	remember(cache, "token", token, &old)
	cache.Put("token", token, &fresh)
	if value, found := cache.Get("token", testvectors.Now); !found || *value != 2 {
		t.Error("the second value is not there")
	}
}

func TestCacheOfNothing(t *testing.T) {
	t.Parallel()
	value := 7
	token := &jws.Token{Key: cacheKey(t), Expiry: testvectors.Now.Unix() + 60}
	long := strings.Repeat("x", 64<<10+1)
	for name, cache := range map[string]*jws.Cache[int]{"nil": nil, "none": jws.NewCache[int](0), "negative": jws.NewCache[int](-1)} {
		remember(cache, "token", token, &value)
		if _, found := cache.Get("token", testvectors.Now); found {
			t.Errorf("%s: remembered", name)
		}
	}
	cache := jws.NewCache[int](8)
	remember(cache, long, token, &value)
	remember(cache, "nil", nil, &value)
	remember(cache, "keyless", &jws.Token{Expiry: testvectors.Now.Unix() + 60}, &value)
	for _, text := range []string{long, "nil", "keyless"} {
		if _, found := cache.Get(text, testvectors.Now); found {
			t.Errorf("remembered %.10s", text)
		}
	}
}

// TestCacheKeepsTheHot floods a cache of 1024 entries with tokens that come once, four for each look-up of 512 tokens
// that are used again and again.
func TestCacheKeepsTheHot(t *testing.T) {
	t.Parallel()
	cache, value := jws.NewCache[int](1024), 1
	token := &jws.Token{Key: cacheKey(t), Expiry: testvectors.Now.Unix() + 60}
	hits, lookups := 0, 0
	for i := range 100_000 {
		hot := "hot " + strconv.Itoa(i*7919%512)
		lookups++
		if _, found := cache.Get(hot, testvectors.Now); found {
			hits++
		} else {
			cache.Put(hot, token, &value)
		}
		for j := range 4 {
			once := "once " + strconv.Itoa(4*i+j)
			if _, found := cache.Get(once, testvectors.Now); !found {
				cache.Put(once, token, &value)
			}
		}
	}
	if ratio := float64(hits) / float64(lookups); ratio < 0.8 {
		t.Errorf("%.3f of the look-ups hit; want at least 0.8", ratio)
	} else {
		t.Logf("hit ratio %.3f", ratio)
	}
}

// TestCacheMakesRoom fills a cache with entries that were hot once and never come again.
func TestCacheMakesRoom(t *testing.T) {
	t.Parallel()
	cache, value := jws.NewCache[int](8), 1
	token := &jws.Token{Key: cacheKey(t), Expiry: testvectors.Now.Unix() + 60}
	use := func(name string) bool {
		_, found := cache.Get(name, testvectors.Now)
		if !found {
			cache.Put(name, token, &value)
		}
		return found
	}
	for i := range 8 {
		for range 9 {
			use("old " + strconv.Itoa(i))
		}
	}
	hits := 0
	for range 20 {
		for i := range 8 {
			if use("new " + strconv.Itoa(i)) {
				hits++
			}
		}
	}
	if hits < 100 {
		t.Errorf("%d of 160 look-ups of new tokens hit; want at least 100", hits)
	}
}

func TestCacheRace(t *testing.T) {
	t.Parallel()
	cache, key := jws.NewCache[string](64), cacheKey(t)
	token := &jws.Token{Key: key, Expiry: testvectors.Now.Unix() + 60}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 3000 {
				name := strconv.Itoa((i*31 + worker) % 200)
				if value, found := cache.Get(name, testvectors.Now); found && *value != name {
					t.Errorf("asked for %s, got %s", name, *value)
				}
				cache.Put(name, token, &name)
				if i == 2500 && worker == 0 {
					key.Distrust()
				}
			}
		})
	}
	wg.Wait()
	if _, found := cache.Get("1", testvectors.Now); found {
		t.Error("the key is distrusted and its verdict still there")
	}
}

func TestCacheGetDoesNotAllocate(t *testing.T) {
	cache, value := jws.NewCache[int](8), 1
	token := strings.Repeat("x", 1178)
	remember(cache, token, &jws.Token{Key: cacheKey(t), Expiry: testvectors.Now.Unix() + 60}, &value)
	most := 0.0
	if raceEnabled {
		most = 1 // the average of what a dropped scratch costs once in four times
	}
	if n := testing.AllocsPerRun(5000, func() { cache.Get(token, testvectors.Now) }); n > most {
		t.Errorf("%v allocations, want at most %v", n, most)
	}
}

// TestCacheUnderFIPS runs this package's cache tests in a process that has no GCM with a fixed nonce.
func TestCacheUnderFIPS(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "fips140") {
		return // this is that process
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tests := "TestCacheChecksAgain|TestCacheReplaces|TestCacheGetDoesNotAllocate|TestKnownAnswers"
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", tests, "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS") != 4 {
		t.Errorf("%v\n%s", err, out)
	}
}
