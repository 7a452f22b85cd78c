// The Go client of Dapr with keys and values that are not nice, as client.c does it. usage: client-go.wasm URL, an application that --allow-http allows.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"minivm/dapr"
)

func check(name string, ok bool, err error) {
	if ok && err == nil {
		fmt.Println("ok", name)
	} else {
		fmt.Printf("FAIL %s: %v\n", name, err)
	}
}

func refused(name string, err error, status int, text string) {
	var e *dapr.Error
	check(name, errors.As(err, &e) && (e.Status == status || status == 0) && strings.Contains(e.Body, text), nil)
}

func main() {
	d := dapr.New()
	for _, key := range []string{"plain", "a b", "a/b", "a+b", "a%2Fb", "a?b=c", "a#b", "\u00e9\u20ac", "\"quoted\"", "a:b@c;d", "a&b=c"} {
		var value string
		check("save "+key, true, d.SaveState("statestore", key, key))
		found, etag, err := d.GetStateETag("statestore", key, &value)
		check("get "+key, found && etag != "" && value == key, err)
		check("delete "+key, true, d.DeleteStateETag("statestore", key, etag))
		found, err = d.GetState("statestore", key, nil)
		check("gone "+key, !found, err)
	}
	item := dapr.StateItem{Key: "item", Value: json.RawMessage("1"), Metadata: dapr.Metadata{"ttlInSeconds": "100"}, Options: &dapr.Options{Consistency: "strong"}}
	check("bulk save", true, d.SaveBulkState("statestore", item, dapr.StateItem{Key: "item 2", Value: map[string]any{"<&>": nil}}))
	keys := []string{"item", "item 2", "none"}
	states, err := d.GetBulkState("statestore", keys...)
	data := map[string]string{}
	for _, s := range states {
		data[s.Key] = string(s.Data)
	}
	check("bulk get", len(states) == 3 && data["item"] == "1" && len(data["none"]) == 0, err)
	check("transaction", true, d.Transaction("statestore", dapr.Upsert(dapr.StateItem{Key: "t1", Value: []int{1, 2}}), dapr.Delete("item")))
	var list []int
	found, err := d.GetState("statestore", "t1", &list)
	check("upsert", found && len(list) == 2 && list[1] == 2, err)
	found, err = d.GetState("statestore", "item", nil)
	check("remove", !found, err)
	refused("a wrong ETag", d.DeleteStateETag("statestore", "t1", "4711"), 409, "ERR_STATE_DELETE")
	_, err = d.GetState("nostore", "x", nil)
	refused("an unknown store", err, 400, "ERR_STATE_STORE_NOT_FOUND")
	check("publish", true, d.Publish("pubsub", "topic", map[string]int{"n": 1}, dapr.Metadata{"ttlInSeconds": "5"}))
	check("publish bytes", true, d.Publish("pubsub", "topic/of words", []byte{0, 1, 255}))
	check("publish text", true, d.PublishAs("pubsub", "topic", "text/plain", []byte("text"), dapr.Metadata{"rawPayload": "true"}))
	refused("publish to nobody", d.Publish("nopubsub", "topic", 1), 404, "ERR_PUBSUB_NOT_FOUND")
	secret, err := d.GetSecret("secrets", "carrier-key")
	check("secret", secret["carrier-key"] == "not-a-real-key", err)
	secrets, err := d.GetBulkSecret("secrets")
	check("all secrets", secrets["carrier-key"]["carrier-key"] == "not-a-real-key", err)
	_, err = d.GetSecret("secrets", "none")
	refused("no secret", err, 0, "ERR_SECRET_GET")
	wanted := []string{"a b", "c"}
	_, err = d.GetConfiguration("nosettings", wanted...)
	refused("no configuration", err, 0, "CONFIGURATION")
	check("the keys are the caller's", wanted[0] == "a b" && wanted[1] == "c", nil)
	name := dapr.Metadata{"fileName": "a b.txt"}
	_, err = d.InvokeBinding("receipts", "create", "a text", name)
	check("binding", true, err)
	got, err := d.InvokeBinding("receipts", "get", nil, name)
	check("binding's answer", string(got) == "a text", err)
	_, err = d.InvokeBinding("nobinding", "create", 1, nil)
	refused("no binding", err, 0, "ERR_INVOKE_OUTPUT_BINDING")
	_, err = d.Invoke("nobody", "GET", "/x", "", nil)
	refused("invoke nobody", err, 0, "ERR_DIRECT_INVOKE")
	got, err = d.Invoke(os.Args[1], "POST", "echo?a=b", "text/plain", []byte("hello"))
	check("invoke", string(got) == "hello", err)
	fmt.Println("done")
}
