package dsl

// SecretIn finds a reference to a secret, {$secret: path}, in the evaluated input of
// an activity. What it stands for exists in the plugin host alone.
func SecretIn(input any) (path string, found bool) {
	switch v := input.(type) {
	case []any:
		for _, item := range v {
			if path, found = SecretIn(item); found {
				return path, true
			}
		}
	case map[string]any:
		if path, found = v["$secret"].(string); found {
			return path, true
		}
		for _, key := range canonicalKeys(v) {
			if path, found = SecretIn(v[key]); found {
				return path, true
			}
		}
	}
	return "", false
}
