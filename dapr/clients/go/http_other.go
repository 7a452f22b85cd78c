//go:build !wasip1

package dapr

import "errors"

func send(method, url, headers string, body []byte) (int, string, []byte, error) {
	return 0, "", nil, errors.New("dapr: this client is for GOOS=wasip1")
}
