package dsl

import (
	"fmt"
	"regexp"
)

// Tenant is a tenant as its file in the folder `tenants` describes it.
type Tenant struct {
	Name     string
	Country  string   // ISO 3166-1 alpha-2
	Timezone string   // a zone of the IANA time zone database
	Regions  []string // at least one; the first is the one used when none is named

	settings map[string]any
}

// Settings gives what expressions read as `tenant`: the settings of the file,
// country and timezone. The map is a copy; what is in it is not to be changed.
func (t *Tenant) Settings() map[string]any {
	all := make(map[string]any, len(t.settings)+2)
	for name, value := range t.settings {
		all[name] = value
	}
	all["country"], all["timezone"] = t.Country, t.Timezone
	return all
}

// tenantForm is also the form of a region: both name directories and task
// queues, and stand in every instance ID.
var tenantForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

const tenantHint = "write small letters, digits and hyphens, at most 64, such as eu-west-1"

// MaxRegions is the largest number of regions of one tenant.
const MaxRegions = 100

// ValidTenantName says whether s can name a tenant or a region.
func ValidTenantName(s string) bool { return tenantForm.MatchString(s) }

// ParseTenant reads a tenant's file. zone says whether a name is in the IANA
// time zone database: this package has no copy of it. The tenant is nil
// exactly if one of the diagnostics is an error.
func ParseTenant(src Source, zone func(name string) bool) (*Tenant, Diagnostics) {
	c := newReader(src.Name, "the tenant", "start with tenant: NAME")
	root := c.readYAML(src.Data)
	t := &Tenant{}
	if root != nil {
		c.tenant(t, root, zone)
	}
	diags := c.diags.sort()
	if diags.HasErrors() {
		return nil, diags
	}
	return t, diags
}

var missingTenant = map[string]string{
	"tenant":   "write tenant: NAME, the name of the file",
	"country":  "write country: and an ISO 3166-1 code, such as DE",
	"timezone": "write timezone: and a name of the IANA time zone database, such as Europe/Berlin",
	"regions":  "write regions: and a list, such as [eu-west-1]",
}

func (c *compiler) tenant(t *Tenant, root *node, zone func(string) bool) {
	f, ok := c.fields(root, "a tenant", "tenant", "country", "timezone", "regions", "settings")
	if !ok {
		return
	}
	for _, key := range []string{"tenant", "country", "timezone", "regions"} {
		if f[key] == nil {
			c.errorNode(root.first(), CodeMissingKey, "the tenant has no "+key, missingTenant[key])
		}
	}
	if n := f["tenant"]; n != nil {
		t.Name = c.name(n, "the tenant", tenantForm, tenantHint)
	}
	if n := f["country"]; n != nil && c.expect(n, nodeString, "country") {
		if t.Country = n.string(); !IsCountry(t.Country) {
			c.errorNode(n, CodeValue, fmt.Sprintf("%q is not a country", t.Country), "write its ISO 3166-1 alpha-2 code in capitals, such as DE")
		}
	}
	if n := f["timezone"]; n != nil && c.expect(n, nodeString, "timezone") {
		if t.Timezone = n.string(); t.Timezone == "" || t.Timezone == "Local" || !zone(t.Timezone) {
			c.errorNode(n, CodeValue, fmt.Sprintf("%q is not a time zone", t.Timezone), "write a name of the IANA time zone database, such as Europe/Berlin")
		}
	}
	c.regions(t, f["regions"])
	c.settings(t, f["settings"])
}

func (c *compiler) regions(t *Tenant, n *node) {
	if n == nil || !c.expect(n, nodeList, "regions") {
		return
	}
	if len(n.items) == 0 || len(n.items) > MaxRegions {
		c.errorNode(n, CodeEmpty, fmt.Sprintf("the tenant has %d regions", len(n.items)), fmt.Sprintf("name at least one and at most %d", MaxRegions))
	}
	for _, item := range n.items {
		region := c.name(item, "the region", tenantForm, tenantHint)
		if region != "" && contains(t.Regions, region) {
			c.errorNode(item, CodeDuplicateKey, fmt.Sprintf("the region %s stands twice", region), "")
			continue
		}
		t.Regions = append(t.Regions, region)
	}
}

// settings are data: expressions read them, they hold none themselves.
func (c *compiler) settings(t *Tenant, n *node) {
	if n == nil || !c.expect(n, nodeMap, "settings") {
		return
	}
	t.settings = make(map[string]any, len(n.keys))
	for i, k := range n.keys {
		name := c.name(k, "the setting", nameForm, nameHint)
		if name == "country" || name == "timezone" {
			c.errorNode(k, CodeDuplicateKey, fmt.Sprintf("%s is a key of the tenant itself", name), "write it one level up")
			continue
		}
		t.settings[name] = n.items[i].data()
	}
}
