// who: what Google's Go metadata package finds.
package main

import (
	"encoding/json"
	"log"
	"os"

	"cloud.google.com/go/compute/metadata"
)

func must(value string, err error) string {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	out := map[string]interface{}{
		"available": metadata.OnGCE(),
		"project":   must(metadata.ProjectID()),
		"number":    must(metadata.NumericProjectID()),
		"email":     must(metadata.Email("default")),
		"zone":      must(metadata.Zone()),
	}
	_, err := metadata.Get("instance/name")
	_, out["nameUndefined"] = err.(metadata.NotDefinedError)
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}
