// Package cost reckons what a month of a deployment costs, and writes the tables of docs/aws.md: each line is a number of units times
// a price. What is deployed is counted in a state of Terraform, so the tables follow the modules; what players do is assumed (Load).
//
//	fmt.Print(cost.Table(cost.List, cost.Count(applied.Resources), cost.TenThousand))
package cost

import (
	"fmt"
	"math"
	"strings"
)

// hours of a month, as AWS reckons.
const hours = 730

// Load is what players do. All of it is assumption; change it and run go generate.
type Load struct {
	Players        float64 // connected at every hour of the month
	MAU            float64 // players who sign in at least once in the month
	BytesPerSecond float64 // for each player, both directions together
	Requests       float64 // by HTTP for each player and hour, sockets opened among them
	LogBytes       float64 // for each request, all logs together
	Tasks          float64 // of sallyport
}

// Idle is nobody, TenThousand the load that docs/aws.md reckons with: 10,000 players at every hour, a twentieth of the month's
// players; 1 kB/s each; 12 requests an hour, two of them sockets; 1 kB of logs for each; 4 tasks, the fourth as a reserve.
var (
	Idle        = Load{}
	TenThousand = Load{Players: 10_000, MAU: 200_000, BytesPerSecond: 1_000, Requests: 12, LogBytes: 1_000, Tasks: 4}
)

// line is one of a bill.
type line struct {
	what  string
	units float64
	of    string
	price float64
}

func (l line) amount() float64 { return l.units * l.price }

// bill reckons.
func bill(p Prices, d Deployed, l Load) []line {
	tasks := math.Max(l.Tasks, d.GateTasks)
	gb := l.Players * l.BytesPerSecond * hours * 3600 / 1e9
	requests := l.Players * l.Requests * hours / 1e6
	logs := requests * 1e6 * l.LogBytes / 1e9
	mau, free := p.EssentialsMAU, p.FreeMAU
	if d.Plus {
		mau, free = p.PlusMAU, 0
	}
	return []line{
		{"sallyport, vCPU", tasks * d.GateVCPU * hours, "vCPU h", p.FargateVCPUHour},
		{"sallyport, memory", tasks * d.GateGB * hours, "GB h", p.FargateGBHour},
		{"backend, vCPU", d.BackendVCPU * hours, "vCPU h", p.FargateVCPUHour},
		{"backend, memory", d.BackendGB * hours, "GB h", p.FargateGBHour},
		{"ALB", d.ALBs * hours, "h", p.ALBHour},
		// A capacity unit carries 1 GB an hour, 3,000 connections and 25 new ones a second; bytes decide here.
		{"ALB, capacity", math.Max(gb, l.Players/3000*hours), "LCU h", p.LCUHour},
		{"NAT gateways", d.NATs * hours, "h", p.NATHour},
		{"interface endpoints", d.EndpointZones * hours, "zone h", p.EndpointHour},
		{"CloudFront, bytes out", math.Max(0, gb-p.EdgeFreeGB), "GB", p.EdgeGB},
		{"CloudFront, requests", math.Max(0, requests-p.EdgeFreeMillionRequests), "million", p.EdgeMillionRequests},
		{"WAF, ACL and rules", 1, "month", p.WebACLMonth + d.WebACLRules*p.WebACLRuleMonth},
		{"WAF, requests", requests, "million", p.WAFMillionRequests},
		{"database", d.DatabaseZones * hours, "h", p.DatabaseHour[d.DatabaseClass]},
		{"database, storage", d.DatabaseZones * d.DatabaseGiB, "GB months", p.DatabaseGBMonth},
		{"cache", d.CacheNodes * hours, "node h", p.CacheHour[d.CacheNode]},
		{"keys", d.Keys, "months", p.KeyMonth},
		{"secrets", d.Secrets, "months", p.SecretMonth},
		{"alarms", d.Alarms, "months", p.AlarmMonth},
		{"logs, taken in", logs, "GB", p.LogGB},
		{"logs, kept", logs * d.LogMonths, "GB months", p.LogGBMonth},
		// Half of what sallyport passes to the one backend task crosses a zone.
		{"between zones", gb / 2, "GB", p.CrossZoneGB},
		{"Cognito", math.Max(0, l.MAU-free), "players", mau},
	}
}

// Total is a month in US dollars.
func Total(p Prices, d Deployed, l Load) float64 {
	var sum float64
	for _, line := range bill(p, d, l) {
		sum += line.amount()
	}
	return sum
}

// Table is the bill as Markdown, without the lines that cost nothing.
func Table(p Prices, d Deployed, l Load) string {
	var b strings.Builder
	b.WriteString("| what | units | price | US$ |\n|---|---:|---:|---:|\n")
	for _, line := range bill(p, d, l) {
		if line.amount() > 0 {
			fmt.Fprintf(&b, "| %s | %s %s | %g | %.2f |\n", line.what, number(line.units), line.of, line.price, line.amount())
		}
	}
	fmt.Fprintf(&b, "| **a month** | | | **%.0f** |\n", Total(p, d, l))
	return b.String()
}

// number writes units as people do: 1,752,000 or 0.5.
func number(f float64) string {
	if f != math.Trunc(f) && f < 1000 {
		return fmt.Sprintf("%.4g", f)
	}
	s := fmt.Sprintf("%.0f", f)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
