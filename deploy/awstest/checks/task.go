package checks

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// taskChecks are those of the containers.
var taskChecks = []check{
	{"read-only-root", eachContainer(readOnlyRoot)},
	{"nonroot", eachContainer(nonRoot)},
	{"no-capabilities", eachContainer(noCapabilities)},
	{"image-digest", eachContainer(imageDigest)},
	{"secret-in-environment", eachContainer(secretInEnvironment)},
	{"container-log", eachContainer(containerLog)},
	{"server-checks-secret", serverChecksSecret},
	{"service", service},
}

// container is one of a task definition.
type container struct {
	Name, Image, User      string
	ReadonlyRootFilesystem bool
	Privileged             bool
	LinuxParameters        struct{ Capabilities struct{ Add, Drop []string } }
	Environment            []struct{ Name, Value string }
	Secrets                []struct{ Name, ValueFrom string }
	LogConfiguration       struct {
		Options map[string]string
	}
}

func containers(r tf.Resource) []container {
	var found []container
	_ = json.Unmarshal([]byte(r.Text("container_definitions")), &found)
	return found
}

func eachContainer(f func(*scene, tf.Resource, container)) func(*scene) {
	return func(s *scene) {
		s.each("aws_ecs_task_definition", func(r tf.Resource) {
			all := containers(r)
			if len(all) == 0 {
				s.report(r, "has no containers")
			}
			for _, c := range all {
				f(s, r, c)
			}
		})
	}
}

func readOnlyRoot(s *scene, r tf.Resource, c container) {
	if !c.ReadonlyRootFilesystem {
		s.report(r, "lets %s write to its image", c.Name)
	}
}

func nonRoot(s *scene, r tf.Resource, c container) {
	if user, _, _ := strings.Cut(c.User, ":"); user == "" || user == "0" || user == "root" || c.Privileged {
		s.report(r, "runs %s as root", c.Name)
	}
}

func noCapabilities(s *scene, r tf.Resource, c container) {
	if caps := c.LinuxParameters.Capabilities; !slices.Equal(caps.Drop, []string{"ALL"}) || len(caps.Add) > 0 {
		s.report(r, "leaves %s capabilities", c.Name)
	}
}

var byDigest = regexp.MustCompile(`^[^@]+@sha256:[0-9a-f]{64}$`)

func imageDigest(s *scene, r tf.Resource, c container) {
	if !byDigest.MatchString(c.Image) {
		s.report(r, "runs %s from %s, which can change", c.Name, c.Image)
	}
}

// secretName are names whose value is no public matter, unless it says where the secret is.
var secretName = regexp.MustCompile(`(SECRET|PASSWORD|TOKEN|SEED|_KEY|_KEYS)$`)

func secretInEnvironment(s *scene, r tf.Resource, c container) {
	for _, v := range c.Environment {
		if secretName.MatchString(v.Name) || strings.Contains(v.Value, "standin-origin-secret") {
			s.report(r, "shows %s the variable %s in the open", c.Name, v.Name)
		}
	}
	if len(c.Secrets) == 0 {
		s.report(r, "has no secrets for %s", c.Name)
	}
}

func containerLog(s *scene, r tf.Resource, c container) {
	if c.LogConfiguration.Options["awslogs-group"] == "" {
		s.report(r, "keeps no log of %s", c.Name)
	}
}

// serverChecksSecret wants the origin secret in sallyport's own configuration, both values: on the socket plane of an NLB nobody
// else checks it.
func serverChecksSecret(s *scene) {
	for _, r := range s.OfType("aws_ecs_task_definition") {
		for _, c := range containers(r) {
			for _, v := range c.Environment {
				if v.Name == "SALLYPORT_CONFIG" && strings.Contains(v.Value, "origin_secret") &&
					strings.Contains(v.Value, "${ORIGIN_SECRET_CURRENT}") && strings.Contains(v.Value, "${ORIGIN_SECRET_PREVIOUS}") {
					return
				}
			}
		}
	}
	s.report(tf.Resource{Address: "sallyport"}, "does not check the origin secret, current and previous")
}

func service(s *scene) {
	s.each("aws_ecs_service", func(r tf.Resource) {
		s.is(r, "deployment_circuit_breaker.0.enable", "true")
		s.is(r, "deployment_circuit_breaker.0.rollback", "true")
		s.is(r, "enable_execute_command", "false")
		if r.Name == "sallyport" && (r.Text("desired_count") == "0" || r.Text("desired_count") == "1") {
			s.report(r, "runs %s task: a lost one is an outage", r.Text("desired_count"))
		}
	})
	s.each("aws_appautoscaling_target", func(r tf.Resource) {
		if r.Text("min_capacity") < "2" && len(r.Text("min_capacity")) == 1 {
			s.report(r, "scales down to %s", r.Text("min_capacity"))
		}
	})
}
