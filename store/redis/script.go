package redis

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"strconv"

	"github.com/redis/rueidis"
)

// version is that of the keys and of the scripts that understand them. Nodes of different versions share nothing, so that
// a rolling update that changes it needs the old keys read too.
const version = "1"

var (
	//go:embed scripts/prelude.lua
	prelude string
	//go:embed scripts/revocations.lua
	revocations string
	//go:embed scripts/append.lua
	appendSource string
	//go:embed scripts/feed.lua
	feedSource string
	//go:embed scripts/create.lua
	createSource string
	//go:embed scripts/family.lua
	familySource string
	//go:embed scripts/put.lua
	putSource string
	//go:embed scripts/take.lua
	takeSource string
	//go:embed scripts/owners.lua
	owners string
	//go:embed scripts/claim.lua
	claimSource string
	//go:embed scripts/renew.lua
	renewSource string
	//go:embed scripts/release.lua
	releaseSource string
	//go:embed scripts/members.lua
	membersSource string
	//go:embed scripts/send.lua
	sendSource string
)

var (
	appendScript = newScript("append", revocations+appendSource)
	feedScript   = newScript("feed", revocations+feedSource)
	createScript = newScript("create", createSource)
	getScript    = newScript("family", familySource)
	rotateScript = newScript("family", familySource)
	putScript    = newScript("put", putSource)
	takeScript   = newScript("take", takeSource)

	claimScript   = newScript("claim", owners+claimSource)
	renewScript   = newScript("renew", owners+renewSource)
	releaseScript = newScript("release", releaseSource)
	membersScript = newScript("members", membersSource)
	sendScript    = newScript("send", sendSource)
)

var scripts = []*script{
	appendScript, feedScript, createScript, getScript, putScript, takeScript,
	claimScript, renewScript, releaseScript, membersScript, sendScript,
}

func init() {
	for _, s := range []*script{appendScript, createScript, rotateScript} {
		s.waits = true
	}
	for _, s := range []*script{appendScript, feedScript, getScript, claimScript, renewScript, releaseScript, membersScript} {
		s.repeats = true
	}
}

type script struct {
	source, sha1 string
	waits        bool // for Config.Replicas
	repeats      bool // to run it twice is to run it once
}

func newScript(name, body string) *script {
	source := "-- sallyport " + name + " version " + version + "\n" + prelude + body
	sum := sha1.Sum([]byte(source)) // the name by which Redis knows a script
	return &script{source: source, sha1: hex.EncodeToString(sum[:])}
}

// doer is a client, or one connection of it.
type doer interface {
	B() rueidis.Builder
	Do(context.Context, rueidis.Completed) rueidis.RedisResult
}

// run sends the script's name, and its text where the server does not have it.
func (s *script) run(ctx context.Context, conn doer, keys, args []string) ([]rueidis.RedisMessage, error) {
	answer := conn.Do(ctx, s.named(conn.B(), keys, args))
	if err, ok := rueidis.IsRedisErr(answer.Error()); ok && err.IsNoScript() {
		text := conn.B().Eval().Script(s.source).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
		answer = conn.Do(ctx, text)
	}
	return answer.ToArray()
}

func (s *script) named(b rueidis.Builder, keys, args []string) rueidis.Completed {
	return b.Evalsha().Sha1(s.sha1).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
}

// text is the nth element of an answer, "" if there is none.
func text(answer []rueidis.RedisMessage, n int) string {
	if n >= len(answer) {
		return ""
	}
	s, err := answer[n].ToString()
	if err != nil {
		return ""
	}
	return s
}

// number is the nth element of an answer as the scripts write numbers, 0 if there is none.
func number(answer []rueidis.RedisMessage, n int) uint64 {
	value, err := strconv.ParseUint(text(answer, n), 10, 64)
	if err != nil {
		return 0
	}
	return value
}
