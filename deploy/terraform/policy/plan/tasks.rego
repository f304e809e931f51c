package main

import rego.v1

containers contains {"address": r.address, "container": c} if {
	some r in of(["aws_ecs_task_definition"])
	is_string(r.values.container_definitions)
	some c in json.unmarshal(r.values.container_definitions)
}

deny contains sprintf("%s: the image of %s is not named by its digest", [x.address, x.container.name]) if {
	some x in containers
	not regex.match(`@sha256:[0-9a-f]{64}$`, x.container.image)
}

deny contains sprintf("%s: %s can write to its root file system", [x.address, x.container.name]) if {
	some x in containers
	object.get(x.container, "readonlyRootFilesystem", false) != true
}

deny contains sprintf("%s: %s runs as root", [x.address, x.container.name]) if {
	some x in containers
	not regex.match(`^[1-9][0-9]*(:[1-9][0-9]*)?$`, object.get(x.container, "user", "root"))
}

deny contains sprintf("%s: %s keeps capabilities", [x.address, x.container.name]) if {
	some x in containers
	object.get(x.container, ["linuxParameters", "capabilities", "drop"], []) != ["ALL"]
}

deny contains sprintf("%s: %s logs nowhere", [x.address, x.container.name]) if {
	some x in containers
	not x.container.logConfiguration.options["awslogs-group"]
}

deny contains sprintf("%s: %s has a secret in its environment: %s", [x.address, x.container.name, variable.name]) if {
	some x in containers
	some variable in x.container.environment
	regex.match(`(?i)(secret|password|token|_key|seed)$`, variable.name)
}

deny contains sprintf("%s: tasks get public addresses", [r.address]) if {
	some r in of(["aws_ecs_service"])
	some network in r.values.network_configuration
	network.assign_public_ip == true
}

deny contains sprintf("%s: a failed deployment does not go back", [r.address]) if {
	some r in of(["aws_ecs_service"])
	not r.values.deployment_circuit_breaker[0].rollback == true
}

deny contains sprintf("%s: gives public addresses to what is in it", [r.address]) if {
	some r in of(["aws_subnet"])
	r.values.map_public_ip_on_launch == true
}
