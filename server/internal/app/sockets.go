package app

import (
	"context"

	"github.com/sallyport-auth/sallyport/connect"
	"github.com/sallyport-auth/sallyport/session"
)

// localSockets are those of this node, which has no others beside it.
type localSockets struct {
	registry *connect.Registry
}

const thisNode = "this"

// List returns those that the filter selects.
func (l localSockets) List(_ context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error) {
	if filter.Node == thisNode {
		filter.Node = ""
	}
	return connect.ClusterAnswer{Sockets: l.registry.List(filter), Nodes: []string{thisNode}}, nil
}

// Kick ends those that the filter selects.
func (l localSockets) Kick(_ context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error) {
	n, err := l.registry.Kick(filter, connect.CloseKicked)
	return connect.ClusterAnswer{Kicked: n, Nodes: []string{thisNode}}, err
}

// clusterSockets are those of all nodes on one store.
type clusterSockets struct {
	nodes session.Nodes
}

// List asks all nodes.
func (c clusterSockets) List(ctx context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error) {
	return connect.ListSockets(ctx, c.nodes, filter)
}

// Kick tells all nodes.
func (c clusterSockets) Kick(ctx context.Context, filter connect.SocketFilter) (connect.ClusterAnswer, error) {
	return connect.KickSockets(ctx, c.nodes, filter, connect.CloseKicked)
}
