package nakama

import (
	"context"
	"encoding/json"

	"github.com/heroiclabs/nakama-common/api"
	"github.com/heroiclabs/nakama-common/runtime"
)

// serveLink is sallyport_link: it gives the account of the caller, who came in by another door, its verified player. The
// payload is {"token": "IDENTITY TOKEN"}. From then on the player signs in with the identity token; the session at hand
// has no player until then.
func (m *module) serveLink(ctx context.Context, logger runtime.Logger, payload string) (string, error) {
	uid, _ := ctx.Value(runtime.RUNTIME_CTX_USER_ID).(string)
	if uid == "" {
		return "", errPlayers
	}
	var request struct {
		Token string `json:"token"`
	}
	if json.Unmarshal([]byte(payload), &request) != nil || request.Token == "" {
		return "", errNoToken
	}
	id, err := m.identify(ctx, request.Token)
	if err != nil {
		return "", asError(err)
	}
	return `{"linked":true}`, m.link(ctx, logger, uid, m.customID(id.Player))
}

func (m *module) link(ctx context.Context, logger runtime.Logger, uid, customID string) error {
	account, err := m.nk.AccountGetId(ctx, uid)
	if err != nil {
		logger.Error("sallyport: an account could not be read: %v", err)
		return errInternal
	}
	switch account.GetCustomId() {
	case customID:
		return m.dropDevices(ctx, logger, uid, account)
	case "":
	default:
		return errLinked
	}
	owner, err := m.owner(ctx, customID)
	switch {
	case err != nil:
		logger.Error("sallyport: an account could not be looked up: %v", err)
		return errInternal
	case owner != "" && owner != uid:
		return errTaken
	}
	// Nakama refuses an id that another account got meanwhile.
	if err := m.nk.LinkCustom(ctx, uid, customID); err != nil {
		return errTaken
	}
	return m.dropDevices(ctx, logger, uid, account)
}

// dropDevices removes the ids by which the account was reached before.
func (m *module) dropDevices(ctx context.Context, logger runtime.Logger, uid string, account *api.Account) error {
	if m.config.KeepDevices {
		return nil
	}
	for _, device := range account.GetDevices() {
		if err := m.nk.UnlinkDevice(ctx, uid, device.GetId()); err != nil {
			logger.Error("sallyport: a device id could not be removed: %v", err)
			return errInternal
		}
	}
	return nil
}
