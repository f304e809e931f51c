package edge

// special is what a preset does with a request besides relaying it.
type special interface {
	// serve answers a request that was let in.
	serve(x *exchange)
	// check says what the configuration lacks for it.
	check(c *Config) error
	// note is for the table.
	note() string
}

func (g *Gate) checkSpecial(r *route) error {
	if r.special == nil {
		return nil
	}
	return r.special.check(&g.config)
}
