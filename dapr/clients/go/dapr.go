// Package dapr is a Dapr client for Go programs compiled to WebAssembly (GOOS=wasip1 GOARCH=wasm), over the imports wasi_experimental_http.
//
//	client := dapr.New()
//	if err := client.SaveState("statestore", "weapon", "Death Star"); err != nil {
//		log.Fatal(err)
//	}
//	var weapon string
//	found, err := client.GetState("statestore", "weapon", &weapon)
//
// Values are whatever encoding/json takes; json.RawMessage is sent as it is. Run with: minivm --dapr app.wasm.
package dapr

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"sort"
	"strings"
)

// Client talks to one sidecar.
type Client struct {
	URL   string    // http://127.0.0.1:3500, or the port in DAPR_HTTP_PORT
	Trace io.Writer // where each request is printed; nil: nowhere
}

// New returns a client for the sidecar of this program.
func New() *Client {
	port := os.Getenv("DAPR_HTTP_PORT")
	if port == "" {
		port = "3500"
	}
	return &Client{URL: "http://127.0.0.1:" + port}
}

// Error is an answer with a status other than 2xx.
type Error struct {
	Status int
	Body   string
}

func (e *Error) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

// Metadata of a request or a state, such as ttlInSeconds.
type Metadata map[string]string

// Options of a state that is saved.
type Options struct {
	Concurrency string `json:"concurrency,omitempty"` // first-write or last-write
	Consistency string `json:"consistency,omitempty"` // strong or eventual
}

// StateItem is a state to save. Only Key and Value must be set.
type StateItem struct {
	Key      string   `json:"key"`
	Value    any      `json:"value"`
	ETag     *string  `json:"etag,omitempty"` // save only when the stored one is this
	Metadata Metadata `json:"metadata,omitempty"`
	Options  *Options `json:"options,omitempty"`
}

// BulkState is one answer of GetBulkState. Data is empty when there is no such state.
type BulkState struct {
	Key   string          `json:"key"`
	Data  json.RawMessage `json:"data"`
	ETag  string          `json:"etag"`
	Error string          `json:"error"`
}

// Operation of a transaction, made by Upsert or Delete.
type Operation struct {
	Operation string `json:"operation"`
	Request   any    `json:"request"`
}

// Upsert saves a state in a transaction.
func Upsert(item StateItem) Operation { return Operation{"upsert", item} }

// Delete removes a state in a transaction.
func Delete(key string) Operation { return Operation{"delete", map[string]string{"key": key}} }

// ConfigurationItem is one value of a configuration store.
type ConfigurationItem struct {
	Value    string   `json:"value"`
	Version  string   `json:"version"`
	Metadata Metadata `json:"metadata"`
}

func (c *Client) do(method, path, headers string, body []byte) ([]byte, string, error) {
	if c.Trace != nil {
		if len(body) > 0 {
			fmt.Fprintf(c.Trace, "%s %s%s with %s\n", method, c.URL, path, body)
		} else {
			fmt.Fprintf(c.Trace, "%s %s%s\n", method, c.URL, path)
		}
	}
	status, etag, answer, err := send(method, c.URL+path, headers, body)
	if err == nil && (status < 200 || status > 299) {
		err = &Error{status, string(answer)}
	}
	return answer, etag, err
}

func (c *Client) post(path string, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	answer, _, err := c.do("POST", path, "Content-Type:application/json\n", body)
	return answer, err
}

func escape(name string) string { return strings.ReplaceAll(url.QueryEscape(name), "+", "%20") }

func path(words ...string) string {
	for i := 1; i < len(words); i++ {
		words[i] = escape(words[i])
	}
	return "/v1.0/" + strings.Join(words, "/")
}

func query(metadata []Metadata) string {
	var all []string
	for _, m := range metadata {
		for name, value := range m {
			all = append(all, "metadata."+escape(name)+"="+escape(value))
		}
	}
	if len(all) == 0 {
		return ""
	}
	sort.Strings(all)
	return "?" + strings.Join(all, "&")
}

// SaveState saves one value.
func (c *Client) SaveState(store, key string, value any) error {
	return c.SaveBulkState(store, StateItem{Key: key, Value: value})
}

// SaveBulkState saves several values.
func (c *Client) SaveBulkState(store string, items ...StateItem) error {
	_, err := c.post(path("state", store), items)
	return err
}

