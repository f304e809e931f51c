package cost

// Prices are list prices in US dollars. Each has the unit that its name says: an hour, a month, a GB (10⁹ bytes), a million.
type Prices struct {
	// Date is when they were written down, and Region what they are of.
	Date, Region string

	FargateVCPUHour, FargateGBHour float64            // aws.amazon.com/fargate/pricing, Linux on x86
	ALBHour, LCUHour               float64            // aws.amazon.com/elasticloadbalancing/pricing
	NLBHour, NLCUHour              float64            // the same page
	NATHour, NATGB                 float64            // aws.amazon.com/vpc/pricing
	EndpointHour, EndpointGB       float64            // aws.amazon.com/privatelink/pricing, for each zone
	EdgeGB                         float64            // aws.amazon.com/cloudfront/pricing, North America and Europe, the first 10 TB
	EdgeFreeGB                     float64            // of each month
	EdgeMillionRequests            float64            // the same page, HTTPS
	EdgeFreeMillionRequests        float64            // of each month
	WebACLMonth, WebACLRuleMonth   float64            // aws.amazon.com/waf/pricing
	WAFMillionRequests             float64            // the same page
	DatabaseHour                   map[string]float64 // aws.amazon.com/rds/postgresql/pricing, by class, one zone
	DatabaseGBMonth                float64            // the same page: gp3, one zone
	CacheHour                      map[string]float64 // aws.amazon.com/elasticache/pricing, by node, Redis OSS
	KeyMonth                       float64            // aws.amazon.com/kms/pricing
	SecretMonth                    float64            // aws.amazon.com/secrets-manager/pricing
	LogGB, LogGBMonth              float64            // aws.amazon.com/cloudwatch/pricing: taken in, and kept
	AlarmMonth, MetricMonth        float64            // the same page
	EssentialsMAU, PlusMAU         float64            // aws.amazon.com/cognito/pricing, by tier: a player who is active in the month
	FreeMAU                        float64            // of Essentials; Plus has none
	CrossZoneGB                    float64            // aws.amazon.com/ec2/pricing/on-demand: both directions together
}

// List is the list prices of us-east-1. They were written down from public price pages and articles without asking AWS; look at
// the page that each field names before you plan with them.
var List = Prices{
	Date: "2026-11-22", Region: "us-east-1",
	FargateVCPUHour: 0.04048, FargateGBHour: 0.004445,
	ALBHour: 0.0225, LCUHour: 0.008,
	NLBHour: 0.0225, NLCUHour: 0.006,
	NATHour: 0.045, NATGB: 0.045,
	EndpointHour: 0.01, EndpointGB: 0.01,
	EdgeGB: 0.085, EdgeFreeGB: 1000,
	EdgeMillionRequests: 1.00, EdgeFreeMillionRequests: 10,
	WebACLMonth: 5, WebACLRuleMonth: 1, WAFMillionRequests: 0.60,
	DatabaseHour:    map[string]float64{"db.t4g.micro": 0.016, "db.t4g.medium": 0.065, "db.m7g.large": 0.168},
	DatabaseGBMonth: 0.115,
	CacheHour:       map[string]float64{"cache.t4g.micro": 0.016, "cache.t4g.small": 0.032, "cache.m7g.large": 0.158},
	KeyMonth:        1, SecretMonth: 0.40,
	LogGB: 0.50, LogGBMonth: 0.03,
	AlarmMonth: 0.10, MetricMonth: 0.30,
	EssentialsMAU: 0.015, PlusMAU: 0.02, FreeMAU: 10000,
	CrossZoneGB: 0.02,
}
