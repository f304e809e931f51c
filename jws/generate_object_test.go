package jws_test

import "strings"

// objectVectors are about JSON itself (RFC 8259) and the stricter rules of ParseObject.
func objectVectors() []vector {
	var list []vector
	for name, body := range map[string]string{
		"empty":             `{}`,
		"white-space":       " \t\r\n{ \"a\" : [ ] } \n",
		"all-types":         `{"s":"x","n":1,"f":-1.5e+3,"t":true,"x":false,"z":null,"o":{},"a":[1,"2",{}]}`,
		"escapes":           `{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83c\udfae"}`,
		"nul-escaped":       `{"a":"\u0000"}`,
		"delete-character":  "{\"a\":\"\x7f\"}",
		"numbers":           `{"a":[0,-0,0.0,1e1,1E-1,1.25e+2,123456789012345678901234567890]}`,
		"replacement-char":  "{\"a\":\"\ufffd\"}",
		"last-rune":         "{\"a\":\"\U0010ffff\"}",
		"empty-name":        `{"":1}`,
		"other-case-inside": `{"x":{"Sub":"not a claim"}}`,
		"capital-of-a-name": `{"Level":1}`,
		"x5t-S256":          `{"x5t#S256":"x"}`,
		"depth-8":           strings.Repeat(`{"a":`, 7) + `{}` + strings.Repeat(`}`, 7),
		"hundred-members":   `{` + manyMembers(100) + `}`,
		"same-in-siblings":  `{"x":{"a":1},"y":{"a":1}}`,
	} {
		list = append(list, vector{"accept-" + name, []string{"expect: accept"}, body})
	}
	for want, cases := range refusedObjects() {
		for name, body := range cases {
			list = append(list, vector{"refuse-" + name, []string{"expect: refuse", "want: " + want}, body})
		}
	}
	return list
}

// refusedObjects are grouped by what their refusal asks for.
func refusedObjects() map[string]map[string]string {
	return map[string]map[string]string{
		"one JSON object": {
			"nothing": ``, "spaces": `  `, "null": `null`, "array": `[]`, "string": `"a"`, "number": `1`,
			"name-only": `{"a"}`, "no-value": `{"a":}`, "no-colon": `{"a" 1}`, "two-colons": `{"a"::1}`,
			"no-comma": `{"a":1 "b":2}`, "open-string": `{"a":"b`, "open-array": `{"a":[1`,
			"array-trailing-comma": `{"a":[1,]}`, "array-no-comma": `{"a":[1 2]}`, "array-leading-comma": `{"a":[,1]}`,
			"leading-zero": `{"a":01}`, "plus": `{"a":+1}`, "bare-point": `{"a":.5}`, "point-at-end": `{"a":1.}`,
			"bare-exponent": `{"a":1e}`, "exponent-sign-only": `{"a":1e+}`, "minus-only": `{"a":-}`, "hex": `{"a":0x1}`,
			"nan": `{"a":NaN}`, "infinity": `{"a":-Infinity}`, "capital-true": `{"a":True}`, "cut-literal": `{"a":nul}`,
			"long-literal": `{"a":nulll}`, "comment": `{"a":1/**/}`, "form-feed": "{\"a\":\f1}", "no-break-space": "{\"a\":\u00a01}",
			"mismatched": `{"a":[1}`, "nul-for-value": "{\"a\":\x00}",
		},
		"a string as member name": {
			"brace": `{`, "open-object": `{"a":{`, "trailing-comma": `{"a":1,}`, "leading-comma": `{,"a":1}`, "bare-name": `{a:1}`, "single-quotes": `{'a':1}`,
			"number-as-name": `{1:1}`, "nul-for-name": "{\x00}",
		},
		"nothing after": {"second-value": `{} {}`, "trailing-comma-outside": `{},`, "nul-after": "{}\x00", "brace-after": `{}}`},
		"valid UTF-8": {
			"line-feed-in-string": "{\"a\":\"\n\"}", "tab-in-string": "{\"a\":\"\t\"}", "bad-escape": `{"a":"\x41"}`,
			"escape-at-end": `{"a":"\`, "short-unicode": `{"a":"\u12"}`, "bad-hex": `{"a":"\u12g4"}`,
			"high-surrogate": `{"a":"\ud800"}`, "high-surrogate-text": `{"a":"\ud800x"}`, "two-high": `{"a":"\ud800\ud800"}`,
			"low-surrogate": `{"a":"\udc00"}`, "lone-byte": "{\"a\":\"\x80\"}", "cut-rune": "{\"a\":\"\xe2\x82\"}",
			"beyond-unicode": "{\"a\":\"\xf4\x90\x80\x80\"}", "invalid-name": "{\"\xff\":1}", "escaped-quote-cut": `{"a":"\u"}`,
		},
		"names that are there once": {
			"twice": `{"a":1,"a":1}`, "twice-escaped": `{"a":1,"\u0061":1}`, "twice-empty": `{"":1,"":2}`,
			"twice-by-case": `{"ab":1,"aB":1}`, "twice-by-greek-case": `{"Σ":1,"ς":2}`, "twice-kelvin": "{\"Key\":1,\"\u212aey\":2}",
			"twice-nested": `{"x":{"a":1,"a":1}}`, "twice-in-array": `{"x":[[{"a":1,"a":1}]]}`,
			"twice-after-forty":      `{` + manyMembers(40) + `,"claim-aa":1}`,
			"twice-by-case-of-forty": `{` + manyMembers(40) + `,"CLAIM-BB":1}`,
		},
		"registered names": {
			"SUB": `{"SUB":"x"}`, "Aud": `{"Aud":"x"}`, "aLg": `{"aLg":"x"}`, "x5t-s256": `{"x5t#s256":"x"}`,
			"Token_Use": `{"Token_Use":"id"}`, "escaped-Sub": `{"\u0053ub":"x"}`, "long-s": `{"iſs":"x"}`,
		},
		"at most 8 levels": {
			"depth-9":       strings.Repeat(`{"a":`, 8) + `{}` + strings.Repeat(`}`, 8),
			"depth-9-array": `{"a":` + strings.Repeat(`[`, 8) + strings.Repeat(`]`, 8) + `}`,
			"depth-open":    strings.Repeat(`{"a":`, 2000),
		},
	}
}
