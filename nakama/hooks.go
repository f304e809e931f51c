package nakama

import (
	"errors"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"
)

// register registers everything. One list for each kind of hook, so that a way which is missing shows.
func (m *module) register(i runtime.Initializer) error {
	photon, err := m.newPhoton()
	if err != nil {
		return err
	}
	if photon != nil {
		err = i.RegisterRpc(rpcPhoton, rpc(rpcPhoton, photon.serve))
	}
	return errors.Join(
		err,
		i.RegisterBeforeAuthenticateCustom(before("BeforeAuthenticateCustom", m.signIn)),
		i.RegisterAfterAuthenticateCustom(afterSignIn[api.AuthenticateCustomRequest](m)),
		i.RegisterBeforeSessionRefresh(before("BeforeSessionRefresh", m.refresh)),
		i.RegisterAfterSessionRefresh(m.afterRefresh),
		i.RegisterAfterSessionLogout(m.afterLogout),
		i.RegisterBeforeUpdateAccount(before("BeforeUpdateAccount", m.updateAccount)),
		i.RegisterEventSessionStart(event("EventSessionStart", m.socketOpened)),
		i.RegisterEventSessionEnd(event("EventSessionEnd", m.socketClosed)),
		i.RegisterRpc(rpcVerify, rpc(rpcVerify, m.serveVerify)),
		i.RegisterRpc(rpcLink, rpc(rpcLink, m.serveLink)),
		i.RegisterRpc(rpcWhoami, rpc(rpcWhoami, m.serveWhoami)),
		m.registerAuthenticate(i), m.registerAfter(i), m.registerLink(i), m.registerUnlink(i),
	)
}

func (m *module) registerAuthenticate(i runtime.Initializer) error {
	d, err := newDoors("sallyport_authenticate", m.config.Authenticate, true)
	if err != nil {
		return err
	}
	return errors.Join(
		i.RegisterBeforeAuthenticateApple(authenticate(m, d, "apple", func(in *api.AuthenticateAppleRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateDevice(authenticate(m, d, "device", func(in *api.AuthenticateDeviceRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateEmail(authenticate(m, d, "email", func(in *api.AuthenticateEmailRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateFacebook(authenticate(m, d, "facebook", func(in *api.AuthenticateFacebookRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateFacebookInstantGame(authenticate(m, d, "facebookinstantgame", func(in *api.AuthenticateFacebookInstantGameRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateGameCenter(authenticate(m, d, "gamecenter", func(in *api.AuthenticateGameCenterRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateGoogle(authenticate(m, d, "google", func(in *api.AuthenticateGoogleRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
		i.RegisterBeforeAuthenticateSteam(authenticate(m, d, "steam", func(in *api.AuthenticateSteamRequest) *entry {
			if in.Account == nil {
				return nil
			}
			return &entry{&in.Account.Vars, &in.Username, func() { in.Create = zero(in.Create) }}
		})),
	)
}

// registerAfter is for the ways that are open: a user who is banned by Nakama's own id, or whose account has a player that
// is, comes in by none of them.
func (m *module) registerAfter(i runtime.Initializer) error {
	return errors.Join(
		i.RegisterAfterAuthenticateApple(afterSignIn[api.AuthenticateAppleRequest](m)),
		i.RegisterAfterAuthenticateDevice(afterSignIn[api.AuthenticateDeviceRequest](m)),
		i.RegisterAfterAuthenticateEmail(afterSignIn[api.AuthenticateEmailRequest](m)),
		i.RegisterAfterAuthenticateFacebook(afterSignIn[api.AuthenticateFacebookRequest](m)),
		i.RegisterAfterAuthenticateFacebookInstantGame(afterSignIn[api.AuthenticateFacebookInstantGameRequest](m)),
		i.RegisterAfterAuthenticateGameCenter(afterSignIn[api.AuthenticateGameCenterRequest](m)),
		i.RegisterAfterAuthenticateGoogle(afterSignIn[api.AuthenticateGoogleRequest](m)),
		i.RegisterAfterAuthenticateSteam(afterSignIn[api.AuthenticateSteamRequest](m)),
	)
}

func (m *module) registerLink(i runtime.Initializer) error {
	d, err := newDoors("sallyport_link", m.config.Link, false)
	if err != nil {
		return err
	}
	return errors.Join(
		i.RegisterBeforeLinkCustom(link[api.AccountCustom](d, "custom", errLink)),
		i.RegisterBeforeLinkApple(link[api.AccountApple](d, "apple", errLink)),
		i.RegisterBeforeLinkDevice(link[api.AccountDevice](d, "device", errLink)),
		i.RegisterBeforeLinkEmail(link[api.AccountEmail](d, "email", errLink)),
		i.RegisterBeforeLinkFacebook(link[api.LinkFacebookRequest](d, "facebook", errLink)),
		i.RegisterBeforeLinkFacebookInstantGame(link[api.AccountFacebookInstantGame](d, "facebookinstantgame", errLink)),
		i.RegisterBeforeLinkGameCenter(link[api.AccountGameCenter](d, "gamecenter", errLink)),
		i.RegisterBeforeLinkGoogle(link[api.AccountGoogle](d, "google", errLink)),
		i.RegisterBeforeLinkSteam(link[api.LinkSteamRequest](d, "steam", errLink)),
	)
}

func (m *module) registerUnlink(i runtime.Initializer) error {
	d, err := newDoors("sallyport_unlink", m.config.Unlink, false)
	if err != nil {
		return err
	}
	return errors.Join(
		i.RegisterBeforeUnlinkCustom(link[api.AccountCustom](d, "custom", errUnlink)),
		i.RegisterBeforeUnlinkApple(link[api.AccountApple](d, "apple", errUnlink)),
		i.RegisterBeforeUnlinkDevice(link[api.AccountDevice](d, "device", errUnlink)),
		i.RegisterBeforeUnlinkEmail(link[api.AccountEmail](d, "email", errUnlink)),
		i.RegisterBeforeUnlinkFacebook(link[api.AccountFacebook](d, "facebook", errUnlink)),
		i.RegisterBeforeUnlinkFacebookInstantGame(link[api.AccountFacebookInstantGame](d, "facebookinstantgame", errUnlink)),
		i.RegisterBeforeUnlinkGameCenter(link[api.AccountGameCenter](d, "gamecenter", errUnlink)),
		i.RegisterBeforeUnlinkGoogle(link[api.AccountGoogle](d, "google", errUnlink)),
		i.RegisterBeforeUnlinkSteam(link[api.AccountSteam](d, "steam", errUnlink)),
	)
}
