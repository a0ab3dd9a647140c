// Does api/idtoken find a metadata server, and whose tokens does it get there? argv: an audience.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"

	"google.golang.org/api/idtoken"
)

func find(audience string) (string, error) {
	source, err := idtoken.NewTokenSource(context.Background(), audience)
	if err != nil {
		return "", err
	}
	token, err := source.Token()
	if err != nil {
		return "", err
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token.AccessToken, ".")[1])
	if err != nil {
		return "", err
	}
	var claims struct{ Email string }
	err = json.Unmarshal(payload, &claims)
	return claims.Email, err
}

func main() {
	email, err := find(os.Args[1])
	result := map[string]interface{}{"found": err == nil, "as": email}
	if err != nil {
		result = map[string]interface{}{"found": false, "why": err.Error()}
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
