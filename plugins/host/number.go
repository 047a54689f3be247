package host

import "bytes"

// hasLargeInteger reports whether valid JSON has a number without a fraction or
// an exponent over plugins.MaxInteger in size.
func hasLargeInteger(text []byte) bool {
	const largest = "9007199254740991"
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case c >= '0' && c <= '9':
			end := i
			for end < len(text) && text[end] >= '0' && text[end] <= '9' {
				end++
			}
			digits := string(text[i:end])
			whole := end == len(text) || text[end] != '.' && text[end] != 'e' && text[end] != 'E'
			if whole && (len(digits) > len(largest) || len(digits) == len(largest) && digits > largest) {
				return true
			}
			for end < len(text) && bytes.IndexByte([]byte("0123456789.eE+-"), text[end]) >= 0 {
				end++
			}
			i = end - 1
		}
	}
	return false
}
