package storetest

import (
	"bytes"
	"context"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/sallyport-auth/sallyport/session"
)

var familyCases = []testCase{
	{"FamilyIsStoredWhole", familyIsStoredWhole},
	{"FamilySharesNoMemory", familySharesNoMemory},
	{"FamilyIDIsUnique", familyIDIsUnique},
	{"FamilyExpires", familyExpires},
	{"FamilyRotates", familyRotates},
	{"FamilyRotationRace", familyRotationRace},
	{"FamilyCreationRace", familyCreationRace},
	{"FamilyContext", familyContext},
}

func (s suite) family(n int) session.Family {
	now := s.clock.Now()
	return session.Family{
		ID: id(n), Secret: bytes.Repeat([]byte{byte(n)}, 32), CreatedAt: now, Expires: now.Add(time.Hour),
		Player: player, PlayerID: id(0), ClientID: "client", Audience: []string{"game"}, Username: "ann",
		Groups: []string{"admin"}, Scopes: []string{"play"}, Roles: []string{"org:admin"}, Upstream: "sid:1",
		AuthTime: now.Add(-time.Minute), IdentityIssuedAt: now.Add(-time.Second),
	}
}

func (s suite) wantFamily(want session.Family) {
	s.Helper()
	got, err := s.Families.Get(s.ctx(), want.ID)
	s.must(err)
	if !reflect.DeepEqual(got, want) {
		s.Errorf("got family\n%+v, want\n%+v", got, want)
	}
}

func familyIsStoredWhole(s suite) {
	a, b := s.family(1), s.family(2)
	s.must(s.Families.Create(s.ctx(), a))
	s.must(s.Families.Create(s.ctx(), b))
	s.wantFamily(a)
	s.wantFamily(b)
	_, err := s.Families.Get(s.ctx(), id(3))
	s.wantErr("Get of a family that never was", err, session.ErrNotFound)
	_, err = s.Families.Rotate(s.ctx(), id(3), 0)
	s.wantErr("Rotate of a family that never was", err, session.ErrNotFound)
}

func familySharesNoMemory(s suite) {
	given := s.family(1)
	s.must(s.Families.Create(s.ctx(), given))
	clear(given.Secret)
	given.Groups[0] = "changed"
	got, err := s.Families.Get(s.ctx(), id(1))
	s.must(err)
	clear(got.Secret)
	got.Scopes[0] = "changed"
	s.wantFamily(s.family(1))
}

func familyIDIsUnique(s suite) {
	first, second := s.family(1), s.family(1)
	second.Username = "bob"
	s.must(s.Families.Create(s.ctx(), first))
	s.wantErr("Create of an ID that is there", s.Families.Create(s.ctx(), second), session.ErrConflict)
	s.wantFamily(first)
}

func familyExpires(s suite) {
	f := s.family(1)
	s.must(s.Families.Create(s.ctx(), f))
	s.clock.advance(time.Hour - time.Millisecond)
	s.wantFamily(f)
	s.clock.advance(time.Millisecond)
	_, err := s.Families.Get(s.ctx(), f.ID)
	s.wantErr("Get at its expiry", err, session.ErrNotFound)
	_, err = s.Families.Rotate(s.ctx(), f.ID, 0)
	s.wantErr("Rotate at its expiry", err, session.ErrNotFound)
}

func familyRotates(s suite) {
	f := s.family(1)
	s.must(s.Families.Create(s.ctx(), f))
	for n := range uint64(3) {
		s.clock.advance(time.Minute)
		got, err := s.Families.Rotate(s.ctx(), f.ID, n)
		s.must(err)
		f.Number, f.RotatedAt = n+1, s.clock.Now()
		if !reflect.DeepEqual(got, f) {
			s.Fatalf("rotated to\n%+v, want\n%+v", got, f)
		}
	}
	for _, from := range []uint64{0, 2, 4, 1 << 63} {
		got, err := s.Families.Rotate(s.ctx(), f.ID, from)
		s.wantErr("Rotate from another number", err, session.ErrConflict)
		if !reflect.DeepEqual(got, f) {
			s.Errorf("a conflict returned\n%+v, want the stored\n%+v", got, f)
		}
	}
	s.wantFamily(f)
}

func familyRotationRace(s suite) {
	f := s.family(1)
	s.must(s.Families.Create(s.ctx(), f))
	for n := range uint64(20) {
		var won atomic.Int32
		race(func(int) {
			got, err := s.Families.Rotate(s.ctx(), f.ID, n)
			if err == nil {
				won.Add(1)
			} else {
				s.wantErr("Rotate that lost", err, session.ErrConflict)
			}
			if got.Number != n+1 {
				s.Errorf("rotated to number %d, want %d", got.Number, n+1)
			}
		})
		if won.Load() != 1 {
			s.Fatalf("%d of %d rotations won, want 1", won.Load(), racers)
		}
	}
}

func familyCreationRace(s suite) {
	var won atomic.Int32
	race(func(int) {
		if err := s.Families.Create(s.ctx(), s.family(1)); err == nil {
			won.Add(1)
		} else {
			s.wantErr("Create that lost", err, session.ErrConflict)
		}
	})
	if won.Load() != 1 {
		s.Errorf("%d of %d creations won, want 1", won.Load(), racers)
	}
}

func familyContext(s suite) {
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	s.must(s.Families.Create(s.ctx(), s.family(1)))
	s.wantErr("Create with an ended context", s.Families.Create(ctx, s.family(2)), session.ErrStoreUnavailable)
	_, err := s.Families.Get(ctx, id(1))
	s.wantErr("Get with an ended context", err, session.ErrStoreUnavailable)
	_, err = s.Families.Rotate(ctx, id(1), 0)
	s.wantErr("Rotate with an ended context", err, session.ErrStoreUnavailable)
	s.wantFamily(s.family(1))
}
