package cost

import (
	"fmt"

	"github.com/sallyport-auth/sallyport/deploy/awstest/tf"
)

// Deployed is what is there and how much of it, whether anybody plays or not. It is in floats because it is multiplied by prices.
type Deployed struct {
	GateTasks, GateVCPU, GateGB float64 // sallyport's tasks at the least, and the size of one
	BackendVCPU, BackendGB      float64 // of all its tasks
	ALBs, NATs, EndpointZones   float64
	WebACLRules, Alarms         float64
	Keys, Secrets               float64
	DatabaseZones, DatabaseGiB  float64 // no zones is no database
	DatabaseClass, CacheNode    string
	CacheNodes                  float64
	LogMonths                   float64 // that sallyport's log is kept
	Plus                        bool    // Cognito's tier
}

// Count counts the resources of a state.
func Count(resources []tf.Resource) Deployed {
	var d Deployed
	tasks := map[string]float64{}
	for _, r := range resources {
		if r.Type == "aws_ecs_service" {
			tasks[r.Name] = float(r, "desired_count")
		}
	}
	for _, r := range resources {
		if r.Mode == "managed" {
			d.one(r)
			d.data(r)
			d.task(r, tasks[r.Name])
		}
	}
	return d
}

func (d *Deployed) one(r tf.Resource) {
	switch r.Type {
	case "aws_lb":
		d.ALBs++
	case "aws_nat_gateway":
		d.NATs++
	case "aws_vpc_endpoint":
		zones, _ := r.At("subnet_ids").([]any)
		d.EndpointZones += float64(len(zones))
	case "aws_wafv2_web_acl":
		rules, _ := r.At("rule").([]any)
		d.WebACLRules += float64(len(rules))
	case "aws_cloudwatch_metric_alarm":
		d.Alarms++
	case "aws_kms_key":
		d.Keys++
	case "aws_secretsmanager_secret":
		d.Secrets++
	case "aws_cloudwatch_log_group":
		if r.Name == "task" {
			d.LogMonths = float(r, "retention_in_days") / 30
		}
	case "aws_cognito_user_pool":
		d.Plus = r.Text("user_pool_tier") == "PLUS"
	}
}

func (d *Deployed) data(r tf.Resource) {
	switch r.Type {
	case "aws_db_instance":
		d.DatabaseZones = 1
		if r.Text("multi_az") == "true" {
			d.DatabaseZones = 2
		}
		d.DatabaseGiB, d.DatabaseClass = float(r, "allocated_storage"), r.Text("instance_class")
		d.Secrets++ // RDS keeps the password in one of its own
	case "aws_elasticache_replication_group":
		d.CacheNodes, d.CacheNode = float(r, "num_cache_clusters"), r.Text("node_type")
	}
}

// task takes Fargate's units, 1024 of which are a vCPU, and MiB.
func (d *Deployed) task(r tf.Resource, tasks float64) {
	if r.Type != "aws_ecs_task_definition" {
		return
	}
	vcpu, gb := float(r, "cpu")/1024, float(r, "memory")/1024
	if r.Name == "sallyport" {
		d.GateTasks, d.GateVCPU, d.GateGB = tasks, vcpu, gb
		return
	}
	d.BackendVCPU, d.BackendGB = d.BackendVCPU+tasks*vcpu, d.BackendGB+tasks*gb
}

func float(r tf.Resource, path string) float64 {
	var f float64
	_, _ = fmt.Sscan(r.Text(path), &f)
	return f
}
