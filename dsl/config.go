package dsl

import (
	"fmt"
	"regexp"
)

// Config is what a configuration file says. What it does not say is zero.
// Paths are as written: relative ones start at the file's own folder.
type Config struct {
	Data        string // data directory
	Temporal    string // "embedded" or HOST:PORT
	Namespace   string // Temporal namespace
	Definitions string // folder of the definitions and tenants
	Plugins     string // folder of the plugins' executables
	Tenant      string
	Region      string
	// Search declares search attributes, beside country_code and
	// clearing_batch_id, which are always there. Nil if the file has none.
	Search map[string]SearchType
}

// addressForm is HOST:PORT; the host may be an IPv6 address in brackets.
var addressForm = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$`)

// AddressHint says how to write what Config.Temporal takes.
const AddressHint = "write embedded, or HOST:PORT such as temporal.example.com:7233"

// ValidTemporal says whether s is what Config.Temporal takes.
func ValidTemporal(s string) bool { return s == "embedded" || addressForm.MatchString(s) }

// ParseConfig reads a configuration file; an empty one is valid. The
// configuration is nil exactly if one of the diagnostics is an error.
func ParseConfig(src Source) (*Config, Diagnostics) {
	c := newCompiler(src.Name, Options{})
	config := &Config{}
	if doc, err := decodeYAML(src.Data); err == nil && doc == nil {
		return config, nil
	}
	if root := c.readYAML(src.Data); root != nil {
		c.config(config, root)
	}
	diags := c.diags.sort()
	if diags.HasErrors() {
		return nil, diags
	}
	return config, diags
}

func (c *compiler) config(config *Config, root *node) {
	texts := map[string]*string{
		"data": &config.Data, "temporal": &config.Temporal, "namespace": &config.Namespace,
		"definitions": &config.Definitions, "plugins": &config.Plugins,
		"tenant": &config.Tenant, "region": &config.Region,
	}
	f, ok := c.fields(root, "the configuration", append(canonicalKeys(texts), "search")...)
	if !ok {
		return
	}
	for _, key := range canonicalKeys(texts) {
		n := f[key]
		if n == nil || !c.expect(n, nodeString, key) {
			continue
		}
		if n.string() == "" {
			c.errorNode(n, CodeValue, key+" is empty", "write a value, or leave the key out for its default")
		}
		*texts[key] = n.string()
	}
	if n := f["temporal"]; n.isText() && n.string() != "" && !ValidTemporal(n.string()) {
		c.errorNode(n, CodeValue, fmt.Sprintf("%q is no address of Temporal", n.string()), AddressHint)
	}
	for _, key := range []string{"tenant", "region"} {
		if n := f[key]; n.isText() && n.string() != "" {
			c.name(n, "the "+key, tenantForm, tenantHint)
		}
	}
	c.declareSearch(config, f["search"])
}

// searchNameForm is what every visibility store of Temporal takes.
var searchNameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

func (c *compiler) declareSearch(config *Config, n *node) {
	if n == nil || !c.expect(n, nodeMap, "search") {
		return
	}
	types := []SearchType{SearchKeyword, SearchInt, SearchBool, SearchInstant}
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	config.Search = make(map[string]SearchType, len(n.keys))
	for i, k := range n.keys {
		name := c.name(k, "the search attribute", searchNameForm, "write letters, digits and underscores, at most 64, starting with a letter")
		t := types[c.choice(n.items[i], "the type of "+k.string(), words...)]
		if fixed, ok := defaultSearchAttributes[name]; ok && fixed != t {
			c.errorNode(n.items[i], CodeSearch, fmt.Sprintf("the search attribute %s has the type %s", name, fixed), "leave it out, or take another name")
			continue
		}
		config.Search[name] = t
	}
}

// SearchAttributes gives the search attributes that a configuration with these
// declarations has: those, country_code and clearing_batch_id.
func SearchAttributes(declared map[string]SearchType) map[string]SearchType {
	all := make(map[string]SearchType, len(declared)+len(defaultSearchAttributes))
	for name, t := range defaultSearchAttributes {
		all[name] = t
	}
	for name, t := range declared {
		all[name] = t
	}
	return all
}
