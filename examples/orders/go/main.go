// The program orders.c in Go: GOOS=wasip1 GOARCH=wasm go build -o orders-go.wasm .
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"minivm/dapr"
)

const store = "statestore"

func need(err error, what string) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

func fillStock(d *dapr.Client) {
	for _, key := range []string{"stock/apple", "stock/pear"} { // of an earlier run: a state that was saved as first-write stays so
		need(d.DeleteState(store, key), "stock")
	}
	need(d.SaveBulkState(store, dapr.StateItem{Key: "stock/apple", Value: 3}, dapr.StateItem{Key: "stock/pear", Value: 1}), "stock")
	states, err := d.GetBulkState(store, "stock/apple", "stock/pear")
	if err == nil && len(states) != 2 {
		err = errors.New("not there")
	}
	need(err, "stock")
	fmt.Println("stock: 3 apples, 1 pear")
}

// Takes from the stock and writes the order, both or neither; a stock that another has changed since is not overwritten.
func order(d *dapr.Client) {
	var left int
	first := &dapr.Options{Concurrency: "first-write"}
	_, etag, err := d.GetStateETag(store, "stock/apple", &left)
	need(err, "order")
	need(d.Transaction(store,
		dapr.Upsert(dapr.StateItem{Key: "stock/apple", Value: left - 2, ETag: &etag, Options: first}),
		dapr.Upsert(dapr.StateItem{Key: "order 1", Value: map[string]any{"fruit": "apple", "count": 2}})), "order")
	_, err = d.GetState(store, "stock/apple", &left)
	need(err, "order")
	fmt.Printf("order 1: 2 apples, %d left\n", left)
	if d.SaveBulkState(store, dapr.StateItem{Key: "stock/apple", Value: 99, ETag: &etag, Options: first}) == nil {
		fmt.Println("a stale ETag was taken!")
	} else {
		fmt.Println("a stale ETag is refused")
	}
}

func tell(d *dapr.Client) {
	need(d.Publish("pubsub", "orders", map[string]int{"order": 1}), "event")
	fmt.Println("event published")
	secret, err := d.GetSecret("secrets", "carrier-key")
	need(err, "secret")
	fmt.Printf("secret of %d characters\n", len(secret["carrier-key"]))
	_, err = d.InvokeBinding("receipts", "create", "2 apples", dapr.Metadata{"fileName": "order-1.txt"})
	need(err, "receipt")
	fmt.Println("receipt written")
}

func ask(d *dapr.Client, shipping string) {
	discount := "none"
	if items, err := d.GetConfiguration("settings", "discount"); err == nil && items["discount"].Value != "" {
		text, _ := json.Marshal(items["discount"].Value)
		discount = string(text)
	}
	fmt.Println("discount:", discount)
	if shipping == "" {
		return
	}
	answer, err := d.Invoke(shipping, "POST", "echo?order=1", "text/plain", []byte("2 apples"))
	need(err, "shipping")
	fmt.Printf("shipping: %s\n", answer)
}

func clean(d *dapr.Client) {
	need(d.DeleteState(store, "order 1"), "delete")
	found, err := d.GetState(store, "order 1", nil)
	need(err, "delete")
	if found {
		fmt.Println("order 1 is still there!")
	} else {
		fmt.Println("order 1 deleted")
	}
}

func main() {
	d := dapr.New()
	shipping := ""
	if len(os.Args) > 1 {
		shipping = os.Args[1]
	}
	fillStock(d)
	order(d)
	tell(d)
	ask(d, shipping)
	clean(d)
}
