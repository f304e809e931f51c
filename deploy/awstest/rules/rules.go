// Package rules says what a deployment must hold as a whole, besides what package checks finds resource by resource: sockets on
// their plane, a drain that fits, no password and no origin secret in the state where it need not be, nothing beside NAT gateways
// with a way to the internet, scaling, alarms, and nothing that goes past sallyport.
//
//	applied := tree.Apply(t, "examples/complete", vars)
//	for _, hole := range rules.Check(applied, rules.Want{Topology: "nakama", SocketPlane: "alb"}) {
//		t.Error(hole)
//	}
//
// Check wants a state, in which everything is known, not a plan.
package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// Want is what was asked for.
type Want struct {
	// Topology is nakama or gate.
	Topology string
	// SocketPlane is alb or nlb.
	SocketPlane string
}

// Check returns a sentence for every hole in a deployment, none if it is closed.
func Check(d *tf.Document, want Want) []string {
	c := &checker{Document: d, want: want}
	for _, rule := range []func(){
		c.planes, c.idle, c.drain, c.stateSecrets, c.isolation, c.scaling, c.alarms, c.sallyport,
	} {
		rule()
	}
	return c.holes
}

// checker collects the holes of one document.
type checker struct {
	*tf.Document
	want  Want
	holes []string
}

func (c *checker) holef(format string, args ...any) {
	c.holes = append(c.holes, fmt.Sprintf(format, args...))
}

// must reports a hole unless ok.
func (c *checker) must(ok bool, format string, args ...any) {
	if !ok {
		c.holef(format, args...)
	}
}

// one is the only resource of a type; a missing or second one is a hole.
func (c *checker) one(typ string) tf.Resource {
	found := c.OfType(typ)
	c.must(len(found) == 1, "want one %s, have %d", typ, len(found))
	if len(found) == 0 {
		return tf.Resource{Address: typ}
	}
	return found[0]
}

// texts are the strings of a list or set.
func texts(v any) []string {
	items, _ := v.([]any)
	found := make([]string, 0, len(items))
	for _, item := range items {
		found = append(found, fmt.Sprint(item))
	}
	slices.Sort(found)
	return found
}

// blocks are the blocks of one name in a resource.
func blocks(r tf.Resource, path string) []tf.Resource {
	items, _ := r.At(path).([]any)
	var found []tf.Resource
	for i, item := range items {
		values, _ := item.(map[string]any)
		found = append(found, tf.Resource{Address: fmt.Sprintf("%s.%s.%d", r.Address, path, i), Values: values})
	}
	return found
}

func equal(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// environment is the plain environment of a container of a task definition.
func (c *checker) environment(family, container string) map[string]string {
	for _, definition := range c.OfType("aws_ecs_task_definition") {
		if !strings.HasSuffix(definition.Text("family"), "-"+family) {
			continue
		}
		var containers []struct {
			Name        string
			Environment []struct{ Name, Value string }
		}
		if err := json.Unmarshal([]byte(definition.Text("container_definitions")), &containers); err != nil {
			c.holef("%s: %v", definition.Address, err)
		}
		for _, found := range containers {
			if found.Name == container {
				variables := map[string]string{}
				for _, v := range found.Environment {
					variables[v.Name] = v.Value
				}
				return variables
			}
		}
	}
	c.holef("no container %s in the task %s", container, family)
	return nil
}