// GetState reads a value into *value, which may be nil; found is false when there is none.
func (c *Client) GetState(store, key string, value any) (found bool, err error) {
	found, _, err = c.GetStateETag(store, key, value)
	return found, err
}

// GetStateETag is GetState, and gives the state's ETag.
func (c *Client) GetStateETag(store, key string, value any) (found bool, etag string, err error) {
	answer, etag, err := c.do("GET", path("state", store, key), "", nil)
	if err != nil || len(answer) == 0 {
		return false, etag, err
	}
	if value != nil {
		err = json.Unmarshal(answer, value)
	}
	return true, etag, err
}

// GetBulkState reads several values.
func (c *Client) GetBulkState(store string, keys ...string) ([]BulkState, error) {
	var states []BulkState
	answer, err := c.post(path("state", store, "bulk"), map[string]any{"keys": keys})
	if err == nil {
		err = json.Unmarshal(answer, &states)
	}
	return states, err
}

// DeleteState removes a value.
func (c *Client) DeleteState(store, key string) error {
	_, _, err := c.do("DELETE", path("state", store, key), "", nil)
	return err
}

// DeleteStateETag removes a value if its ETag is this.
func (c *Client) DeleteStateETag(store, key, etag string) error {
	_, _, err := c.do("DELETE", path("state", store, key), "If-Match:"+etag+"\n", nil)
	return err
}

// Transaction does all operations or none.
func (c *Client) Transaction(store string, operations ...Operation) error {
	_, err := c.post(path("state", store, "transaction"), map[string]any{"operations": operations})
	return err
}

// Publish sends an event. Bytes are sent as they are, as application/octet-stream; everything else as JSON.
func (c *Client) Publish(pubsub, topic string, data any, metadata ...Metadata) error {
	body, raw := data.([]byte)
	kind := "application/octet-stream"
	if !raw {
		var err error
		if body, err = json.Marshal(data); err != nil {
			return err
		}
		kind = "application/json"
	}
	return c.PublishAs(pubsub, topic, kind, body, metadata...)
}

// PublishAs sends an event of a content type of your own.
func (c *Client) PublishAs(pubsub, topic, contentType string, data []byte, metadata ...Metadata) error {
	_, _, err := c.do("POST", path("publish", pubsub, topic)+query(metadata), "Content-Type:"+contentType+"\n", data)
	return err
}

// Invoke calls a method of another application; method may have slashes and a query. app may be a URL.
func (c *Client) Invoke(app, verb, method, contentType string, body []byte) ([]byte, error) {
	headers := ""
	if contentType != "" {
		headers = "Content-Type:" + contentType + "\n"
	}
	if !strings.Contains(app, "://") {
		app = escape(app)
	}
	answer, _, err := c.do(verb, "/v1.0/invoke/"+app+"/method/"+strings.TrimPrefix(method, "/"), headers, body)
	return answer, err
}

// GetSecret reads one secret: usually one value under its own name.
func (c *Client) GetSecret(store, key string, metadata ...Metadata) (map[string]string, error) {
	var secret map[string]string
	answer, _, err := c.do("GET", path("secrets", store, key)+query(metadata), "", nil)
	if err == nil {
		err = json.Unmarshal(answer, &secret)
	}
	return secret, err
}

// GetBulkSecret reads all secrets that this program may see.
func (c *Client) GetBulkSecret(store string, metadata ...Metadata) (map[string]map[string]string, error) {
	var secrets map[string]map[string]string
	answer, _, err := c.do("GET", path("secrets", store, "bulk")+query(metadata), "", nil)
	if err == nil {
		err = json.Unmarshal(answer, &secrets)
	}
	return secrets, err
}

// GetConfiguration reads these keys, or all.
func (c *Client) GetConfiguration(store string, keys ...string) (map[string]ConfigurationItem, error) {
	var items map[string]ConfigurationItem
	p, before := path("configuration", store), "?"
	for _, key := range keys {
		p += before + "key=" + escape(key)
		before = "&"
	}
	answer, _, err := c.do("GET", p, "", nil)
	if err == nil {
		err = json.Unmarshal(answer, &items)
	}
	return items, err
}

// InvokeBinding calls an output binding; data may be nil.
func (c *Client) InvokeBinding(name, operation string, data any, metadata Metadata) ([]byte, error) {
	request := map[string]any{"operation": operation}
	if data != nil {
		request["data"] = data
	}
	if metadata != nil {
		request["metadata"] = metadata
	}
	return c.post(path("bindings", name), request)
}
