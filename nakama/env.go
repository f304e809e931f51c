package nakama

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

const keyPrefix = "sallyport_"

// parseConfig reads the keys of runtime.env that are ours. An error names the key and never shows its value.
func parseConfig(env map[string]string) (Config, error) {
	var c Config
	known := make(map[string]bool)
	fields := reflect.ValueOf(&c).Elem()
	for i := range fields.NumField() {
		tag := fields.Type().Field(i).Tag
		key, required := strings.CutSuffix(tag.Get("env"), ",required")
		known[key] = true
		text, err := value(env, key, tag.Get("default"))
		if err == nil && text == "" && required {
			err = fmt.Errorf("%s is missing in runtime.env", key)
		}
		if err == nil && text != "" {
			err = set(fields.Field(i), key, text)
		}
		if err != nil {
			return Config{}, err
		}
	}
	for key := range env {
		if strings.HasPrefix(key, keyPrefix) && !known[key] {
			return Config{}, fmt.Errorf("%s in runtime.env is not a key of Sallyport's", key)
		}
	}
	return c, c.check()
}

func value(env map[string]string, key, fallback string) (string, error) {
	text, found := env[key]
	if !found {
		return fallback, nil
	}
	path, isFile := strings.CutPrefix(text, "file:")
	if !isFile {
		return text, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

func set(field reflect.Value, key, text string) (err error) {
	switch field.Interface().(type) {
	case string:
		field.SetString(text)
	case []string:
		var list []string
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word != "" {
				list = append(list, word)
			}
		}
		field.Set(reflect.ValueOf(list))
	case bool:
		var yes bool
		if yes, err = strconv.ParseBool(text); err != nil {
			return fmt.Errorf("%s: want true or false", key)
		}
		field.SetBool(yes)
	case time.Duration:
		var d time.Duration
		if d, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%s: want a duration such as 2s", key)
		}
		field.SetInt(int64(d))
	}
	return nil
}

func oneOf(key, value, allowed string) error {
	words := strings.Fields(allowed)
	if slices.Contains(words, value) {
		return nil
	}
	return fmt.Errorf("%s: want one of %s", key, strings.Join(words, ", "))
}
