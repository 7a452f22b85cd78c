// A guest in Go that imports wasi_experimental_http itself, against tests/http/server.py.
// usage: go.wasm http://127.0.0.1:MAIN http://127.0.0.1:CANARY
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

//go:wasmimport wasi_experimental_http req
func httpReq(url unsafe.Pointer, urlLen uint32, method unsafe.Pointer, methodLen uint32, headers unsafe.Pointer, headersLen uint32,
	body unsafe.Pointer, bodyLen uint32, status, handle unsafe.Pointer) uint32

//go:wasmimport wasi_experimental_http close
func httpClose(handle uint32) uint32

//go:wasmimport wasi_experimental_http header_get
func httpHeaderGet(handle uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueCap uint32, written unsafe.Pointer) uint32

//go:wasmimport wasi_experimental_http headers_get_all
func httpHeadersGetAll(handle uint32, buf unsafe.Pointer, bufCap uint32, written unsafe.Pointer) uint32

//go:wasmimport wasi_experimental_http body_read
func httpBodyRead(handle uint32, buf unsafe.Pointer, bufCap uint32, written unsafe.Pointer) uint32

// The same function twice, as the Go toolchain may write it for two packages.
//
//go:wasmimport wasi_experimental_http close
func httpCloseAgain(handle uint32) uint32

func at(s []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(append(s, 0))) }

type answer struct {
	status int
	body   []byte
	header string
}

func send(method, url, headers string, body []byte) (answer, uint32) {
	var status uint16
	var handle, n uint32
	code := httpReq(at([]byte(url)), uint32(len(url)), at([]byte(method)), uint32(len(method)), at([]byte(headers)), uint32(len(headers)), at(body),
		uint32(len(body)), unsafe.Pointer(&status), unsafe.Pointer(&handle))
	if code != 0 {
		return answer{}, code
	}
	defer httpClose(handle)
	a := answer{status: int(status)}
	buf := make([]byte, 65536)
	if code = httpHeadersGetAll(handle, at(buf[:0]), 65536, unsafe.Pointer(&n)); code != 0 {
		return a, code
	}
	a.header = string(buf[:n])
	for {
		if code = httpBodyRead(handle, unsafe.Pointer(&buf[0]), 65536, unsafe.Pointer(&n)); code != 0 || n == 0 {
			return a, code
		}
		a.body = append(a.body, buf[:n]...)
	}
}

func check(name string, ok bool) {
	if ok {
		fmt.Println("ok", name)
	} else {
		fmt.Println("FAIL", name)
	}
}

func main() {
	base, canary := os.Args[1], os.Args[2]
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
		a, code := send(method, base+"/echo", "Content-Type:text/x-go\n", []byte("a body"))
		check(method, code == 0 && a.status == 200 && string(a.body) == "a body")
		check("its headers", strings.Contains(a.header, "x-method:"+method+"\n") && strings.Contains(a.header, "content-type:text/x-go\n"))
	}
	a, code := send("GET", base+"/chunked/500000", "", nil)
	ok := code == 0 && len(a.body) == 500000
	for i, b := range a.body {
		ok = ok && b == byte(i)
	}
	check("chunked", ok)
	large := bytes.Repeat([]byte("0123456789"), 100000)
	a, code = send("POST", base+"/echo", "", large)
	check("a large body there and back", code == 0 && bytes.Equal(a.body, large))
	_, code = send("GET", canary, "", nil)
	check("not allowed", code == 7)
	_, code = send("GET", base+"/truncated", "", nil)
	check("truncated", code == 11)
	_, code = send("G T", base, "", nil)
	check("bad method", code == 8)
	failed := 0
	for i := 0; i < 2000; i++ {
		if a, code := send("GET", base+"/bytes/10", "", nil); code != 0 || len(a.body) != 10 {
			failed++
		}
	}
	check("2000 sequential requests", failed == 0)
	httpCloseAgain(1 << 30)
	fmt.Println("done")
}
