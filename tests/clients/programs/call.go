// call URL [AUDIENCE]: one GET with Google's Go library; prints {"status", "headers", "body"}.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"google.golang.org/api/idtoken"
)

func client(audience string) *http.Client {
	if audience == "" {
		return http.DefaultClient
	}
	c, err := idtoken.NewClient(context.Background(), audience)
	if err != nil {
		log.Fatal(err)
	}
	return c
}

func main() {
	args := append(os.Args[1:], "", "")
	resp, err := client(args[1]).Get(args[0])
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	headers := map[string]string{}
	for name, values := range resp.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	out := map[string]interface{}{"status": resp.StatusCode, "headers": headers, "body": string(body)}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}
