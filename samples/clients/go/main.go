// Frontend service calling the authenticated backend.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/api/idtoken"
)

const (
	timeout   = 10 * time.Second
	answerMax = 1 << 20
)

// A backend is the private service with a client that adds identity tokens automatically.
type backend struct {
	url    string
	client *http.Client
}

func newBackend(ctx context.Context, url string) (*backend, error) {
	client, err := idtoken.NewClient(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("failed to create ID token client: %w", err)
	}
	client.Timeout = timeout
	return &backend{url: url, client: client}, nil
}

func (b *backend) get(ctx context.Context, path string) (json.RawMessage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("request failed: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerMax))
	if err != nil {
		return nil, fmt.Errorf("answer broken off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("backend answered %s", resp.Status)
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf("backend's answer is not JSON")
	}
	return data, nil
}

func answer(w http.ResponseWriter, status int, content interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(content); err != nil {
		log.Printf("answer not sent: %v", err)
	}
}

func (b *backend) serveData(w http.ResponseWriter, r *http.Request) {
	data, err := b.get(r.Context(), "/api/items")
	if err != nil {
		log.Printf("calling the backend failed: %v", err)
		answer(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]interface{}{"source": "frontend", "backend_data": data})
}

func getenv(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	url := strings.TrimRight(os.Getenv("BACKEND_URL"), "/")
	if url == "" {
		log.Fatal("BACKEND_URL environment variable is required")
	}
	b, err := newBackend(context.Background(), url)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/data", b.serveData)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: timeout}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	stopped := make(chan struct{})
	go func() {
		<-stop
		if err := server.Shutdown(context.Background()); err != nil {
			log.Printf("shutdown: %v", err)
		}
		close(stopped)
	}()
	listener, err := net.Listen("tcp", getenv("HOST", "")+":"+getenv("PORT", "8080"))
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("Frontend listening on port %d", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-stopped
}
