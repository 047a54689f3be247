package dsl

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/sagad/sagad/schemas"
)

// surroundings are texts of files around definitions. want is what is found,
// one line for each, without the file; schema says whether the published schema
// finds something too.
type surrounding struct {
	text   string
	want   string
	schema bool
}

func knownZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil
}

func checkSurroundings(t *testing.T, schema []byte, cases map[string]surrounding, parse func(Source) Diagnostics) {
	t.Helper()
	var v *schemas.Validator
	if schema != nil {
		doc, err := ParseJSON(schema)
		if err != nil {
			t.Fatal(err)
		}
		bundled, err := schemas.Bundle(doc, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = schemas.Compile(bundled); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ds := parse(Source{Name: "f", Data: []byte(c.text)})
			if diff := cmp.Diff(strings.TrimSpace(c.want), strings.ReplaceAll(ds.Error(), "f:", "")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if v == nil {
				return
			}
			var doc any
			if err := yaml.Unmarshal([]byte(c.text), &doc); err != nil {
				t.Fatal(err)
			}
			if err := v.Validate(doc); (err != nil) != c.schema {
				t.Errorf("the schema says %v", err)
			}
		})
	}
}

func TestParseTenant(t *testing.T) {
	const good = "tenant: acme\ncountry: SE\ntimezone: Europe/Stockholm\nregions: [eu-north-1, eu-south-1]\n"
	src := Source{Name: "acme.yaml", Data: []byte(good + "settings: {limit: 5m, most: 3, list: [a, {b: 1.5}]}\n")}
	tenant, ds := ParseTenant(src, knownZone)
	if tenant == nil {
		t.Fatal(ds)
	}
	want := map[string]any{"limit": "5m", "most": 3, "list": []any{"a", map[string]any{"b": 1.5}}, "country": "SE", "timezone": "Europe/Stockholm"}
	if diff := cmp.Diff(want, tenant.Settings()); diff != "" {
		t.Errorf("settings -want +got:\n%s", diff)
	}
	if tenant.Name != "acme" || !slices.Equal(tenant.Regions, []string{"eu-north-1", "eu-south-1"}) {
		t.Errorf("%+v", tenant)
	}

	checkSurroundings(t, schemas.Tenant, map[string]surrounding{
		"good": {text: good},
		"missing": {"tenant: acme\n", `
1:1: error[MISSING_KEY]: the tenant has no country; write country: and an ISO 3166-1 code, such as DE
1:1: error[MISSING_KEY]: the tenant has no regions; write regions: and a list, such as [eu-west-1]
1:1: error[MISSING_KEY]: the tenant has no timezone; write timezone: and a name of the IANA time zone database, such as Europe/Berlin`, true},
		"unknown key": {good + "setings: {}\n", `5:1: error[UNKNOWN_KEY]: a tenant has no key "setings"; did you mean "settings"?`, true},
		"country":     {strings.Replace(good, "SE", "XX", 1), `2:10: error[VALUE]: "XX" is not a country; write its ISO 3166-1 alpha-2 code in capitals, such as DE`, false},
		"small":       {strings.Replace(good, "SE", "se", 1), `2:10: error[VALUE]: "se" is not a country; write its ISO 3166-1 alpha-2 code in capitals, such as DE`, true},
		"norway":      {strings.Replace(good, "SE", "NO", 1), "", false},
		"zone":        {strings.Replace(good, "Stockholm", "Stokholm", 1), `3:11: error[VALUE]: "Europe/Stokholm" is not a time zone; write a name of the IANA time zone database, such as Europe/Berlin`, false},
		"local":       {strings.Replace(good, "Europe/Stockholm", "Local", 1), `3:11: error[VALUE]: "Local" is not a time zone; write a name of the IANA time zone database, such as Europe/Berlin`, true},
		"name":        {strings.Replace(good, "acme", "Acme Ltd", 1), `1:9: error[INVALID_ID]: the tenant "Acme Ltd" is not a valid name; write small letters, digits and hyphens, at most 64, such as eu-west-1`, true},
		"no regions":  {strings.Replace(good, "[eu-north-1, eu-south-1]", "[]", 1), `4:10: error[EMPTY]: the tenant has 0 regions; name at least one and at most 100`, true},
		"twice":       {strings.Replace(good, "eu-south-1", "eu-north-1", 1), `4:23: error[DUPLICATE_KEY]: the region eu-north-1 stands twice`, true},
		"setting":     {good + "settings: {country: DE}\n", `5:12: error[DUPLICATE_KEY]: country is a key of the tenant itself; write it one level up`, true},
		"a list":      {"[a]\n", `1:1: error[WRONG_TYPE]: this is a list, not a tenant; a tenant is a map with the keys tenant, country, timezone, regions or settings`, true},
	}, func(src Source) Diagnostics {
		tenant, ds := ParseTenant(src, knownZone)
		if (tenant == nil) != ds.HasErrors() {
			t.Errorf("tenant %v with %v", tenant, ds)
		}
		return ds
	})
}

