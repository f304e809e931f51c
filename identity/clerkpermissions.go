package identity

import (
	"math/big"
	"slices"
	"strings"
)

// clerkPermissions decodes the permissions in version 2 of Clerk's claims (clerk.com/docs, "Session tokens", "Decode
// o.fpm manually"): fea lists features with their scope ("o:dashboard,u:profile"), per lists permissions, and fpm has
// for each feature a decimal bit mask over per, the lowest bit for the first.
//
// Clerk's page and Go SDK count the masks over all features, its JavaScript SDK over those of the organisation alone.
// The two differ only where a feature of the user alone stands before one of the organisation; a permission counts
// here if it follows from both. What cannot be decoded gives no permission.
func clerkPermissions(fea, per, fpm string) []string {
	if fea == "" || per == "" || fpm == "" {
		return nil
	}
	features := strings.Split(fea, ",")
	permissions := strings.Split(per, ",")
	masks := strings.Split(fpm, ",")
	all := grant(features, permissions, masks)
	features = slices.DeleteFunc(features, func(f string) bool { return organisationFeature(f) == "" })
	byOrganisation := make(map[string]bool)
	for _, p := range grant(features, permissions, masks) {
		byOrganisation[p] = true
	}
	return slices.DeleteFunc(all, func(p string) bool { return !byOrganisation[p] })
}

func grant(features, permissions, masks []string) []string {
	var granted []string
	for n, feature := range features[:min(len(features), len(masks))] {
		name := organisationFeature(feature)
		mask, ok := bitMask(masks[n], len(permissions))
		if name == "" || !ok {
			continue
		}
		for bit, permission := range permissions {
			permission = strings.TrimSpace(permission)
			if mask.Bit(bit) == 1 && permission != "" {
				granted = append(granted, "org:"+name+":"+permission)
			}
		}
	}
	return granted
}

// organisationFeature returns the name of a feature that the organisation has, "" for any other.
func organisationFeature(feature string) string {
	scope, name, _ := strings.Cut(strings.TrimSpace(feature), ":")
	if scope != "o" && scope != "uo" && scope != "ou" {
		return ""
	}
	return name
}

// bitMask parses a decimal mask and refuses one with more bits than there are permissions.
func bitMask(decimal string, bits int) (*big.Int, bool) {
	decimal = strings.TrimSpace(decimal)
	if decimal == "" || len(decimal) > bits || strings.Trim(decimal, "0123456789") != "" {
		// A mask of n bits has at most n digits, so the length bounds the work before it is done.
		return nil, false
	}
	mask, ok := new(big.Int).SetString(decimal, 10)
	return mask, ok && mask.BitLen() <= bits
}
