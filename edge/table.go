package edge

func inOrder(routes []Route) []Route { return routes }

func (r *Route) whoText() string { return r.Who.String() }

func (r *Route) note() string { return r.Warning }