func TestIsCountry(t *testing.T) {
	if n := len(strings.Fields(countries)); n != 249 {
		t.Errorf("%d countries, ISO 3166-1 has 249", n)
	}
	if !slices.IsSorted(strings.Fields(countries)) {
		t.Error("the countries are not sorted")
	}
	for code, want := range map[string]bool{"DE": true, "ZW": true, "AD": true, "UK": false, "de": false, "": false, "E ": false, " D": false, "DEU": false} {
		if IsCountry(code) != want {
			t.Errorf("IsCountry(%q) is %v", code, !want)
		}
	}
}

func TestParseConfig(t *testing.T) {
	const good = "data: d\ntemporal: \"[::1]:7233\"\nnamespace: n\ndefinitions: defs\nplugins: p\ntenant: acme\nregion: eu-1\nsearch: {amount: int, country_code: keyword}\n"
	config, ds := ParseConfig(Source{Data: []byte(good)})
	if config == nil {
		t.Fatal(ds)
	}
	want := &Config{Data: "d", Temporal: "[::1]:7233", Namespace: "n", Definitions: "defs", Plugins: "p", Tenant: "acme", Region: "eu-1",
		Search: map[string]SearchType{"amount": SearchInt, "country_code": SearchKeyword}}
	if diff := cmp.Diff(want, config); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	all := SearchAttributes(config.Search)
	if diff := cmp.Diff(map[string]SearchType{"amount": SearchInt, "country_code": SearchKeyword, "clearing_batch_id": SearchKeyword}, all); diff != "" {
		t.Errorf("search attributes -want +got:\n%s", diff)
	}
	for _, empty := range []string{"", "# nothing yet\n"} {
		if config, ds := ParseConfig(Source{Data: []byte(empty)}); config == nil || len(ds) > 0 {
			t.Errorf("%q gives %v", empty, ds)
		}
	}

	checkSurroundings(t, schemas.Config, map[string]surrounding{
		"good":        {text: good},
		"unknown key": {"dta: d\n", `1:1: error[UNKNOWN_KEY]: the configuration has no key "dta"; did you mean "data"?`, true},
		"empty":       {"data: \"\"\n", `1:7: error[VALUE]: data is empty; write a value, or leave the key out for its default`, true},
		"number":      {"data: 7\n", `1:7: error[WRONG_TYPE]: data is a whole number, not text`, true},
		"address":     {"temporal: localhost\n", `1:11: error[VALUE]: "localhost" is no address of Temporal; write embedded, or HOST:PORT such as temporal.example.com:7233`, true},
		"tenant":      {"tenant: A/B\n", `1:9: error[INVALID_ID]: the tenant "A/B" is not a valid name; write small letters, digits and hyphens, at most 64, such as eu-west-1`, true},
		"type":        {"search: {amount: integer}\n", `1:18: error[VALUE]: the type of amount cannot be "integer"; it is keyword, int, bool or datetime`, true},
		"fixed":       {"search: {country_code: int}\n", `1:24: error[SEARCH]: the search attribute country_code has the type keyword; leave it out, or take another name`, true},
		"name":        {"search: {a-b: int}\n", `1:10: error[INVALID_ID]: the search attribute "a-b" is not a valid name; write letters, digits and underscores, at most 64, starting with a letter`, true},
	}, func(src Source) Diagnostics {
		_, ds := ParseConfig(src)
		return ds
	})
}

func TestParseMessages(t *testing.T) {
	list, ds := ParseMessages(Source{Data: []byte("- {name: paid, id: m-1}\n- {at: 2s, name: sca.done, id: m-2, to: 'pay[7]', data: {n: 3}}\n")})
	want := []Message{{Name: "paid", ID: "m-1"}, {At: 2 * time.Second, To: "pay[7]", Name: "sca.done", ID: "m-2", Data: map[string]any{"n": 3}}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("%v -want +got:\n%s", ds, diff)
	}
	if list, ds := ParseMessages(Source{Data: []byte("[]\n")}); list == nil || len(ds) > 0 {
		t.Errorf("an empty list gives %v, %v", list, ds)
	}
	checkSurroundings(t, nil, map[string]surrounding{
		"missing": {text: "- {at: 1s}\n", want: `
1:4: error[MISSING_KEY]: the signal has no id; write {at: 2s, name: SIGNAL, id: m-1, data: {...}}
1:4: error[MISSING_KEY]: the signal has no name; write {at: 2s, name: SIGNAL, id: m-1, data: {...}}`},
		"twice": {text: "- {name: a, id: m}\n- {name: b, id: m}\n", want: `2:17: warning[DUPLICATE_ID]: the id m stands twice; it is on line 1 already; a saga drops the second message with an ID`},
		"empty": {text: "- {name: a, id: \"\"}\n", want: `1:17: error[VALUE]: the id is empty; give every message its own ID`},
		"at":    {text: "- {at: soon, name: a, id: m}\n", want: `1:8: error[DURATION]: at: "soon" is not a duration; write a whole number and a unit, such as 250ms, 30s, 5m, 24h or 7d`},
		"map":   {text: "name: a\n", want: `1:1: error[WRONG_TYPE]: the list of signals is a map, not a list; write each entry on a line of its own behind a hyphen, or [a, b]`},
		"key":   {text: "- {name: a, id: m, date: 3}\n", want: `1:20: error[UNKNOWN_KEY]: a signal has no key "date"; did you mean "data"?`},
	}, func(src Source) Diagnostics {
		_, ds := ParseMessages(src)
		return ds
	})
}
